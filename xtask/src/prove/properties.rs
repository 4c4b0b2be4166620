//! `cargo xtask prove properties`: the property tests, with many cases that are drawn anew at each run. CI draws the
//! same ones every time, so that it fails by a change and never by chance.

use std::process::Command;

use anyhow::{Result, ensure};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many cases of each property
    #[arg(long, default_value_t = 20_000)]
    cases: u32,
    /// Packages to test, of those that have properties
    #[arg(long, value_delimiter = ',', default_values = PACKAGES)]
    packages: Vec<String>,
}

/// What has properties.
const PACKAGES: [&str; 7] =
    ["octet", "octet-client", "octet-engine", "octet-geometry", "octet-relay", "octet-server", "octet-collector"];

pub(super) fn run(options: &Options) -> Result<()> {
    let mut test = Command::new(env!("CARGO"));
    test.args(["test", "--all-features", "--no-fail-fast", "--lib", "--tests"]);
    test.args(options.packages.iter().flat_map(|package| ["--package", package]));
    test.env("PROPTEST_CASES", options.cases.to_string()).env_remove("PROPTEST_RNG_SEED");
    ensure!(test.status()?.success(), "a property does not hold: its smallest counterexample is above");
    Ok(())
}
