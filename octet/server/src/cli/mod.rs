//! The command line: parses, runs one command, and says what went wrong in one line. Secrets go to standard output
//! alone, so that they can be piped; everything else to standard error.

mod app;
mod attest;
mod data;
mod data_files;
mod keys;
mod license;
mod log;
mod partner;
mod records;
mod serve;
mod settings;
mod subject;

use std::io::{Error, ErrorKind};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The Octet service and its records.
#[derive(Debug, Parser)]
#[command(name = "octet", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything on this machine, with a shop to visit
    #[cfg(feature = "demo")]
    Demo(octet_server::demo::Options),
    /// Run the service
    Serve(Box<serve::Options>),
    /// Recalibrate from labelled sessions
    Data(data::Options),
    /// Add, list, rotate and revoke partners and their keys
    Partner(partner::Options),
    /// Add, list, set, rotate and revoke apps of partners and their secrets
    App(app::Options),
    /// Export and erase what is held about one session or click token
    Subject(subject::Options),
    /// Issue, inspect, list and revoke licences of edges
    License(license::Options),
    /// Rotate, list and export the keys that sign proofs and licences, and publish the chain of what was signed
    Keys(keys::Options),
}

pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let done =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Into::into).and_then(|runtime| {
            runtime.block_on(async {
                match cli.command {
                    #[cfg(feature = "demo")]
                    Command::Demo(options) => {
                        log::init(log::LogLevel::Warn, log::LogFormat::Text);
                        octet_server::demo::run(&options, serve::stopped()).await
                    }
                    Command::Serve(options) => serve::run(*options).await,
                    Command::Data(options) => data::run(options),
                    Command::Partner(options) => partner::run(options).await,
                    Command::App(options) => app::run(options).await,
                    Command::Subject(options) => subject::run(options).await,
                    Command::License(options) => license::run(options).await,
                    Command::Keys(options) => keys::run(options).await,
                }
            })
        });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has had enough, as `head` has.
        Err(error) if error.downcast_ref().is_some_and(|error: &Error| error.kind() == ErrorKind::BrokenPipe) => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("octet: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Live or test, as written in flags and files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EnvironmentName {
    /// Real traffic
    Live,
    /// Trials and tests
    Test,
}

impl From<EnvironmentName> for octet::Environment {
    fn from(name: EnvironmentName) -> Self {
        match name {
            EnvironmentName::Live => Self::Live,
            EnvironmentName::Test => Self::Test,
        }
    }
}
