//! What can go wrong when a service is opened or its records are changed. Never holds a key.

use octet::InvalidKey;

/// The service or its records cannot do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name cannot be a partner's.
    #[error("a partner's name is 1 to 64 characters, each one of a-z, A-Z, 0-9, _, . and -, such as shop")]
    PartnerName,
    /// There is no such partner.
    #[error("there is no partner named {0}; `octet partner list` shows those that there are")]
    NoSuchPartner(String),
    /// There is such a partner already.
    #[error("there is a partner named {0} already; `octet partner rotate {0}` gives it a new key")]
    PartnerExists(String),
    /// The partner was revoked.
    #[error("the partner {0} was revoked, and gets no new keys and licences")]
    PartnerRevoked(String),
    /// The name cannot be an app's.
    #[error("an app's name is 1 to 64 characters, each one of a-z, A-Z, 0-9, _, . and -, such as landing")]
    AppName,
    /// There is no such app.
    #[error("there is no app {0}; `octet app list` shows those that there are")]
    NoSuchApp(String),
    /// The partner has an app of that name already.
    #[error("the partner has an app named {0} already; `octet app list` shows its key")]
    AppExists(String),
    /// The app was revoked.
    #[error("the app {0} was revoked, and cannot be changed")]
    AppRevoked(String),
    /// An origin cannot be one.
    #[error("an origin is scheme and host as browsers write it, such as https://shop.example; an app has at most 32")]
    AppOrigin,
    /// A setting of the challenge is out of range.
    #[error("a challenge has 1 to 16 numbers, and can be answered for 300 to 3600 seconds")]
    AppChallenge,
    /// There is no such key or secret.
    #[error("there is no key {0}; `octet partner list` and `octet app list` show the ids of keys and secrets")]
    NoSuchKey(String),
    /// There is no such licence.
    #[error("there is no licence {0}; `octet license list` shows those that there are")]
    NoSuchLicense(String),
    /// A licence of this length is not issued.
    #[error("a licence is valid for 1 to 3650 days")]
    LicenseDays,
    /// The text cannot be a key.
    #[error(transparent)]
    Key(#[from] InvalidKey),
    /// The licence is not readable, or not signed by a key of this service.
    #[error("the licence is not readable, or not signed by this service's keys")]
    ForeignLicense,
    /// The database was written by a newer release.
    #[error("the database was written by a newer release of octet (schema {found}, this release knows {known})")]
    NewerDatabase {
        /// The schema's version in the database.
        found: i64,
        /// The newest that this release knows.
        known: i64,
    },
    /// The figures of a part of an hour that is so long ago are gone.
    #[error("so long ago only the figures of whole hours are kept")]
    FiguresGone,
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// The database's file cannot be made.
    #[error("the database {path} cannot be opened: {source}")]
    DatabaseFile {
        /// Where it should be.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file of reference data or parameters cannot be used.
    #[error("the data file {path} cannot be used: {why}")]
    DataFile {
        /// Where it is.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A record in the database is not what this release writes.
    #[error("a record in the database cannot be read: {0}")]
    Record(&'static str),
    /// The operating system gave no randomness, or a task was stopped.
    #[error("the operating system failed: {0}")]
    System(&'static str),
}
