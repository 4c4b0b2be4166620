//! The density of a path's inflation: by distance, and what regions and countries add, shrunk by how little is known
//! of them. Fitted between data centres, where there is no last mile.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use octet_engine::model::{Parameters, PathShape, ln_floor};
use octet_geometry::distance_km;

use super::minimise::rprop;
use super::model;
use crate::eval::data::Data;

/// The effect of a pair of regions is believed by half when this many hosts tell of it: rows of one host are not
/// independent.
const REGION_HOSTS: f64 = 2.0;
/// A country's likewise.
const COUNTRY_HOSTS: f64 = 3.0;
/// Rows of the histogram a unit of ln(d/100 + 2), and columns a unit of inflation.
const PER_UNIT: f64 = 24.0;
/// How strongly the shape's curvature over distance is held down.
const SMOOTHNESS: f64 = 1e-3;
const KNOTS_KM: [f64; 9] = [0.0, 150.0, 400.0, 900.0, 2000.0, 4000.0, 7500.0, 12_000.0, 20_000.0];

/// One path: what is known of it but its rows.
struct Observed {
    target: String,
    ln_floor: f64,
    inflation: f64,
    edge_region: Option<usize>,
    region: Option<usize>,
    country: octet::CountryCode,
}

pub(super) fn fit(parameters: &mut Parameters, data: &Data, keep: &dyn Fn(&str) -> bool) -> Result<()> {
    let paths = observed(parameters, data, keep);
    ensure!(paths.len() >= 1000, "only {} paths between data centres: too few to fit on", paths.len());
    let regions = parameters.path.regions.len();
    parameters.path.between = vec![vec![0.0; regions]; regions];
    parameters.path.country.clear();
    parameters.path.shape = start();
    shape(parameters, &paths, 120);
    for _ in 0..2 {
        effects(parameters, &paths);
        shape(parameters, &paths, 60);
    }
    Ok(())
}

fn observed(parameters: &Parameters, data: &Data, keep: &dyn Fn(&str) -> bool) -> Vec<Observed> {
    let model = model(parameters);
    let measuring = data.test_edges();
    data.files
        .values()
        .flatten()
        .filter(|row| row.access == "datacentre" && row.target != row.edge && row.min_ms > 0.0)
        .filter(|row| keep(&row.target) && (keep(&row.edge) || measuring.contains(row.edge.as_str())))
        .map(|row| {
            let ln_floor = ln_floor(distance_km(row.place, row.edge_place));
            Observed {
                target: row.target.clone(),
                ln_floor,
                inflation: (row.min_ms + 2.0).ln() - ln_floor,
                edge_region: model.region_at(row.edge_place),
                region: parameters.path.region(row.country),
                country: row.country,
            }
        })
        .collect()
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

fn effect(parameters: &Parameters, path: &Observed) -> f64 {
    let between = match (path.edge_region, path.region) {
        (Some(edge), Some(region)) => parameters.path.between[edge][region],
        _ => 0.0,
    };
    between + parameters.path.country.get(&path.country).copied().unwrap_or_default()
}

/// The shape by maximum likelihood, over a histogram of what the effects leave.
fn shape(parameters: &mut Parameters, paths: &[Observed], steps: usize) {
    let mut histogram = BTreeMap::<i64, BTreeMap<i64, f64>>::new();
    for path in paths {
        let inflation = path.inflation - effect(parameters, path);
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

/// What each pair of regions and each country adds: the mean of what the rest leaves, shrunk.
fn effects(parameters: &mut Parameters, paths: &[Observed]) {
    let regions = parameters.path.regions.len();
    let middles: Vec<f64> = paths.iter().map(|path| middle(&parameters.path.shape, path.ln_floor)).collect();
    let left = |path: &Observed, middle: f64, known: f64| (path.inflation - middle - known).clamp(-1.0, 1.2);
    let country = |parameters: &Parameters, path: &Observed| {
        parameters.path.country.get(&path.country).copied().unwrap_or_default()
    };
    let mut pairs = vec![vec![Shrunk::default(); regions]; regions];
    for (path, middle) in paths.iter().zip(&middles) {
        if let (Some(edge), Some(region)) = (path.edge_region, path.region) {
            let left = left(path, *middle, country(parameters, path));
            pairs[edge][region].add(&path.target, left);
            pairs[region][edge].add(&path.target, left);
        }
    }
    parameters.path.between =
        pairs.iter().map(|row| row.iter().map(|pair| pair.mean(REGION_HOSTS)).collect()).collect();
    let mut own = BTreeMap::<octet::CountryCode, Shrunk>::new();
    for (path, middle) in paths.iter().zip(&middles) {
        let between = effect(parameters, path) - country(parameters, path);
        own.entry(path.country).or_default().add(&path.target, left(path, *middle, between));
    }
    parameters.path.country = own.into_iter().map(|(code, shrunk)| (code, shrunk.mean(COUNTRY_HOSTS))).collect();
}

/// A mean that counts hosts, not rows, and is held to 0 where few hosts tell of it.
#[derive(Debug, Clone, Default)]
struct Shrunk<'a> {
    sum: f64,
    rows: f64,
    hosts: std::collections::BTreeSet<&'a str>,
}

impl<'a> Shrunk<'a> {
    fn add(&mut self, host: &'a str, value: f64) {
        self.sum += value;
        self.rows += 1.0;
        self.hosts.insert(host);
    }

    fn mean(&self, half: f64) -> f64 {
        let hosts = self.hosts.len() as f64;
        let mean = self.sum / self.rows.max(1.0) * hosts / (hosts + half);
        (mean * 1e4).round() / 1e4
    }
}

/// About the mean inflation: the mode, moved towards the longer tail.
fn middle(shape: &PathShape, at: f64) -> f64 {
    let density = shape.at(at);
    density.mode + 0.6 * (density.right - density.left)
}
