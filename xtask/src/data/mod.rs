//! `cargo xtask data`: fetches the pinned packages and makes the engine's tables of them. Each table is one step in
//! a file of its own; the same packages give the same bytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use octet_engine::world::ATTRIBUTION;

mod addresses;
mod archive;
mod borders;
mod carriers;
mod cells;
mod cities;
mod country_coder;
mod domains;
mod fetch;
mod languages;
mod networks;
mod notice;
mod subdivisions;
mod territories;
mod topojson;
mod zones;

use archive::Package;

/// Where the tables are checked in, from the repository's root.
const TABLES: &str = "octet/engine/data";

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Write nothing: say which checked-in tables differ from what the packages give, and fail if any does
    #[arg(long)]
    check: bool,
    /// Only these tables, by name; what they are made of is read as it is checked in
    #[arg(value_name = "TABLE")]
    only: Vec<String>,
    /// Where downloaded packages are kept
    #[arg(long, default_value = "target/data-cache")]
    cache: PathBuf,
}

/// One table: its file's name without `.bin.zst`, and how it is made.
struct Step {
    table: &'static str,
    build: fn(&Inputs) -> Result<Vec<u8>>,
}

/// In order: a step may read the tables of those before it.
const STEPS: &[Step] = &[
    Step { table: "borders", build: borders::build },
    Step { table: "domains", build: domains::build },
    Step { table: "cities", build: cities::build },
    Step { table: "subdivisions", build: subdivisions::build },
    Step { table: "dbip", build: addresses::dbip },
    Step { table: "geo-whois", build: addresses::geo_whois },
    Step { table: "allocation", build: addresses::allocation },
    Step { table: "asn", build: addresses::asn },
    Step { table: "carriers", build: carriers::build },
    Step { table: "networks", build: networks::build },
    Step { table: "zones", build: zones::build },
    Step { table: "languages", build: languages::build },
    Step { table: "cells", build: cells::build },
];

/// What a step may read.
struct Inputs {
    cache: PathBuf,
    built: BTreeMap<&'static str, Vec<u8>>,
}

impl Inputs {
    /// A pinned package, fetched if it is not in the cache, its digest checked either way.
    fn package(&self, name: &str) -> Result<Package> {
        let source = ATTRIBUTION
            .iter()
            .find(|source| source.package == name)
            .with_context(|| format!("{name} is not in the engine's list of sources: add it there"))?;
        Package::open(&fetch::fetch(source, &self.cache)?)
    }

    /// The table of a step before this one.
    fn table(&self, table: &'static str) -> Result<Vec<u8>> {
        match self.built.get(table) {
            Some(bytes) => Ok(bytes.clone()),
            None => read(&path(table)),
        }
    }
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if let Some(unknown) = options.only.iter().find(|name| STEPS.iter().all(|step| step.table != *name)) {
        let known: Vec<_> = STEPS.iter().map(|step| step.table).collect();
        bail!("no table is named {unknown}; there are {}", known.join(", "));
    }
    let mut inputs = Inputs { cache: options.cache.clone(), built: BTreeMap::new() };
    let mut outputs = Vec::new();
    for step in
        STEPS.iter().filter(|step| options.only.is_empty() || options.only.iter().any(|name| name == step.table))
    {
        let bytes = (step.build)(&inputs).with_context(|| format!("making the table {}", step.table))?;
        println!("{:<12} {:>9} bytes", step.table, bytes.len());
        outputs.push((path(step.table), bytes.clone()));
        inputs.built.insert(step.table, bytes);
    }
    let notice = PathBuf::from("NOTICE");
    let text = if notice.exists() { read(&notice)? } else { Vec::new() };
    outputs.push((notice, notice::build(&inputs, &String::from_utf8(text)?)?.into_bytes()));
    if !options.check {
        return write(&outputs);
    }
    addresses::verify(&inputs)?;
    check(&outputs)
}

fn path(table: &str) -> PathBuf {
    Path::new(TABLES).join(format!("{table}.bin.zst"))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("reading {} (run from the repository's root)", path.display()))
}

fn write(outputs: &[(PathBuf, Vec<u8>)]) -> Result<()> {
    for (path, bytes) in outputs {
        std::fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))?;
    }
    let total: usize = outputs.iter().map(|(_, bytes)| bytes.len()).sum();
    println!("{:<12} {total:>9} bytes", "together");
    Ok(())
}

fn check(outputs: &[(PathBuf, Vec<u8>)]) -> Result<()> {
    let differing: Vec<_> =
        outputs.iter().filter(|(path, bytes)| read(path).ok().as_ref() != Some(bytes)).map(|(path, _)| path).collect();
    for path in &differing {
        eprintln!("{} differs from what the packages give", path.display());
    }
    if !differing.is_empty() {
        bail!("{} of {} files differ: run `cargo xtask data` and commit them", differing.len(), outputs.len());
    }
    println!("all {} files are what the packages give", outputs.len());
    Ok(())
}
