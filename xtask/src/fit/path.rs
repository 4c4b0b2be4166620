//! The density of a path's inflation by distance, and the detours of places. The shape is fitted between data centres,
//! where there is no last mile.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use octet::LatLon;
use octet_engine::locate::Access;
use octet_engine::model::{Detours, Parameters, PathShape, ln_floor};
use octet_geometry::distance_km;

use super::detours::{self, Left};
use super::minimise::rprop;
use super::{Part, model, offsets};
use crate::eval::data::{Data, Target};

/// A visitor's path counts as so many between data centres: there are few, and they are what is asked for.
const VISITOR: f64 = 3.0;
/// Rows of the histogram a unit of ln(d/100 + 2), and columns a unit of inflation.
const PER_UNIT: f64 = 24.0;
/// How strongly the shape's curvature over distance is held down.
const SMOOTHNESS: f64 = 1e-3;
const KNOTS_KM: [f64; 9] = [0.0, 150.0, 400.0, 900.0, 2000.0, 4000.0, 7500.0, 12_000.0, 20_000.0];

/// One path: what is known of it but its rows.
struct Observed {
    ends: [LatLon; 2],
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
    parameters.path.detours = Detours { knots: vec![[0, 0]], between: vec![vec![0]] };
    parameters.path.shape = start();
    shape(parameters, &paths, 120);
    for _ in 0..2 {
        parameters.path.detours = detours::fit(&left(&parameters.path.shape, &paths));
        shape(parameters, &paths, 60);
    }
    visitors(parameters, &paths, targets, keep);
    Ok(())
}

/// Fits the detours alone, with the shape as it is.
pub(super) fn refit(parameters: &mut Parameters, data: &Data, targets: &[Target], keep: &dyn Fn(&str) -> bool) {
    let paths = observed(data, keep);
    parameters.path.detours = detours::fit(&left(&parameters.path.shape, &paths));
    visitors(parameters, &paths, targets, keep);
}

/// Fits the detours again with those of visitors, whose offsets they need and change.
fn visitors(parameters: &mut Parameters, paths: &[Observed], targets: &[Target], keep: &dyn Fn(&str) -> bool) {
    let visitor = |target: &&Target| target.access() == Access::Consumer && keep(&target.name);
    let mut part = [Part { path: parameters.path.clone(), targets: targets.iter().filter(visitor).collect() }];
    for _ in 0..2 {
        offsets::fit(parameters, &part);
        let model = model(parameters);
        let of_visitors = part[0].targets.iter().flat_map(|target| offsets::left(&model, target, VISITOR));
        let left: Vec<Left> = left(&parameters.path.shape, paths).into_iter().chain(of_visitors).collect();
        parameters.path.detours = detours::fit(&left);
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
            Observed { ends: [row.edge_place, row.place], ln_floor, inflation }
        })
        .collect()
}

/// What distance leaves of each path.
fn left(shape: &PathShape, paths: &[Observed]) -> Vec<Left> {
    let of = |path: &Observed| {
        let inflation = (path.inflation - middle(shape, path.ln_floor)).clamp(-1.0, 1.2);
        Left { ends: path.ends, inflation, weight: 1.0 }
    };
    paths.iter().map(of).collect()
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

/// The shape by maximum likelihood, over a histogram of what the detours leave.
fn shape(parameters: &mut Parameters, paths: &[Observed], steps: usize) {
    let model = model(parameters);
    let mut histogram = BTreeMap::<i64, BTreeMap<i64, f64>>::new();
    for path in paths {
        let inflation = path.inflation - model.detour(path.ends[0], path.ends[1]);
        let row = histogram.entry((path.ln_floor * PER_UNIT).round() as i64).or_default();
        *row.entry((inflation * PER_UNIT).round() as i64).or_default() += 1.0 / paths.len() as f64;
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
    let loss = |at: &[f64]| {
        let shape = unpack(at);
        let bent = |list: &[f64]| list.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).powi(2)).sum::<f64>();
        let likelihood: f64 = histogram
            .iter()
            .map(|(&row, columns)| {
                let density = shape.at(row as f64 / PER_UNIT);
                columns.iter().map(|(&column, weight)| weight * density.ln(column as f64 / PER_UNIT)).sum::<f64>()
            })
            .sum();
        SMOOTHNESS * (bent(&shape.mode) + bent(&shape.ln_left) + bent(&shape.ln_right)) - likelihood
    };
    let from = &parameters.path.shape;
    let mut at: Vec<f64> = [from.mode.as_slice(), &from.ln_left, &from.ln_right].concat();
    at.extend([from.left_df.ln(), from.right_df.ln()]);
    let found = rprop(&at, steps, loss);
    parameters.path.shape = unpack(&found.iter().map(|value| (value * 1e4).round() / 1e4).collect::<Vec<_>>());
}

/// About the mean inflation: the mode, moved towards the longer tail.
pub(super) fn middle(shape: &PathShape, at: f64) -> f64 {
    let density = shape.at(at);
    density.mode + 0.6 * (density.right - density.left)
}
