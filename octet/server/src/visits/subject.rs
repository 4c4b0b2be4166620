//! What is held about one session or one click token, and its removal: for the operator, who answers to the person.

use std::sync::Arc;

use octet::data::Visit;
use octet::{AppKey, SessionRef};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::figures::Facts;
use super::read::{SHOWN, app_id, cid_hash, shown};
use super::writer::Changes;
use super::{Error, Source, VisitLog, lock, schema};

/// Whom a question is about.
#[derive(Debug, Clone)]
pub enum Subject {
    /// A session, whatever app its visit belongs to.
    Session(SessionRef),
    /// A click token, by its name in each app; see [`Apps::click_names`](crate::Apps::click_names).
    Click(Vec<(AppKey, [u8; 16])>),
}

impl VisitLog {
    /// Every visit that is held about the subject, with its app's key.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn held_about(&self, subject: Subject) -> Result<Vec<(AppKey, Visit)>, Error> {
        self.read(move |records| {
            let mut held = Vec::new();
            let mut row = records.prepare(&format!("SELECT {SHOWN} FROM visits WHERE id = ?1"))?;
            for (id, app) in rows_of(records, &subject)? {
                if let Some(shown) = row.query_row([id], shown).optional()? {
                    held.push((app, shown.try_into()?));
                }
            }
            Ok(held)
        })
        .await
    }

    /// Removes every visit that is held about the subject, from rows and figures alike, and says how many there were.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn erase(&self, subject: Subject) -> Result<usize, Error> {
        let inner = Arc::clone(&self.inner);
        crate::records::blocking(move || match &inner.source {
            Source::Memory => erase(&mut lock(&inner.connection), &subject),
            Source::File { path, .. } => erase(&mut schema::open(Some(path))?, &subject),
        })
        .await
    }
}

fn erase(records: &mut Connection, subject: &Subject) -> Result<usize, Error> {
    let transaction = records.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let rows = rows_of(&transaction, subject)?;
    if let Subject::Session(session) = subject {
        transaction.execute("DELETE FROM challenges WHERE session = ?1", [session.as_str()])?;
    }
    let mut changes = Changes::default();
    for (id, _) in &rows {
        let removed = format!("DELETE FROM visits WHERE id = ?1 RETURNING app, time_ms, {}", Facts::COLUMNS);
        let (app, time_ms, facts) =
            transaction.query_row(&removed, [id], |row| Ok((row.get(0)?, row.get(1)?, Facts::read(row, 2)?)))?;
        changes.add(app, time_ms, &facts, -1);
    }
    changes.apply(&transaction)?;
    transaction.commit()?;
    Ok(rows.len())
}

/// The numbers of the subject's rows, with the apps that they belong to.
fn rows_of(records: &Connection, subject: &Subject) -> Result<Vec<(i64, AppKey)>, Error> {
    let mut rows = Vec::new();
    match subject {
        Subject::Session(session) => {
            let mut found = records.prepare(
                "SELECT visits.id, key FROM apps, visits
                 WHERE visits.app = apps.id AND cid_hash = ?1 AND cid = ?2 ORDER BY visits.id",
            )?;
            let mut found = found.query(params![cid_hash(session), session.as_str()])?;
            while let Some(row) = found.next()? {
                let app = row.get::<_, String>(1)?.parse().map_err(|_| Error::Record("an app key"))?;
                rows.push((row.get(0)?, app));
            }
        }
        Subject::Click(names) => {
            let mut found = records.prepare("SELECT id FROM visits WHERE app = ?1 AND click = ?2 ORDER BY id")?;
            for (key, name) in names {
                let Some(app) = app_id(records, key)? else { continue };
                for id in found.query_map(params![app, name.as_slice()], |row| row.get(0))? {
                    rows.push((id?, key.clone()));
                }
            }
        }
    }
    Ok(rows)
}
