//! `cargo xtask bench`: what Octet costs the sites that it stands in. Measures; fails only when it cannot.

use anyhow::Result;

mod edge;
mod programs;
mod wrk;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Each host with and without the edge, and octet-edge beside nginx
    Edge(edge::Options),
}

pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.what {
        What::Edge(options) => edge::run(options),
    }
}
