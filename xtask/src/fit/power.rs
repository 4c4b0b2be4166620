//! The powers: how far several edges are trusted, and how what is counted of countries makes a prior.

use octet_engine::locate::{Access, OtherSources};
use octet_engine::model::{CountryPrior, Parameters};

use super::Part;
use super::minimise::golden;
use crate::eval::data::Target;
use crate::eval::metrics::mean;

/// With no more edges than this a target tells of few edges, with more of many.
const FEW: usize = 4;
/// Many edges are so many times the few, or nothing can be said of how the power falls.
const WIDE: f64 = 2.0;
const SECTIONS: usize = 6;
/// Fewer targets than this change nothing.
const ENOUGH: usize = 60;
/// How often each of the prior's powers is fitted, the others held.
const ROUNDS: usize = 10;

/// Fits the likelihood's power for few and for many edges, then the prior's powers.
pub(super) fn fit(parameters: &mut Parameters, parts: &[Part<'_>]) {
    for access in [Access::Hosting, Access::Consumer] {
        let several = |target: &Target| target.access() == access && target.sightings.len() > 1;
        let few = |target: &Target| several(target) && target.sightings.len() <= FEW;
        let many = |target: &Target| several(target) && target.sightings.len() > FEW;
        let groups: [&dyn Fn(&Target) -> bool; 2] = [&few, &many];
        let own = |group| own(parts, group);
        let powers = groups.map(|group| {
            (own(group).count() >= ENOUGH).then(|| (edges(own(group)), power(parameters, parts, group, access)))
        });
        if let [Some((few, low)), Some((many, high))] = powers
            && many > few * WIDE
        {
            let decay = rounded((low / high).ln() / (many / few).ln()).clamp(0.0, 0.5);
            let kind = kind(parameters, access);
            (kind.temper, kind.temper_decay) = (rounded(low * few.powf(decay)), decay);
        } else if own(&several).count() >= ENOUGH {
            // With one edge the power is as between servers, which alone are seen by few edges and by many.
            let one = parameters.access.hosting.temper;
            let decay = (one / power(parameters, parts, &several, access)).ln() / edges(own(&several)).ln();
            let kind = kind(parameters, access);
            (kind.temper, kind.temper_decay) = (one, rounded(decay).clamp(0.0, 0.5));
        }
    }
    for access in [Access::Hosting, Access::Consumer] {
        if let Some(fitted) = prior(parameters, parts, access) {
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

/// The targets of this group.
fn own<'a>(parts: &'a [Part<'_>], group: &'a dyn Fn(&Target) -> bool) -> impl Iterator<Item = &'a Target> {
    parts.iter().flat_map(|part| part.targets.iter().copied()).filter(|target| group(target))
}

/// The mean number of edges, by logarithm.
fn edges<'a>(targets: impl Iterator<Item = &'a Target>) -> f64 {
    mean(targets.map(|target| (target.sightings.len() as f64).ln())).exp()
}

/// The power under which the truth is the most probable place.
fn power(parameters: &Parameters, parts: &[Part<'_>], group: &dyn Fn(&Target) -> bool, access: Access) -> f64 {
    let loss = |ln_power: f64| {
        let mut parameters = parameters.clone();
        let kind = kind(&mut parameters, access);
        kind.temper = ln_power.exp();
        kind.temper_decay = 0.0;
        let of_part = |part: &Part<'_>| -> f64 {
            let model = part.model(&parameters);
            let of_target = |target: &&Target| {
                let posterior = model.locate(&target.sightings, access, &OtherSources::default());
                -posterior.ln_density(target.place, target.country)
            };
            part.targets.iter().filter(|target| group(target)).map(of_target).sum()
        };
        parts.iter().map(of_part).sum()
    };
    golden(0.15_f64.ln(), 1.2_f64.ln(), SECTIONS, loss).exp()
}

/// The powers of what is counted of a country, under which the true countries are the most probable; `None` when too few
/// tell of them.
fn prior(parameters: &Parameters, parts: &[Part<'_>], access: Access) -> Option<CountryPrior> {
    let now = match access {
        Access::Hosting => &parameters.prior.hosting,
        Access::Consumer => &parameters.prior.consumer,
    };
    let now = [now.population, now.product, now.addresses, now.systems];
    let sum = |powers: [f64; 4], scales: &[f64; 4]| -> f64 { powers.iter().zip(scales).map(|(a, b)| a * b).sum() };
    let mut scales = Vec::new();
    let mut rows: Vec<(usize, Vec<f64>)> = Vec::new();
    for part in parts {
        let model = part.model(parameters);
        let codes: Vec<_> = model.countries().collect();
        scales = model.country_scales();
        rows.extend(part.targets.iter().filter(|target| target.access() == access).filter_map(|target| {
            let truth = codes.binary_search(&target.country).ok()?;
            let posterior = model.locate(&target.sightings, access, &OtherSources::default());
            let ln = posterior.ln_countries().iter().zip(&scales);
            // Without the prior that it was found under.
            Some((truth, ln.map(|(ln, scales)| ln - sum(now, scales)).collect()))
        }));
    }
    if rows.len() < ENOUGH {
        return None;
    }
    let loss = |powers: [f64; 4]| -> f64 {
        let prior: Vec<f64> = scales.iter().map(|scales| sum(powers, scales)).collect();
        let of_row = |(truth, ln): &(usize, Vec<f64>)| {
            let all: Vec<f64> = ln.iter().zip(&prior).map(|(ln, prior)| ln + prior).collect();
            let highest = all.iter().copied().fold(f64::MIN, f64::max);
            highest + all.iter().map(|ln| (ln - highest).exp()).sum::<f64>().ln() - all[*truth]
        };
        rows.iter().map(of_row).sum()
    };
    let mut at = now;
    for _ in 0..ROUNDS {
        for index in 0..at.len() {
            at[index] = golden(0.0, 1.8, 12, |power| {
                let mut powers = at;
                powers[index] = power;
                loss(powers)
            });
        }
    }
    let [population, product, addresses, systems] = at.map(rounded);
    Some(CountryPrior { population, product, addresses, systems })
}
