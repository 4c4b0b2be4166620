//! `octet license`: licences of edges. A licence key goes to standard output, once.

use std::io::{Read, Write, stdout};

use clap::Subcommand;
use jiff::Timestamp;
use octet::license::{LicensedEdge, Product};
use octet::{EdgeId, LatLon, LicenseKey};
use octet_server::{LicenseRecord, LicenseState, NewLicense};

use super::records::Database;
use super::{BoxError, EnvironmentName};

/// A licence key is at most so long.
const LONGEST_KEY: u64 = 8192;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    database: Database,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Issue a licence and print its key, once
    Issue {
        /// The partner that it belongs to
        #[arg(long)]
        partner: String,
        /// What it opens
        #[arg(long, default_value = "browser")]
        product: ProductName,
        /// For how many days it is valid
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
        /// For real traffic or for tests [default: live]
        #[arg(long, env = "OCTET_ENVIRONMENT")]
        environment: Option<EnvironmentName>,
        /// Valid from this time on, such as 2026-12-01T00:00:00Z; now, unless given
        #[arg(long, value_name = "TIME")]
        not_before: Option<Timestamp>,
        /// An edge that may use it, such as fra1 or fra1=50.11,8.68; any number of them; all edges, unless given
        #[arg(long = "edge", value_name = "ID[=LAT,LON]", value_parser = edge)]
        edges: Vec<LicensedEdge>,
    },
    /// Show what a licence key says and whether it is good now
    Inspect {
        /// The key; - reads it from standard input, where no process list shows it
        key: String,
    },
    /// Show the licences
    List {
        /// Of this partner only
        #[arg(long)]
        partner: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke a licence
    Revoke {
        /// Its name (jti), as inspect and list show it
        jti: String,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ProductName {
    /// Edges that relay browser sessions
    Browser,
    /// Apps on devices: attestation only
    Mobile,
}

fn edge(text: &str) -> Result<LicensedEdge, BoxError> {
    let (id, position) = text.split_once('=').map_or((text, None), |(id, position)| (id, Some(position)));
    let id: EdgeId = id.parse()?;
    Ok(LicensedEdge { id, position: position.map(str::parse::<LatLon>).transpose()? })
}

pub(crate) async fn run(options: Options) -> Result<(), BoxError> {
    let database = options.database;
    let licenses = database.open(false).await?.licenses();
    match options.command {
        Command::Issue { partner, product, days, environment, not_before, edges } => {
            let product = match product {
                ProductName::Browser => Product::Browser,
                ProductName::Mobile => Product::Mobile,
            };
            let environment = database.environment(environment)?;
            let mut license = NewLicense::browser(partner).product(product).days(days).environment(environment);
            if let Some(not_before) = not_before {
                license = license.not_before(not_before);
            }
            if !edges.is_empty() {
                license = license.edges(edges);
            }
            let issued = licenses.issue(license).await?;
            let (jti, exp) = (&issued.claims.jti, issued.claims.exp);
            eprintln!(
                "Licence {jti}, valid until {exp}, for LICENSE of the edge. It is not kept: it cannot be shown again."
            );
            writeln!(stdout(), "{}", issued.key.expose())?;
        }
        Command::Inspect { key } => {
            let key: LicenseKey = read(key)?.trim().parse()?;
            let environment = key.environment();
            let (claims, state) = licenses.inspect(&key).await?;
            let shown = serde_json::json!({
                "state": name(state), "environment": format!("{environment:?}").to_lowercase(), "claims": claims,
            });
            writeln!(stdout(), "{}", serde_json::to_string_pretty(&shown)?)?;
        }
        Command::List { partner, json } => {
            let licenses = licenses.list(partner.as_deref()).await?;
            let now = Timestamp::now();
            if json { print_json(&licenses, now)? } else { print_table(&licenses, now)? }
        }
        Command::Revoke { jti } => {
            licenses.revoke(&jti).await?;
            eprintln!("{jti} is revoked.");
        }
    }
    Ok(())
}

fn read(key: String) -> Result<String, BoxError> {
    if key != "-" {
        return Ok(key);
    }
    let mut text = String::new();
    std::io::stdin().take(LONGEST_KEY).read_to_string(&mut text)?;
    Ok(text)
}

fn name(state: LicenseState) -> &'static str {
    match state {
        LicenseState::Valid => "valid",
        LicenseState::NotYetValid => "not yet valid",
        LicenseState::Expired => "expired",
        LicenseState::Revoked => "revoked",
        _ => "unknown",
    }
}

fn print_table(licenses: &[LicenseRecord], now: Timestamp) -> std::io::Result<()> {
    writeln!(stdout(), "{:<28} {:<24} {:<8} {:<5} {:<14} until", "jti", "partner", "product", "env", "state")?;
    for license in licenses {
        let claims = &license.claims;
        writeln!(
            stdout(),
            "{:<28} {:<24} {:<8} {:<5} {:<14} {}",
            claims.jti,
            claims.sub,
            format!("{:?}", claims.product).to_lowercase(),
            format!("{:?}", license.environment).to_lowercase(),
            name(license.state(now)),
            claims.exp
        )?;
    }
    Ok(())
}

fn print_json(licenses: &[LicenseRecord], now: Timestamp) -> Result<(), BoxError> {
    let license = |license: &LicenseRecord| {
        serde_json::json!({
            "state": name(license.state(now)),
            "environment": format!("{:?}", license.environment).to_lowercase(),
            "revokedAt": license.revoked_at,
            "claims": license.claims,
        })
    };
    writeln!(stdout(), "{}", serde_json::to_string_pretty(&licenses.iter().map(license).collect::<Vec<_>>())?)?;
    Ok(())
}
