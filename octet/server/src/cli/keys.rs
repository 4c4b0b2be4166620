//! `octet keys`: the keys that sign proofs, those that sign licences, and the daily chain of what was signed. No secret is
//! ever printed.

use std::io::{Write, stdout};

use clap::Subcommand;
use octet::Environment;
use octet::proof::Point;
use octet_server::{LicenseKeyRecord, Records};

use super::records::Database;
use super::{BoxError, EnvironmentName};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    database: Database,
    /// For real traffic or for tests [default: live]
    #[arg(long, global = true, env = "OCTET_ENVIRONMENT")]
    environment: Option<EnvironmentName>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a new key that signs proofs; it is published at once and signs in ten minutes, those before it stay published
    Rotate {
        /// Make one that signs licences instead: it signs from now on, and older licences stay good until their end
        #[arg(long)]
        licenses: bool,
    },
    /// Show the keys
    List,
    /// Print the public keys that check proofs as a JWK set, as the service publishes it
    Export {
        /// Print those that check licences instead
        #[arg(long)]
        licenses: bool,
    },
    /// Close the days that are over and print the chain, one line of JSON a day
    Chain,
}

pub(crate) async fn run(options: Options) -> Result<(), BoxError> {
    let environment = options.database.environment(options.environment)?;
    let records = options.database.open(false).await?;
    match options.command {
        Command::Rotate { licenses: false } => {
            let key = records.proof_keys().rotate(environment).await?;
            eprintln!(
                "It signs from {} until {}; its proofs count until {}.",
                key.signs_from, key.signs_until, key.public.exp
            );
            writeln!(stdout(), "{}", key.public.kid)?;
        }
        Command::Rotate { licenses: true } => {
            let key = records.license_keys().rotate(environment).await?;
            eprintln!("It signs licences from now on. Apps that pin keys need it before their next licence.");
            writeln!(stdout(), "{}", key.kid)?;
        }
        Command::List => list(&records).await?,
        Command::Export { licenses: false } => {
            let keys = records.proof_keys().key_set(environment).await?;
            writeln!(stdout(), "{}", serde_json::to_string_pretty(&keys.to_json())?)?;
        }
        Command::Export { licenses: true } => {
            let keys = records.license_keys().list().await?;
            writeln!(stdout(), "{}", serde_json::to_string_pretty(&jwks(&keys, environment)?)?)?;
        }
        Command::Chain => {
            records.proof_keys().chain().await?.iter().try_for_each(|line| writeln!(stdout(), "{line}"))?
        }
    }
    Ok(())
}

async fn list(records: &Records) -> Result<(), BoxError> {
    let line = |cells: [&str; 6]| {
        let [kid, signs, environment, from, until, counts] = cells;
        writeln!(stdout(), "{kid:<24} {signs:<8} {environment:<5} {from:<22} {until:<22} {counts}")
    };
    line(["key", "signs", "env", "signs from", "signs until", "counts until"])?;
    for key in records.proof_keys().list().await? {
        let (from, until, counts) =
            (key.signs_from.to_string(), key.signs_until.to_string(), key.public.exp.to_string());
        line([&key.public.kid, "proofs", name(key.environment), &from, &until, &counts])?;
    }
    let keys = records.license_keys().list().await?;
    for (index, key) in keys.iter().enumerate() {
        let next = keys[index + 1..].iter().find(|next| next.environment == key.environment);
        let until = next.map_or("the next".to_owned(), |next| next.created_at.to_string());
        let from = key.created_at.to_string();
        line([&key.kid, "licences", name(key.environment), &from, &until, "each licence's end"])?;
    }
    Ok(())
}

fn name(environment: Environment) -> &'static str {
    match environment {
        Environment::Live => "live",
        Environment::Test => "test",
    }
}

/// As a JWK set (RFC 7517).
fn jwks(keys: &[LicenseKeyRecord], environment: Environment) -> Result<serde_json::Value, BoxError> {
    let ours = keys.iter().filter(|key| key.environment == environment);
    let keys = ours.map(|key| {
        let mut jwk = serde_json::to_value(Point::ed25519(&key.public))?;
        jwk["kid"] = key.kid.as_str().into();
        jwk["use"] = "sig".into();
        Ok(jwk)
    });
    Ok(serde_json::json!({ "keys": keys.collect::<Result<Vec<_>, serde_json::Error>>()? }))
}
