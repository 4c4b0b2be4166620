//! From round trips and what other sources say of each country to a posterior over cells.
//!
//! Coarse to fine: a node is split while its share of the mass, or what could hide in it, matters. The dense
//! evaluation of every finest cell stays as the oracle for tests and evaluation.

mod city;
mod edges;
mod outline;
mod posterior;
mod sightings;

pub use city::CityHint;
pub use edges::Access;
pub(crate) use edges::VACUUM_KM_PER_MS;
pub use posterior::Posterior;
pub(crate) use sightings::{RELAY_MARGIN_MS, rounds};
pub use sightings::{Sighting, consistent, sightings};

use crate::grid::{Node, ZoneHint};
use crate::model::Model;
use edges::Edges;

/// No likelihood of a country is below this, as a natural logarithm.
const LEAST: f64 = -40.0;
/// A node whose share of the mass is below this is not split.
const SPLIT_SHARE: f64 = 1.5e-4;
/// A node whose likelihood can hardly vary within it is not split.
const SPLIT_VARIATION: f64 = 0.04;
/// A node that blurs distances by more than this, by its width and its share of the mass, is split.
const COARSE_KM: f64 = 0.4;
/// At most this many nodes are looked at, so that the time is bounded whatever the evidence.
const MAX_NODES: usize = 40_000;

/// What sources other than round trips say, as natural logarithms of likelihoods up to a constant.
#[derive(Debug, Clone, Default)]
pub struct OtherSources {
    /// By country, in the order of [`Model::countries`]; empty when nothing is said.
    pub by_country: Vec<f32>,
    /// Where a city database puts the address.
    pub city: Option<CityHint>,
    /// What the clocks' zone says of places within its country.
    pub zone: Option<ZoneHint>,
}

/// A node, its unnormalised ln mass, and how much more its likelihood may be somewhere within it.
type Weighed = (u32, f64, f64);

impl Model {
    /// The countries that the model knows, in the order of their codes.
    #[must_use]
    pub fn countries(&self) -> impl ExactSizeIterator<Item = octet::CountryCode> + '_ {
        self.grid.countries.iter().map(|country| country.code)
    }

    /// The posterior over cells, given these round trips and what other sources say.
    #[must_use]
    pub fn locate(&self, sightings: &[Sighting], access: Access, others: &OtherSources) -> Posterior<'_> {
        let edges = Edges::new(self, sightings, access);
        let mut open: Vec<Weighed> = (0..self.grid.roots).map(|index| self.weigh(index, &edges, others)).collect();
        let mut looked_at = open.len();
        let mut leaves: Vec<Weighed> = Vec::with_capacity(4 * open.len());
        // Masses are summed beside the heaviest root, and never by taking away: beside what a wide node seemed to hold, what
        // it holds may be less than a rounding.
        let heaviest = open.iter().map(|node| node.1).fold(f64::NEG_INFINITY, f64::max);
        let mass = |ln_mass: f64| (ln_mass - heaviest).exp();
        let matters = |&(index, ln_mass, variation): &Weighed, total: f64, least: f64| {
            let node = &self.grid.nodes[index as usize];
            let hides = variation > SPLIT_VARIATION && ln_mass + variation > least;
            node.children > 0 && (hides || mass(ln_mass) * f64::from(node.radius_km) > COARSE_KM * total)
        };
        let least = |total: f64| heaviest + total.max(f64::MIN_POSITIVE).ln() + SPLIT_SHARE.ln();
        while !open.is_empty() && looked_at < MAX_NODES {
            let mut of_leaves: f64 = leaves.iter().map(|leaf| mass(leaf.1)).sum();
            while !open.is_empty() {
                // What each node and those after it hold.
                let mut ahead: Vec<f64> = open.iter().map(|node| mass(node.1)).collect();
                (1..ahead.len()).rev().for_each(|at| ahead[at - 1] += ahead[at]);
                let least = least(of_leaves + ahead[0]);
                let (mut finer, mut of_finer) = (Vec::new(), 0.0);
                for (weighed, ahead) in open.into_iter().zip(ahead) {
                    let node = &self.grid.nodes[weighed.0 as usize];
                    if looked_at < MAX_NODES && matters(&weighed, of_leaves + of_finer + ahead, least) {
                        looked_at += usize::from(node.children);
                        let from = finer.len();
                        finer.extend(node.child_range().map(|child| self.weigh(child, &edges, others)));
                        of_finer += finer[from..].iter().map(|child: &Weighed| mass(child.1)).sum::<f64>();
                    } else {
                        of_leaves += mass(weighed.1);
                        leaves.push(weighed);
                    }
                }
                open = finer;
            }
            // What was little beside wide nodes may be much beside what they turned out to hold.
            let least = least(of_leaves);
            (open, leaves) = leaves.into_iter().partition(|leaf| matters(leaf, of_leaves, least));
        }
        leaves.extend(open);
        Posterior::new(self, leaves.into_iter().map(|(index, ln_mass, _)| (index, ln_mass)).collect(), edges)
    }

    /// The posterior over every finest cell: the oracle of [`Model::locate`], many times slower.
    #[must_use]
    pub fn locate_densely(&self, sightings: &[Sighting], access: Access, others: &OtherSources) -> Posterior<'_> {
        let edges = Edges::new(self, sightings, access);
        let finest = (0..self.grid.nodes.len()).filter(|&index| self.grid.nodes[index].children == 0);
        let leaves =
            finest.map(|index| self.weigh(index, &edges, others)).map(|(index, mass, _)| (index, mass)).collect();
        Posterior::new(self, leaves, edges)
    }

    /// A node's unnormalised ln mass, and how much more its likelihood may be somewhere within it.
    fn weigh(&self, index: usize, edges: &Edges, others: &OtherSources) -> Weighed {
        let node: &Node = &self.grid.nodes[index];
        let other = others.by_country.get(usize::from(node.country)).map_or(0.0, |&ln| f64::from(ln).max(LEAST));
        let base = self.grid.ln_prior(usize::from(node.country), edges.access()) + f64::from(node.ln_share) + other;
        let (city, near_city) = others.city.as_ref().map_or((0.0, 0.0), |city| city.ln_at(node));
        let (zone, in_zone) = others.zone.as_ref().map_or((0.0, 0.0), |zone| zone.ln_at(index, node));
        let ln_mass = base + city + zone + edges.ln_likelihood(self, node);
        (index as u32, ln_mass, edges.variation(node) + near_city + in_zone)
    }
}
