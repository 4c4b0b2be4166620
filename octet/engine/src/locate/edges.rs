//! What the round trips of one session say of a place. Several edges share one unknown offset, the client's last mile
//! or tunnel, which is marginalised. It knows no other source of evidence.

use octet_geometry::{EARTH_RADIUS_KM, UnitVector};

use super::Sighting;
use crate::grid::{Grid, Node};
use crate::model::{self, ByKnot, Model};

/// Nothing goes and comes back faster: half of light's speed in vacuum, in km per ms of round trip.
pub(crate) const VACUUM_KM_PER_MS: f64 = 150.0;
/// Light in fibre, there and back, in km per ms of round trip.
pub(crate) const MEDIUM_KM_PER_MS: f64 = 100.0;
/// ln of how rarely a host beats fibre: satellites, microwave, a wrong position.
const LN_BEATS_FIBRE: f64 = -4.0;
/// ln of how rarely a host seems to beat light: only a lying position does.
const LN_BEATS_LIGHT: f64 = -50.0;
/// The same of a node of which no part could be meant, where another place on land could: so far below whatever late
/// answers make of that, that they cannot buy it off.
pub(crate) const LN_OUT_OF_REACH: f64 = -1000.0;
/// No finest node reaches further from its place, in km.
const WIDEST_KM: f64 = 100.0;
/// What an answer takes at the least beyond an offset, in ms.
const LEAST_PATH_MS: f64 = 0.2;

/// How the client is connected, as far as is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Access {
    /// A machine in a data centre.
    Hosting,
    /// Anything else: a line, Wi-Fi, a phone, a satellite.
    #[default]
    Consumer,
}

/// The sightings made ready for every node.
#[derive(Debug)]
pub(crate) struct Edges {
    edges: Vec<Edge>,
    access: Access,
    /// ln prior of each possible offset.
    ln_offset: Vec<f32>,
    temper: f32,
    /// Whether an answer can have come to every edge from some land.
    pub(crate) reach_land: bool,
}

#[derive(Debug)]
struct Edge {
    vector: UnitVector,
    rtt_ms: f64,
    /// By knot.
    detours: Box<ByKnot>,
    /// Natural logarithm of how much wider its paths are, as too little was told of its place.
    ln_wider: f32,
    /// The inverse of that, without the logarithm.
    narrower: f32,
    /// Its share of trust: 1 without jitter.
    weight: f32,
    /// ln(t − offset + 2) for each possible offset.
    ln_path: Vec<f32>,
}

impl Edges {
    pub(crate) fn new(model: &Model, sightings: &[Sighting], access: Access) -> Self {
        let parameters = &model.parameters().access;
        let kind: &model::Access = match access {
            Access::Hosting => &parameters.hosting,
            Access::Consumer => &parameters.consumer,
        };
        // An offset larger than any of the round trips is impossible; the smallest is always tried.
        let least = sightings.iter().map(|sighting| sighting.rtt_ms).fold(f64::MAX, f64::min);
        let possible = parameters.offsets_ms.partition_point(|offset| least - offset >= LEAST_PATH_MS).max(1);
        let offsets = &parameters.offsets_ms[..possible];
        let edges: Vec<Edge> = sightings
            .iter()
            .map(|sighting| {
                let vector = UnitVector::from(sighting.edge);
                let around = model.detours.around(vector);
                Edge {
                    vector,
                    rtt_ms: sighting.rtt_ms,
                    detours: model.detours.from(&around),
                    ln_wider: around.ln_wider,
                    narrower: around.narrower,
                    weight: trust(sighting) as f32,
                    ln_path: offsets
                        .iter()
                        .map(|offset| (sighting.rtt_ms - offset).max(LEAST_PATH_MS))
                        .map(|path_ms| (path_ms + 2.0).ln() as f32)
                        .collect(),
                }
            })
            .collect();
        let temper = kind.temper * (edges.len().max(1) as f64).powf(-kind.temper_decay);
        let ln_offset = kind.offset_weights.iter().take(possible).map(|weight| weight.ln() as f32).collect();
        let reach_land = reach_land(&edges, &model.grid);
        Self { edges, access, ln_offset, temper: temper.min(1.0) as f32, reach_land }
    }

    pub(crate) fn access(&self) -> Access {
        self.access
    }

    pub(crate) fn len(&self) -> usize {
        self.edges.len()
    }

    /// The prior probability of each of the model's offsets.
    pub(crate) fn offset_prior<'m>(&self, model: &'m Model) -> &'m [f64] {
        let access = &model.parameters().access;
        match self.access {
            Access::Hosting => &access.hosting.offset_weights,
            Access::Consumer => &access.consumer.offset_weights,
        }
    }

    /// Whether an answer can have come from there to every edge.
    pub(crate) fn reach(&self, at: UnitVector) -> bool {
        self.edges.iter().all(|edge| at.distance_km(edge.vector) <= VACUUM_KM_PER_MS * edge.rtt_ms)
    }

    /// ln likelihood of the round trips for a client at this node, its offset marginalised.
    pub(crate) fn ln_likelihood(&self, model: &Model, node: &Node) -> f64 {
        if self.edges.is_empty() {
            return 0.0;
        }
        if self.reach_land && self.is_out_of_reach(node) {
            return LN_OUT_OF_REACH;
        }
        let mut by_offset = [0.0_f32; MAX_OFFSETS];
        let by_offset = &mut by_offset[..self.ln_offset.len()];
        let clip = self.ln_by_offset(model, node, by_offset);
        let highest = by_offset.iter().copied().fold(f32::MIN, f32::max);
        let sum: f32 = by_offset.iter().map(|ln| exp(ln - highest)).sum();
        clip + f64::from(highest + sum.ln())
    }

    /// Whether no place of this node can have answered some edge so soon.
    fn is_out_of_reach(&self, node: &Node) -> bool {
        let at = node.vector();
        let limits = |edge: &Edge| beyond(2.0 - 2.0 * at.dot(edge.vector), f64::from(node.reach_km), edge.rtt_ms);
        self.edges.iter().any(|edge| limits(edge) <= LN_BEATS_LIGHT)
    }

    /// Fills in the tempered ln likelihood and prior of each offset; returns what the physical limits say.
    fn ln_by_offset(&self, model: &Model, node: &Node, by_offset: &mut [f32]) -> f64 {
        let at = node.vector();
        let soft = 0.5 * f64::from(node.radius_km) / EARTH_RADIUS_KM;
        let mut clip = 0.0;
        for edge in &self.edges {
            let chord_squared = 2.0 - 2.0 * at.dot(edge.vector);
            clip += beyond(chord_squared, f64::from(node.reach_km), edge.rtt_ms);
            let floor = model.delay.floor((chord_squared + soft * soft) as f32);
            let expected = floor.ln_path + node.around.of(&edge.detours);
            let ln_wider = node.around.ln_wider + edge.ln_wider;
            let narrower = node.around.narrower * edge.narrower;
            let row = model.delay.row(floor);
            for (ln, path) in by_offset.iter_mut().zip(&edge.ln_path) {
                *ln += edge.weight * (row.ln_density((path - expected) * narrower) - ln_wider - path);
            }
        }
        for (ln, prior) in by_offset.iter_mut().zip(&self.ln_offset) {
            *ln = self.temper * *ln + prior;
        }
        clip
    }

    /// The posterior of each offset for a client at this node, added to `sum` with this weight.
    pub(crate) fn add_offsets(&self, model: &Model, node: &Node, weight: f64, sum: &mut [f64]) {
        let mut by_offset = [0.0_f32; MAX_OFFSETS];
        let by_offset = &mut by_offset[..self.ln_offset.len()];
        self.ln_by_offset(model, node, by_offset);
        let highest = by_offset.iter().copied().fold(f32::MIN, f32::max);
        let total: f32 = by_offset.iter().map(|ln| (ln - highest).exp()).sum();
        for (sum, ln) in sum.iter_mut().zip(by_offset) {
            *sum += weight * f64::from((*ln - highest).exp() / total);
        }
    }

    /// How much higher the ln likelihood may be somewhere within the node than at its position.
    pub(crate) fn variation(&self, node: &Node) -> f64 {
        let at = node.vector();
        let radius = f64::from(node.radius_km);
        let one = |edge: &Edge| {
            let km = (2.0 - 2.0 * at.dot(edge.vector)).max(0.0).sqrt() * EARTH_RADIUS_KM;
            let smooth = VARIATION_PER_LN_DISTANCE * radius / ((km - radius).max(0.0) + 200.0);
            // Where a physical limit runs through the node, a part of it may be possible and the rest not.
            let cut = |km_per_ms: f64| (km - km_per_ms * edge.rtt_ms).abs() < 2.0 * radius;
            let cut = cut(MEDIUM_KM_PER_MS) || cut(VACUUM_KM_PER_MS);
            f64::from(self.temper) * smooth + if cut { VARIATION_OF_LIMIT } else { 0.0 }
        };
        self.edges.iter().map(one).sum::<f64>().min(MOST_VARIATION)
    }
}

/// Whether an answer can have come to every edge from some land.
fn reach_land(edges: &[Edge], grid: &Grid) -> bool {
    let reach = |edge: &Edge| VACUUM_KM_PER_MS * edge.rtt_ms;
    let Some(quickest) = edges.iter().min_by(|a, b| a.rtt_ms.total_cmp(&b.rtt_ms)) else { return true };
    let mut near = grid.nearest(quickest.vector).take_while(|(km, _)| *km <= reach(quickest) + WIDEST_KM);
    let holds =
        |node: &Node, edge: &Edge| node.vector().distance_km(edge.vector) <= reach(edge) + f64::from(node.radius_km);
    near.any(|(_, node)| edges.iter().all(|edge| holds(node, edge)))
}

/// The most offsets that parameters may list.
pub(crate) const MAX_OFFSETS: usize = 64;

/// The ln likelihood changes by about this when the distance changes by a factor of e.
const VARIATION_PER_LN_DISTANCE: f64 = 4.0;
/// What a physical limit may take from a part of a node.
const VARIATION_OF_LIMIT: f64 = 2.0;
/// No node is kept for more than this.
const MOST_VARIATION: f64 = 6.0;

/// ln of how rarely a place beyond what the round trip allows is the true one. A node counts by its nearest point.
fn beyond(chord_squared: f64, radius_km: f64, rtt_ms: f64) -> f64 {
    // The chord is shorter than the arc: this test spares the arc where the limit is far.
    let reach = MEDIUM_KM_PER_MS * rtt_ms + radius_km;
    let chord_km = chord_squared.max(0.0).sqrt() * EARTH_RADIUS_KM;
    if chord_km * std::f64::consts::FRAC_PI_2 <= reach {
        return 0.0;
    }
    let km = 2.0 * (chord_km / EARTH_RADIUS_KM / 2.0).min(1.0).asin() * EARTH_RADIUS_KM - radius_km;
    if km > VACUUM_KM_PER_MS * rtt_ms {
        LN_BEATS_LIGHT
    } else if km > MEDIUM_KM_PER_MS * rtt_ms {
        LN_BEATS_FIBRE
    } else {
        0.0
    }
}

/// e to a power that is not above 0, to five digits: by powers of two and a series, in steps that need no call.
fn exp(power: f32) -> f32 {
    /// 1.5 · 2²³: added to a small number, it leaves the nearest whole one in the lowest bits.
    const TO_WHOLE: f32 = 12_582_912.0;
    let power = if power > -80.0 { power } else { -80.0 };
    let shifted = power * std::f32::consts::LOG2_E + TO_WHOLE;
    let rest = power - (shifted - TO_WHOLE) * std::f32::consts::LN_2;
    let series = 1.0
        + rest * (1.0 + rest * (0.5 + rest * (1.0 / 6.0 + rest * (1.0 / 24.0 + rest * (1.0 / 120.0 + rest / 720.0)))));
    f32::from_bits(series.to_bits().wrapping_add(shifted.to_bits() << 23))
}

/// How far a sighting is trusted: its jitter as a share of the round trip widens it beside a path's own spread.
fn trust(sighting: &Sighting) -> f64 {
    const PATH_SPREAD: f64 = 0.25;
    let spread = sighting.jitter_ms.max(0.0) / (sighting.rtt_ms + 2.0);
    PATH_SPREAD / PATH_SPREAD.hypot(spread)
}

#[cfg(test)]
mod tests {
    use super::exp;

    #[test]
    fn powers_of_e_are_right_to_five_digits() {
        for step in 0..=8000 {
            let power = -0.01 * f64::from(step);
            let (own, known) = (f64::from(exp(power as f32)), f64::from(power as f32).exp());
            assert!((own / known - 1.0).abs() < 1e-5, "{power}: {own} {known}");
        }
        assert!(exp(f32::NEG_INFINITY) < 1e-34 && exp(0.0) == 1.0);
    }
}
