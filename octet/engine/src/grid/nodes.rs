//! The tree of cells: every node one country's part of one pixel, its children that country's parts of the four
//! pixels within. It knows the prior of each, and nothing of evidence.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use octet::CountryCode;
use octet_geometry::UnitVector;

use super::Healpix;
use crate::locate::Access;
use crate::model::{Around, CountryPrior, Prior};
use crate::world::cells::{Cell, CellCountry, Cells, ORDER};

/// The order of the coarsest pixels: 3,260 km wide.
const ROOT_ORDER: u8 = 1;

/// One country's part of one pixel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    /// Its pixel, in the nested order of `order`.
    pub(crate) pixel: u32,
    pub(crate) order: u8,
    /// Where its people are on average.
    pub(crate) position: [f32; 3],
    /// No place of it is further from `position` than about this.
    pub(crate) radius_km: f32,
    /// Certainly none is further.
    pub(crate) reach_km: f32,
    pub(crate) country: u16,
    pub(crate) land_km2: f32,
    pub(crate) population: f32,
    /// Natural logarithm of its share of its country's prior.
    pub(crate) ln_share: f32,
    /// Its children, `first_child..first_child + children`; none for the finest.
    pub(crate) first_child: u32,
    pub(crate) children: u8,
    /// The knots of detours around it.
    pub(crate) around: Around,
}

/// What the grid knows of a country.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GridCountry {
    pub(crate) code: CountryCode,
    /// Natural logarithm of its prior probability among machines in data centres.
    pub(crate) ln_hosting: f32,
    /// The same among all others.
    pub(crate) ln_consumer: f32,
}

/// All nodes, coarse to fine.
#[derive(Debug)]
pub(crate) struct Grid {
    pub(crate) nodes: Vec<Node>,
    /// How many of the first nodes have no parent.
    pub(crate) roots: usize,
    pub(crate) countries: Vec<GridCountry>,
}

impl Node {
    pub(crate) fn vector(&self) -> UnitVector {
        let [x, y, z] = self.position.map(f64::from);
        UnitVector { x, y, z }
    }

    pub(crate) fn child_range(&self) -> std::ops::Range<usize> {
        let first = self.first_child as usize;
        first..first + usize::from(self.children)
    }
}

impl Grid {
    /// The tree over these cells, each with its share of the prior.
    pub(crate) fn new(cells: &Cells, prior: &Prior) -> Self {
        let countries = prior_of_countries(cells, prior);
        let mut levels = vec![finest(cells, prior, &countries)];
        for order in (ROOT_ORDER..ORDER).rev() {
            let parents = parents(&levels[levels.len() - 1], order);
            levels.push(parents);
        }
        // Coarse levels come first: a child's index moves by what comes before its level.
        levels.reverse();
        let roots = levels[0].len();
        let mut nodes = Vec::with_capacity(levels.iter().map(Vec::len).sum());
        for level in &levels {
            let after = (nodes.len() + level.len()) as u32;
            nodes.extend(level.iter().map(|node| Node { first_child: node.first_child + after, ..*node }));
        }
        Self { nodes, roots, countries }
    }

    /// A country's ln prior for this access.
    pub(crate) fn ln_prior(&self, country: usize, access: Access) -> f64 {
        let country = &self.countries[country];
        f64::from(match access {
            Access::Hosting => country.ln_hosting,
            Access::Consumer => country.ln_consumer,
        })
    }

    /// The finest nodes and how far they are from there in km, the nearest first; only what is asked for is looked at.
    pub(crate) fn nearest(&self, center: UnitVector) -> impl Iterator<Item = (f64, &Node)> {
        let ahead = move |index: usize| {
            let node = &self.nodes[index];
            let km = center.distance_km(node.vector());
            // A node is not looked into before what is certainly nearer than all of it.
            let least_km = if node.children > 0 { (km - f64::from(node.reach_km)).max(0.0) } else { km };
            (Reverse(least_km.to_bits()), Reverse(index))
        };
        let mut heap: BinaryHeap<_> = (0..self.roots).map(ahead).collect();
        std::iter::from_fn(move || {
            while let Some((Reverse(km), Reverse(index))) = heap.pop() {
                let node = &self.nodes[index];
                if node.children == 0 {
                    return Some((f64::from_bits(km), node));
                }
                heap.extend(node.child_range().map(ahead));
            }
            None
        })
    }

    /// The country of this code, as an index.
    pub(crate) fn country(&self, code: CountryCode) -> Option<usize> {
        self.countries.binary_search_by_key(&code, |country| country.code).ok()
    }
}

fn prior_of_countries(cells: &Cells, prior: &Prior) -> Vec<GridCountry> {
    let hosting = ln_priors(cells, prior, &prior.hosting);
    let consumer = ln_priors(cells, prior, &prior.consumer);
    cells
        .countries
        .iter()
        .zip(hosting.into_iter().zip(consumer))
        .map(|(country, (ln_hosting, ln_consumer))| GridCountry { code: country.code, ln_hosting, ln_consumer })
        .collect()
}

/// What is counted of a country, each to a power, and the hosts that were seen there; probabilities sum to 1.
fn ln_priors(cells: &Cells, prior: &Prior, powers: &CountryPrior) -> Vec<f32> {
    let raw: Vec<f64> = cells
        .countries
        .iter()
        .map(|country| {
            let [people, product, addresses, systems] = scales(country, prior);
            powers.population * people
                + powers.product * product
                + powers.addresses * addresses
                + powers.systems * systems
        })
        .collect();
    let total = ln_sum(raw.iter().copied());
    let seen = |country: &CellCountry| powers.host * powers.hosts.get(&country.code).copied().unwrap_or_default();
    let all = 1.0 + cells.countries.iter().map(seen).sum::<f64>();
    cells
        .countries
        .iter()
        .zip(raw)
        .map(|(country, raw)| (((raw - total).exp() + seen(country)) / all).ln() as f32)
        .collect()
}

/// ln population in units of ten million, ln product per head and ln announced addresses in units of ten thousand, ln
/// autonomous systems in hundreds.
pub(crate) fn scales(country: &CellCountry, prior: &Prior) -> [f64; 4] {
    let people = country.population.max(1000) as f64 / 1e7;
    let product = f64::from(country.product_per_head.max(300)) / 1e4;
    // A country that announces none has at most what was too little to be counted.
    let counted = |counts: &BTreeMap<CountryCode, f64>| counts.get(&country.code).copied().unwrap_or_default();
    let (addresses, systems) = (counted(&prior.addresses) + 0.1, (counted(&prior.systems) + 0.3) / 100.0);
    [people, product, addresses, systems].map(f64::ln)
}

fn finest(cells: &Cells, prior: &Prior, countries: &[GridCountry]) -> Vec<Node> {
    let grid = Healpix::new(ORDER);
    let side = grid.pixel_area_km2().sqrt();
    // Where nobody is counted, land stands for people, one on ten km².
    let weight = |cell: &Cell| (f64::from(cell.population) + 0.1 * f64::from(cell.land_km2)).powf(prior.density);
    let mut totals = vec![0.0; countries.len()];
    for cell in &cells.all {
        totals[usize::from(cell.country)] += weight(cell);
    }
    let mut nodes: Vec<Node> = cells
        .all
        .iter()
        .map(|cell| {
            let country = usize::from(cell.country);
            let vector = UnitVector::from(cell.place);
            Node {
                pixel: cell.pixel,
                order: ORDER,
                position: [vector.x as f32, vector.y as f32, vector.z as f32],
                radius_km: (0.75 * side) as f32,
                reach_km: (0.75 * side) as f32,
                country: cell.country,
                land_km2: cell.land_km2 as f32,
                population: cell.population as f32,
                ln_share: (weight(cell) / totals[country]).ln() as f32,
                first_child: 0,
                children: 0,
                around: Around::default(),
            }
        })
        .collect();
    nodes.sort_by_key(|node| (node.pixel >> 2, node.country, node.pixel));
    nodes
}

/// The parents of a level whose nodes stand in the order of their parents; they stand in the same order then.
fn parents(children: &[Node], order: u8) -> Vec<Node> {
    let widest = 0.75 * Healpix::new(order).pixel_area_km2().sqrt();
    let mut first = 0_u32;
    let mut parents: Vec<Node> = children
        .chunk_by(|a, b| (a.pixel >> 2, a.country) == (b.pixel >> 2, b.country))
        .map(|family| {
            let ln_share = ln_sum(family.iter().map(|child| f64::from(child.ln_share)));
            let mut sum = UnitVector { x: 0.0, y: 0.0, z: 0.0 };
            for child in family {
                let (share, at) = ((f64::from(child.ln_share) - ln_share).exp(), child.vector());
                sum = UnitVector { x: sum.x + share * at.x, y: sum.y + share * at.y, z: sum.z + share * at.z };
            }
            let mean = sum.to_place().map_or(family[0].vector(), UnitVector::from);
            // A country rarely fills its pixel: what counts is where its cells are.
            let reach = |child: &Node| mean.distance_km(child.vector()) + f64::from(child.reach_km);
            let reach_km = family.iter().map(reach).fold(0.0, f64::max);
            let node = Node {
                pixel: family[0].pixel >> 2,
                order,
                position: [mean.x as f32, mean.y as f32, mean.z as f32],
                radius_km: reach_km.min(widest) as f32,
                reach_km: reach_km as f32,
                country: family[0].country,
                land_km2: family.iter().map(|child| child.land_km2).sum(),
                population: family.iter().map(|child| child.population).sum(),
                ln_share: ln_share as f32,
                first_child: first,
                children: family.len() as u8,
                around: Around::default(),
            };
            first += family.len() as u32;
            node
        })
        .collect();
    // A level of parents must itself stand in the order of its own parents, without moving any child.
    parents.sort_by_key(|node| (node.pixel >> 2, node.country, node.pixel));
    parents
}

/// ln Σ exp, safe against overflow; −∞ of nothing.
pub(crate) fn ln_sum(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let highest = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if highest == f64::NEG_INFINITY {
        return highest;
    }
    highest + values.map(|value| (value - highest).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use octet::CountryCode;

    use crate::locate::Access;
    use crate::model::{Model, Parameters};

    #[test]
    fn countries_where_hosts_were_seen_are_likelier_and_no_other_becomes_impossible() {
        let [seen, other] = ["CH", "JP"].map(|code| code.parse::<CountryCode>().unwrap());
        let priors = |host: f64| {
            let mut parameters = (*Parameters::embedded()).clone();
            parameters.prior.consumer.hosts = [(seen, 100.0)].into();
            parameters.prior.consumer.host = host;
            let grid = Model::new(Arc::new(parameters)).grid;
            [seen, other].map(|code| grid.ln_prior(grid.country(code).unwrap(), Access::Consumer).exp())
        };
        let (before, after) = (priors(0.0), priors(0.01));
        assert!((after[0] - (before[0] + 1.0) / 2.0).abs() < 1e-4, "{before:?} {after:?}");
        assert!((after[1] - before[1] / 2.0).abs() < 1e-4, "{before:?} {after:?}");
    }
}
