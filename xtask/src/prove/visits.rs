//! `cargo xtask prove visits`: ten million generated visits through the visit log and the Data API. Knows neither.

use std::process::Command;

use anyhow::{Result, ensure};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many visits
    #[arg(long, default_value_t = 10_000_000)]
    visits: u64,
}

pub(super) fn run(options: &Options) -> Result<()> {
    let proof = ["run", "--quiet", "--release", "--package", "octet-server", "--example", "prove_visits", "--"];
    let visits = options.visits.to_string();
    let ended = Command::new(env!("CARGO")).args(proof).args(["--visits", &visits]).status()?;
    ensure!(ended.success(), "the visit log did not hold");
    Ok(())
}
