//! What round trips could tell of a place if more were known: each client's offset, and the test's countries. It bounds
//! what the engine can reach, and is never its answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use octet_engine::locate::OtherSources;
use octet_engine::model::Model;

use super::data::Target;
use super::metrics::Scored;
use super::rtt::score;
use crate::fit::offsets;

/// What is known, as lines of the table.
pub(crate) const KNOWN: [&str; 2] = ["  (offset known)", "  (and countries)"];
/// A country without a target counts as this much of one.
const UNSEEN: f64 = 0.02;

/// Each target's scores, in the order of [`KNOWN`]. Its offset is the one that explains its round trips best from its
/// true place; the countries are those of all targets of its test.
pub(crate) fn scores<'a>(model: &Model, targets: &[&'a Target]) -> Vec<(&'a Target, [Scored; 2])> {
    let mut by_offset: BTreeMap<usize, Vec<&'a Target>> = BTreeMap::new();
    for target in targets {
        let ln = offsets::ln_likelihoods(model, target);
        let best = (0..ln.len()).max_by(|&a, &b| ln[a].total_cmp(&ln[b])).unwrap_or_default();
        by_offset.entry(best).or_default().push(target);
    }
    let mut scores = Vec::new();
    for (offset, own) in by_offset {
        let mut parameters = model.parameters().clone();
        let access = &mut parameters.access;
        for weights in [&mut access.hosting.offset_weights, &mut access.consumer.offset_weights] {
            weights.fill(1e-9);
            weights[offset] = 1.0;
        }
        let knowing = Model::new(Arc::new(parameters));
        scores.extend(own.into_iter().map(|target| {
            let countries = countries(&knowing, targets, target);
            (target, [OtherSources::default(), countries].map(|others| score(&knowing, target, &others)))
        }));
    }
    scores
}

/// What turns the prior of countries into how many targets of this one's test each has.
fn countries(model: &Model, targets: &[&Target], target: &Target) -> OtherSources {
    let without = model.locate(&[], target.access(), &OtherSources::default());
    let same = || targets.iter().filter(|other| other.test == target.test);
    let by_country = model.countries().zip(without.ln_countries()).map(|(code, ln_prior)| {
        let count = same().filter(|other| other.country == code).count() as f64;
        ((count + UNSEEN).ln() - ln_prior) as f32
    });
    OtherSources { by_country: by_country.collect(), ..OtherSources::default() }
}
