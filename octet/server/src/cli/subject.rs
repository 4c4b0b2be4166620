//! `octet subject`: what is held about one session or click token, and its removal.

use std::io::{Write, stdout};

use clap::Subcommand;
use octet::{ClickToken, SessionRef};
use octet_server::visits::Subject;
use octet_server::{Apps, Records};

use super::BoxError;
use super::records::Database;

/// What any visit's verdict is made of, in plain words. No row holds any of it.
const KINDS: [&str; 5] = [
    "what the browser said of itself and of its surroundings",
    "how the browser's own parts looked to the page",
    "when and where pointer, keys and scrolling moved, without any content",
    "how the connection and its headers looked to the edge",
    "whether all of that agreed, and whether it had come before",
];

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    database: Database,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print what is held about a session or a click token, as JSON
    Export(About),
    /// Remove what is held about a session or a click token
    Erase(About),
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct About {
    /// The session reference
    #[arg(long = "ref", value_name = "REF")]
    session: Option<SessionRef>,
    /// The click token
    #[arg(long, value_name = "TOKEN")]
    click_token: Option<ClickToken>,
}

impl About {
    async fn subject(self, apps: &Apps) -> Result<Subject, BoxError> {
        match (self.session, self.click_token) {
            (Some(session), _) => Ok(Subject::Session(session)),
            (None, Some(token)) => Ok(Subject::Click(apps.click_names(&token).await?)),
            (None, None) => Err("--ref or --click-token says whom it is about".into()),
        }
    }
}

pub(crate) async fn run(options: Options) -> Result<(), BoxError> {
    let (records, log): (Records, _) = options.database.open_with_visits().await?;
    match options.command {
        Command::Export(about) => {
            let held = log.held_about(about.subject(&records.apps()).await?).await?;
            let visits = held.iter().map(|(app, visit)| serde_json::json!({ "appKey": app, "visit": visit }));
            let visits: Vec<_> = visits.collect();
            let shown = serde_json::json!({
                "visits": visits,
                "address": "not kept",
                "kindsOfEvidence": if held.is_empty() { &[][..] } else { &KINDS[..] },
                "evidence": "not kept",
            });
            writeln!(stdout(), "{}", serde_json::to_string_pretty(&shown)?)?;
        }
        Command::Erase(about) => {
            let erased = log.erase(about.subject(&records.apps()).await?).await?;
            eprintln!(
                "Erased {erased} visits, from rows and figures alike. A running service holds a session in memory for"
            );
            eprintln!("some minutes: erase again after its verdict_ttl_seconds where the visit was just now.");
            writeln!(stdout(), "{erased}")?;
        }
    }
    Ok(())
}
