//! The tables of the records and how an older database becomes today's. Knows SQL and no rule.

use rusqlite::Connection;

use crate::Error;

/// Each step leads from the schema of its index to the next. Steps are added, never changed. Times are seconds
/// since 1970.
pub(super) const STEPS: &[&str] = &[
    "
    CREATE TABLE partners (
        name TEXT PRIMARY KEY NOT NULL,
        profile TEXT NOT NULL,
        previous_profile TEXT NOT NULL,
        profile_set_at INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        revoked_at INTEGER
    ) STRICT;
    CREATE TABLE partner_keys (
        digest BLOB PRIMARY KEY NOT NULL,
        partner TEXT NOT NULL REFERENCES partners (name),
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        revoked_at INTEGER
    ) STRICT;
    CREATE INDEX partner_keys_by_partner ON partner_keys (partner, created_at);
    CREATE TABLE licenses (
        jti TEXT PRIMARY KEY NOT NULL,
        partner TEXT NOT NULL REFERENCES partners (name),
        environment TEXT NOT NULL,
        product TEXT NOT NULL,
        claims TEXT NOT NULL,
        expires_at INTEGER NOT NULL,
        revoked_at INTEGER
    ) STRICT;
    CREATE INDEX licenses_by_partner ON licenses (partner, expires_at);
    CREATE TABLE signing_keys (
        id TEXT PRIMARY KEY NOT NULL,
        environment TEXT NOT NULL,
        secret BLOB NOT NULL,
        created_at INTEGER NOT NULL
    ) STRICT;
",
    "
    ALTER TABLE partners ADD COLUMN passive_allowed INTEGER NOT NULL DEFAULT 0;
",
    "
    CREATE TABLE proof_keys (
        id TEXT PRIMARY KEY NOT NULL,
        environment TEXT NOT NULL,
        secret BLOB NOT NULL,
        created_at INTEGER NOT NULL,
        signs_from INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE proof_digests (
        date TEXT NOT NULL,
        digest BLOB NOT NULL,
        PRIMARY KEY (date, digest)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE proof_days (
        date TEXT PRIMARY KEY NOT NULL,
        line TEXT NOT NULL
    ) STRICT;
",
    "
    CREATE TABLE apps (
        key TEXT PRIMARY KEY NOT NULL,
        partner TEXT NOT NULL REFERENCES partners (name),
        name TEXT NOT NULL,
        settings TEXT NOT NULL,
        previous_profile TEXT NOT NULL,
        profile_set_at INTEGER NOT NULL,
        click_key BLOB NOT NULL,
        created_at INTEGER NOT NULL,
        revoked_at INTEGER,
        UNIQUE (partner, name)
    ) STRICT;
    CREATE TABLE app_secrets (
        digest BLOB PRIMARY KEY NOT NULL,
        app TEXT NOT NULL REFERENCES apps (key),
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        revoked_at INTEGER
    ) STRICT;
    CREATE INDEX app_secrets_by_app ON app_secrets (app, created_at);
",
];

/// Brings the database to the schema to which `steps` lead.
pub(crate) fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<(), Error> {
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let done = usize::try_from(found).ok().filter(|&done| done <= steps.len());
    let done = done.ok_or(Error::NewerDatabase { found, known })?;
    for step in &steps[done..] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}
