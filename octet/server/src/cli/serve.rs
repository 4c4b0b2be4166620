//! `octet serve`: settings, logs, a socket, and signals that end it.

use octet_server::Octet;
use std::io::{Write, stdout};
use tokio::net::TcpListener;

use super::log::{LogFormat, LogLevel};
use super::settings::{ConfigFile, Settings};
use super::{BoxError, log};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    file: ConfigFile,
    #[command(flatten)]
    settings: Settings,
    /// Say what is configured, or what is wrong with it, and end
    #[arg(long)]
    check_config: bool,
}

pub(crate) async fn run(options: Options) -> Result<(), BoxError> {
    let settings = options.settings.complete(&options.file)?;
    let config = settings.to_config()?;
    if options.check_config {
        write!(stdout(), "{}", toml::to_string(&settings)?)?;
        return Ok(());
    }
    log::init(settings.log.unwrap_or(LogLevel::Info), settings.log_format.unwrap_or(LogFormat::Text));
    let octet = Octet::open(config).await?;
    let address = settings.listen.ok_or("listen is not set")?;
    let listener = TcpListener::bind(address).await.map_err(|error| format!("listen = {address}: {error}"))?;
    if octet.partners().list().await?.is_empty() {
        tracing::warn!("there is no partner yet: `octet partner add NAME` makes one");
    }
    tracing::info!(address = %listener.local_addr()?, "listening");
    octet.serve(listener, stopped()).await?;
    tracing::info!("stopped");
    Ok(())
}

/// Ends with the first SIGTERM or Ctrl-C; the second ends the process.
pub(crate) async fn stopped() {
    signal().await;
    tokio::spawn(async {
        signal().await;
        std::process::exit(1);
    });
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        tracing::error!("SIGTERM cannot be listened for");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
