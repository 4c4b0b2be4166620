//! The keys that sign licences. A secret never leaves this room but to sign; what a licence says never comes here.

use jiff::Timestamp;
use octet::Environment;
use pasetors::keys::{AsymmetricKeyPair, AsymmetricPublicKey, AsymmetricSecretKey, Generate};
use pasetors::version4::V4;
use rusqlite::{Connection, params};

use super::licenses::{environment, environment_name};
use super::{Records, hex, timestamp};
use crate::Error;
use crate::digest::sha256;

/// The keys that sign licences; from [`Records::license_keys`]. The newest of an environment signs, and what an older one
/// signed stays good until its own end.
#[derive(Debug, Clone)]
pub struct LicenseKeys {
    records: Records,
}

/// A key as the records have it: not its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenseKeyRecord {
    /// Its name, which stands in the footer of what it signed.
    pub kid: String,
    /// Whose licences it signs.
    pub environment: Environment,
    /// From when on it signs, until there is a newer one.
    pub created_at: Timestamp,
    /// The public key: Ed25519.
    pub public: [u8; 32],
}

impl LicenseKeys {
    pub(super) fn new(records: Records) -> Self {
        Self { records }
    }

    /// Makes a new key, which signs from now on.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn rotate(&self, environment: Environment) -> Result<LicenseKeyRecord, Error> {
        let now = self.records.clock().now();
        self.records.change(move |records| add(records, environment, now).map(|key| key.record)).await
    }

    /// The keys, oldest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn list(&self) -> Result<Vec<LicenseKeyRecord>, Error> {
        self.records.read(|records| Ok(read(records)?.into_iter().map(|key| key.record).collect())).await
    }
}

/// A key with its secret.
pub(super) struct LicenseKeyPair {
    pub(super) record: LicenseKeyRecord,
    pub(super) secret: AsymmetricSecretKey<V4>,
}

impl LicenseKeyPair {
    fn new(kid: String, secret: &[u8], environment: Environment, created_at: Timestamp) -> Result<Self, Error> {
        let broken = |_| Error::Record("a signing key");
        let secret = AsymmetricSecretKey::<V4>::from(secret).map_err(broken)?;
        let public = AsymmetricPublicKey::try_from(&secret).map_err(broken)?;
        let public = public.as_bytes().try_into().map_err(|_| Error::Record("a signing key"))?;
        Ok(Self { record: LicenseKeyRecord { kid, environment, created_at, public }, secret })
    }
}

/// The key that signs now; the first licence of an environment makes it.
pub(super) fn signing_key(
    records: &Connection,
    environment: Environment,
    now: Timestamp,
) -> Result<LicenseKeyPair, Error> {
    let newest = read(records)?.into_iter().rev().find(|key| key.record.environment == environment);
    newest.map_or_else(|| add(records, environment, now), Ok)
}

/// All keys, oldest first.
pub(super) fn read(records: &Connection) -> Result<Vec<LicenseKeyPair>, Error> {
    let mut statement =
        records.prepare("SELECT id, environment, secret, created_at FROM signing_keys ORDER BY created_at, rowid")?;
    let mut rows = statement.query([])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let environment = environment(&row.get::<_, String>(1)?)?;
        let created_at = timestamp(row.get(3)?)?;
        keys.push(LicenseKeyPair::new(row.get(0)?, &row.get::<_, Vec<u8>>(2)?, environment, created_at)?);
    }
    Ok(keys)
}

fn add(records: &Connection, environment: Environment, now: Timestamp) -> Result<LicenseKeyPair, Error> {
    let pair = AsymmetricKeyPair::<V4>::generate().map_err(|_| Error::System("it gave no randomness"))?;
    let digest = sha256(pair.public.as_bytes());
    let kid = format!("sig_{}", hex(digest.get(..8).unwrap_or_default()));
    let now = timestamp(now.as_second())?;
    records.execute(
        "INSERT INTO signing_keys (id, environment, secret, created_at) VALUES (?1, ?2, ?3, ?4)",
        params![kid, environment_name(environment), pair.secret.as_bytes(), now.as_second()],
    )?;
    LicenseKeyPair::new(kid, pair.secret.as_bytes(), environment, now)
}
