//! `cargo xtask prove NAME`: proofs that take too long, or too much of a machine, for every run of CI.

mod engines;

use anyhow::Result;
use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    proof: Proof,
}

#[derive(Debug, Subcommand)]
enum Proof {
    /// The collector in windows of Firefox ESR and WebKitGTK, and one JA4 for each over ten connections
    Engines,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.proof {
        Proof::Engines => engines::run(),
    }
}
