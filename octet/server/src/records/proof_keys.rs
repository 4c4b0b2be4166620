//! The keys that sign proofs, and the daily chain of what they signed. A secret never leaves this room but to sign;
//! what a proof says never comes here.

use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use octet::Environment;
use octet::proof::chain::{Day, Hex};
use octet::proof::{Algorithm, KeySet, Point, PublicKey, Signer, SigningFailed};
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use rusqlite::{Connection, params};

use super::licenses::environment_name;
use super::{Records, hex, timestamp};
use crate::Error;
use crate::digest::{Digest, sha256};

/// For so long a key signs.
const SIGNS: SignedDuration = SignedDuration::from_hours(24 * 365);
/// For so long after its beginning what it signed counts without further evidence.
const LIFE: SignedDuration = SignedDuration::from_hours(24 * 365 * 2);
/// A new key is published for so long before it signs: longer than anybody keeps the key set without asking again.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);
/// A day is closed when it has been over for so long, so that every node has written what it signed.
const GRACE: SignedDuration = SignedDuration::from_mins(5);

/// The keys that sign proofs; from [`Records::proof_keys`].
#[derive(Debug, Clone)]
pub struct ProofKeys {
    records: Records,
}

/// A key as the records have it: not its secret.
#[derive(Debug, Clone, PartialEq)]
pub struct ProofKeyRecord {
    /// What is published of it: `nbf` is when it was made, `exp` until when what it signed counts.
    pub public: PublicKey,
    /// Whose proofs it signs.
    pub environment: Environment,
    /// From when on it signs, unless there is a newer one.
    pub signs_from: Timestamp,
    /// From when on it signs no more.
    pub signs_until: Timestamp,
}

impl ProofKeys {
    pub(super) fn new(records: Records) -> Self {
        Self { records }
    }

    /// Makes a new key. It is published at once and signs in ten minutes, so that nobody meets its proofs with a key
    /// set that lacks it; the keys before it stay published until their end.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn rotate(&self, environment: Environment) -> Result<ProofKeyRecord, Error> {
        let now = self.records.clock().now();
        self.records
            .change(move |records| {
                let first = signing_key(&read(records)?, environment, now).is_none();
                add(records, environment, now, if first { now } else { later(now, OVERLAP)? })
            })
            .await
    }

    /// Makes a key when there is none that signs now.
    pub(crate) async fn ensure(&self, environment: Environment) -> Result<(), Error> {
        let now = self.records.clock().now();
        if self.records.snapshot().proof_key(environment, now).is_some() {
            return Ok(());
        }
        self.records
            .change(move |records| match signing_key(&read(records)?, environment, now) {
                Some(_) => Ok(()),
                None => add(records, environment, now, now).map(drop),
            })
            .await
    }

    /// The keys, oldest first, those whose time is over too.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn list(&self) -> Result<Vec<ProofKeyRecord>, Error> {
        self.records.read(|records| Ok(read(records)?.iter().map(|key| key.record.clone()).collect())).await
    }

    /// The public keys of an environment, as the service publishes them.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn key_set(&self, environment: Environment) -> Result<KeySet, Error> {
        self.records.read(move |records| key_set(&read(records)?, environment)).await
    }

    /// The daily hash chain of all days that are over, one line of JSON each; days without a proof have none.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn chain(&self) -> Result<Vec<String>, Error> {
        let now = self.records.clock().now();
        self.records.change(move |records| close_days(records, now)).await
    }

    /// Takes the digests of proofs that were just signed into the chain.
    pub(crate) async fn note(&self, digests: Vec<Digest>) -> Result<(), Error> {
        let today = day_of(self.records.clock().now());
        self.records
            .write(move |records| {
                let closed: Option<String> =
                    records.query_row("SELECT max(date) FROM proof_days", [], |row| row.get(0))?;
                let closed = closed.map(|date| date.parse::<Date>().map_err(|_| Error::Record("a day"))).transpose()?;
                // A day that was closed takes no more: after a clock was set back, the first open one does.
                let first_open = closed.and_then(|date| date.tomorrow().ok()).unwrap_or(Date::MIN);
                let day = today.max(first_open).to_string();
                let mut insert =
                    records.prepare("INSERT OR IGNORE INTO proof_digests (date, digest) VALUES (?1, ?2)")?;
                digests.iter().try_for_each(|digest| insert.execute(params![day, digest]).map(drop))?;
                Ok(())
            })
            .await
    }
}

/// A key with its secret.
pub(crate) struct ProofKey {
    pub(super) record: ProofKeyRecord,
    pair: Ed25519KeyPair,
}

impl ProofKey {
    /// Whether it signed this.
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.pair.public_key()).verify(message, signature).is_ok()
    }
}

impl Signer for ProofKey {
    fn key_id(&self) -> &str {
        &self.record.public.kid
    }

    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDsa
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        Ok(self.pair.sign(message).as_ref().to_vec())
    }
}

impl fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofKey").field("record", &self.record).finish_non_exhaustive()
    }
}

/// The newest key that signs at `now`.
pub(super) fn signing_key(keys: &[Arc<ProofKey>], environment: Environment, now: Timestamp) -> Option<&Arc<ProofKey>> {
    let signs = |key: &&Arc<ProofKey>| {
        key.record.environment == environment && (key.record.signs_from..key.record.signs_until).contains(&now)
    };
    keys.iter().rev().find(signs)
}

/// The public keys of an environment.
pub(super) fn key_set(keys: &[Arc<ProofKey>], environment: Environment) -> Result<KeySet, Error> {
    let ours = keys.iter().filter(|key| key.record.environment == environment);
    KeySet::new(ours.map(|key| key.record.public.clone()).collect()).map_err(|_| Error::Record("the proof keys"))
}

/// All keys, oldest first.
pub(super) fn read(records: &Connection) -> Result<Vec<Arc<ProofKey>>, Error> {
    let mut statement = records
        .prepare("SELECT id, environment, secret, created_at, signs_from FROM proof_keys ORDER BY signs_from, rowid")?;
    let mut rows = statement.query([])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let pair = Ed25519KeyPair::from_pkcs8(&row.get::<_, Vec<u8>>(2)?).map_err(|_| Error::Record("a proof key"))?;
        let environment = super::licenses::environment(&row.get::<_, String>(1)?)?;
        let (created_at, signs_from) = (timestamp(row.get(3)?)?, timestamp(row.get(4)?)?);
        let record = record(row.get(0)?, &pair, environment, created_at, signs_from)?;
        keys.push(Arc::new(ProofKey { record, pair }));
    }
    Ok(keys)
}

fn record(
    kid: String,
    pair: &Ed25519KeyPair,
    environment: Environment,
    created_at: Timestamp,
    signs_from: Timestamp,
) -> Result<ProofKeyRecord, Error> {
    let point = Point::ed25519(pair.public_key().as_ref());
    let public = PublicKey { kid, nbf: created_at, exp: later(signs_from, LIFE)?, point };
    Ok(ProofKeyRecord { public, environment, signs_from, signs_until: later(signs_from, SIGNS)? })
}

fn add(
    records: &Connection,
    environment: Environment,
    now: Timestamp,
    signs_from: Timestamp,
) -> Result<ProofKeyRecord, Error> {
    let no_randomness = |_| Error::System("it gave no randomness");
    let secret = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(no_randomness)?;
    let pair = Ed25519KeyPair::from_pkcs8(secret.as_ref()).map_err(|_| Error::Record("a proof key"))?;
    let digest = sha256(pair.public_key().as_ref());
    let kid = format!("prk_{}", hex(digest.get(..8).unwrap_or_default()));
    let (now, signs_from) = (timestamp(now.as_second())?, timestamp(signs_from.as_second())?);
    records.execute(
        "INSERT INTO proof_keys (id, environment, secret, created_at, signs_from) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![kid, environment_name(environment), secret.as_ref(), now.as_second(), signs_from.as_second()],
    )?;
    record(kid, &pair, environment, now, signs_from)
}

/// Closes every day that is over, and gives the lines of all closed days.
fn close_days(records: &Connection, now: Timestamp) -> Result<Vec<String>, Error> {
    let open = day_of(now.checked_sub(GRACE).unwrap_or(now));
    let broken = |_| Error::Record("a day of the chain");
    let mut lines: Vec<String> = column(records, "SELECT line FROM proof_days ORDER BY date")?;
    let mut head = match lines.last() {
        Some(line) => serde_json::from_str::<Day>(line).map_err(broken)?.head,
        None => [0; 32],
    };
    for date in column::<String>(records, "SELECT DISTINCT date FROM proof_digests ORDER BY date")? {
        let day: Date = date.parse().map_err(|_| Error::Record("a day"))?;
        if day >= open {
            break;
        }
        let mut statement = records.prepare("SELECT digest FROM proof_digests WHERE date = ?1")?;
        let digests = statement.query_map([&date], |row| row.get::<_, Digest>(0))?;
        let digests = digests.map(|digest| digest.map(Hex::from)).collect::<Result<_, _>>()?;
        let day = Day::after(head, day, digests);
        head = day.head;
        let line = serde_json::to_string(&day).map_err(broken)?;
        records.execute("INSERT INTO proof_days (date, line) VALUES (?1, ?2)", params![date, line])?;
        records.execute("DELETE FROM proof_digests WHERE date = ?1", [&date])?;
        lines.push(line);
    }
    Ok(lines)
}

fn column<T: rusqlite::types::FromSql>(records: &Connection, query: &str) -> Result<Vec<T>, Error> {
    let mut statement = records.prepare(query)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn day_of(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

fn later(time: Timestamp, by: SignedDuration) -> Result<Timestamp, Error> {
    time.checked_add(by).map_err(|_| Error::Record("a time"))
}
