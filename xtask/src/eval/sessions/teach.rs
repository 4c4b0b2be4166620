//! What generated sessions teach, by other draws than those scored: the calibration of whole sessions, where the alarm's
//! levels begin, and how far sessions that contradict themselves are believed.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use octet::Alarm;
use octet_engine::model::{AlarmThresholds, Model, Parameters};
use octet_engine::{Reason, World};

use super::generate::{Generator, Scenario, Session};
use super::{EDGES, Outcome, SEED, honest, outcome, outcomes};
use crate::eval::data::Target;
use crate::fit::calibration::{Lesson, of};

/// Teaches these parameters by sessions of these hosts.
pub(super) fn all(parameters: &mut Parameters, targets: &[Target], world: &World, sessions: usize) -> Result<()> {
    let drawing = World::embedded();
    let model = Model::new(Arc::new(parameters.clone()));
    let generator = &mut Generator::new(&drawing, &model, targets, SEED ^ 1)?;
    let visitors = honest(generator, sessions)?;
    let mut lessons: Vec<Outcome> = visitors.iter().map(|session| outcome(session, world, &model)).collect();
    lessons.extend(visitors.iter().map(|session| outcome(&session.without_address(), world, &model)));
    let alone = visitors.iter().filter(|session| session.evidence.edges.is_empty());
    lessons.extend(alone.map(|session| outcome(&session.without_zone(), world, &model)));
    lessons.extend(hidden(generator, world, &model, sessions)?);
    calibrate(parameters, &lessons);
    thresholds(parameters, &visitors, world);
    let model = Model::new(Arc::new(parameters.clone()));
    lessons = visitors.iter().map(|session| outcome(session, world, &model)).collect();
    lessons.extend(forgers(generator, world, &model, sessions)?);
    credence(parameters, &lessons);
    Ok(())
}

/// Sessions from addresses that people and machines hide behind, each kind as often.
fn hidden(generator: &mut Generator<'_>, world: &World, model: &Model, sessions: usize) -> Result<Vec<Outcome>> {
    let mut all = Vec::new();
    for edges in EDGES {
        for scenario in [Scenario::VpnNear, Scenario::VpnMiddle, Scenario::VpnFar, Scenario::Tor, Scenario::HostingBot]
        {
            all.extend(outcomes(generator, world, model, scenario, edges, sessions.div_ceil(4))?);
        }
    }
    all.retain(|outcome| outcome.class == "hidden");
    Ok(all)
}

/// Sessions that are forged, as many as honest travellers.
fn forgers(generator: &mut Generator<'_>, world: &World, model: &Model, sessions: usize) -> Result<Vec<Outcome>> {
    let mut all = Vec::new();
    for edges in EDGES {
        for scenario in [Scenario::ForgedZone, Scenario::VpnFar, Scenario::VpnMiddle, Scenario::RelayFar] {
            all.extend(outcomes(generator, world, model, scenario, edges, sessions.div_ceil(25))?);
        }
    }
    Ok(all)
}

/// One number of the alarm, and how often it may alarm about honest visitors.
struct Threshold {
    name: &'static str,
    /// What it may be, from few alarms to many.
    span: [f64; 2],
    set: fn(&mut AlarmThresholds, f64),
    alarms: fn(&Outcome) -> bool,
    share: f64,
}

/// In this order, each with those before it as they were found: first offsets alone.
const THRESHOLDS: [Threshold; 5] = [
    Threshold {
        name: "offset_medium",
        span: [1.0, 0.5],
        set: |thresholds, value| thresholds.offset_medium = value,
        alarms: |outcome| outcome.reasons == [Reason::LargeOffset] && outcome.alarm > Alarm::Low,
        share: 0.001,
    },
    Threshold {
        name: "offset_low",
        span: [1.0, 0.2],
        set: |thresholds, value| thresholds.offset_low = value,
        alarms: |outcome| outcome.reasons.contains(&Reason::LargeOffset),
        share: 0.01,
    },
    Threshold {
        name: "delay_power",
        span: [0.0, 1.0],
        set: |thresholds, value| thresholds.delay_power = value,
        alarms: |outcome| outcome.alarm > Alarm::Low,
        // One in a hundred on other draws too: two standard errors of some thousand sessions below.
        share: 0.0075,
    },
    Threshold {
        name: "high",
        span: [0.0, 0.01],
        set: |thresholds, value| thresholds.high = value,
        alarms: |outcome| outcome.alarm == Alarm::High,
        share: 0.0012,
    },
    Threshold {
        name: "low",
        span: [0.01, 0.2],
        set: |thresholds, value| thresholds.low = value,
        alarms: |outcome| outcome.alarm > Alarm::None,
        share: 0.055,
    },
];
/// Each span is halved so often.
const HALVINGS: usize = 6;

/// Where the alarm's levels begin: as early as honest visitors allow.
fn thresholds<'a>(parameters: &mut Parameters, visitors: &'a [Session], world: &World) {
    for threshold in THRESHOLDS {
        let alarmed = |value: f64, among: Vec<&'a Session>| -> Vec<&'a Session> {
            let mut trial = parameters.clone();
            (threshold.set)(&mut trial.alarm, value);
            let model = Model::new(Arc::new(trial));
            among.into_iter().filter(|session| (threshold.alarms)(&outcome(session, world, &model))).collect()
        };
        let [mut few, mut many] = threshold.span;
        // Who gives no alarm at the end of many gives none anywhere.
        let ever = alarmed(many, visitors.iter().collect());
        let share = |value: f64| alarmed(value, ever.clone()).len() as f64 / visitors.len() as f64;
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(few, many);
            *(if share(middle) <= threshold.share { &mut few } else { &mut many }) = middle;
        }
        let value = (few * 1e4).round() / 1e4;
        eprintln!("{}: {value}, alarms {:.4}", threshold.name, share(value));
        (threshold.set)(&mut parameters.alarm, value);
    }
}

/// How far contradicted sessions are believed: what they were right beside what their calibrated confidence says, each
/// level no more than the one below it. Believed by half with so many sessions.
fn credence(parameters: &mut Parameters, outcomes: &[Outcome]) {
    const HALF: f64 = 20.0;
    let mut least = 1.0;
    for (level, alarm) in [Alarm::Low, Alarm::Medium, Alarm::High].into_iter().enumerate() {
        let contradicted = |outcome: &&Outcome| outcome.reasons.iter().any(|reason| reason.contradicts());
        let own: Vec<&Outcome> =
            outcomes.iter().filter(contradicted).filter(|outcome| outcome.alarm == alarm).collect();
        let said: f64 = own
            .iter()
            .map(|outcome| {
                let calibration = parameters.calibration.get(outcome.class).copied().unwrap_or_default();
                calibration.confidence(outcome.raw).min(parameters.confidence.most)
            })
            .sum();
        let right = own.iter().filter(|outcome| outcome.right).count() as f64;
        let share = (right + HALF * least) / (said + HALF);
        least = (share.clamp(0.3, least) * 1e3).round() / 1e3;
        parameters.confidence.contradicted[level] = least;
        eprintln!("contradicted, alarm {alarm:?}: {} sessions, said {said:.1}, right {right}: {least}", own.len());
    }
}

fn calibrate(parameters: &mut Parameters, outcomes: &[Outcome]) {
    let mut lessons: BTreeMap<&str, Vec<Lesson>> = BTreeMap::new();
    for (index, outcome) in outcomes.iter().enumerate() {
        // Regions of whole sessions stay as they are: their depth is taught as even.
        let depth = (index as f64 * 0.618_034).fract();
        lessons.entry(outcome.class).or_default().push(Lesson {
            raw: outcome.raw,
            right: outcome.right,
            depth,
            within: depth,
        });
    }
    // Round trips alone, or with languages, are calibrated by `fit`.
    for (class, lessons) in lessons.into_iter().filter(|(class, _)| !class.starts_with("consumer")) {
        let mut calibration = of(&lessons);
        (calibration.shares, calibration.lean, calibration.circle) = ([0.5, 0.9, 0.95], 0.0, 0.9);
        parameters.calibration.insert(class.to_owned(), calibration);
    }
}
