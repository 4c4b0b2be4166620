//! One visit out of the log: by its session, or by its click token.

use octet::data::Visit;
use octet::{AppKey, SessionRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::figures::Facts;
use super::{Error, VisitLog};
use crate::digest::sha256;

impl VisitLog {
    /// The visit of this session.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn visit(&self, app: &AppKey, session: &SessionRef) -> Result<Option<Visit>, Error> {
        let (app, session) = (app.clone(), session.clone());
        self.read(move |records| {
            let Some(app) = app_id(records, &app)? else { return Ok(None) };
            let sql = format!("SELECT {SHOWN} FROM visits WHERE app = ?1 AND cid_hash = ?2 AND cid = ?3");
            let mut statement = records.prepare_cached(&sql)?;
            let row = statement.query_row(params![app, cid_hash(&session), session.as_str()], shown).optional()?;
            row.map(TryInto::try_into).transpose()
        })
        .await
    }

    /// The first visit that carried the click token of this name, with how many did.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn visit_of_click(&self, app: &AppKey, click: [u8; 16]) -> Result<Option<Visit>, Error> {
        let app = app.clone();
        self.read(move |records| {
            let Some(app) = app_id(records, &app)? else { return Ok(None) };
            let sql = format!("SELECT {SHOWN} FROM visits WHERE app = ?1 AND click = ?2 ORDER BY id LIMIT 1");
            let mut statement = records.prepare_cached(&sql)?;
            let row = statement.query_row(params![app, click.as_slice()], shown).optional()?;
            let Some(row) = row else { return Ok(None) };
            let mut visit: Visit = row.try_into()?;
            let count = "SELECT count(*) FROM visits WHERE app = ?1 AND click = ?2";
            let visits: i64 = records.query_row(count, params![app, click.as_slice()], |row| row.get(0))?;
            visit.visits = u64::try_from(visits).ok();
            Ok(Some(visit))
        })
        .await
    }
}

/// What is shown of a row.
pub(super) const SHOWN: &str =
    "cid, click_text, time_ms, score, level, action, consistent, degraded, unread, challenge, invalid";

/// A row as it stands in the log.
pub(super) struct Shown {
    cid: String,
    click_text: Option<String>,
    pub(super) time_ms: i64,
    facts: Facts,
}

pub(super) fn shown(row: &Row<'_>) -> rusqlite::Result<Shown> {
    Ok(Shown { cid: row.get(0)?, click_text: row.get(1)?, time_ms: row.get(2)?, facts: Facts::read(row, 3)? })
}

impl TryFrom<Shown> for Visit {
    type Error = Error;

    fn try_from(row: Shown) -> Result<Self, Error> {
        Ok(Self {
            cid: row.cid.parse().map_err(|_| Error::Record("a visit's session"))?,
            click_token: row.click_text.and_then(|text| text.parse().ok()),
            time: jiff::Timestamp::from_millisecond(row.time_ms).map_err(|_| Error::Record("a visit's time"))?,
            verdict: row.facts.verdict(),
            invalid: row.facts.invalid,
            visits: None,
        })
    }
}

/// Eight bytes of the reference's digest, for a small index.
pub(super) fn cid_hash(session: &SessionRef) -> i64 {
    let digest = sha256(session.as_str().as_bytes());
    digest.first_chunk().map_or(0, |bytes| i64::from_be_bytes(*bytes))
}

/// The app's number; none when it has no visit yet.
pub(super) fn app_id(records: &Connection, app: &AppKey) -> Result<Option<i64>, Error> {
    let mut statement = records.prepare_cached("SELECT id FROM apps WHERE key = ?1")?;
    Ok(statement.query_row([app.as_str()], |row| row.get(0)).optional()?)
}

/// A session's row: its number, its time, and what it says.
pub(super) fn find(records: &Connection, app: i64, session: &SessionRef) -> Result<Option<(i64, i64, Facts)>, Error> {
    let mut statement = records.prepare_cached(&format!(
        "SELECT id, time_ms, {} FROM visits WHERE app = ?1 AND cid_hash = ?2 AND cid = ?3",
        Facts::COLUMNS
    ))?;
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, Facts::read(row, 2)?));
    Ok(statement.query_row(params![app, cid_hash(session), session.as_str()], row).optional()?)
}
