//! `cargo xtask prove zoo` in a program of its own, since it needs the service and the edge. It knows options only.

use std::process::ExitCode;

use clap::Parser;
use octet_tests::zoo::{self, Options};

/// People's browsers and machines' visit a page; prints what Octet and BotD say of each
#[derive(Debug, Parser)]
struct Arguments {
    /// How often each member visits
    #[arg(long, default_value_t = 5)]
    runs: u32,
    /// Only these members, comma-separated; `chromium*` are those whose names begin so
    #[arg(long, value_delimiter = ',')]
    members: Vec<String>,
    /// Writes every visit's verdict to this file, as JSON
    #[arg(long)]
    json: Option<std::path::PathBuf>,
    /// Writes what the edge forwarded of each visit into this folder
    #[arg(long)]
    bundles: Option<std::path::PathBuf>,
    /// The X server that people sit at, with its arguments
    #[arg(long, default_value = "Xvfb -screen 0 1920x1080x24 -nolisten tcp")]
    server: String,
    /// Where the drivers and clients are kept
    #[arg(long, default_value = "target/zoo")]
    tools: std::path::PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let Arguments { runs, members, server, bundles, tools, .. } = arguments;
    let finished = async {
        let reports = zoo::run(&Options { runs, members, server, tools, bundles }).await?;
        println!("\n{}", zoo::table(&reports));
        if let Some(path) = &arguments.json {
            let json = serde_json::to_string_pretty(&reports).map_err(|error| error.to_string())?;
            zoo::write(path, &json)?;
        }
        Ok::<(), String>(())
    };
    match finished.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
