//! The powers: how far several edges are trusted, and how population and product make a prior.

use octet_engine::locate::{Access, OtherSources};
use octet_engine::model::{CountryPrior, Parameters};

use super::minimise::golden;
use super::model;
use crate::eval::data::Target;

/// With no more edges than this a target tells of few edges, with more of many.
const FEW: usize = 4;
const SECTIONS: usize = 6;

/// Fits the likelihood's power for few and for many edges, then the prior's powers.
pub(super) fn fit(parameters: &mut Parameters, targets: &[Target]) {
    let hosting: Vec<&Target> = targets.iter().filter(|target| target.access() == Access::Hosting).collect();
    let consumer: Vec<&Target> = targets.iter().filter(|target| target.access() == Access::Consumer).collect();
    for (own, access) in [(&hosting, Access::Hosting), (&consumer, Access::Consumer)] {
        let (few, many): (Vec<&Target>, Vec<&Target>) =
            own.iter().filter(|target| target.sightings.len() > 1).partition(|target| target.sightings.len() <= FEW);
        let powers =
            [&few, &many].map(|group| (group.len() >= 60).then(|| (edges(group), power(parameters, group, access))));
        let kind = kind(parameters, access);
        match powers {
            [Some((few, low)), Some((many, high))] if many > few * 1.3 => {
                kind.temper_decay = rounded((low / high).ln() / (many / few).ln()).clamp(0.0, 0.5);
                kind.temper = rounded(low * few.powf(kind.temper_decay));
            }
            [one, other] => {
                if let Some((edges, power)) = one.or(other) {
                    kind.temper = rounded(power * edges.powf(kind.temper_decay));
                }
            }
        }
    }
    for (own, access) in [(&hosting, Access::Hosting), (&consumer, Access::Consumer)] {
        if own.len() >= 60 {
            let fitted = prior(parameters, own, access);
            match access {
                Access::Hosting => parameters.prior.hosting = fitted,
                Access::Consumer => parameters.prior.consumer = fitted,
            }
        }
    }
}

/// To three digits after the point, and within what parameters may hold.
fn rounded(value: f64) -> f64 {
    ((value * 1e3).round() / 1e3).clamp(0.0, 2.0)
}

fn kind(parameters: &mut Parameters, access: Access) -> &mut octet_engine::model::Access {
    match access {
        Access::Hosting => &mut parameters.access.hosting,
        Access::Consumer => &mut parameters.access.consumer,
    }
}

/// The mean number of edges, by logarithm.
fn edges(targets: &[&Target]) -> f64 {
    let sum: f64 = targets.iter().map(|target| (target.sightings.len() as f64).ln()).sum();
    (sum / targets.len() as f64).exp()
}

/// The power under which the truth is the most probable place.
fn power(parameters: &Parameters, targets: &[&Target], access: Access) -> f64 {
    let loss = |ln_power: f64| {
        let mut parameters = parameters.clone();
        let kind = kind(&mut parameters, access);
        kind.temper = ln_power.exp();
        kind.temper_decay = 0.0;
        let model = model(&parameters);
        targets
            .iter()
            .map(|target| {
                let posterior = model.locate(&target.sightings, access, &OtherSources::default());
                -posterior.ln_density(target.place, target.country)
            })
            .sum()
    };
    golden(0.15_f64.ln(), 1.2_f64.ln(), SECTIONS, loss).exp()
}

/// The powers of population, product and, for machines, addresses under which the true countries are the most
/// probable. Where people are, their number says more than that of their addresses.
fn prior(parameters: &Parameters, targets: &[&Target], access: Access) -> CountryPrior {
    let model = model(parameters);
    let now = match access {
        Access::Hosting => &parameters.prior.hosting,
        Access::Consumer => &parameters.prior.consumer,
    };
    let powers = |prior: &CountryPrior| [prior.population, prior.product, prior.addresses];
    let sum = |powers: [f64; 3], scales: &[f64; 3]| -> f64 { powers.iter().zip(scales).map(|(a, b)| a * b).sum() };
    let scales = model.country_scales();
    let codes: Vec<_> = model.countries().collect();
    let rows: Vec<(usize, Vec<f64>)> = targets
        .iter()
        .filter_map(|target| {
            let truth = codes.binary_search(&target.country).ok()?;
            let posterior = model.locate(&target.sightings, access, &OtherSources::default());
            let ln = posterior.ln_countries().iter().zip(&scales);
            // Without the prior that it was found under.
            Some((truth, ln.map(|(ln, scales)| ln - sum(powers(now), scales)).collect()))
        })
        .collect();
    let loss = |powers: [f64; 3]| -> f64 {
        rows.iter()
            .map(|(truth, ln)| {
                let all: Vec<f64> = ln.iter().zip(&scales).map(|(ln, scales)| ln + sum(powers, scales)).collect();
                let highest = all.iter().copied().fold(f64::MIN, f64::max);
                highest + all.iter().map(|ln| (ln - highest).exp()).sum::<f64>().ln() - all[*truth]
            })
            .sum()
    };
    let mut at = powers(now);
    if access == Access::Consumer {
        at[2] = 0.0;
    }
    let fitted = if access == Access::Hosting { 0..3 } else { 0..2 };
    for _ in 0..8 {
        for index in fitted.clone() {
            at[index] = golden(0.0, 1.8, 14, |power| {
                let mut powers = at;
                powers[index] = power;
                loss(powers)
            });
        }
    }
    let [population, product, addresses] = at.map(rounded);
    CountryPrior { population, product, addresses }
}
