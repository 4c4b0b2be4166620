//! `cargo xtask prove zoo`: builds and runs the zoo of `octet-tests`, which needs the whole service.

use std::process::Command;

use anyhow::{Context, Result, bail};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What the zoo takes: `--runs 5`, `--members a,b`, `--json FILE`, `--bundles FOLDER`, `--tools FOLDER`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "-p", "octet-tests", "--features", "zoo", "--bin", "zoo", "--"])
        .args(&options.arguments)
        .status()
        .context("cargo cannot be started")?;
    if !status.success() {
        bail!("the zoo ended with {status}");
    }
    Ok(())
}
