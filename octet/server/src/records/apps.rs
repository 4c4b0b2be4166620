//! Apps of partners and their secrets: added, listed, changed, rotated with an overlap, revoked. A secret is shown
//! once and kept as a digest.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use octet::{AppKey, AppSecret, BotAction, ClickToken, Profile};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::partners::require_active;
use super::{KeyRecord, Records, hex, random, timestamp};
use crate::digest::sha256;
use crate::{Error, PartnerName};

/// How many origins an app may name.
const MOST_ORIGINS: usize = 32;

/// The apps of a service; from [`Octet::apps`](crate::Octet::apps) or [`Records::apps`].
#[derive(Debug, Clone)]
pub struct Apps {
    records: Records,
}

/// An app that was just added, with its secret.
#[derive(Debug, Clone)]
pub struct NewApp {
    /// Its public key, for the page.
    pub key: AppKey,
    /// Its secret, for the Data API. It is not kept, and cannot be shown again.
    pub secret: AppSecret,
}

/// An app as the records have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppRecord {
    /// Its public key.
    pub key: AppKey,
    /// Whose it is: it is good only with that partner's licence.
    pub partner: PartnerName,
    /// Its name, for people.
    pub name: String,
    /// How it is set.
    pub settings: AppSettings,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// Its secrets, oldest first.
    pub secrets: Vec<KeyRecord>,
}

/// How an app is set. A running service takes a change in within about a second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AppSettings {
    /// What is done about visits of high risk.
    pub action: BotAction,
    /// What its pages have collected.
    pub profile: Profile,
    /// The origins of its pages, such as `https://shop.example`; none allows each that the edge allows.
    pub origins: Vec<String>,
    /// Whether click tokens are kept as plain text, and not only as an HMAC under the app's own key.
    pub plain_click_tokens: bool,
    /// How many numbers the browser tries at most in a challenge: 1 to 16.
    pub challenge_numbers: u32,
    /// For how many seconds a challenge can be answered: 300 to 3600.
    pub challenge_seconds: u32,
}

impl Default for AppSettings {
    /// `record_only`, the full profile, any origin, no plain click tokens, six numbers, ten minutes.
    fn default() -> Self {
        Self {
            action: BotAction::RecordOnly,
            profile: Profile::Full,
            origins: Vec::new(),
            plain_click_tokens: false,
            challenge_numbers: 6,
            challenge_seconds: 600,
        }
    }
}

impl AppSettings {
    fn check(&self) -> Result<(), Error> {
        if self.origins.len() > MOST_ORIGINS || !self.origins.iter().all(|origin| is_origin(origin)) {
            return Err(Error::AppOrigin);
        }
        if !(1..=16).contains(&self.challenge_numbers) || !(300..=3600).contains(&self.challenge_seconds) {
            return Err(Error::AppChallenge);
        }
        Ok(())
    }
}

/// Whether the text is an origin as browsers write it: lower case, without a path or a default port.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte);
    (1..=255).contains(&host.len()) && host.bytes().all(allowed)
}

impl Apps {
    pub(super) fn new(records: Records) -> Self {
        Self { records }
    }

    /// Adds an app to a partner, and gives its key and its secret: the secret is not kept, and cannot be shown again.
    ///
    /// # Errors
    ///
    /// When there is no such partner, it has an app of that name, a setting cannot be used, or the database fails.
    pub async fn add(&self, partner: &str, name: &str, settings: AppSettings) -> Result<NewApp, Error> {
        let (partner, now) = (partner.parse::<PartnerName>()?, self.now());
        // The grammar is a partner name's.
        let name = name.parse::<PartnerName>().map_err(|_| Error::AppName)?;
        settings.check()?;
        let key: AppKey = format!("app_{}", hex(&random::<12>()?)).parse().map_err(|_| Error::Record("an app key"))?;
        self.records
            .change(move |records| {
                require_active(records, &partner)?;
                let added = records.execute(
                    "INSERT INTO apps (key, partner, name, settings, previous_profile, profile_set_at, click_key, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?6) ON CONFLICT DO NOTHING",
                    params![
                        key.as_str(),
                        partner.as_str(),
                        name.as_str(),
                        to_json(&settings)?,
                        settings.profile.as_str(),
                        now,
                        random::<32>()?,
                    ],
                )?;
                if added == 0 {
                    return Err(Error::AppExists(name.to_string()));
                }
                Ok(NewApp { secret: new_secret(records, &key, now)?, key })
            })
            .await
    }

    /// The apps of one partner, or of all, by partner and name.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn list(&self, partner: Option<&str>) -> Result<Vec<AppRecord>, Error> {
        let partner = partner.map(str::parse::<PartnerName>).transpose()?;
        self.records.read(move |records| list(records, partner.as_ref())).await
    }

    /// Changes how an app is set. Pages that are open with a smaller profile are not held to the new one for the next
    /// quarter of an hour.
    ///
    /// # Errors
    ///
    /// When there is no such app, it was revoked, a setting cannot be used, or the database fails.
    pub async fn set(
        &self,
        app: &AppKey,
        change: impl FnOnce(&mut AppSettings) + Send + 'static,
    ) -> Result<AppSettings, Error> {
        let (app, now) = (app.clone(), self.now());
        self.records
            .change(move |records| {
                let before = require_live(records, &app)?;
                let mut after = before.clone();
                change(&mut after);
                after.check()?;
                records.execute("UPDATE apps SET settings = ?2 WHERE key = ?1", [app.as_str(), &to_json(&after)?])?;
                if before.profile != after.profile {
                    records.execute(
                        "UPDATE apps SET previous_profile = ?2, profile_set_at = ?3 WHERE key = ?1",
                        params![app.as_str(), before.profile.as_str(), now],
                    )?;
                }
                Ok(after)
            })
            .await
    }

    /// Gives the app a new secret; its secrets of before are good for `overlap` more.
    ///
    /// # Errors
    ///
    /// When there is no such app, it was revoked, or the database fails.
    pub async fn rotate(&self, app: &AppKey, overlap: Duration) -> Result<AppSecret, Error> {
        let (app, now) = (app.clone(), self.now());
        let until = now.saturating_add(i64::try_from(overlap.as_secs()).unwrap_or(i64::MAX));
        self.records
            .change(move |records| {
                require_live(records, &app)?;
                records.execute(
                    "UPDATE app_secrets SET expires_at = min(coalesce(expires_at, ?2), ?2) WHERE app = ?1",
                    params![app.as_str(), until],
                )?;
                new_secret(records, &app, now)
            })
            .await
    }

    /// Revokes the app: its pages get degraded verdicts, its secrets open nothing.
    ///
    /// # Errors
    ///
    /// When there is no such app, or the database fails.
    pub async fn revoke(&self, app: &AppKey) -> Result<(), Error> {
        let (app, now) = (app.clone(), self.now());
        self.records
            .change(move |records| {
                let set = "UPDATE apps SET revoked_at = coalesce(revoked_at, ?2) WHERE key = ?1";
                let found = records.execute(set, params![app.as_str(), now])?;
                if found == 0 { Err(Error::NoSuchApp(app.to_string())) } else { Ok(()) }
            })
            .await
    }

    /// Revokes one secret of the app, by the id that [`Self::list`] gives.
    ///
    /// # Errors
    ///
    /// When the app has no such secret, or the database fails.
    pub async fn revoke_secret(&self, app: &AppKey, secret_id: &str) -> Result<(), Error> {
        let (app, now, secret_id) = (app.clone(), self.now(), secret_id.to_owned());
        self.records
            .change(move |records| {
                let found = records.execute(
                    "UPDATE app_secrets SET revoked_at = coalesce(revoked_at, ?3)
                     WHERE app = ?1 AND 'secret_' || lower(hex(substr(digest, 1, 6))) = ?2",
                    params![app.as_str(), secret_id, now],
                )?;
                if found == 0 { Err(Error::NoSuchKey(secret_id)) } else { Ok(()) }
            })
            .await
    }

    /// The name of a click token in each app, revoked ones too: what the visit log knows it by.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn click_names(&self, token: &ClickToken) -> Result<Vec<(AppKey, [u8; 16])>, Error> {
        let token = token.clone();
        self.records
            .read(move |records| {
                let mut statement = records.prepare("SELECT key, click_key FROM apps ORDER BY key")?;
                let mut rows = statement.query([])?;
                let mut names = Vec::new();
                while let Some(row) = rows.next()? {
                    let key = row.get::<_, String>(0)?.parse().map_err(|_| Error::Record("an app key"))?;
                    names.push((key, click_name(&click_key(&row.get::<_, Vec<u8>>(1)?), &token)));
                }
                Ok(names)
            })
            .await
    }

    fn now(&self) -> i64 {
        self.records.clock().now().as_second()
    }
}

/// The key under which an app's click tokens become names.
pub(super) fn click_key(bytes: &[u8]) -> ring::hmac::Key {
    ring::hmac::Key::new(ring::hmac::HMAC_SHA256, bytes)
}

/// The name of a click token: the first half of its HMAC.
pub(crate) fn click_name(key: &ring::hmac::Key, token: &ClickToken) -> [u8; 16] {
    let tag = ring::hmac::sign(key, token.expose().as_bytes());
    tag.as_ref().first_chunk().copied().unwrap_or_default()
}

fn to_json(settings: &AppSettings) -> Result<String, Error> {
    serde_json::to_string(settings).map_err(|_| Error::Record("an app's settings"))
}

/// The settings in a column.
pub(super) fn settings(json: &str) -> Result<AppSettings, Error> {
    serde_json::from_str(json).map_err(|_| Error::Record("an app's settings"))
}

/// The settings of an app that can be changed.
fn require_live(records: &Connection, app: &AppKey) -> Result<AppSettings, Error> {
    let found = "SELECT settings, revoked_at IS NOT NULL FROM apps WHERE key = ?1";
    let row = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?));
    match records.query_row(found, [app.as_str()], row).optional()? {
        None => Err(Error::NoSuchApp(app.to_string())),
        Some((_, true)) => Err(Error::AppRevoked(app.to_string())),
        Some((json, false)) => settings(&json),
    }
}

fn new_secret(records: &Connection, app: &AppKey, now: i64) -> Result<AppSecret, Error> {
    let secret: AppSecret = format!("oas_{}", URL_SAFE_NO_PAD.encode(random::<32>()?))
        .parse()
        .map_err(|_| Error::Record("an app's secret"))?;
    records.execute(
        "INSERT INTO app_secrets (digest, app, created_at) VALUES (?1, ?2, ?3)",
        params![sha256(secret.expose().as_bytes()).as_slice(), app.as_str(), now],
    )?;
    Ok(secret)
}

fn list(records: &Connection, partner: Option<&PartnerName>) -> Result<Vec<AppRecord>, Error> {
    let mut apps = Vec::new();
    let mut statement = records.prepare(
        "SELECT key, partner, name, settings, created_at, revoked_at FROM apps
         WHERE ?1 IS NULL OR partner = ?1 ORDER BY partner, name",
    )?;
    let mut rows = statement.query([partner.map(PartnerName::as_str)])?;
    while let Some(row) = rows.next()? {
        let key: AppKey = row.get::<_, String>(0)?.parse().map_err(|_| Error::Record("an app key"))?;
        apps.push(AppRecord {
            secrets: secrets_of(records, &key)?,
            key,
            partner: row.get::<_, String>(1)?.parse()?,
            name: row.get(2)?,
            settings: settings(&row.get::<_, String>(3)?)?,
            created_at: timestamp(row.get(4)?)?,
            revoked_at: row.get::<_, Option<i64>>(5)?.map(timestamp).transpose()?,
        });
    }
    Ok(apps)
}

fn secrets_of(records: &Connection, app: &AppKey) -> Result<Vec<KeyRecord>, Error> {
    let mut secrets = Vec::new();
    let mut statement = records.prepare_cached(
        "SELECT lower(hex(substr(digest, 1, 6))), created_at, expires_at, revoked_at FROM app_secrets
         WHERE app = ?1 ORDER BY created_at, rowid",
    )?;
    let mut rows = statement.query([app.as_str()])?;
    while let Some(row) = rows.next()? {
        secrets.push(KeyRecord {
            id: format!("secret_{}", row.get::<_, String>(0)?),
            created_at: timestamp(row.get(1)?)?,
            expires_at: row.get::<_, Option<i64>>(2)?.map(timestamp).transpose()?,
            revoked_at: row.get::<_, Option<i64>>(3)?.map(timestamp).transpose()?,
        });
    }
    Ok(secrets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_sends() {
        for good in ["https://shop.example", "http://127.0.0.1:3000", "https://[::1]:8443"] {
            assert!(is_origin(good), "{good}");
        }
        for bad in ["", "shop.example", "https://", "https://Shop.example", "https://shop.example/", "*", "null"] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
