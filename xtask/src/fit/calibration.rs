//! What makes confidence and coverage mean what they say, by class of evidence.

use std::collections::BTreeMap;

use octet_engine::locate::OtherSources;
use octet_engine::model::{Calibration, Model, Parameters, logistic};

use octet_geometry::distance_km;

use super::Part;
use super::minimise::golden;
use crate::eval::data::Target;
use crate::eval::metrics::quantile;
use crate::eval::rtt::class;

/// A class with fewer targets than this takes what all of its access together say.
pub(super) const ENOUGH: usize = 120;
/// The nominal share is believed as this many targets are.
const NOMINAL: f64 = 20.0;

/// What one answer teaches: raw probability of the named country, whether it was right, and how deep in the
/// posterior the truth lay.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lesson {
    pub(crate) raw: f64,
    pub(crate) right: bool,
    pub(crate) depth: f64,
    /// The mass that is no further from the answer than the truth.
    pub(crate) within: f64,
}

/// Fits each class of round trips alone, each part with paths that were fitted on the others, so that no target teaches
/// how well it is known.
pub(super) fn fit(parameters: &mut Parameters, parts: &[Part<'_>]) {
    let mut lessons: BTreeMap<&'static str, Vec<Lesson>> = BTreeMap::new();
    for part in parts {
        learn(&part.model(parameters), &part.targets, &mut lessons);
    }
    for access in ["hosting", "consumer"] {
        let own = |name: &str| name.starts_with(access);
        let all: Vec<Lesson> = lessons.iter().filter(|(name, _)| own(name)).flat_map(|(_, l)| l.clone()).collect();
        if all.is_empty() {
            continue;
        }
        for edges in ["1", "3", "6"] {
            let name = format!("{access}-{edges}");
            let enough = lessons.get(name.as_str()).filter(|lessons| lessons.len() >= ENOUGH);
            parameters.calibration.insert(name, of(enough.unwrap_or(&all)));
        }
    }
}

fn learn(model: &Model, targets: &[&Target], lessons: &mut BTreeMap<&'static str, Vec<Lesson>>) {
    for target in targets {
        let posterior = model.locate(&target.sightings, target.access(), &OtherSources::default());
        let named = posterior.countries().first().copied();
        let lesson = Lesson {
            raw: named.map_or(0.0, |named| named.1),
            right: named.is_some_and(|named| named.0 == target.country),
            depth: posterior.depth(target.place, target.country),
            within: posterior
                .place()
                .map_or(1.0, |place| posterior.mass_within(place, distance_km(place, target.place))),
        };
        lessons.entry(class(target).name()).or_default().push(lesson);
    }
}

/// The calibration that these lessons teach.
pub(crate) fn of(lessons: &[Lesson]) -> Calibration {
    let odds: Vec<(f64, bool)> = lessons
        .iter()
        .map(|lesson| {
            let raw = lesson.raw.clamp(1e-6, 1.0 - 1e-6);
            ((raw / (1.0 - raw)).ln(), lesson.right)
        })
        .collect();
    let (slope, intercept) = logistic(&odds);
    let lean = lean(lessons);
    let depths: Vec<f64> = lessons.iter().map(|lesson| lesson.depth - lean * (2.0 * lesson.raw - 1.0)).collect();
    let within: Vec<f64> = lessons.iter().map(|lesson| lesson.within).collect();
    let count = lessons.len() as f64;
    let taught = |shares: &[f64], nominal: f64| {
        ((count * quantile(shares, nominal) + NOMINAL * nominal) / (count + NOMINAL)).clamp(0.1, 1.0)
    };
    let share = |nominal: f64| taught(&depths, nominal);
    let (half, most) = (share(0.5), share(0.9));
    let rounded = |value: f64| (value * 1e4).round() / 1e4;
    Calibration {
        slope: rounded(slope.clamp(0.1, 4.0)),
        intercept: rounded(intercept.clamp(-4.0, 4.0)),
        shares: [half, most.max(half), share(0.95).max(most).max(half)].map(rounded),
        lean: rounded(lean),
        circle: rounded(taught(&within, 0.9)),
        most: None,
    }
}

/// How the depth that holds nine of ten truths varies with the raw probability of the named country: the line of quantile
/// regression (Koenker and Bassett, 1978).
fn lean(lessons: &[Lesson]) -> f64 {
    const MOST: f64 = 0.3;
    golden(-MOST, MOST, 12, |lean| {
        let left: Vec<f64> = lessons.iter().map(|lesson| lesson.depth - lean * (2.0 * lesson.raw - 1.0)).collect();
        let line = quantile(&left, 0.9);
        left.iter().map(|left| (0.9 * (left - line)).max(-0.1 * (left - line))).sum()
    })
}
