//! `cargo xtask prove NAME`: what takes longer than CI may, or needs what a CI machine may lack. Each prints its table, and
//! says by name what it skipped and why.

mod bindings;
mod engines;
mod fuzz;
mod lab;
mod properties;
mod visits;
mod zoo;

use anyhow::Result;
use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Swift, Kotlin and Python for devices: written, compared with what is checked in, and run where that is possible
    Bindings(bindings::Options),
    /// The collector in windows of Firefox ESR and WebKitGTK, one JA4 for each over ten connections, and HAProxy before
    /// the edge
    Engines,
    /// Every fuzz target for some time each: runs, what they reach, what they find
    Fuzz(fuzz::Options),
    /// A real browser over lines of real lengths: network namespaces, TUN devices and a forwarder that delays packets
    Lab(lab::Options),
    /// Every property test with many more cases than in CI, each time others
    Properties(properties::Options),
    /// People's browsers and machines' visit a page: what Octet says of each, and BotD beside it
    Zoo(zoo::Options),
    /// Ten million visits: figures against a recount, an export's memory, a secret rotated under load
    Visits(visits::Options),
}

pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.what {
        What::Bindings(options) => bindings::run(options),
        What::Engines => engines::run(),
        What::Fuzz(options) => fuzz::run(options),
        What::Lab(options) => lab::run(options),
        What::Properties(options) => properties::run(options),
        What::Zoo(options) => zoo::run(options),
        What::Visits(options) => visits::run(options),
    }
}
