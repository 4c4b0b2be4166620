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
