//! `cargo xtask eval rtt`: how well places and countries are found from round trips and population alone, on real
//! round trips, with folds by target.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use octet::CountryCode;
use octet_engine::locate::{OtherSources, consistent};
use octet_engine::model::{EvidenceClass, Model, Parameters};
use octet_geometry::distance_km;
use serde::Serialize;

use super::data::{Data, Target, fold};
use super::metrics::{Random, Scored, bootstrap, calibration_error, mean, perfect_error, quantile};
use super::rows::quoted;
use super::{baseline, oracle};
use crate::fit::{self, Fitted};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The data directory: `tests.csv` and the files that it names, or any `NAME.csv.gz`
    #[arg(long)]
    data: PathBuf,
    /// Write the numbers as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// Score the checked-in parameters as a deployed engine would use them, instead of fitting on folds
    #[arg(long)]
    no_fit: bool,
    /// Fit one prior of countries and one calibration for all tests, not each test's own
    #[arg(long, conflicts_with = "no_fit")]
    pooled: bool,
    /// Score these parameters instead of the checked-in ones, with `--no-fit`
    #[arg(long, requires = "no_fit")]
    parameters: Option<PathBuf>,
    /// Score with each client's offset known too, then with the test's countries: what bounds the figures
    #[arg(long)]
    oracle: bool,
    /// Write one line a target as CSV: where it is, where the engine puts it, how sure it is, how deep the truth lies
    #[arg(long)]
    targets: Option<PathBuf>,
    /// How many folds
    #[arg(long, default_value_t = 4)]
    folds: u64,
    /// Draw calibration and coverage as SVG into this directory
    #[arg(long)]
    plots: Option<PathBuf>,
}

/// One line of the table.
#[derive(Debug, Serialize)]
struct Line {
    test: String,
    n: usize,
    err_km_p50: f64,
    err_km_p90: f64,
    country_top1: f64,
    ece: f64,
    ece_perfect: f64,
    brier: f64,
    nll: f64,
    cov50: f64,
    cov90: f64,
    cov95: f64,
    area90_km2_p50: f64,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let data = Data::open(&options.data)?;
    let targets: Vec<Target> = data.tests.iter().flat_map(|test| data.targets(test)).collect();
    let mut scored: BTreeMap<(String, String), Vec<Scored>> = BTreeMap::new();
    let mut knowing: BTreeMap<(String, &str), Vec<Scored>> = BTreeMap::new();
    let mut csv = String::from(
        "test,target,country,lat,lon,edges,answer_lat,answer_lon,error_km,confidence,right,depth,within90\n",
    );
    let of_folds: Vec<Fitted> = match &options.parameters {
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
            vec![Arc::new(Parameters::from_toml(&text)?).into()]
        }
        None if options.no_fit => vec![Parameters::embedded().into()],
        None => fitted(&data, options.folds.max(2)).unwrap_or_else(|error| {
            eprintln!("{error:#}. Scored with the checked-in parameters, as with --no-fit");
            vec![Parameters::embedded().into()]
        }),
    };
    let folds = of_folds.len() as u64;
    let of_folds: Vec<Fitted> =
        if options.pooled { of_folds.into_iter().map(Fitted::pooled).collect() } else { of_folds };
    for (held_out, fitted) in (0..).zip(&of_folds) {
        for test in &data.tests {
            let model = Model::new(fitted.of_test(&test.name).clone());
            let is_own = |target: &&Target| target.test == test.name && fold(&target.name, folds) == held_out;
            let own: Vec<&Target> = targets.iter().filter(is_own).collect();
            for target in &own {
                let score = score(&model, target, &OtherSources::default());
                csv.push_str(&row(target, &score));
                scored.entry((target.test.clone(), target.kind.clone())).or_default().push(score);
            }
            for (target, scores) in if options.oracle { oracle::scores(&model, &own) } else { Vec::new() } {
                for (known, score) in oracle::KNOWN.into_iter().zip(scores) {
                    knowing.entry((target.test.clone(), known)).or_default().push(score);
                }
            }
        }
    }
    if let Some(path) = &options.targets {
        std::fs::write(path, csv).with_context(|| format!("writing {}", path.display()))?;
    }
    print(&data, &targets, &scored, &knowing, options)
}

/// The parameters for each fold, fitted on the others.
fn fitted(data: &Data, folds: u64) -> Result<Vec<Fitted>> {
    let of_fold = |held_out: u64| {
        eprintln!("fold {} of {folds}", held_out + 1);
        fit::fit(data, &|name| fold(name, folds) != held_out)
    };
    (0..folds).map(of_fold).collect()
}

fn row(target: &Target, score: &Scored) -> String {
    let (lat, lon) = score.answer.map_or((f64::NAN, f64::NAN), |answer| (answer.lat(), answer.lon()));
    format!(
        "{},{},{},{:.2},{:.2},{},{lat:.2},{lon:.2},{:.0},{:.3},{},{:.3},{}\n",
        quoted(&target.test),
        quoted(&target.name),
        target.country,
        target.place.lat(),
        target.place.lon(),
        target.sightings.len(),
        score.error_km,
        score.confidence,
        score.right,
        score.depth,
        score.within[1]
    )
}

/// What the engine says of one target, beside the truth: as where it knows neither address nor locale.
pub(crate) fn score(model: &Model, target: &Target, others: &OtherSources) -> Scored {
    let posterior = model.locate(&consistent(&target.sightings), target.access(), others);
    let calibration = model.parameters().calibration(class(target));
    let countries = posterior.countries();
    let most = model.parameters().confidence.most_without_address;
    let calibrated = calibrated(&countries, |raw| calibration.confidence(raw).min(most));
    let of = |code: CountryCode| calibrated.iter().find(|country| country.0 == code).map_or(0.0, |country| country.1);
    let named = calibrated.first().copied();
    let of_truth = of(target.country);
    let squares: f64 = calibrated.iter().map(|country| country.1 * country.1).sum();
    let depth = posterior.depth(target.place, target.country);
    let raw = countries.first().map_or(0.0, |country| country.1);
    let shares = [0.5, 0.9, 0.95].map(|probability| calibration.share(probability, raw));
    Scored {
        answer: posterior.place(),
        error_km: posterior.place().map_or(20_000.0, |place| distance_km(place, target.place)),
        right: named.is_some_and(|named| named.0 == target.country),
        confidence: named.map_or(0.0, |named| named.1),
        of_truth,
        brier: squares - 2.0 * of_truth + 1.0,
        depth,
        within: shares.map(|share| depth < share),
        area_km2: posterior.area_km2(shares[1]),
    }
}

pub(crate) fn class(target: &Target) -> EvidenceClass {
    EvidenceClass { address: false, locale: false, edges: target.sightings.len(), hosting: target.kind == "datacentre" }
}

/// The named country at its calibrated probability, all others sharing the rest as they did.
fn calibrated(raw: &[(CountryCode, f64)], confidence: impl Fn(f64) -> f64) -> Vec<(CountryCode, f64)> {
    let Some(&(_, first)) = raw.first() else { return Vec::new() };
    let named = confidence(first);
    let rest = (1.0 - named) / (1.0 - first).max(1e-9);
    raw.iter().enumerate().map(|(at, &(code, mass))| (code, if at == 0 { named } else { mass * rest })).collect()
}

fn line(test: &str, scored: &[Scored], random: &mut Random) -> Line {
    let share = |hit: &dyn Fn(&Scored) -> bool| mean(scored.iter().map(|score| f64::from(u8::from(hit(score)))));
    let errors: Vec<f64> = scored.iter().map(|score| score.error_km).collect();
    let pairs: Vec<_> = scored.iter().map(|score| (score.confidence, score.right)).collect();
    let confidences: Vec<f64> = scored.iter().map(|score| score.confidence).collect();
    let areas: Vec<f64> = scored.iter().map(|score| score.area_km2).collect();
    Line {
        test: test.to_owned(),
        n: scored.len(),
        err_km_p50: quantile(&errors, 0.5),
        err_km_p90: quantile(&errors, 0.9),
        country_top1: share(&|score| score.right),
        ece: calibration_error(&pairs),
        ece_perfect: perfect_error(&confidences, random),
        brier: mean(scored.iter().map(|score| score.brier)),
        nll: mean(scored.iter().map(|score| -score.of_truth.max(1e-4).ln())),
        cov50: share(&|score| score.within[0]),
        cov90: share(&|score| score.within[1]),
        cov95: share(&|score| score.within[2]),
        area90_km2_p50: quantile(&areas, 0.5),
    }
}

fn print(
    data: &Data,
    targets: &[Target],
    scored: &BTreeMap<(String, String), Vec<Scored>>,
    knowing: &BTreeMap<(String, &str), Vec<Scored>>,
    options: &Options,
) -> Result<()> {
    let mut random = Random(7);
    println!(
        "{:<26} {:>4} {:>15} {:>15} {:>18} {:>6} {:>7} {:>6} {:>5} {:>5} {:>5} {:>5} {:>9}",
        "test", "n", "p50 km", "p90 km", "top-1", "ECE", "perfect", "Brier", "NLL", "c50", "c90", "c95", "M km² p50"
    );
    let mut lines = Vec::new();
    for test in &data.tests {
        let kinds: Vec<_> = scored.iter().filter(|((name, _), _)| *name == test.name).collect();
        let all: Vec<Scored> = kinds.iter().flat_map(|(_, scored)| scored.iter().copied()).collect();
        if all.is_empty() {
            continue;
        }
        let whole = line(&test.name, &all, &mut random);
        show(&whole, &all, &mut random);
        if kinds.len() > 1 {
            for ((_, kind), scored) in &kinds {
                let name = if kind.is_empty() { "(access not told)" } else { kind };
                show(&line(&format!("  {name}"), scored, &mut random), scored, &mut random);
            }
        }
        for known in oracle::KNOWN {
            if let Some(scored) = knowing.get(&(test.name.clone(), known)) {
                show(&line(known, scored, &mut random), scored, &mut random);
            }
        }
        let own: Vec<&Target> = targets.iter().filter(|target| target.test == test.name).collect();
        for baseline in baseline::all(&own) {
            println!(
                "{:<26} {:>4} {:>15.0} {:>15.0} {}",
                baseline.name, baseline.n, baseline.p50, baseline.p90, baseline.rest
            );
        }
        for (method, said) in baseline::published(&options.data, &test.name) {
            println!("  (README: {method}) {said}");
        }
        lines.push(whole);
    }
    if let Some(directory) = &options.plots {
        super::plot::calibration(directory, scored)?;
    }
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(&lines)?;
        std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

fn show(line: &Line, scored: &[Scored], random: &mut Random) {
    let p50 = bootstrap(scored, random, |s| quantile(&s.iter().map(|s| s.error_km).collect::<Vec<_>>(), 0.5));
    let p90 = bootstrap(scored, random, |s| quantile(&s.iter().map(|s| s.error_km).collect::<Vec<_>>(), 0.9));
    let top1 = bootstrap(scored, random, |s| mean(s.iter().map(|s| f64::from(u8::from(s.right)))));
    println!(
        "{:<26} {:>4} {:>5.0} ({:>3.0}–{:>4.0}) {:>5.0} ({:>4.0}–{:>4.0}) {:>5.3} ({:.2}–{:.2}) {:>6.3} {:>7.3} {:>6.3} {:>5.2} {:>5.2} {:>5.2} {:>5.2} {:>9.2}",
        line.test,
        line.n,
        line.err_km_p50,
        p50.0,
        p50.1,
        line.err_km_p90,
        p90.0,
        p90.1,
        line.country_top1,
        top1.0,
        top1.1,
        line.ece,
        line.ece_perfect,
        line.brier,
        line.nll,
        line.cov50,
        line.cov90,
        line.cov95,
        line.area90_km2_p50 / 1e6
    );
}
