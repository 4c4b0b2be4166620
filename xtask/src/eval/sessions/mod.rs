//! `cargo xtask eval sessions`: whole sessions, generated around real round trips, scored by scenario. What it
//! calibrates is "calibrated on generated sessions", and says so.

mod generate;
mod predicates;
mod teach;

use std::collections::BTreeMap;
use std::num::{NonZeroU8, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use octet::{Alarm, CountryCode};
use octet_engine::model::{Model, Parameters};
use octet_engine::{Assessment, Evidence, World, assess_with};
use octet_geometry::{EARTH_RADIUS_KM, HALF_TURN_KM, distance_km};
use serde::Serialize;

use super::data::{Data, Target, fold};
use super::metrics::{Random, calibration_error, mean, perfect_error, quantile, wilson};
use super::plot;
use crate::fit;
use generate::{Generator, NOW, Scenario, Session};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The data directory that the round trips come from
    #[arg(long, default_value = "../shared/data/rtt")]
    data: PathBuf,
    /// Sessions of each scenario and number of edges
    #[arg(long, default_value = "400")]
    sessions: NonZeroUsize,
    /// Where the checked-in tables are
    #[arg(long, default_value = "octet/engine/data")]
    tables: PathBuf,
    /// Score each of so many folds of hosts by what all others taught, paths and calibration alike, some minutes a fold
    #[arg(long, conflicts_with_all = ["parameters", "write"])]
    folds: Option<NonZeroU8>,
    /// Only scenarios whose name contains this, and no mixture
    #[arg(long)]
    only: Option<String>,
    /// Score these parameters instead of the checked-in ones
    #[arg(long)]
    parameters: Option<PathBuf>,
    /// Write the numbers as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// Fit what whole sessions teach (calibration, thresholds of the alarm), on other sessions than those scored, and
    /// write it to this file
    #[arg(long)]
    write: Option<PathBuf>,
    /// Draw the calibration as SVG into this directory
    #[arg(long)]
    plots: Option<PathBuf>,
}

const SEED: u64 = 20_261_121;
/// Sessions are seen by so many edges.
const EDGES: [usize; 4] = [0, 1, 3, 6];
/// How often each scenario occurs among honest visitors.
const HONEST: [(Scenario, f64); 6] = [
    (Scenario::Home, 0.71),
    (Scenario::Mobile, 0.147),
    (Scenario::Roaming, 0.003),
    (Scenario::Traveller, 0.04),
    (Scenario::Expatriate, 0.06),
    (Scenario::PrivacyUtc, 0.04),
];

/// Answers to people of so many countries, those with the least land, are scored apart.
const SMALLEST: usize = 20;

/// One line of the table.
#[derive(Debug, Serialize)]
struct Line {
    scenario: String,
    edges: String,
    n: usize,
    country_top1: f64,
    confidence: f64,
    ece: f64,
    ece_perfect: f64,
    brier: f64,
    nll: f64,
    /// Of a whole session the engine states the circle of 90 % alone: neither this…
    cov50: Option<f64>,
    /// …nor a region of 95 %. This is how often the circle holds the true place, as `within_radius`.
    cov90: f64,
    cov95: Option<f64>,
    /// The circle's area.
    area90_km2_p50: f64,
    alarm_none: f64,
    alarm_low: f64,
    alarm_medium: f64,
    alarm_high: f64,
    /// The true country named, or confidence below 0.5.
    named_or_unsure: f64,
    /// The pretended country named with confidence of 0.5 and more and an alarm below medium.
    deceived: f64,
    /// The true place within the radius.
    within_radius: f64,
    /// Distance from the estimated place to the true one: half and nine in ten are below.
    err_km_p50: f64,
    err_km_p90: f64,
    /// Questions about countries, answered as the service does.
    questions: predicates::Answers,
}

/// One session's outcome.
#[derive(Debug, Clone)]
struct Outcome {
    edges: usize,
    right: bool,
    confidence: f64,
    /// Probability of the true country, and Σ of squared errors over countries.
    of_truth: f64,
    brier: f64,
    raw: f64,
    class: &'static str,
    alarm: Alarm,
    reasons: Vec<octet_engine::Reason>,
    deceived: bool,
    within: bool,
    area_km2: f64,
    error_km: f64,
    answers: predicates::Answers,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let wanted = |scenario: &Scenario| options.only.as_ref().is_none_or(|only| scenario.name().contains(only.as_str()));
    let scenarios: Vec<Scenario> = Scenario::ALL.into_iter().filter(wanted).collect();
    if scenarios.is_empty() {
        let known: Vec<_> = Scenario::ALL.into_iter().map(Scenario::name).collect();
        bail!("no scenario is named so; they are: {}", known.join(", "));
    }
    let data = Data::open(&options.data)?;
    let widest = data.tests.iter().filter(|test| data.is_widest(test));
    let targets: Vec<Target> = widest.flat_map(|test| data.targets(test)).collect();
    let drawing = World::embedded();
    let seeing = without_dbip(&options.tables)?;
    let parts = match options.folds {
        Some(folds) => folds_of(&data, &targets, &seeing, u64::from(folds.get()).max(2), options.sessions.get())?,
        None => vec![(Model::new(Arc::new(taught(options, &targets, &seeing)?)), targets)],
    };
    let generators = parts.iter().map(|(model, targets)| Generator::new(&drawing, model, targets, SEED));
    let mut generators = generators.collect::<Result<Vec<_>>>()?;
    let sessions = options.sessions.get().div_ceil(generators.len());
    let mut lines = Vec::new();
    let mut random = Random(SEED);
    println!(
        "{:<32} {:>5} {:>5} {:>6} {:>6} {:>6} {:>7} {:>6} {:>6} {:>6} {:>6} {:>8} {:>8} {:>6} {:>6} {:>6}",
        "scenario",
        "edges",
        "n",
        "top-1",
        "conf",
        "ECE",
        "perfect",
        "none",
        "low",
        "medium",
        "high",
        "or < .5",
        "deceived",
        "radius",
        "km p50",
        "p90"
    );
    for scenario in scenarios {
        let mut all = Vec::new();
        for edges in EDGES {
            let mut own = Vec::new();
            for generator in &mut generators {
                let model = generator.model();
                own.extend(outcomes(generator, &seeing, model, scenario, edges, sessions)?);
            }
            if matches!(scenario, Scenario::Shaped | Scenario::VpnFar | Scenario::Roaming) {
                show(&mut lines, line(scenario.name(), edges.to_string(), &own, &mut random));
            }
            all.extend(own);
        }
        show(&mut lines, line(scenario.name(), "all".into(), &all, &mut random));
    }
    if options.only.is_none() {
        let (mut mixture, mut hidden) = (Vec::new(), Vec::new());
        for generator in &mut generators {
            let sessions = honest(generator, sessions)?;
            let of = |session: &Session| outcome(session, &seeing, generator.model());
            mixture.extend(sessions.iter().map(of));
            hidden.extend(sessions.iter().map(|session| of(&session.without_address())));
        }
        for (name, outcomes) in [("honest mixture", &mixture), ("honest, no public address", &hidden)] {
            for edges in EDGES {
                let own: Vec<Outcome> = outcomes.iter().filter(|outcome| outcome.edges == edges).cloned().collect();
                show(&mut lines, line(name, edges.to_string(), &own, &mut random));
            }
            show(&mut lines, line(name, "all".into(), outcomes, &mut random));
        }
        false_alarms(&mixture);
        if let Some(directory) = &options.plots {
            draw(directory, &mixture)?;
        }
        for (name, alone) in [("smallest countries", false), ("smallest, delays alone", true)] {
            let mut answers = Vec::new();
            for generator in &mut generators {
                generator.keep_smallest(SMALLEST);
                answers.extend(of_smallest(generator, &seeing, sessions, alone)?);
            }
            lines.push(line(name, "all".into(), &answers, &mut random));
        }
    }
    predicates::show(lines.iter().filter(|line| line.edges == "all").map(|line| (&*line.scenario, line.questions)));
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_string_pretty(&lines)?)
            .with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// The parameters to be scored: those asked for, and taught where they are to be written.
fn taught(options: &Options, targets: &[Target], seeing: &World) -> Result<Parameters> {
    let mut parameters = match &options.parameters {
        Some(path) => Parameters::from_toml(&std::fs::read_to_string(path)?)?,
        None => (*Parameters::embedded()).clone(),
    };
    if let Some(path) = &options.write {
        teach::all(&mut parameters, targets, seeing, options.sessions.get())?;
        fit::write(&parameters, path)?;
    }
    Ok(parameters)
}

/// For each fold of hosts, what all others taught, round trips and sessions, and the hosts themselves.
fn folds_of(
    data: &Data,
    targets: &[Target],
    seeing: &World,
    folds: u64,
    sessions: usize,
) -> Result<Vec<(Model, Vec<Target>)>> {
    let of_fold = |held_out: u64| {
        eprintln!("fold {} of {folds}", held_out + 1);
        let is_own = |name: &str| fold(name, folds) == held_out;
        let (own, others): (Vec<Target>, _) = targets.iter().cloned().partition(|target| is_own(&target.name));
        let mut parameters = (*fit::fit(data, &|name| !is_own(name))?.all).clone();
        teach::all(&mut parameters, &others, seeing, sessions)?;
        Ok((Model::new(Arc::new(parameters)), own))
    };
    (0..folds).map(of_fold).collect()
}

/// The checked-in tables but for the database that the addresses are drawn from.
fn without_dbip(tables: &Path) -> Result<World> {
    let mut world = World::default();
    let mut names: Vec<PathBuf> = std::fs::read_dir(tables)
        .with_context(|| format!("reading {} (run from the repository's root)", tables.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    names.sort();
    for path in names {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.ends_with(".bin.zst") && !name.starts_with("dbip") && !name.starts_with("cells") {
            world = world.with_table(&std::fs::read(&path)?).with_context(|| path.display().to_string())?;
        }
    }
    Ok(world)
}

fn outcomes(
    generator: &mut Generator<'_>,
    seeing: &World,
    model: &Model,
    scenario: Scenario,
    edges: usize,
    count: usize,
) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(count);
    for _ in 0..count {
        let session = generator.session(scenario, edges)?;
        let world = if scenario == Scenario::Tor { with_exit(seeing, &session.evidence)? } else { seeing.clone() };
        outcomes.push(outcome(&session, &world, model));
    }
    Ok(outcomes)
}

/// The world with the session's address on its list of Tor exits.
fn with_exit(world: &World, evidence: &Evidence) -> Result<World> {
    let exits = evidence.address.map(|address| address.to_string()).unwrap_or_default();
    Ok(world.clone().with_tor_exits(exits.as_bytes())?)
}

fn outcome(session: &Session, world: &World, model: &Model) -> Outcome {
    let assessment = assess_with(&session.evidence, world, model, NOW);
    let first = assessment.country_masses.first().copied();
    let named = assessment.country;
    let place = assessment.location.zip(assessment.radius_km);
    let error_km = assessment.location.map_or(HALF_TURN_KM, |place| distance_km(place, session.place));
    let masses = probabilities(&assessment);
    let of_truth: f64 = masses.iter().filter(|country| country.0 == session.country).map(|country| country.1).sum();
    let squares: f64 = masses.iter().map(|country| country.1 * country.1).sum();
    let answers = predicates::ask(&assessment, session.country, world);
    let pretends = session.pretended.is_some_and(|pretended| named == Some(pretended));
    Outcome {
        edges: session.evidence.edges.len(),
        right: first.is_some_and(|first| first.0 == session.country),
        confidence: assessment.confidence,
        of_truth,
        brier: squares - 2.0 * of_truth + 1.0,
        raw: first.map_or(0.0, |first| first.1),
        class: assessment.class.name(),
        alarm: assessment.alarm,
        reasons: assessment.reasons,
        deceived: pretends && assessment.confidence >= 0.5 && assessment.alarm < Alarm::Medium,
        within: place.is_some_and(|(_, radius)| error_km <= radius),
        area_km2: circle_km2(assessment.radius_km.unwrap_or(HALF_TURN_KM)),
        error_km,
        answers,
    }
}

/// Each country's probability: the first's is the confidence, the others share the rest as they did.
fn probabilities(assessment: &Assessment) -> Vec<(CountryCode, f64)> {
    let Some((&(first, raw), others)) = assessment.country_masses.split_first() else { return Vec::new() };
    let rest = (1.0 - assessment.confidence) / (1.0 - raw).max(1e-9);
    let others = others.iter().map(|&(code, mass)| (code, mass * rest));
    std::iter::once((first, assessment.confidence)).chain(others).collect()
}

/// The area of a circle on the sphere.
fn circle_km2(radius_km: f64) -> f64 {
    std::f64::consts::TAU * EARTH_RADIUS_KM * EARTH_RADIUS_KM * (1.0 - (radius_km / EARTH_RADIUS_KM).cos())
}

/// Honest sessions, each scenario as often as among visitors.
fn honest(generator: &mut Generator<'_>, sessions: usize) -> Result<Vec<Session>> {
    let mut all = Vec::new();
    for edges in EDGES {
        for (scenario, share) in HONEST {
            let count = (3.0 * share * sessions as f64).round() as usize;
            for _ in 0..count {
                all.push(generator.session(scenario, edges)?);
            }
        }
    }
    Ok(all)
}

/// Honest people of the countries that the generator has left, or what their round trips alone tell.
fn of_smallest(generator: &mut Generator<'_>, world: &World, sessions: usize, alone: bool) -> Result<Vec<Outcome>> {
    let mut all = Vec::new();
    for edges in EDGES.into_iter().filter(|&edges| edges > 0 || !alone) {
        for _ in 0..sessions {
            let mut session = generator.session(Scenario::Home, edges)?;
            if alone {
                session.evidence = Evidence { edges: session.evidence.edges, ..Evidence::default() };
            }
            all.push(outcome(&session, world, generator.model()));
        }
    }
    Ok(all)
}

fn line(scenario: &str, edges: String, outcomes: &[Outcome], random: &mut Random) -> Line {
    let share = |hit: &dyn Fn(&Outcome) -> bool| mean(outcomes.iter().map(|outcome| f64::from(u8::from(hit(outcome)))));
    let pairs: Vec<_> = outcomes.iter().map(|outcome| (outcome.confidence, outcome.right)).collect();
    let confidences: Vec<f64> = outcomes.iter().map(|outcome| outcome.confidence).collect();
    let errors: Vec<f64> = outcomes.iter().map(|outcome| outcome.error_km).collect();
    let areas: Vec<f64> = outcomes.iter().map(|outcome| outcome.area_km2).collect();
    Line {
        scenario: scenario.to_owned(),
        edges,
        n: outcomes.len(),
        country_top1: share(&|outcome| outcome.right),
        confidence: mean(confidences.iter().copied()),
        ece: calibration_error(&pairs),
        ece_perfect: perfect_error(&confidences, random),
        brier: mean(outcomes.iter().map(|outcome| outcome.brier)),
        nll: mean(outcomes.iter().map(|outcome| -outcome.of_truth.max(1e-4).ln())),
        cov50: None,
        cov90: share(&|outcome| outcome.within),
        cov95: None,
        area90_km2_p50: quantile(&areas, 0.5),
        alarm_none: share(&|outcome| outcome.alarm == Alarm::None),
        alarm_low: share(&|outcome| outcome.alarm == Alarm::Low),
        alarm_medium: share(&|outcome| outcome.alarm == Alarm::Medium),
        alarm_high: share(&|outcome| outcome.alarm == Alarm::High),
        named_or_unsure: share(&|outcome| outcome.right || outcome.confidence < 0.5),
        deceived: share(&|outcome| outcome.deceived),
        within_radius: share(&|outcome| outcome.within),
        err_km_p50: quantile(&errors, 0.5),
        err_km_p90: quantile(&errors, 0.9),
        questions: outcomes.iter().map(|outcome| outcome.answers).sum(),
    }
}

fn show(lines: &mut Vec<Line>, line: Line) {
    println!(
        "{:<32} {:>5} {:>5} {:>6.3} {:>6.3} {:>6.3} {:>7.3} {:>6.3} {:>6.3} {:>6.3} {:>6.3} {:>8.3} {:>8.3} {:>6.3} {:>6.0} {:>6.0}",
        line.scenario,
        line.edges,
        line.n,
        line.country_top1,
        line.confidence,
        line.ece,
        line.ece_perfect,
        line.alarm_none,
        line.alarm_low,
        line.alarm_medium,
        line.alarm_high,
        line.named_or_unsure,
        line.deceived,
        line.within_radius,
        line.err_km_p50,
        line.err_km_p90
    );
    lines.push(line);
}

/// Alarms above `low` among honest visitors, with the interval.
fn false_alarms(mixture: &[Outcome]) {
    let hits = mixture.iter().filter(|outcome| outcome.alarm > Alarm::Low).count();
    let (low, high) = wilson(hits, mixture.len());
    println!(
        "false alarms above low, honest mixture: {hits} of {} ({:.2} %, 95 % interval {:.2}–{:.2} %)",
        mixture.len(),
        100.0 * hits as f64 / mixture.len() as f64,
        100.0 * low,
        100.0 * high
    );
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for outcome in mixture.iter().filter(|outcome| outcome.alarm > Alarm::Low) {
        let names: Vec<String> = outcome.reasons.iter().map(|reason| format!("{reason:?}")).collect();
        *reasons.entry(format!("{} edges: {}", outcome.edges, names.join(" + "))).or_default() += 1;
    }
    for (reason, count) in reasons {
        println!("  {count:>4} {reason}");
    }
}

fn draw(directory: &Path, mixture: &[Outcome]) -> Result<()> {
    std::fs::create_dir_all(directory).with_context(|| format!("creating {}", directory.display()))?;
    let curves: Vec<plot::Curve> = EDGES
        .into_iter()
        .map(|edges| {
            let pairs: Vec<_> = mixture
                .iter()
                .filter(|outcome| outcome.edges == edges)
                .map(|outcome| (outcome.confidence, outcome.right))
                .collect();
            plot::Curve { name: format!("{edges} edges"), points: plot::reliability(&pairs, 8) }
        })
        .collect();
    plot::write(&directory.join("sessions-calibration.svg"), "confidence", "share right", &curves)
}
