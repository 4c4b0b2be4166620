//! What pairs of places add to a path: what distance alone leaves of each, gathered at knots and smoothed from wide to
//! narrow, so that what few paths tell is believed a little. It knows no host.

use std::collections::{BTreeMap, BTreeSet};

use octet::LatLon;
use octet_engine::model::Detours;
use octet_geometry::{UnitVector, distance_km};

/// What distance leaves of one path's inflation.
pub(super) struct Left {
    pub(super) ends: [LatLon; 2],
    pub(super) inflation: f64,
    /// How many paths it counts as.
    pub(super) weight: f64,
}

/// A knot stands for what is nearer than this.
const KNOT_KM: f64 = 400.0;
/// Scales of smoothing in km, and how many paths at one's own place are believed by half.
const SCALES: [(f64, f64); 3] = [(2500.0, 30.0), (800.0, 8.0), (300.0, 3.0)];

pub(super) fn fit(left: &[Left], doubt: f64) -> Detours {
    let places: BTreeSet<[i16; 2]> = left.iter().flat_map(|left| left.ends.map(degrees)).collect();
    let knots = knots(&places);
    let at: Vec<LatLon> = knots.iter().map(|&knot| place(knot)).collect();
    let vectors: Vec<UnitVector> = at.iter().map(|&at| at.into()).collect();
    let nearest: BTreeMap<[i16; 2], usize> = places
        .into_iter()
        .map(|degrees| {
            let here = UnitVector::from(place(degrees));
            let nearest = (0..knots.len()).max_by(|&a, &b| here.dot(vectors[a]).total_cmp(&here.dot(vectors[b])));
            (degrees, nearest.unwrap_or_default())
        })
        .collect();
    let count = knots.len();
    let mut told = vec![0; count];
    nearest.values().for_each(|&knot| told[knot] += 1);
    let (mut weights, mut sums) = (vec![0.0; count * count], vec![0.0; count * count]);
    for left in left {
        let [one, other] = left.ends.map(|end| nearest[&degrees(end)]);
        for cell in [one * count + other, other * count + one] {
            weights[cell] += left.weight;
            sums[cell] += left.weight * left.inflation;
        }
    }
    let mut fitted = vec![0.0; count * count];
    for (km, half) in SCALES {
        let kernel: Vec<f64> =
            at.iter().flat_map(|&one| at.iter().map(move |&other| (-distance_km(one, other) / km).exp())).collect();
        let rest: Vec<f64> = (0..count * count).map(|cell| sums[cell] - weights[cell] * fitted[cell]).collect();
        let (rest, weight) = (both_sides(&kernel, &rest, count), both_sides(&kernel, &weights, count));
        fitted.iter_mut().zip(rest.iter().zip(weight)).for_each(|(sum, (rest, weight))| *sum += rest / (weight + half));
    }
    let hundredths = |detour: f64| (detour * 100.0).round() as i16;
    let row = |one: usize| fitted[one * count..][..=one].iter().copied().map(hundredths).collect();
    Detours { knots, places: told, doubt, between: (0..count).map(row).collect() }
}

/// The place that most others are near to, then that of the rest, until none is left.
fn knots(places: &BTreeSet<[i16; 2]>) -> Vec<[i16; 2]> {
    let mut left: Vec<[i16; 2]> = places.iter().copied().collect();
    let vectors =
        |left: &[[i16; 2]]| -> Vec<UnitVector> { left.iter().map(|&degrees| place(degrees).into()).collect() };
    let near = (KNOT_KM / octet_geometry::EARTH_RADIUS_KM).cos();
    let mut knots = Vec::new();
    loop {
        let at = vectors(&left);
        let around = |one: &UnitVector| at.iter().filter(|other| one.dot(**other) > near).count();
        let Some(most) = (0..left.len()).max_by_key(|&one| (around(&at[one]), std::cmp::Reverse(one))) else { break };
        knots.push(left[most]);
        let mut others = at.iter().map(|other| other.dot(at[most]) <= near);
        left.retain(|_| others.next().unwrap_or(false));
    }
    knots
}

/// Kernel · values · kernel, of symmetric matrices.
fn both_sides(kernel: &[f64], values: &[f64], count: usize) -> Vec<f64> {
    let product = |a: &[f64], b: &[f64]| -> Vec<f64> {
        let mut product = vec![0.0; count * count];
        for (row, sums) in a.chunks(count).zip(product.chunks_mut(count)) {
            for (factor, line) in row.iter().zip(b.chunks(count)) {
                sums.iter_mut().zip(line).for_each(|(sum, value)| *sum += factor * value);
            }
        }
        product
    };
    product(&product(kernel, values), kernel)
}

fn degrees(place: LatLon) -> [i16; 2] {
    [place.lat().round() as i16, place.lon().round() as i16]
}

fn place([lat, lon]: [i16; 2]) -> LatLon {
    LatLon::new(lat.into(), lon.into()).unwrap_or_else(|_| unreachable!("a place's own coordinates, rounded"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_paths_are_believed_and_a_single_one_hardly() {
        let [frankfurt, mumbai, sydney] = [[50, 9], [19, 73], [-34, 151]].map(place);
        let path = |other, weight| Left { ends: [frankfurt, other], inflation: 0.6, weight };
        let detours = fit(&[path(mumbai, 1000.0), path(sydney, 0.1)], 0.2);
        let knot = |at: LatLon| detours.knots.iter().position(|&knot| knot == degrees(at)).unwrap();
        let between = |one: usize, other: usize| detours.between[one.max(other)][one.min(other)];
        assert!((57..=60).contains(&between(knot(frankfurt), knot(mumbai))));
        assert!((0..=30).contains(&between(knot(frankfurt), knot(sydney))));
    }
}
