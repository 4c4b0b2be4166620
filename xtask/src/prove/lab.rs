//! `cargo xtask prove lab`: runs the network lab of the tests. Knows none of its scenarios.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::test::browser;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Runs only the scenarios whose name contains this text
    #[arg(long)]
    only: Option<String>,
}

pub(super) fn run(options: &Options) -> Result<()> {
    if let Err(error) = browser() {
        println!("skipped: {error}");
        return Ok(());
    }
    let lab = ["run", "--quiet", "--package", "octet-tests", "--features", "lab", "--bin", "lab", "--"];
    let ended = Command::new(env!("CARGO")).args(lab).args(&options.only).status()?;
    ensure!(ended.success(), "the network lab failed");
    Ok(())
}
