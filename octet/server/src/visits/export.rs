//! Rows of a period, page by page: each page is a short read of its own, so that an export of any size holds neither
//! memory nor the writer, and can go on where it broke off.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use octet::AppKey;
use octet::data::Visit;
use ring::hmac;
use rusqlite::params;

use super::read::{SHOWN, shown};
use super::{Error, Period, VisitLog, read};

/// How many rows a page has: a few hundred kilobytes.
const PAGE: u16 = 2_000;

/// Where an export goes on: after this row. Rows are numbered through all apps, and how many others have is nobody's
/// business: the number is under a mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    time_ms: i64,
    masked: i64,
}

/// A row of an export.
#[derive(Debug)]
pub struct Row {
    /// The visit.
    pub visit: Visit,
    /// Where to go on after it.
    pub cursor: Cursor,
}

/// Some rows of an export.
#[derive(Debug)]
pub struct Page {
    /// The rows, oldest first.
    pub rows: Vec<Row>,
    /// Whether there may be more.
    pub more: bool,
}

impl VisitLog {
    /// The next rows of a period, by time; after `cursor`, where there is one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn page(&self, app: &AppKey, period: Period, cursor: Option<Cursor>) -> Result<Page, Error> {
        let mask = Mask { key: self.challenge_key().clone(), app: app.clone() };
        self.read(move |records| {
            let nothing = Page { rows: Vec::new(), more: false };
            let Some(app) = read::app_id(records, &mask.app)? else { return Ok(nothing) };
            let after = cursor.filter(|cursor| cursor.time_ms >= period.from);
            let (time_ms, id) = after.map_or((period.from, i64::MIN), |after| (after.time_ms, mask.id(after)));
            let mut statement = records.prepare_cached(&format!(
                "SELECT {SHOWN}, id FROM visits WHERE app = ?1 AND (time_ms, id) > (?2, ?3) AND time_ms < ?4
                 ORDER BY time_ms, id LIMIT ?5"
            ))?;
            let mut found = statement.query(params![app, time_ms, id, period.to, PAGE])?;
            let mut rows = Vec::new();
            while let Some(row) = found.next()? {
                let (shown, id) = (shown(row)?, row.get(11)?);
                let cursor = mask.cursor(shown.time_ms, id);
                rows.push(Row { visit: shown.try_into()?, cursor });
            }
            Ok(Page { more: rows.len() == usize::from(PAGE), rows })
        })
        .await
    }
}

/// What hides the numbers of an app's rows.
struct Mask {
    key: hmac::Key,
    app: AppKey,
}

impl Mask {
    fn cursor(&self, time_ms: i64, id: i64) -> Cursor {
        Cursor { time_ms, masked: id ^ self.at(time_ms) }
    }

    fn id(&self, cursor: Cursor) -> i64 {
        cursor.masked ^ self.at(cursor.time_ms)
    }

    fn at(&self, time_ms: i64) -> i64 {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(b"octet cursor 1");
        context.update(&time_ms.to_be_bytes());
        context.update(self.app.as_str().as_bytes());
        context.sign().as_ref().first_chunk().map_or(0, |bytes| i64::from_be_bytes(*bytes))
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.time_ms.to_be_bytes());
        bytes[8..].copy_from_slice(&self.masked.to_be_bytes());
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl std::str::FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| ())?;
        let number = |bytes: Option<&[u8; 8]>| bytes.map(|bytes| i64::from_be_bytes(*bytes)).ok_or(());
        if bytes.len() != 16 {
            return Err(());
        }
        Ok(Self { time_ms: number(bytes.first_chunk())?, masked: number(bytes.last_chunk())? })
    }
}
