//! The prior of the client's offset, by kind of access: what the last mile adds, from targets whose place is known; and
//! what is left of their paths without it.

use octet_engine::locate::Access;
use octet_engine::model::{Model, Parameters, PathDensity, ln_floor};
use octet_geometry::distance_km;

use super::Part;
use super::detours::Left;
use super::path::middle;
use crate::eval::data::Target;

/// Each offset is believed possible by this many targets that were never seen.
const UNSEEN: f64 = 0.5;
/// Few, from an even start: more would pile the prior on a handful of offsets.
const ROUNDS: usize = 12;
/// A place's own width in km.
const PLACE_KM: f64 = 25.0;
/// What an answer takes at the least beyond an offset, in ms.
const LEAST_PATH_MS: f64 = 0.2;

/// Fits both kinds by expectation and maximisation.
pub(super) fn fit(parameters: &mut Parameters, parts: &[Part<'_>]) {
    let models: Vec<Model> = parts.iter().map(|part| part.model(parameters)).collect();
    for access in [Access::Hosting, Access::Consumer] {
        let own: Vec<Vec<f64>> = parts
            .iter()
            .zip(&models)
            .flat_map(|(part, model)| part.targets.iter().map(move |target| (target, model)))
            .filter(|(target, _)| target.access() == access)
            .map(|(target, model)| ln_likelihoods(model, target))
            .collect();
        if own.is_empty() {
            continue;
        }
        let count = parameters.access.offsets_ms.len();
        let mut weights = vec![1.0 / count as f64; count];
        for _ in 0..ROUNDS {
            let mut sums = vec![UNSEEN; count];
            for ln in &own {
                sums.iter_mut().zip(posterior(ln, &weights)).for_each(|(sum, share)| *sum += share);
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

/// What distance leaves of a visitor's paths, its offset as probable as all of them make it.
pub(super) fn left(model: &Model, target: &Target, weight: f64) -> Vec<Left> {
    let offsets = &model.parameters().access.offsets_ms;
    let probable = posterior(&ln_likelihoods(model, target), &model.parameters().access.consumer.offset_weights);
    let of = |sighting: &octet_engine::locate::Sighting| {
        let floor = ln_floor(distance_km(sighting.edge, target.place).hypot(PLACE_KM));
        let ln = |offset: &f64| ((sighting.rtt_ms - offset).max(LEAST_PATH_MS) + 2.0).ln();
        let mean: f64 = offsets.iter().zip(&probable).map(|(offset, share)| share * ln(offset)).sum();
        let inflation = (mean - floor - middle(&model.parameters().path.shape, floor)).clamp(-1.0, 1.2);
        Left { ends: [target.place, sighting.edge], inflation, weight }
    };
    target.sightings.iter().map(of).collect()
}

/// The probability of each offset.
pub(crate) fn posterior(ln_likelihoods: &[f64], weights: &[f64]) -> Vec<f64> {
    let highest = ln_likelihoods.iter().copied().fold(f64::MIN, f64::max);
    let shares: Vec<f64> =
        ln_likelihoods.iter().zip(weights).map(|(ln, weight)| (ln - highest).exp() * weight).collect();
    let total: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / total).collect()
}

/// ln likelihood of the round trips at the true place, for each offset.
pub(crate) fn ln_likelihoods(model: &Model, target: &Target) -> Vec<f64> {
    let paths: Vec<(f64, PathDensity)> = target
        .sightings
        .iter()
        .map(|sighting| {
            let floor = ln_floor(distance_km(sighting.edge, target.place).hypot(PLACE_KM));
            (sighting.rtt_ms, model.ln_path(sighting.edge, target.place, floor))
        })
        .collect();
    let of = |&(rtt_ms, density): &(f64, PathDensity), offset: f64| {
        let path_ms = rtt_ms - offset;
        if path_ms < LEAST_PATH_MS {
            return -80.0;
        }
        let ln_path = (path_ms + 2.0).ln();
        density.ln(ln_path) - ln_path
    };
    let offsets = model.parameters().access.offsets_ms.iter();
    offsets.map(|&offset| paths.iter().map(|path| of(path, offset)).sum()).collect()
}
