//! The apps in a snapshot of the records: by key, and by secret. Knows digests of secrets, never a secret.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use octet::{AppKey, AppSecret, Profile};
use rusqlite::Connection;
use subtle::ConstantTimeEq;

use super::snapshot::PROFILE_GRACE;
use super::{AppSettings, apps, timestamp};
use crate::digest::{Digest, sha256};
use crate::{Error, PartnerName};

/// A live app as a request sees it.
pub(crate) struct App {
    pub(crate) key: AppKey,
    pub(crate) partner: PartnerName,
    pub(crate) settings: AppSettings,
    previous_profile: Profile,
    profile_set_at: Timestamp,
    /// Under which its click tokens become names.
    pub(crate) click_key: ring::hmac::Key,
}

/// All live apps.
#[derive(Default)]
pub(super) struct AppTable {
    apps: HashMap<AppKey, Arc<App>>,
    secrets: HashMap<Digest, Secret>,
}

struct Secret {
    digest: Digest,
    app: AppKey,
    expires_at: Option<Timestamp>,
}

impl App {
    /// What an assessment that comes now must hold: while a profile is new, the smaller of it and the one before.
    pub(crate) fn expected(&self, now: Timestamp) -> Profile {
        let is_new = self.profile_set_at.checked_add(PROFILE_GRACE).is_ok_and(|end| now < end);
        if is_new { self.settings.profile.min(self.previous_profile) } else { self.settings.profile }
    }

    /// Whether a page of this origin may use the app.
    pub(crate) fn allows(&self, origin: Option<&str>) -> bool {
        let origins = &self.settings.origins;
        origins.is_empty() || origin.is_some_and(|origin| origins.iter().any(|allowed| allowed == origin))
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("key", &self.key).finish_non_exhaustive()
    }
}

impl AppTable {
    pub(super) fn read(records: &Connection) -> Result<Self, Error> {
        let key = |text: String| text.parse::<AppKey>().map_err(|_| Error::Record("an app key"));
        let mut table = Self::default();
        let mut statement = records.prepare(
            "SELECT key, partner, settings, previous_profile, profile_set_at, click_key FROM apps
             WHERE revoked_at IS NULL",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let app = App {
                key: key(row.get(0)?)?,
                partner: row.get::<_, String>(1)?.parse()?,
                settings: apps::settings(&row.get::<_, String>(2)?)?,
                previous_profile: row.get::<_, String>(3)?.parse().map_err(|_| Error::Record("a profile"))?,
                profile_set_at: timestamp(row.get(4)?)?,
                click_key: apps::click_key(&row.get::<_, Vec<u8>>(5)?),
            };
            table.apps.insert(app.key.clone(), Arc::new(app));
        }
        let mut statement =
            records.prepare("SELECT digest, app, expires_at FROM app_secrets WHERE revoked_at IS NULL")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let digest: Digest = row.get(0)?;
            let expires_at = row.get::<_, Option<i64>>(2)?.map(timestamp).transpose()?;
            table.secrets.insert(digest, Secret { digest, app: key(row.get(1)?)?, expires_at });
        }
        Ok(table)
    }

    pub(super) fn get(&self, key: &AppKey) -> Option<&Arc<App>> {
        self.apps.get(key)
    }

    pub(super) fn of_partner(&self, partner: &PartnerName) -> Vec<&Arc<App>> {
        self.apps.values().filter(|app| app.partner == *partner).collect()
    }

    /// The app that key and secret name together. A missing one takes as long as an unknown one.
    pub(super) fn authorized(
        &self,
        key: Option<&AppKey>,
        secret: Option<&AppSecret>,
        now: Timestamp,
    ) -> Option<&Arc<App>> {
        let digest = sha256(secret.map_or("", AppSecret::expose).as_bytes());
        // What a lookup by digest lets one time is the digest, of which nobody can choose the bits.
        let found = self.secrets.get(&digest);
        let same = found.map_or(&[0; 32], |found| &found.digest).ct_eq(&digest);
        let found = found.filter(|_| bool::from(same))?;
        let expired = found.expires_at.is_some_and(|end| now >= end);
        (!expired && key == Some(&found.app)).then(|| self.apps.get(&found.app))?
    }
}
