//! The density of a path's inflation by distance, and the detours of places. The shape is fitted between data centres,
//! where there is no last mile.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use octet::LatLon;
use octet_engine::locate::Access;
use octet_engine::model::{Parameters, PathShape, ln_floor};
use octet_geometry::distance_km;

use super::detours::{self, Left};
use super::minimise::rprop;
use super::{PARTS, Part, model, offsets};
use crate::eval::data::{Data, Target, fold};

/// A visitor's path counts as so many between data centres: there are few, and they are what is asked for.
const VISITOR: f64 = 3.0;
/// Rows of the histogram a unit of ln(d/100 + 2), and columns a unit of inflation.
const PER_UNIT: f64 = 24.0;
/// The same of the logarithm of how much wider a path is.
const WIDER_PER_UNIT: f64 = 1.0;
/// So many steps lead to the shape, each time with the detours that it leaves.
const STEPS: [usize; 3] = [120, 60, 60];
/// How strongly the shape's curvature over distance is held down.
const SMOOTHNESS: f64 = 1e-3;
const KNOTS_KM: [f64; 9] = [0.0, 150.0, 400.0, 900.0, 2000.0, 4000.0, 7500.0, 12_000.0, 20_000.0];

/// One path: what is known of it but its rows.
struct Observed {
    ends: [LatLon; 2],
    /// Which part of the hosts its ends are of; an edge that measures for all is of none.
    parts: [Option<u64>; 2],
    ln_floor: f64,
    inflation: f64,
}

/// Fits the paths of those hosts whose name `keep` accepts: the shape between data centres, the detours of visitors too.
pub(super) fn fit(
    parameters: &mut Parameters,
    data: &Data,
    targets: &[Target],
    keep: &dyn Fn(&str) -> bool,
) -> Result<()> {
    let paths = observed(data, keep);
    ensure!(paths.len() >= 1000, "only {} paths between data centres: too few to fit on", paths.len());
    parameters.path.shape = start();
    parameters.path.detours.doubt = 0.1;
    for steps in STEPS {
        shape(parameters, &strangers(parameters, &paths), steps);
    }
    know(parameters, &paths, targets, keep);
    Ok(())
}

/// Fits the detours alone, with the shape as it is.
pub(super) fn refit(parameters: &mut Parameters, data: &Data, targets: &[Target], keep: &dyn Fn(&str) -> bool) {
    know(parameters, &observed(data, keep), targets, keep);
}

/// What is left of a path beside detours of which its host told nothing.
struct Stranger {
    ln_floor: f64,
    inflation: f64,
    /// Natural logarithm of how much wider it is, by the power of one.
    ln_wider: f64,
}

/// All paths, each as a new host's would be: an engine that has seen a host before is no measure of how well it knows
/// others.
fn strangers(parameters: &Parameters, paths: &[Observed]) -> Vec<Stranger> {
    let of_part = |part: u64| {
        let others = paths.iter().filter(|path| !path.parts.contains(&Some(part)));
        let mut of_others = parameters.clone();
        of_others.path.detours = detours::fit(&left(&parameters.path.shape, others), 1.0);
        let model = model(&of_others);
        let own = paths.iter().filter(move |path| path.parts[1] == Some(part));
        own.map(move |path| {
            let (detour, ln_wider) = model.detour(path.ends[0], path.ends[1]);
            Stranger { ln_floor: path.ln_floor, inflation: path.inflation - detour, ln_wider }
        })
    };
    (0..PARTS).flat_map(of_part).collect()
}

/// Fits the detours to all that is told of them.
fn know(parameters: &mut Parameters, paths: &[Observed], targets: &[Target], keep: &dyn Fn(&str) -> bool) {
    parameters.path.detours = detours::fit(&left(&parameters.path.shape, paths), parameters.path.detours.doubt);
    visitors(parameters, paths, targets, keep);
}

/// Fits the detours again with those of visitors, whose offsets they need and change.
fn visitors(parameters: &mut Parameters, paths: &[Observed], targets: &[Target], keep: &dyn Fn(&str) -> bool) {
    let visitor = |target: &&Target| target.access() == Access::Consumer && keep(&target.name);
    let targets = targets.iter().filter(visitor).collect();
    let mut part = [Part { path: parameters.path.clone(), hosts: Default::default(), targets }];
    for _ in 0..2 {
        offsets::fit(parameters, &part);
        let model = model(parameters);
        let of_visitors = part[0].targets.iter().flat_map(|target| offsets::left(&model, target, VISITOR));
        let left: Vec<Left> = left(&parameters.path.shape, paths).into_iter().chain(of_visitors).collect();
        parameters.path.detours = detours::fit(&left, parameters.path.detours.doubt);
        part[0].path = parameters.path.clone();
    }
}

fn observed(data: &Data, keep: &dyn Fn(&str) -> bool) -> Vec<Observed> {
    let measuring = data.test_edges();
    data.files
        .values()
        .flatten()
        .filter(|row| row.access == "datacentre" && row.target != row.edge && row.min_ms > 0.0)
        .filter(|row| keep(&row.target) && (keep(&row.edge) || measuring.contains(row.edge.as_str())))
        .map(|row| {
            let ln_floor = ln_floor(distance_km(row.place, row.edge_place));
            let inflation = (row.min_ms + 2.0).ln() - ln_floor;
            let of_edge = (!measuring.contains(row.edge.as_str())).then(|| fold(&row.edge, PARTS));
            let parts = [of_edge, Some(fold(&row.target, PARTS))];
            Observed { ends: [row.edge_place, row.place], parts, ln_floor, inflation }
        })
        .collect()
}

/// What distance leaves of each path.
fn left<'a>(shape: &PathShape, paths: impl IntoIterator<Item = &'a Observed>) -> Vec<Left> {
    let of = |path: &Observed| {
        let inflation = (path.inflation - middle(shape, path.ln_floor)).clamp(-1.0, 1.2);
        Left { ends: path.ends, inflation, weight: 1.0 }
    };
    paths.into_iter().map(of).collect()
}

fn start() -> PathShape {
    PathShape {
        knots_km: KNOTS_KM.to_vec(),
        mode: vec![0.4, 0.6, 0.7, 0.8, 0.75, 0.6, 0.5, 0.5, 0.4],
        ln_left: vec![-1.8; KNOTS_KM.len()],
        ln_right: vec![-1.0; KNOTS_KM.len()],
        left_df: 6.0,
        right_df: 5.0,
    }
}

/// The shape, and how it widens where little was told, by maximum likelihood over a histogram.
fn shape(parameters: &mut Parameters, paths: &[Stranger], steps: usize) {
    let mut histogram = BTreeMap::<i64, BTreeMap<i64, BTreeMap<i64, f64>>>::new();
    for path in paths {
        let row = histogram.entry((path.ln_floor * PER_UNIT).round() as i64).or_default();
        let wider = row.entry((path.ln_wider * WIDER_PER_UNIT).round() as i64).or_default();
        *wider.entry((path.inflation * PER_UNIT).round() as i64).or_default() += 1.0 / paths.len() as f64;
    }
    let knots = KNOTS_KM.len();
    let unpack = |at: &[f64]| PathShape {
        knots_km: KNOTS_KM.to_vec(),
        mode: at[..knots].to_vec(),
        ln_left: at[knots..2 * knots].to_vec(),
        ln_right: at[2 * knots..3 * knots].to_vec(),
        left_df: at[3 * knots].exp().clamp(2.5, 30.0),
        right_df: at[3 * knots + 1].exp().clamp(2.5, 30.0),
    };
    let doubt = |at: &[f64]| at[3 * knots + 2].clamp(0.0, 0.5);
    let loss = |at: &[f64]| {
        let (shape, doubt) = (unpack(at), doubt(at));
        let bent = |list: &[f64]| list.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).powi(2)).sum::<f64>();
        let mut likelihood = 0.0;
        for (&row, by_wider) in &histogram {
            let density = shape.at(row as f64 / PER_UNIT);
            for (&wider, columns) in by_wider {
                let density = density.moved(0.0, (doubt * wider as f64 / WIDER_PER_UNIT).exp());
                let ln = columns.iter().map(|(&column, weight)| weight * density.ln(column as f64 / PER_UNIT));
                likelihood += ln.sum::<f64>();
            }
        }
        SMOOTHNESS * (bent(&shape.mode) + bent(&shape.ln_left) + bent(&shape.ln_right)) - likelihood
    };
    let from = &parameters.path.shape;
    let mut at: Vec<f64> = [from.mode.as_slice(), &from.ln_left, &from.ln_right].concat();
    at.extend([from.left_df.ln(), from.right_df.ln(), parameters.path.detours.doubt]);
    let found: Vec<f64> = rprop(&at, steps, loss).iter().map(|value| (value * 1e4).round() / 1e4).collect();
    parameters.path.shape = unpack(&found);
    parameters.path.detours.doubt = doubt(&found);
}

/// About the mean inflation: the mode, moved towards the longer tail.
pub(super) fn middle(shape: &PathShape, at: f64) -> f64 {
    let density = shape.at(at);
    density.mode + 0.6 * (density.right - density.left)
}
