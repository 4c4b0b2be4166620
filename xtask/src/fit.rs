//! `cargo xtask fit`: the engine's parameters from real round trips. Facts of the data go in, a few hundred numbers
//! come out; none of the data's rows does.

pub(crate) mod calibration;
mod minimise;
mod offsets;
mod path;
mod power;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use octet::CountryCode;
use octet_engine::World;
use octet_engine::model::Parameters;

use crate::eval::data::{Data, Target, fold};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The data directory: `tests.csv` and the files that it names, or any `NAME.csv.gz`
    #[arg(long)]
    data: PathBuf,
    /// Where the parameters are written
    #[arg(long, default_value = "octet/engine/parameters/engine.toml")]
    output: PathBuf,
}

/// What the written file says of itself.
const HEADER: &str = "\
# The engine's parameters. Written by `cargo xtask fit --data DIR` (path, access, prior, and the calibration of
# round trips alone) and `cargo xtask eval sessions --write` (the calibration of whole sessions).
# [path], [access], [prior]: fitted on the round trips of wonderproxy-2020 (246 servers, 2020), RIPE Atlas anchors
# (227, 2018) and RIPE Atlas access probes (221, 2023). They are numbers about those data; no row of them is here.
# [address], [locale]: the databases' measured agreement; see docs/engine.md beside this crate.
";

pub(crate) fn run(options: &Options) -> Result<()> {
    let data = Data::open(&options.data)?;
    let parameters = fit(&data, &|_| true)?;
    write(&parameters, &options.output)
}

/// Writes parameters with what they say of themselves.
pub(crate) fn write(parameters: &Parameters, path: &std::path::Path) -> Result<()> {
    let text = format!("{HEADER}\n{}", parameters.to_toml()?);
    std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

/// For calibration, the paths are fitted this many times without a part of the hosts, which then are asked.
const PARTS: u64 = 5;

/// The parameters fitted on those hosts whose name `keep` accepts.
pub(crate) fn fit(data: &Data, keep: &dyn Fn(&str) -> bool) -> Result<Parameters> {
    let mut parameters = (*Parameters::embedded()).clone();
    parameters.prior.addresses = addresses();
    path::fit(&mut parameters, data, keep)?;
    let targets: Vec<Target> =
        data.tests.iter().flat_map(|test| data.targets(test)).filter(|target| keep(&target.name)).collect();
    offsets::fit(&mut parameters, &targets);
    power::fit(&mut parameters, &targets);
    let mut crossed = Vec::new();
    for part in 0..PARTS {
        let own = |name: &str| fold(name, PARTS) == part;
        let mut of_others = parameters.clone();
        path::fit(&mut of_others, data, &|name| keep(name) && !own(name))?;
        crossed.push((of_others, targets.iter().filter(|target| own(&target.name)).collect()));
    }
    calibration::fit(&mut parameters, &crossed);
    Ok(parameters)
}

/// Announced IPv4 addresses by country, in units of ten thousand: one address in 4096 is asked.
fn addresses() -> BTreeMap<CountryCode, f64> {
    const STEP: usize = 4096;
    let world = World::embedded();
    let mut counts = BTreeMap::new();
    for bits in (STEP as u32 / 2..=u32::MAX).step_by(STEP) {
        let facts = world.address(IpAddr::from(Ipv4Addr::from(bits)));
        if let (Some(country), Some(_)) = (facts.dbip, facts.asn) {
            *counts.entry(country).or_default() += STEP as f64 / 1e4;
        }
    }
    counts.values_mut().for_each(|count: &mut f64| *count = (*count * 10.0).round() / 10.0);
    counts
}

/// The model of these parameters.
fn model(parameters: &Parameters) -> octet_engine::model::Model {
    octet_engine::model::Model::new(Arc::new(parameters.clone()))
}
