//! `octet partner`: partners and their keys. A key goes to standard output, once.

use std::io::{Write, stdout};
use std::time::Duration;

use clap::Subcommand;
use octet::{PartnerKey, Profile};
use octet_server::{KeyRecord, PartnerRecord};

use super::BoxError;
use super::records::Database;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    database: Database,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add a partner and print its key, once
    Add {
        /// Its name: 1 to 64 of a-z, A-Z, 0-9, _, . and -
        name: String,
        /// What its pages have collected: essential, standard or full
        #[arg(long, default_value_t)]
        profile: Profile,
    },
    /// Show the partners and the ids of their keys
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a new key for a partner, once; its older keys stay good for a while
    Rotate {
        /// Its name
        name: String,
        /// For how many hours the older keys stay good
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(0..=8760))]
        overlap_hours: u32,
    },
    /// Revoke a partner with its keys and licences, or one key
    Revoke {
        /// Its name
        name: String,
        /// The id of the one key to revoke
        #[arg(long, value_name = "ID")]
        key: Option<String>,
    },
    /// Change a partner's settings
    Set {
        /// Its name
        name: String,
        /// What its pages have collected: essential, standard or full
        #[arg(long, required_unless_present = "passive")]
        profile: Option<Profile>,
        /// What it means that a page did without the latency channel (`passiveOnly`)
        #[arg(long, value_enum)]
        passive: Option<Passive>,
    },
}

/// What a page that did without the latency channel is taken for.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Passive {
    /// For one that may
    Allowed,
    /// For one that left out what was expected
    CountedAsMissing,
}

pub(crate) async fn run(options: Options) -> Result<(), BoxError> {
    let may_create = matches!(options.command, Command::Add { .. });
    let partners = options.database.open(may_create).await?.partners();
    match options.command {
        Command::Add { name, profile } => {
            let key = partners.add(&name).await?;
            if profile != Profile::default() {
                partners.set_profile(&name, profile).await?;
            }
            print_once(&key, "OCTET_PARTNER_KEY")?;
        }
        Command::List { json } => {
            let partners = partners.list().await?;
            if json { print_json(&partners)? } else { print_table(&partners)? }
        }
        Command::Rotate { name, overlap_hours } => {
            let key = partners.rotate(&name, Duration::from_secs(3600 * u64::from(overlap_hours))).await?;
            eprintln!("The older keys of {name} are good for {overlap_hours} hours more.");
            print_once(&key, "OCTET_PARTNER_KEY")?;
        }
        Command::Revoke { name, key: None } => {
            partners.revoke(&name).await?;
            eprintln!("{name} is revoked: its keys and licences open nothing any more.");
        }
        Command::Revoke { name, key: Some(key) } => {
            partners.revoke_key(&name, &key).await?;
            eprintln!("{key} of {name} is revoked.");
        }
        Command::Set { name, profile, passive } => {
            if let Some(profile) = profile {
                partners.set_profile(&name, profile).await?;
                eprintln!("{name} has profile {profile}; its edges hear of it within five minutes.");
            }
            if let Some(passive) = passive {
                let allowed = matches!(passive, Passive::Allowed);
                partners.set_passive_allowed(&name, allowed).await?;
                eprintln!("Passive pages of {name} are {}.", passive_name(allowed));
            }
        }
    }
    Ok(())
}

fn passive_name(allowed: bool) -> &'static str {
    if allowed { "allowed" } else { "counted-as-missing" }
}

fn print_once(key: &PartnerKey, variable: &str) -> std::io::Result<()> {
    eprintln!("The partner key, for {variable} of the partner's backend. It is not kept: it cannot be shown again.");
    writeln!(stdout(), "{}", key.expose())
}

fn print_table(partners: &[PartnerRecord]) -> std::io::Result<()> {
    writeln!(stdout(), "{:<24} {:<10} {:<20} keys", "name", "profile", "added")?;
    for partner in partners {
        let revoked = if partner.revoked_at.is_some() { " (revoked)" } else { "" };
        writeln!(
            stdout(),
            "{:<24} {:<10} {:<20}{revoked}",
            partner.name.as_str(),
            partner.profile.as_str(),
            partner.created_at
        )?;
        for key in &partner.keys {
            writeln!(stdout(), "{:<56} {} {}", "", key.id, state(key))?;
        }
    }
    Ok(())
}

fn state(key: &KeyRecord) -> String {
    match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {at}"),
        (None, Some(at)) => format!("good until {at}"),
        (None, None) => format!("since {}", key.created_at),
    }
}

fn print_json(partners: &[PartnerRecord]) -> Result<(), BoxError> {
    let key = |key: &KeyRecord| {
        serde_json::json!({
            "id": key.id, "createdAt": key.created_at, "expiresAt": key.expires_at, "revokedAt": key.revoked_at,
        })
    };
    let partner = |partner: &PartnerRecord| {
        serde_json::json!({
            "name": partner.name.as_str(), "profile": partner.profile,
            "passive": passive_name(partner.passive_allowed), "createdAt": partner.created_at,
            "revokedAt": partner.revoked_at, "keys": partner.keys.iter().map(key).collect::<Vec<_>>(),
        })
    };
    writeln!(stdout(), "{}", serde_json::to_string_pretty(&partners.iter().map(partner).collect::<Vec<_>>())?)?;
    Ok(())
}
