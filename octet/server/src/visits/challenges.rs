//! Challenges that were given and not answered, so that a restart forgets none: each can be taken once, by one
//! transaction. Knows nothing of what is asked in one, or of what an answer is worth.

use std::sync::Arc;

use octet::{AppKey, BotVerdict};
use ring::hmac;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Error, VisitLog, lock};
use crate::sessions::Key;

/// The random part of a challenge's id, by which it is found.
pub(crate) type Salt = [u8; 16];

/// How long after its end a challenge is kept, so that a late answer is told that it is late.
const LATE_MS: i64 = 3_600_000;

/// One open challenge.
#[derive(Debug, Clone)]
pub(crate) struct OpenChallenge {
    pub(crate) key: Key,
    pub(crate) app: AppKey,
    /// What it was given for.
    pub(crate) verdict: BotVerdict,
    pub(crate) expires_at: jiff::Timestamp,
}

impl VisitLog {
    /// The key under which challenges are bound: the same for as long as the log's file is.
    pub(crate) fn challenge_key(&self) -> &hmac::Key {
        &self.inner.challenge_key
    }

    /// Keeps a challenge that is given now; says whether there was room among `most`.
    pub(crate) async fn keep_challenge(&self, salt: Salt, open: OpenChallenge, most: usize) -> Result<bool, Error> {
        self.write(move |records| {
            let verdict = serde_json::to_string(&open.verdict).map_err(|_| Error::Record("a verdict"))?;
            let kept = records.execute(
                "INSERT INTO challenges (salt, partner, session, app, verdict, end_ms) SELECT ?1, ?2, ?3, ?4, ?5, ?6
                 WHERE (SELECT count(*) FROM challenges) < ?7",
                params![
                    salt.as_slice(),
                    open.key.partner.as_str(),
                    open.key.session.as_str(),
                    open.app.as_str(),
                    verdict,
                    open.expires_at.as_millisecond(),
                    i64::try_from(most).unwrap_or(i64::MAX)
                ],
            )?;
            Ok(kept == 1)
        })
        .await
    }

    /// Takes the challenge of this salt, if it was given to this session and app, with its verdict; nobody can take it
    /// twice.
    pub(crate) async fn take_challenge(&self, salt: Salt, key: Key, app: AppKey) -> Result<Option<BotVerdict>, Error> {
        self.write(move |records| {
            let taken: Option<String> = records
                .query_row(
                    "DELETE FROM challenges WHERE salt = ?1 AND partner = ?2 AND session = ?3 AND app = ?4
                     RETURNING verdict",
                    params![salt.as_slice(), key.partner.as_str(), key.session.as_str(), app.as_str()],
                    |row| row.get(0),
                )
                .optional()?;
            taken.map(|text| serde_json::from_str(&text).map_err(|_| Error::Record("a verdict"))).transpose()
        })
        .await
    }

    /// Writes, off the async threads, between two batches of the log.
    async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let inner = Arc::clone(&self.inner);
        crate::records::blocking(move || write(&mut lock(&inner.connection))).await
    }
}

/// The key of this log's file; made at its first opening.
pub(super) fn key(records: &Connection) -> Result<hmac::Key, Error> {
    let new = crate::records::random::<32>()?;
    records.execute(
        "INSERT INTO challenge_key (key) SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM challenge_key)",
        [new.as_slice()],
    )?;
    let key: [u8; 32] = records.query_row("SELECT key FROM challenge_key", [], |row| row.get(0))?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &key))
}

/// Forgets challenges that nobody answered.
pub(super) fn forget_ended(records: &Connection, now_ms: i64) -> Result<(), Error> {
    records.execute("DELETE FROM challenges WHERE end_ms < ?1", [now_ms.saturating_sub(LATE_MS)])?;
    Ok(())
}
