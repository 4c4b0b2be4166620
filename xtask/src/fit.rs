//! `cargo xtask fit`: the engine's parameters from real round trips. Facts of the data go in, a few hundred numbers
//! come out; none of the data's rows does.

pub(crate) mod calibration;
mod detours;
mod minimise;
pub(crate) mod offsets;
mod path;
mod power;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, ensure};
use octet::CountryCode;
use octet_engine::World;
use octet_engine::locate::Access;
use octet_engine::model::{Model, Parameters, Path};

use crate::eval::data::{Data, Target, Test, fold};
use crate::eval::rtt::class;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The data directory: `tests.csv` and the files that it names, or any `NAME.csv.gz`
    #[arg(long)]
    data: PathBuf,
    /// Where the parameters are written
    #[arg(long, default_value = "octet/engine/parameters/engine.toml")]
    output: PathBuf,
    /// Let the hosts of this test alone teach the prior of countries and the calibration, as an operator's own would
    #[arg(long, requires = "output")]
    test: Option<String>,
}

/// What the written file says of itself.
const HEADER: &str = "\
# The engine's parameters. Written by `cargo xtask fit --data DIR` (path, access, prior, and the calibration of
# round trips alone) and `cargo xtask eval sessions --write` (the calibration of whole sessions, [confidence]
# contradicted, and [alarm] low, high, delay_power, offset_low and offset_medium), by draws of another seed than
# those that `eval sessions` scores. The other numbers of [alarm], [confidence] and [locale] were chosen.
# [path], [access], [prior]: fitted on the round trips of wonderproxy-2020 (246 servers, 2020), RIPE Atlas anchors
# (227, 2018) and RIPE Atlas access probes (221, 2023). They are numbers about those data; no row of them is here.
# [address]: the databases' measured agreement; how often a client is where its address is (honest…, roaming) was
# chosen. See docs/engine.md beside this crate.
";

pub(crate) fn run(options: &Options) -> Result<()> {
    let data = Data::open(&options.data)?;
    if let Some(test) = &options.test {
        let names: Vec<&str> = data.tests.iter().map(|test| test.name.as_str()).collect();
        ensure!(names.contains(&test.as_str()), "there is no test {test}: they are {}", names.join(", "));
    }
    let fitted = fit(&data, &|_| true)?;
    let parameters = options.test.as_ref().map_or(&fitted.all, |test| {
        fitted.by_test.get(test).unwrap_or_else(|| {
            eprintln!("{test} has too few hosts of its own, or no others to be apart from: taught by all");
            &fitted.all
        })
    });
    write(parameters, &options.output)
}

/// Writes parameters with what they say of themselves.
pub(crate) fn write(parameters: &Parameters, path: &std::path::Path) -> Result<()> {
    let text = format!("{HEADER}\n{}", parameters.to_toml()?);
    std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

/// For all that comes after them, detours are fitted this many times without a part of the hosts, which then are asked.
const PARTS: u64 = 5;

/// Some hosts, and what was fitted on others.
struct Part<'a> {
    path: Path,
    /// Where the others are, by [`Access`].
    hosts: [Counts; 2],
    targets: Vec<&'a Target>,
}

impl Part<'_> {
    /// These parameters, but for what this part has of others.
    fn parameters(&self, parameters: &Parameters) -> Parameters {
        let mut own = Parameters { path: self.path.clone(), ..parameters.clone() };
        [own.prior.hosting.hosts, own.prior.consumer.hosts] = self.hosts.clone();
        own
    }

    fn model(&self, parameters: &Parameters) -> Model {
        model(&self.parameters(parameters))
    }
}

/// What hosts taught. Paths are learned from all of them.
pub(crate) struct Fitted {
    /// The prior and the calibration too.
    pub(crate) all: Arc<Parameters>,
    /// Those of each test taught by its own hosts, where they are enough, and others of their access were among all.
    by_test: BTreeMap<String, Arc<Parameters>>,
}

impl Fitted {
    /// What is best for the hosts of this test.
    pub(crate) fn of_test(&self, test: &str) -> &Arc<Parameters> {
        self.by_test.get(test).unwrap_or(&self.all)
    }

    /// One prior and one calibration for all tests.
    pub(crate) fn pooled(self) -> Self {
        self.all.into()
    }
}

impl From<Arc<Parameters>> for Fitted {
    fn from(all: Arc<Parameters>) -> Self {
        Self { all, by_test: BTreeMap::new() }
    }
}

/// The parameters fitted on those hosts whose name `keep` accepts.
pub(crate) fn fit(data: &Data, keep: &dyn Fn(&str) -> bool) -> Result<Fitted> {
    let mut parameters = (*Parameters::embedded()).clone();
    (parameters.prior.addresses, parameters.prior.systems) = counts().clone();
    let targets: Vec<Target> =
        data.tests.iter().flat_map(|test| data.targets(test)).filter(|target| keep(&target.name)).collect();
    (parameters.prior.hosting.host, parameters.prior.consumer.host) = (0.0, 0.0);
    path::fit(&mut parameters, data, &targets, keep)?;
    let parts = (0..PARTS).map(|part| {
        let own = |name: &str| fold(name, PARTS) == part;
        let mut of_others = parameters.clone();
        path::refit(&mut of_others, data, &targets, &|name| keep(name) && !own(name));
        let hosts = hosts(&targets.iter(), &|name| !own(name));
        let targets = targets.iter().filter(|target| own(&target.name)).collect();
        Part { path: of_others.path, hosts, targets }
    });
    let parts: Vec<Part<'_>> = parts.collect();
    offsets::fit(&mut parameters, &parts);
    power::fit(&mut parameters, &parts);
    calibration::fit(&mut parameters, &parts);
    [parameters.prior.hosting.hosts, parameters.prior.consumer.hosts] = hosts(&targets.iter(), &|_| true);
    let own = |test: &Test| Some((test.name.clone(), Arc::new(of_test(&parameters, &test.name, &targets, &parts)?)));
    let by_test = data.tests.iter().filter_map(own).collect();
    Ok(Fitted { all: Arc::new(parameters), by_test })
}

/// These parameters with the prior and the calibration that the hosts of one test teach; `None` where they are not enough
/// for a class of their own, or there are no others of their access.
fn of_test(parameters: &Parameters, test: &str, targets: &[Target], parts: &[Part<'_>]) -> Option<Parameters> {
    let teaches = |access: Access| {
        let of_access = || targets.iter().filter(|target| target.access() == access);
        let own = of_access().filter(|target| target.test == test).count();
        own >= calibration::ENOUGH && own < of_access().count()
    };
    let is_own = |target: &&Target| target.test == test && teaches(target.access());
    let own: Vec<&Target> = targets.iter().filter(is_own).collect();
    if own.is_empty() {
        return None;
    }
    let parts = (0..PARTS).zip(parts).map(|(at, part)| Part {
        path: part.path.clone(),
        hosts: hosts(&own.iter().copied(), &|name| fold(name, PARTS) != at),
        targets: part.targets.iter().copied().filter(is_own).collect(),
    });
    let parts: Vec<Part<'_>> = parts.collect();
    let mut taught = parameters.clone();
    power::prior(&mut taught, &parts);
    calibration::fit(&mut taught, &parts);
    let is_taught = |name: &String| own.iter().any(|target| class(target).name() == name);
    let of_all = parameters.calibration.iter().filter(|(name, _)| !is_taught(name));
    taught.calibration.extend(of_all.map(|(name, calibration)| (name.clone(), *calibration)));
    let prior = [&mut taught.prior.hosting, &mut taught.prior.consumer];
    for (of_access, hosts) in prior.into_iter().zip(hosts(&own.into_iter(), &|_| true)) {
        if !hosts.is_empty() {
            of_access.hosts = hosts;
        }
    }
    Some(taught)
}

/// How many of these hosts each country has, by access; one that several tests seek is one.
fn hosts<'a>(targets: &(impl Iterator<Item = &'a Target> + Clone), own: &dyn Fn(&str) -> bool) -> [Counts; 2] {
    [Access::Hosting, Access::Consumer].map(|access| {
        let of = targets.clone().filter(|target| target.access() == access && own(&target.name));
        let places: BTreeMap<&str, CountryCode> = of.map(|target| (target.name.as_str(), target.country)).collect();
        let mut counts = Counts::new();
        places.into_values().for_each(|country| *counts.entry(country).or_default() += 1.0);
        counts
    })
}

type Counts = BTreeMap<CountryCode, f64>;

/// Announced IPv4 addresses by country, in units of ten thousand, and autonomous systems by the country of most of their
/// addresses: one address in 256 is asked, and nobody announces fewer.
fn counts() -> &'static (Counts, Counts) {
    const STEP: u32 = 256;
    static COUNTS: OnceLock<(Counts, Counts)> = OnceLock::new();
    COUNTS.get_or_init(|| {
        let world = World::embedded();
        let (mut addresses, mut systems) = (Counts::new(), Counts::new());
        let mut by_system: BTreeMap<u32, BTreeMap<CountryCode, u32>> = BTreeMap::new();
        for bits in (STEP / 2..=u32::MAX).step_by(STEP as usize) {
            let facts = world.address(IpAddr::from(Ipv4Addr::from(bits)));
            if let (Some(country), Some(system)) = (facts.dbip, facts.asn) {
                *addresses.entry(country).or_default() += f64::from(STEP) / 1e4;
                *by_system.entry(system).or_default().entry(country).or_default() += 1;
            }
        }
        for countries in by_system.values() {
            if let Some((&most, _)) = countries.iter().max_by_key(|(_, count)| **count) {
                *systems.entry(most).or_default() += 1.0;
            }
        }
        addresses.values_mut().for_each(|count| *count = (*count * 10.0).round() / 10.0);
        (addresses, systems)
    })
}

/// The model of these parameters.
fn model(parameters: &Parameters) -> Model {
    Model::new(Arc::new(parameters.clone()))
}
