//! A posterior over cells, and what can be asked of it: countries, a place, a radius, whether a place is in its
//! credible region. It knows no source of evidence.

use octet::{CountryCode, LatLon};
use octet_geometry::{EARTH_RADIUS_KM, UnitVector};

use super::edges::{Edges, LN_OUT_OF_REACH, MAX_OFFSETS};
use crate::grid::{Healpix, ln_sum};
use crate::model::Model;
use crate::world::cells::ORDER;

/// A posterior over cells of land.
#[derive(Debug)]
pub struct Posterior<'m> {
    pub(super) model: &'m Model,
    /// The densest first.
    pub(super) leaves: Vec<Leaf>,
    pub(super) edges: Edges,
    /// The unnormalised ln mass of each of the grid's countries.
    ln_countries: Vec<f64>,
}

/// A node with its share of the mass.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaf {
    pub(super) node: u32,
    pub(super) mass: f64,
}

/// Leaves with less than this share of the mass are forgotten.
const LEAST_MASS: f64 = 1e-8;
/// A cell with less land, in km², is no denser for that: the smallest islets would come before all cities.
const LEAST_LAND_KM2: f64 = 300.0;
/// A place this far outside of a cell still counts to it: cells are round here, and coasts are not.
const NEAR_KM: f64 = 40.0;
/// The place is sought among spots of this order, 204 km wide…
const SPOT_ORDER: u8 = 5;
/// …from the best of so many…
const CANDIDATES: usize = 48;
/// …by what so many of them hold…
const WITNESSES: usize = 256;
/// …in so many steps from there.
const SHIFTS: usize = 4;
/// An answer that is this far off is worth nothing: chosen for the median error of all tests together.
const REACH_KM: f64 = 2000.0;
/// Offsets are those of so many of the heaviest cells.
const OFFSET_WITNESSES: usize = 32;

impl<'m> Posterior<'m> {
    pub(super) fn new(model: &'m Model, weighed: Vec<(u32, f64)>, edges: Edges) -> Self {
        let total = ln_sum(weighed.iter().map(|leaf| leaf.1));
        let ln_countries = ln_by_country(model, &weighed);
        let share = |(node, ln): (u32, f64)| Leaf { node, mass: (ln - total).exp() };
        let mut leaves: Vec<Leaf> = weighed.into_iter().map(share).filter(|leaf| leaf.mass > LEAST_MASS).collect();
        let mut by_density: Vec<(f64, Leaf)> = leaves
            .drain(..)
            .map(|leaf| {
                (leaf.mass / f64::from(model.grid.nodes[leaf.node as usize].land_km2).max(LEAST_LAND_KM2), leaf)
            })
            .collect();
        by_density.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.node.cmp(&b.1.node)));
        leaves.extend(by_density.into_iter().map(|(_, leaf)| leaf));
        Self { model, leaves, edges, ln_countries }
    }

    /// The probability of each country, the most probable first, those below one in a million left out.
    #[must_use]
    pub fn countries(&self) -> Vec<(CountryCode, f64)> {
        let mut masses = vec![0.0; self.model.grid.countries.len()];
        for leaf in &self.leaves {
            masses[usize::from(self.model.grid.nodes[leaf.node as usize].country)] += leaf.mass;
        }
        let codes = self.model.grid.countries.iter().map(|country| country.code);
        let mut masses: Vec<_> = codes.zip(masses).filter(|country| country.1 > 1e-6).collect();
        masses.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        masses
    }

    /// The place with the most probability around it: within about a thousand kilometres, the nearer the more.
    ///
    /// What is further off is wrong wherever it is, so that a second continent does not pull the answer into the sea
    /// between. Where a country has most of the mass, the place is sought in it, however many live beside it. Found by mean
    /// shift (Comaniciu and Meer, IEEE PAMI 2002) from the best of the heaviest spots.
    #[must_use]
    pub fn place(&self) -> Option<LatLon> {
        let most = self.countries().first().filter(|country| country.1 > 0.5).map(|country| country.0);
        let Some(country) = most.and_then(|code| self.model.grid.country(code)) else {
            return self.place_among(&self.leaves);
        };
        let is_own = |leaf: &&Leaf| usize::from(self.model.grid.nodes[leaf.node as usize].country) == country;
        self.place_among(&self.leaves.iter().filter(is_own).copied().collect::<Vec<_>>())
    }

    fn place_among(&self, leaves: &[Leaf]) -> Option<LatLon> {
        let spots = self.spots(leaves);
        let held = |at: UnitVector| -> f64 { spots.iter().map(|spot| spot.1 * near(at, spot.0).powi(2)).sum() };
        let candidates = spots.iter().take(CANDIDATES).map(|&(at, _)| (held(at), at));
        let mut best = candidates.max_by(|a, b| a.0.total_cmp(&b.0))?;
        for _ in 0..SHIFTS {
            let mut sum = UnitVector { x: 0.0, y: 0.0, z: 0.0 };
            for &(at, mass) in &spots {
                let pull = mass * near(best.1, at);
                sum = UnitVector { x: sum.x + pull * at.x, y: sum.y + pull * at.y, z: sum.z + pull * at.z };
            }
            let Some(moved) = sum.to_place().map(UnitVector::from) else { break };
            best = (held(moved), moved);
        }
        // Between two spots there may be a place that no answer can have come from.
        if !self.edges.reach(best.1) {
            let reached = leaves.iter().map(|leaf| self.vector(leaf)).filter(|&at| self.edges.reach(at));
            best.1 = reached.max_by(|a, b| a.dot(best.1).total_cmp(&b.dot(best.1))).unwrap_or(best.1);
        }
        best.1.to_place()
    }

    /// The mass gathered by pixels of [`SPOT_ORDER`], each at the middle of what it holds, the heaviest first.
    fn spots(&self, leaves: &[Leaf]) -> Vec<(UnitVector, f64)> {
        let nodes = &self.model.grid.nodes;
        let mut leaves: Vec<(u32, u8, &Leaf)> = leaves
            .iter()
            .map(|leaf| {
                let node = &nodes[leaf.node as usize];
                let coarser = node.order.saturating_sub(SPOT_ORDER);
                (node.pixel >> (2 * coarser), node.order - coarser, leaf)
            })
            .collect();
        leaves.sort_unstable_by_key(|&(pixel, order, leaf)| (order, pixel, leaf.node));
        let mut spots: Vec<(UnitVector, f64)> = leaves
            .chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
            .filter_map(|spot| {
                let mut sum = UnitVector { x: 0.0, y: 0.0, z: 0.0 };
                let mut mass = 0.0;
                for (.., leaf) in spot {
                    let at = self.vector(leaf);
                    sum = UnitVector {
                        x: sum.x + leaf.mass * at.x,
                        y: sum.y + leaf.mass * at.y,
                        z: sum.z + leaf.mass * at.z,
                    };
                    mass += leaf.mass;
                }
                Some((UnitVector::from(sum.to_place()?), mass))
            })
            .collect();
        spots.sort_by(|a, b| b.1.total_cmp(&a.1));
        spots.truncate(WITNESSES);
        spots
    }

    /// The heaviest leaves, the heaviest first.
    fn heaviest(&self, count: usize) -> Vec<&Leaf> {
        let mut leaves: Vec<&Leaf> = self.leaves.iter().collect();
        let heavier = |a: &&Leaf, b: &&Leaf| b.mass.total_cmp(&a.mass).then(a.node.cmp(&b.node));
        if leaves.len() > count {
            leaves.select_nth_unstable_by(count, heavier);
            leaves.truncate(count);
        }
        leaves.sort_unstable_by(heavier);
        leaves
    }

    /// The radius around `center` that holds this share of the mass, in km.
    #[must_use]
    pub fn radius_km(&self, center: LatLon, share: f64) -> f64 {
        let center = UnitVector::from(center);
        let mut distances: Vec<(f64, f64)> = self
            .leaves
            .iter()
            .map(|leaf| {
                let radius = f64::from(self.model.grid.nodes[leaf.node as usize].radius_km);
                (center.distance_km(self.vector(leaf)) + 0.5 * radius, leaf.mass)
            })
            .collect();
        distances.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut within = 0.0;
        for (km, mass) in &distances {
            within += mass;
            if within >= share {
                return *km;
            }
        }
        distances.last().map_or(octet_geometry::HALF_TURN_KM, |last| last.0)
    }

    /// The share of the mass that is no further from `center` than this.
    #[must_use]
    pub fn mass_within(&self, center: LatLon, km: f64) -> f64 {
        let center = UnitVector::from(center);
        let near = |leaf: &&Leaf| {
            let radius = f64::from(self.model.grid.nodes[leaf.node as usize].radius_km);
            center.distance_km(self.vector(leaf)) + 0.5 * radius <= km
        };
        self.leaves.iter().filter(near).map(|leaf| leaf.mass).sum()
    }

    /// The area of the region of highest density that holds this share of the mass, in km².
    #[must_use]
    pub fn area_km2(&self, share: f64) -> f64 {
        let mut within = 0.0;
        let mut area = 0.0;
        for leaf in &self.leaves {
            if within >= share {
                break;
            }
            within += leaf.mass;
            area += f64::from(self.model.grid.nodes[leaf.node as usize].land_km2);
        }
        area
    }

    /// How far from `center` so many people live, in km, of those in places that `holds` tells of; `None` where fewer do
    /// within `most_km`.
    pub(crate) fn people_within(
        &self,
        center: LatLon,
        most_km: f64,
        people: f64,
        holds: impl Fn(LatLon) -> bool,
    ) -> Option<f64> {
        let near = self.model.grid.nearest(center.into()).take_while(|(km, _)| *km <= most_km);
        let mut held = near.filter(|(_, node)| node.vector().to_place().is_some_and(&holds));
        let mut lacking = people;
        held.find_map(|(km, node)| {
            lacking -= f64::from(node.population);
            (lacking <= 0.0).then_some(km)
        })
    }

    /// Whether the round trips can have come from some land, all of them.
    pub(crate) fn reaches_land(&self) -> bool {
        self.edges.reach_land
    }

    /// The smallest share whose region of highest density holds the place in that country: 0 at the densest cell,
    /// 1 when no leaf holds it.
    #[must_use]
    pub fn depth(&self, place: LatLon, country: CountryCode) -> f64 {
        self.leaf_at(place, country).map_or(1.0, |at| self.leaves[..at].iter().map(|leaf| leaf.mass).sum())
    }

    /// Natural logarithm of the posterior density at the place in that country, a km² of land.
    #[must_use]
    pub fn ln_density(&self, place: LatLon, country: CountryCode) -> f64 {
        let leaf = self.leaf_at(place, country).map(|at| self.leaves[at]);
        let land_km2 = |leaf: Leaf| f64::from(self.model.grid.nodes[leaf.node as usize].land_km2);
        let of = |leaf: Leaf| leaf.mass / land_km2(leaf).max(LEAST_LAND_KM2);
        leaf.map_or(1e-13, of).max(1e-13).ln()
    }

    /// The leaf that holds the place; on a coast that the grid does not know, the nearest small one of its country.
    fn leaf_at(&self, place: LatLon, country: CountryCode) -> Option<usize> {
        let country = self.model.grid.country(country)?;
        let pixels: Vec<u32> = (0..=ORDER).map(|order| Healpix::new(order).pixel(place)).collect();
        let node = |leaf: &Leaf| &self.model.grid.nodes[leaf.node as usize];
        let own = |leaf: &Leaf| usize::from(node(leaf).country) == country;
        let holds = |leaf: &Leaf| own(leaf) && pixels.get(usize::from(node(leaf).order)) == Some(&node(leaf).pixel);
        let at = UnitVector::from(place);
        let away = |leaf: &Leaf| at.distance_km(self.vector(leaf)) - f64::from(node(leaf).radius_km);
        let nearest = || {
            let near = self.leaves.iter().enumerate().filter(|(_, leaf)| own(leaf) && away(leaf) < NEAR_KM);
            near.min_by(|a, b| {
                node(a.1).radius_km.total_cmp(&node(b.1).radius_km).then(away(a.1).total_cmp(&away(b.1)))
            })
        };
        self.leaves.iter().position(holds).or_else(|| nearest().map(|(at, _)| at))
    }

    /// The posterior probability of each of the model's offsets.
    #[must_use]
    pub fn offsets(&self) -> Vec<f64> {
        let count = self.model.parameters().access.offsets_ms.len().min(MAX_OFFSETS);
        let mut sum = vec![0.0; count];
        if !self.has_round_trips() {
            return sum;
        }
        let mut weight = 0.0;
        for leaf in self.heaviest(OFFSET_WITNESSES) {
            self.edges.add_offsets(self.model, &self.model.grid.nodes[leaf.node as usize], leaf.mass, &mut sum);
            weight += leaf.mass;
        }
        for mass in &mut sum {
            *mass /= weight;
        }
        sum
    }

    /// The unnormalised ln mass of each of the grid's countries, however small.
    #[must_use]
    pub fn ln_countries(&self) -> &[f64] {
        &self.ln_countries
    }

    /// Whether light brings no answer so soon from any place of this country, by its index in the grid.
    pub(crate) fn is_out_of_reach(&self, country: usize) -> bool {
        self.ln_countries[country] < LN_OUT_OF_REACH / 2.0
    }

    /// Whether any round trip speaks in it.
    pub(crate) fn has_round_trips(&self) -> bool {
        self.edges.len() > 0
    }

    /// The posterior probability of an offset above this; `None` without a round trip.
    pub(crate) fn offset_above(&self, ms: f64) -> Option<f64> {
        let offsets = &self.model.parameters().access.offsets_ms;
        let above = |(offset, mass): (&f64, f64)| if *offset > ms { mass } else { 0.0 };
        self.has_round_trips().then(|| offsets.iter().zip(self.offsets()).map(above).sum())
    }

    /// How much likelier the round trips are of a client whose offset is that of any other and `later_ms` more, beside
    /// any other's; 1 without a round trip.
    pub(crate) fn offsets_later_by(&self, later_ms: f64) -> f64 {
        let offsets = &self.model.parameters().access.offsets_ms;
        let prior = self.edges.offset_prior(self.model);
        let last = offsets.len() - 1;
        // Each offset stands for those around it.
        let density = |at: usize| prior[at] / (offsets[(at + 1).min(last)] - offsets[at.saturating_sub(1)]).max(1.0);
        let least = |ms: f64| offsets.partition_point(|offset| *offset <= ms).checked_sub(1);
        let later = |at: usize| least(offsets[at] - later_ms).map_or(0.0, density);
        let ratio = |(at, mass): (usize, f64)| mass * later(at) / density(at);
        if !self.has_round_trips() { 1.0 } else { self.offsets().into_iter().enumerate().map(ratio).sum() }
    }

    /// How many cells the posterior stands on.
    #[must_use]
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Whether no cell is possible.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    pub(super) fn vector(&self, leaf: &Leaf) -> UnitVector {
        self.model.grid.nodes[leaf.node as usize].vector()
    }
}

fn ln_by_country(model: &Model, weighed: &[(u32, f64)]) -> Vec<f64> {
    let country = |node: u32| usize::from(model.grid.nodes[node as usize].country);
    let mut highest = vec![f64::NEG_INFINITY; model.grid.countries.len()];
    for &(node, ln) in weighed {
        let highest = &mut highest[country(node)];
        *highest = highest.max(ln);
    }
    let mut sums = vec![0.0; highest.len()];
    for &(node, ln) in weighed {
        sums[country(node)] += (ln - highest[country(node)]).exp();
    }
    highest.iter().zip(sums).map(|(highest, sum)| if sum > 0.0 { highest + f64::ln(sum) } else { *highest }).collect()
}

/// 1 at the same place, falling to 0 at [`REACH_KM`].
fn near(a: UnitVector, b: UnitVector) -> f64 {
    const REACH: f64 = REACH_KM / EARTH_RADIUS_KM;
    (1.0 - (2.0 - 2.0 * a.dot(b)) / (REACH * REACH)).max(0.0)
}
