//! The powers: how far several edges are trusted, and how what is counted of countries makes a prior.

use std::collections::BTreeMap;

use octet_engine::locate::{Access, OtherSources};
use octet_engine::model::{CountryPrior, Parameters};

use super::minimise::golden;
use super::{Part, model};
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
/// A host counts for no more, beside 1 for all that the powers say.
const MOST_OF_A_HOST: f64 = 0.05;

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
    prior(parameters, parts);
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

/// One host's country, and how probable each country would make its round trips.
struct Row {
    truth: usize,
    likelihood: Vec<f64>,
    /// A host that several tests seek counts as one.
    weight: f64,
}

/// What the hosts of one part tell of a prior.
struct Told {
    rows: Vec<Row>,
    /// How many hosts of the other parts each country has.
    hosts: Vec<f64>,
}

/// The powers of what is counted of a country, and what a host counts for, under which the true countries are the most
/// probable.
pub(super) fn prior(parameters: &mut Parameters, parts: &[Part<'_>]) {
    let scales = model(parameters).country_scales();
    for access in [Access::Hosting, Access::Consumer] {
        let told = told(parameters, parts, access);
        if told.iter().map(|told| told.rows.len()).sum::<usize>() >= ENOUGH {
            let fitted = most_probable(country(parameters, access).clone(), &told, &scales);
            *match access {
                Access::Hosting => &mut parameters.prior.hosting,
                Access::Consumer => &mut parameters.prior.consumer,
            } = fitted;
        }
    }
}

fn country(parameters: &Parameters, access: Access) -> &CountryPrior {
    match access {
        Access::Hosting => &parameters.prior.hosting,
        Access::Consumer => &parameters.prior.consumer,
    }
}

/// What each part tells of this access.
fn told(parameters: &Parameters, parts: &[Part<'_>], access: Access) -> Vec<Told> {
    let group = |target: &Target| target.access() == access;
    let mut tests = BTreeMap::<&str, f64>::new();
    own(parts, &group).for_each(|target| *tests.entry(&target.name).or_default() += 1.0);
    let mut without_hosts = parameters.clone();
    (without_hosts.prior.hosting.host, without_hosts.prior.consumer.host) = (0.0, 0.0);
    let of_part = |part: &Part<'_>| {
        let model = part.model(&without_hosts);
        let codes: Vec<_> = model.countries().collect();
        let before = ln_counted(country(parameters, access), &model.country_scales());
        let rows = part.targets.iter().filter(|target| group(target)).filter_map(|target| {
            let truth = codes.binary_search(&target.country).ok()?;
            let posterior = model.locate(&target.sightings, access, &OtherSources::default());
            // Without the prior that it was found under.
            let ln: Vec<f64> = posterior.ln_countries().iter().zip(&before).map(|(ln, prior)| ln - prior).collect();
            let highest = ln.iter().copied().fold(f64::MIN, f64::max);
            let likelihood = ln.into_iter().map(|ln| (ln - highest).exp()).collect();
            Some(Row { truth, likelihood, weight: 1.0 / tests[target.name.as_str()] })
        });
        let hosts = &part.hosts[access as usize];
        let hosts = codes.iter().map(|code| hosts.get(code).copied().unwrap_or_default()).collect();
        Told { rows: rows.collect(), hosts }
    };
    parts.iter().map(of_part).collect()
}

/// One number of a prior.
type Number = fn(&mut CountryPrior) -> &mut f64;

/// The prior under which the true countries are the most probable, one number after the other.
fn most_probable(mut prior: CountryPrior, told: &[Told], scales: &[[f64; 4]]) -> CountryPrior {
    let loss = |prior: &CountryPrior| -> f64 {
        let counted = ln_counted(prior, scales);
        let total: f64 = counted.iter().map(|ln| ln.exp()).sum();
        let of_part = |told: &Told| -> f64 {
            let counted = counted.iter().map(|ln| ln.exp() / total);
            let prior: Vec<f64> = counted.zip(&told.hosts).map(|(share, hosts)| share + prior.host * hosts).collect();
            let of_row = |row: &Row| {
                let all: f64 = row.likelihood.iter().zip(&prior).map(|(likelihood, prior)| likelihood * prior).sum();
                -row.weight * (row.likelihood[row.truth] * prior[row.truth] / all).max(1e-30).ln()
            };
            told.rows.iter().map(of_row).sum()
        };
        told.iter().map(of_part).sum()
    };
    let numbers: [(f64, Number); 5] = [
        (1.8, |prior| &mut prior.population),
        (1.8, |prior| &mut prior.product),
        (1.8, |prior| &mut prior.addresses),
        (1.8, |prior| &mut prior.systems),
        (MOST_OF_A_HOST, |prior| &mut prior.host),
    ];
    for _ in 0..ROUNDS {
        for (most, number) in numbers {
            let found = golden(0.0, most, 12, |value| {
                let mut trial = prior.clone();
                *number(&mut trial) = value;
                loss(&trial)
            });
            *number(&mut prior) = (found * 1e4).round() / 1e4;
        }
    }
    prior
}

/// ln of what is counted of each country, each to its power.
fn ln_counted(prior: &CountryPrior, scales: &[[f64; 4]]) -> Vec<f64> {
    let powers = [prior.population, prior.product, prior.addresses, prior.systems];
    scales.iter().map(|scales| powers.iter().zip(scales).map(|(power, scale)| power * scale).sum()).collect()
}
