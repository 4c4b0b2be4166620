//! The prior of the client's offset, by kind of access: what the last mile adds, from targets whose place is known.

use octet_engine::locate::{Access, Sighting};
use octet_engine::model::{Model, Parameters, ln_floor};
use octet_geometry::distance_km;

use super::model;
use crate::eval::data::Target;

/// Each offset is believed possible by this many targets that were never seen.
const UNSEEN: f64 = 0.5;
/// Few, from an even start: more would pile the prior on a handful of offsets.
const ROUNDS: usize = 12;

/// Fits both kinds by expectation and maximisation.
pub(super) fn fit(parameters: &mut Parameters, targets: &[Target]) {
    for access in [Access::Hosting, Access::Consumer] {
        let regions = model(parameters);
        let own: Vec<Vec<f64>> = targets
            .iter()
            .filter(|target| target.access() == access)
            .map(|target| ln_likelihoods(parameters, &regions, target))
            .collect();
        if own.is_empty() {
            continue;
        }
        let count = parameters.access.offsets_ms.len();
        let mut weights = vec![1.0 / count as f64; count];
        for _ in 0..ROUNDS {
            let mut sums = vec![UNSEEN; count];
            for ln in &own {
                let highest = ln.iter().copied().fold(f64::MIN, f64::max);
                let shares: Vec<f64> = ln.iter().zip(&weights).map(|(ln, w)| (ln - highest).exp() * w).collect();
                let total: f64 = shares.iter().sum();
                sums.iter_mut().zip(shares).for_each(|(sum, share)| *sum += share / total);
            }
            let total: f64 = sums.iter().sum();
            weights = sums.into_iter().map(|sum| (sum / total).max(1e-6)).collect();
        }
        let rounded = weights.into_iter().map(|weight| (weight * 1e5).round().max(1.0) / 1e5).collect();
        match access {
            Access::Hosting => parameters.access.hosting.offset_weights = rounded,
            Access::Consumer => parameters.access.consumer.offset_weights = rounded,
        }
    }
}

/// ln likelihood of the round trips at the true place, for each offset.
fn ln_likelihoods(parameters: &Parameters, model: &Model, target: &Target) -> Vec<f64> {
    let path = &parameters.path;
    let region = path.region(target.country);
    let country = path.country.get(&target.country).copied().unwrap_or_default();
    let of = |sighting: &Sighting, offset: f64| {
        let path_ms = sighting.rtt_ms - offset;
        if path_ms < 0.2 {
            return -80.0;
        }
        let between = match (model.region_at(sighting.edge), region) {
            (Some(edge), Some(region)) => path.between[edge][region],
            _ => 0.0,
        };
        let floor = ln_floor(distance_km(sighting.edge, target.place).hypot(25.0));
        let ln_path = (path_ms + 2.0).ln();
        path.shape.at(floor).ln(ln_path - floor - between - country) - ln_path
    };
    let offsets = parameters.access.offsets_ms.iter();
    offsets.map(|offset| target.sightings.iter().map(|sighting| of(sighting, *offset)).sum()).collect()
}
