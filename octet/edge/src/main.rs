//! `octet-edge`: reads flags and environment, runs the edge until it is told to stop. A shell over the library.

use std::process::ExitCode;

use clap::Parser;
use octet_edge::{Edge, Error, Options, log, stop};

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Error> {
    log::init(options.log_level()?, options.log_format()?);
    if options.check_config {
        println!("{}", Edge::check(options)?);
        return Ok(());
    }
    let stop = stop::on_signal().map_err(Error::Start)?;
    let edge = Edge::bind(options)?;
    tracing::info!(address = %edge.local_addr()?, https = edge.is_https(), "listening");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Start)?;
    runtime.block_on(edge.run(stop))?;
    tracing::info!("stopped");
    Ok(())
}
