//! `cargo xtask eval`: how good the engine's answers are, on data. It scores; it changes nothing.

mod addresses;
mod baseline;
pub(crate) mod data;
pub(crate) mod metrics;
mod oracle;
mod plot;
mod rows;
pub(crate) mod rtt;
mod sessions;

use anyhow::Result;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Places and countries from real round trips and population alone
    Rtt(rtt::Options),
    /// How far the databases of addresses agree, by kind of network
    Addresses(addresses::Options),
    /// Whole sessions, generated around real round trips
    Sessions(sessions::Options),
}

pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.what {
        What::Rtt(options) => rtt::run(options),
        What::Addresses(options) => addresses::run(options),
        What::Sessions(options) => sessions::run(options),
    }
}
