//! `octet app`: apps of partners and their secrets. Key and secret go to standard output, the secret once.

use std::io::{Write, stdout};
use std::time::Duration;

use clap::Subcommand;
use octet::{AppKey, AppSecret, BotAction, Profile};
use octet_server::{AppRecord, AppSettings};

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
    /// Add an app and print its key and its secret, the secret once
    Add {
        /// The partner that it belongs to
        #[arg(long)]
        partner: String,
        /// Its name: 1 to 64 of a-z, A-Z, 0-9, _, . and -
        name: String,
        #[command(flatten)]
        changes: Changes,
    },
    /// Show the apps and the ids of their secrets
    List {
        /// Of this partner only
        #[arg(long)]
        partner: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Change how an app is set
    Set {
        /// Its key
        app: AppKey,
        #[command(flatten)]
        changes: Changes,
    },
    /// Print a new secret for an app, once; its older secrets stay good for a while
    Rotate {
        /// Its key
        app: AppKey,
        /// For how many hours the older secrets stay good
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(0..=8760))]
        overlap_hours: u32,
    },
    /// Revoke an app with its secrets, or one secret
    Revoke {
        /// Its key
        app: AppKey,
        /// The id of the one secret to revoke
        #[arg(long, value_name = "ID")]
        secret: Option<String>,
    },
}

/// What is set; what is not given stays as it is.
#[derive(Debug, clap::Args)]
struct Changes {
    /// What is done about visits of high risk: record_only, challenge or flag
    #[arg(long)]
    action: Option<BotAction>,
    /// What its pages have collected: essential, standard or full
    #[arg(long)]
    profile: Option<Profile>,
    /// An origin of its pages, such as https://shop.example; any number of them
    #[arg(long = "origin", value_name = "ORIGIN", conflicts_with = "any_origin")]
    origins: Vec<String>,
    /// Its pages may have any origin that the edge allows
    #[arg(long)]
    any_origin: bool,
    /// How click tokens are kept: hashed under the app's own key, or plain beside that
    #[arg(long, value_enum)]
    click_tokens: Option<ClickTokens>,
    /// How many numbers a browser tries at most in a challenge: 1 to 16
    #[arg(long, value_name = "NUMBER")]
    challenge_numbers: Option<u32>,
    /// For how many seconds a challenge can be answered: 300 to 3600
    #[arg(long, value_name = "SECONDS")]
    challenge_seconds: Option<u32>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ClickTokens {
    /// As an HMAC only
    Hashed,
    /// As they came, beside the HMAC
    Plain,
}

impl Changes {
    fn apply(self, settings: &mut AppSettings) {
        if self.any_origin || !self.origins.is_empty() {
            settings.origins = self.origins;
        }
        settings.action = self.action.unwrap_or(settings.action);
        settings.profile = self.profile.unwrap_or(settings.profile);
        settings.challenge_numbers = self.challenge_numbers.unwrap_or(settings.challenge_numbers);
        settings.challenge_seconds = self.challenge_seconds.unwrap_or(settings.challenge_seconds);
        if let Some(kept) = self.click_tokens {
            settings.plain_click_tokens = matches!(kept, ClickTokens::Plain);
        }
    }
}

pub(crate) async fn run(options: Options) -> Result<(), BoxError> {
    let apps = options.database.open(false).await?.apps();
    match options.command {
        Command::Add { partner, name, changes } => {
            let mut settings = AppSettings::default();
            changes.apply(&mut settings);
            let app = apps.add(&partner, &name, settings).await?;
            eprintln!("The app's key, for its pages, and its secret, for the Data API. The secret is not kept.");
            writeln!(stdout(), "OCTET_APP_KEY={}", app.key)?;
            print_secret(&app.secret)?;
        }
        Command::List { partner, json } => {
            let apps = apps.list(partner.as_deref()).await?;
            if json { print_json(&apps)? } else { print_table(&apps)? }
        }
        Command::Set { app, changes } => {
            let settings = apps.set(&app, |settings| changes.apply(settings)).await?;
            eprintln!("{app}: {}", serde_json::to_string(&settings)?);
        }
        Command::Rotate { app, overlap_hours } => {
            let secret = apps.rotate(&app, Duration::from_secs(3600 * u64::from(overlap_hours))).await?;
            eprintln!("The older secrets of {app} are good for {overlap_hours} hours more.");
            print_secret(&secret)?;
        }
        Command::Revoke { app, secret: None } => {
            apps.revoke(&app).await?;
            eprintln!("{app} is revoked: its pages get degraded verdicts, and its secrets open nothing any more.");
        }
        Command::Revoke { app, secret: Some(secret) } => {
            apps.revoke_secret(&app, &secret).await?;
            eprintln!("{secret} of {app} is revoked.");
        }
    }
    Ok(())
}

fn print_secret(secret: &AppSecret) -> std::io::Result<()> {
    writeln!(stdout(), "OCTET_APP_SECRET={}", secret.expose())
}

fn print_table(apps: &[AppRecord]) -> std::io::Result<()> {
    writeln!(stdout(), "{:<28} {:<24} {:<24} {:<12} {:<10} secrets", "key", "partner", "name", "action", "profile")?;
    for app in apps {
        let revoked = if app.revoked_at.is_some() { " (revoked)" } else { "" };
        let secrets: Vec<_> =
            app.secrets.iter().filter(|key| key.revoked_at.is_none()).map(|key| key.id.as_str()).collect();
        writeln!(
            stdout(),
            "{:<28} {:<24} {:<24} {:<12} {:<10} {}",
            app.key.to_string(),
            format!("{}{revoked}", app.partner),
            app.name,
            app.settings.action.as_str(),
            app.settings.profile.as_str(),
            secrets.join(" ")
        )?;
    }
    Ok(())
}

fn print_json(apps: &[AppRecord]) -> Result<(), BoxError> {
    let app = |app: &AppRecord| {
        let secrets = app.secrets.iter().map(|secret| {
            serde_json::json!({
                "id": secret.id, "createdAt": secret.created_at,
                "expiresAt": secret.expires_at, "revokedAt": secret.revoked_at,
            })
        });
        serde_json::json!({
            "key": app.key, "partner": app.partner.as_str(), "name": app.name, "settings": app.settings,
            "createdAt": app.created_at, "revokedAt": app.revoked_at, "secrets": secrets.collect::<Vec<_>>(),
        })
    };
    writeln!(stdout(), "{}", serde_json::to_string_pretty(&apps.iter().map(app).collect::<Vec<_>>())?)?;
    Ok(())
}
