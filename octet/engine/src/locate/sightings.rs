//! From what edges report to one round trip a place: which answers count, which edges are one, and which of them cannot
//! all be true. It knows no likelihood.

use octet::LatLon;
use octet_geometry::{EARTH_RADIUS_KM, HALF_TURN_KM, UnitVector, distance_km};

use super::VACUUM_KM_PER_MS;
use crate::evidence::{EdgeEvidence, MAX_EDGES, MAX_ROUND_TRIPS};

/// Edges nearer than this to one another share their path: they count as one.
const SAME_PLACE_KM: f64 = 60.0;
/// A browser's round trip may be this much above its connection's without a relay between: scheduling, wake-ups. It
/// does not grow with the round trip, so that delay added to both hides no relay.
pub(crate) const RELAY_MARGIN_MS: f64 = 20.0;
/// Discs that miss one another by less than this meet.
const SLACK_KM: f64 = 1.0;

/// One edge's best estimate of the round trip to the client.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sighting {
    /// Where the edge is.
    pub edge: LatLon,
    /// The smallest round trip, in ms; above 0.
    pub rtt_ms: f64,
    /// How far the smallest round trip may lie above the path's own, in ms.
    pub jitter_ms: f64,
}

/// The sightings of the edges that know their place and have a plausible round trip, in an order of their own; edges at
/// one place are one, with the quickest answer. Over [`MAX_EDGES`], those with the quickest answers count.
#[must_use]
pub fn sightings<'a>(edges: impl IntoIterator<Item = &'a EdgeEvidence>) -> Vec<Sighting> {
    let mut found: Vec<Sighting> = edges
        .into_iter()
        .filter_map(|edge| {
            let (rtt_ms, jitter_ms) = round_trip(edge)?;
            Some(Sighting { edge: edge.position?, rtt_ms, jitter_ms })
        })
        .collect();
    found.sort_by(|a, b| key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal));
    found.truncate(MAX_EDGES);
    // Edges are at one place when a chain of near ones joins them, so that it does not matter which comes first.
    let mut place: Vec<usize> = (0..found.len()).collect();
    for one in 1..found.len() {
        for other in 0..one {
            if place[one] != place[other] && distance_km(found[one].edge, found[other].edge) < SAME_PLACE_KM {
                let (from, to) = (place[one].max(place[other]), place[one].min(place[other]));
                place.iter_mut().filter(|place| **place == from).for_each(|place| *place = to);
            }
        }
    }
    // The first of each place is its quickest.
    let quickest = found.iter().enumerate().filter(|(index, _)| place[*index] == *index).map(|(_, one)| *one);
    quickest.collect()
}

/// The quickest first.
fn key(one: &Sighting) -> [f64; 4] {
    [one.rtt_ms, one.edge.lat(), one.edge.lon(), one.jitter_ms]
}

/// The browser's round trips that are read and plausible, in ms.
pub(crate) fn rounds(edge: &EdgeEvidence) -> impl Iterator<Item = f64> {
    edge.round_trips_ms.iter().take(MAX_ROUND_TRIPS).copied().filter(plausible)
}

fn plausible(ms: &f64) -> bool {
    (0.01..=20_000.0).contains(ms)
}

/// The smallest round trip and how uncertain it is; `None` without a plausible one.
fn round_trip(edge: &EdgeEvidence) -> Option<(f64, f64)> {
    let mut rounds: Vec<f64> = rounds(edge).collect();
    rounds.sort_by(f64::total_cmp);
    // The kernel's smallest round trip is of the same path when nothing stands between: it sees no busy page.
    let tcp = edge.tcp.filter(|_| !edge.proxied).map(|tcp| tcp.min_ms).filter(plausible);
    let smallest = match (rounds.first().copied(), tcp) {
        (Some(browser), Some(tcp)) if browser < tcp + RELAY_MARGIN_MS => browser.min(tcp),
        (Some(browser), _) => browser,
        (None, _) => return None,
    };
    let middle = rounds[rounds.len() / 2];
    let hidden = if edge.hidden { 4.0 } else { 1.0 };
    Some((smallest, hidden * (middle - smallest).max(0.0) / (rounds.len() as f64).sqrt()))
}

/// The largest set of sightings that one place can have caused, none of them faster than light; of several such sets
/// the one that asks least. What is left out lies about its edge's position, or something nearer answered it.
#[must_use]
pub fn consistent(sightings: &[Sighting]) -> Vec<Sighting> {
    let discs: Vec<(UnitVector, f64)> = sightings
        .iter()
        .map(|one| (one.edge.into(), (VACUUM_KM_PER_MS * one.rtt_ms + SLACK_KM).min(HALF_TURN_KM)))
        .collect();
    let holds = |disc: &(UnitVector, f64), at: UnitVector| disc.0.distance_km(at) <= disc.1;
    // What the most discs hold is bounded by rims that cross, by a whole rim, or by nothing: so a crossing, any place of
    // each rim or a disc's middle is there too.
    let middles = discs.iter().flat_map(|disc| [disc.0, of_rim(*disc)]);
    let pairs = discs.iter().enumerate().flat_map(|(at, one)| discs[..at].iter().map(move |other| (one, other)));
    let best = middles
        .chain(pairs.flat_map(|(one, other)| crossings(*one, *other)))
        .map(|at| {
            let (count, asked) = discs
                .iter()
                .filter(|disc| holds(disc, at))
                .fold((0, 0.0), |(count, asked), disc| (count + 1, asked + disc.1));
            (count, asked, at)
        })
        .reduce(|best, other| if (other.0, other.1) > (best.0, best.1) { other } else { best });
    let Some((count, _, at)) = best else { return Vec::new() };
    if count == sightings.len() {
        return sightings.to_vec();
    }
    sightings.iter().zip(&discs).filter(|(_, disc)| holds(disc, at)).map(|(one, _)| *one).collect()
}

/// The angle of a disc's rim, drawn in a little so that the disc holds it.
fn rim(km: f64) -> f64 {
    (km - 0.1 * SLACK_KM).max(0.0) / EARTH_RADIUS_KM
}

/// Some place of a disc's rim.
fn of_rim((middle, km): (UnitVector, f64)) -> UnitVector {
    let pole = if middle.z.abs() < 0.9 { [0.0, 0.0, 1.0] } else { [1.0, 0.0, 0.0] };
    let aside = middle.cross(UnitVector { x: pole[0], y: pole[1], z: pole[2] });
    let (sine, cosine) = rim(km).sin_cos();
    let across = sine / aside.dot(aside).sqrt();
    UnitVector {
        x: cosine * middle.x + across * aside.x,
        y: cosine * middle.y + across * aside.y,
        z: cosine * middle.z + across * aside.z,
    }
}

/// Where the rims of two discs cross.
fn crossings(one: (UnitVector, f64), other: (UnitVector, f64)) -> impl Iterator<Item = UnitVector> {
    let (a, b) = (rim(one.1).cos(), rim(other.1).cos());
    let along = one.0.dot(other.0);
    let rest = 1.0 - along * along;
    let (own, its) = ((a - b * along) / rest, (b - a * along) / rest);
    let across = (1.0 - own * own - its * its - 2.0 * own * its * along) / rest;
    let cross = one.0.cross(other.0);
    let sides = if rest > 1e-12 && across >= 0.0 { [Some(1.0), Some(-1.0)] } else { [None; 2] };
    sides.into_iter().flatten().map(move |side: f64| {
        let up = side * across.sqrt();
        let sum = |own_part: f64, its_part: f64, cross_part: f64| own * own_part + its * its_part + up * cross_part;
        UnitVector {
            x: sum(one.0.x, other.0.x, cross.x),
            y: sum(one.0.y, other.0.y, cross.y),
            z: sum(one.0.z, other.0.z, cross.z),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat: f64, lon: f64, rtt_ms: f64) -> Sighting {
        Sighting { edge: LatLon::new(lat, lon).unwrap(), rtt_ms, jitter_ms: 0.0 }
    }

    #[test]
    fn the_one_edge_that_contradicts_the_others_is_left_out() {
        let true_ones = [at(50.1, 8.7, 10.0), at(48.9, 2.4, 12.0), at(38.9, -77.0, 90.0)];
        assert_eq!(consistent(&true_ones), true_ones);
        let liar = at(-33.9, 151.2, 4.0);
        assert_eq!(consistent(&[true_ones[0], liar, true_ones[1], true_ones[2]]), true_ones);
    }

    #[test]
    fn edges_at_opposite_ends_of_the_earth_are_consistent_though_their_rims_never_cross() {
        assert_eq!(consistent(&[at(0.0, 0.0, 90.0), at(0.0, 180.0, 90.0)]).len(), 2);
    }

    #[test]
    fn three_discs_that_meet_in_pairs_only_are_not_consistent() {
        let three = [at(0.0, 0.0, 8.0), at(0.0, 20.0, 8.0), at(17.3, 10.0, 8.0)];
        assert_eq!(consistent(&three[..2]).len(), 2);
        assert_eq!(consistent(&three[1..]).len(), 2);
        assert_eq!(consistent(&three).len(), 2);
    }
}
