//! The tables of the visit log. Knows SQL and no rule.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::Error;

/// Each step leads from the schema of its index to the next. Steps are added, never changed. Times are milliseconds
/// since 1970; `cid_hash` are eight bytes of the session reference's SHA-256, which make a small index.
const STEPS: &[&str] = &[
    "
    CREATE TABLE apps (id INTEGER PRIMARY KEY NOT NULL, key TEXT UNIQUE NOT NULL) STRICT;
    CREATE TABLE visits (
        id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
        app INTEGER NOT NULL,
        time_ms INTEGER NOT NULL,
        cid TEXT NOT NULL,
        cid_hash INTEGER NOT NULL,
        click BLOB,
        click_text TEXT,
        score INTEGER NOT NULL,
        level INTEGER NOT NULL,
        action INTEGER NOT NULL,
        consistent INTEGER NOT NULL,
        degraded INTEGER NOT NULL,
        unread INTEGER NOT NULL,
        challenge INTEGER NOT NULL,
        invalid INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX visits_by_time ON visits (app, time_ms);
    CREATE INDEX visits_by_cid ON visits (app, cid_hash);
    CREATE INDEX visits_by_click ON visits (app, click) WHERE click IS NOT NULL;
    CREATE TABLE rollups (
        app INTEGER NOT NULL,
        width INTEGER NOT NULL,
        start_ms INTEGER NOT NULL,
        total INTEGER NOT NULL, bots INTEGER NOT NULL, degraded INTEGER NOT NULL, unread INTEGER NOT NULL,
        invalid INTEGER NOT NULL, record_only INTEGER NOT NULL, challenge INTEGER NOT NULL, flag INTEGER NOT NULL,
        low INTEGER NOT NULL, medium INTEGER NOT NULL, high INTEGER NOT NULL, critical INTEGER NOT NULL,
        PRIMARY KEY (app, width, start_ms)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE kept (since_ms INTEGER NOT NULL) STRICT;
    INSERT INTO kept VALUES (-9223372036854775808);
",
    "
    CREATE TABLE challenges (
        salt BLOB PRIMARY KEY NOT NULL,
        partner TEXT NOT NULL,
        session TEXT NOT NULL,
        app TEXT NOT NULL,
        verdict TEXT NOT NULL,
        end_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX challenges_by_end ON challenges (end_ms);
    CREATE TABLE challenge_key (key BLOB NOT NULL) STRICT;
",
    // Unread pages had a level and no score: the least of the level's band.
    "
    UPDATE visits SET score = CASE level WHEN 0 THEN 0 WHEN 1 THEN 30 WHEN 2 THEN 60 ELSE 90 END WHERE unread = 1;
",
];

/// Opens the log to write, and brings it to today's schema.
pub(super) fn open(path: Option<&Path>) -> Result<Connection, Error> {
    let mut connection = match path {
        Some(path) => crate::records::open_private(path)?,
        None => Connection::open_in_memory()?,
    };
    crate::records::tune(&connection)?;
    // A batch touches many pages of the indexes.
    connection.pragma_update(None, "cache_size", -64 * 1024)?;
    crate::records::migrate(&mut connection, STEPS)?;
    Ok(connection)
}

/// Opens the log to read what is committed.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unread_page_of_before_scores_has_the_least_score_of_its_level() {
        let mut log = Connection::open_in_memory().unwrap();
        crate::records::migrate(&mut log, &STEPS[..2]).unwrap();
        for (level, unread) in [(0, 1), (1, 1), (2, 1), (3, 1), (3, 0)] {
            let insert =
                "INSERT INTO visits (app, time_ms, cid, cid_hash, score, level, action, consistent, degraded, unread,
                challenge, invalid) VALUES (1, 0, 's', 0, 97 * (1 - ?2), ?1, 0, 1, ?2, ?2, 0, 0)";
            log.execute(insert, [level, unread]).unwrap();
        }
        crate::records::migrate(&mut log, STEPS).unwrap();
        let mut scores = log.prepare("SELECT score FROM visits ORDER BY id").unwrap();
        let scores: Vec<u8> = scores.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(scores, [0, 30, 60, 90, 97]);
    }
}
