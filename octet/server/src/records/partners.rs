//! Partners and their keys: added, listed, rotated with an overlap, revoked. A key is shown once and kept as a
//! digest.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use octet::{PartnerKey, Profile};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Records, hex, random, timestamp};
use crate::digest::{Digest, sha256};
use crate::{Error, PartnerName};

/// The partners of a service; from [`Octet::partners`](crate::Octet::partners) or [`Records::partners`].
#[derive(Debug, Clone)]
pub struct Partners {
    records: Records,
}

/// A partner as the records have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerRecord {
    /// Its name.
    pub name: PartnerName,
    /// What its pages have collected.
    pub profile: Profile,
    /// Whether its pages may do without the latency channel (`passiveOnly`).
    pub passive_allowed: bool,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// Its keys, oldest first.
    pub keys: Vec<KeyRecord>,
}

/// A partner key as the records have it: not the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its id, which is no secret.
    pub id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its time is over, if it was rotated.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl Partners {
    pub(super) fn new(records: Records) -> Self {
        Self { records }
    }

    /// Adds a partner with the standard collection profile, and gives its key: it is not kept, and cannot be
    /// shown again.
    ///
    /// # Errors
    ///
    /// When the name cannot be a partner's or is taken, or the database fails.
    pub async fn add(&self, name: &str) -> Result<PartnerKey, Error> {
        let (name, now) = (name.parse::<PartnerName>()?, self.now());
        self.records
            .change(move |records| {
                let added = records.execute(
                    "INSERT INTO partners (name, profile, previous_profile, profile_set_at, created_at)
                     VALUES (?1, ?2, ?2, ?3, ?3) ON CONFLICT DO NOTHING",
                    params![name.as_str(), Profile::default().as_str(), now],
                )?;
                if added == 0 {
                    return Err(Error::PartnerExists(name.to_string()));
                }
                new_key(records, &name, now)
            })
            .await
    }

    /// Every partner, by name.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn list(&self) -> Result<Vec<PartnerRecord>, Error> {
        self.records.read(list).await
    }

    /// Gives the partner a new key; its keys of before are good for `overlap` more.
    ///
    /// # Errors
    ///
    /// When there is no such partner, it was revoked, or the database fails.
    pub async fn rotate(&self, name: &str, overlap: Duration) -> Result<PartnerKey, Error> {
        let (name, now) = (name.parse::<PartnerName>()?, self.now());
        let until = now.saturating_add(i64::try_from(overlap.as_secs()).unwrap_or(i64::MAX));
        self.records
            .change(move |records| {
                require_active(records, &name)?;
                records.execute(
                    "UPDATE partner_keys SET expires_at = min(coalesce(expires_at, ?2), ?2) WHERE partner = ?1",
                    params![name.as_str(), until],
                )?;
                new_key(records, &name, now)
            })
            .await
    }

    /// Revokes the partner: its keys and its licences open nothing from now on.
    ///
    /// # Errors
    ///
    /// When there is no such partner, or the database fails.
    pub async fn revoke(&self, name: &str) -> Result<(), Error> {
        let (name, now) = (name.parse::<PartnerName>()?, self.now());
        self.records
            .change(move |records| {
                let set = "UPDATE partners SET revoked_at = coalesce(revoked_at, ?2) WHERE name = ?1";
                let found = records.execute(set, params![name.as_str(), now])?;
                if found == 0 { Err(Error::NoSuchPartner(name.to_string())) } else { Ok(()) }
            })
            .await
    }

    /// Revokes one key of the partner, by the id that [`Self::list`] gives.
    ///
    /// # Errors
    ///
    /// When the partner has no such key, or the database fails.
    pub async fn revoke_key(&self, name: &str, key_id: &str) -> Result<(), Error> {
        let (name, now, key_id) = (name.parse::<PartnerName>()?, self.now(), key_id.to_owned());
        self.records
            .change(move |records| {
                let found = records.execute(
                    "UPDATE partner_keys SET revoked_at = coalesce(revoked_at, ?3)
                     WHERE partner = ?1 AND 'key_' || lower(hex(substr(digest, 1, 6))) = ?2",
                    params![name.as_str(), key_id, now],
                )?;
                if found == 0 { Err(Error::NoSuchKey(key_id)) } else { Ok(()) }
            })
            .await
    }

    /// Sets what the partner's pages have collected. Pages that are open with a smaller profile are not held to
    /// the new one for the next quarter of an hour.
    ///
    /// # Errors
    ///
    /// When there is no such partner, it was revoked, or the database fails.
    pub async fn set_profile(&self, name: &str, profile: Profile) -> Result<(), Error> {
        let (name, now) = (name.parse::<PartnerName>()?, self.now());
        self.records
            .change(move |records| {
                require_active(records, &name)?;
                records.execute(
                    "UPDATE partners SET previous_profile = profile, profile = ?2, profile_set_at = ?3
                     WHERE name = ?1 AND profile <> ?2",
                    params![name.as_str(), profile.as_str(), now],
                )?;
                Ok(())
            })
            .await
    }

    /// Sets whether the partner's pages may do without the latency channel (`passiveOnly`): where they may, its
    /// absence counts as no omission. New partners' pages may not.
    ///
    /// # Errors
    ///
    /// When there is no such partner, it was revoked, or the database fails.
    pub async fn set_passive_allowed(&self, name: &str, allowed: bool) -> Result<(), Error> {
        let name = name.parse::<PartnerName>()?;
        self.records
            .change(move |records| {
                require_active(records, &name)?;
                let set = "UPDATE partners SET passive_allowed = ?2 WHERE name = ?1";
                records.execute(set, params![name.as_str(), allowed])?;
                Ok(())
            })
            .await
    }

    fn now(&self) -> i64 {
        self.records.clock().now().as_second()
    }
}

/// The id of a key: no secret, and short enough to type.
fn key_id(digest: &[u8]) -> String {
    format!("key_{}", hex(digest.get(..6).unwrap_or_default()))
}

fn new_key(records: &Connection, partner: &PartnerName, now: i64) -> Result<PartnerKey, Error> {
    let key: PartnerKey = format!("opk_{}", URL_SAFE_NO_PAD.encode(random::<32>()?)).parse()?;
    let digest: Digest = sha256(key.expose().as_bytes());
    records.execute(
        "INSERT INTO partner_keys (digest, partner, created_at) VALUES (?1, ?2, ?3)",
        params![digest.as_slice(), partner.as_str(), now],
    )?;
    Ok(key)
}

/// Says what is wrong when `partner` cannot have new keys, licences or settings.
pub(super) fn require_active(records: &Connection, partner: &PartnerName) -> Result<(), Error> {
    let revoked_at = "SELECT revoked_at FROM partners WHERE name = ?1";
    match records.query_row(revoked_at, [partner.as_str()], |row| row.get::<_, Option<i64>>(0)).optional()? {
        None => Err(Error::NoSuchPartner(partner.to_string())),
        Some(Some(_)) => Err(Error::PartnerRevoked(partner.to_string())),
        Some(None) => Ok(()),
    }
}

fn list(records: &Connection) -> Result<Vec<PartnerRecord>, Error> {
    let mut partners = Vec::new();
    let mut statement =
        records.prepare("SELECT name, profile, created_at, revoked_at, passive_allowed FROM partners ORDER BY name")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name: PartnerName = row.get::<_, String>(0)?.parse()?;
        partners.push(PartnerRecord {
            keys: keys_of(records, &name)?,
            name,
            profile: row.get::<_, String>(1)?.parse().map_err(|_| Error::Record("a profile"))?,
            passive_allowed: row.get(4)?,
            created_at: timestamp(row.get(2)?)?,
            revoked_at: row.get::<_, Option<i64>>(3)?.map(timestamp).transpose()?,
        });
    }
    Ok(partners)
}

fn keys_of(records: &Connection, partner: &PartnerName) -> Result<Vec<KeyRecord>, Error> {
    let mut keys = Vec::new();
    let mut statement = records.prepare_cached(
        "SELECT digest, created_at, expires_at, revoked_at FROM partner_keys WHERE partner = ?1 ORDER BY created_at, rowid",
    )?;
    let mut rows = statement.query([partner.as_str()])?;
    while let Some(row) = rows.next()? {
        keys.push(KeyRecord {
            id: key_id(&row.get::<_, Vec<u8>>(0)?),
            created_at: timestamp(row.get(1)?)?,
            expires_at: row.get::<_, Option<i64>>(2)?.map(timestamp).transpose()?,
            revoked_at: row.get::<_, Option<i64>>(3)?.map(timestamp).transpose()?,
        });
    }
    Ok(keys)
}
