//! `cargo xtask`: what the project does to itself. Each command is a module of its own; none holds shell logic.

use clap::{Parser, Subcommand};

mod bench;
mod collector;
mod data;
mod eval;
mod fit;
mod prove;
mod test;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Data tables, collector build, checks, evaluation")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What Octet costs the sites that it stands in
    Bench(bench::Options),
    /// The collector: builds what browsers download, or checks that what is checked in is what the source builds
    Collector(collector::Options),
    /// Reference data: fetches the pinned packages and makes the engine's tables of them
    Data(data::Options),
    /// How good the engine's answers are, on data
    Eval(eval::Options),
    /// The engine's parameters, from real round trips
    Fit(fit::Options),
    /// Proofs that take longer, or need more of a machine, than CI has
    Prove(prove::Options),
    /// Format, clippy, docs, unit and property tests, the browser tests: all that CI runs
    Test(test::Options),
}

fn main() -> std::process::ExitCode {
    let result = match Cli::parse().command {
        Command::Bench(options) => bench::run(&options),
        Command::Collector(options) => collector::run(&options),
        Command::Data(options) => data::run(&options),
        Command::Eval(options) => eval::run(&options),
        Command::Fit(options) => fit::run(&options),
        Command::Prove(options) => prove::run(&options),
        Command::Test(options) => test::run(&options),
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}
