//! What outlives a session: partners, their keys, apps, licences, and the keys that sign them. Knows SQLite; no
//! session and no verdict ever comes here.

mod apps;
mod license_keys;
mod licenses;
mod partners;
mod proof_keys;
mod schema;
mod snapshot;
mod snapshot_apps;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use ring::rand::{SecureRandom, SystemRandom};
use rusqlite::Connection;

use crate::Error;
use crate::clock::Clock;

pub(crate) use apps::click_name;
pub use apps::{AppRecord, AppSettings, Apps, NewApp};
pub use license_keys::{LicenseKeyRecord, LicenseKeys};
pub use licenses::{IssuedLicense, LicenseRecord, LicenseState, Licenses, NewLicense};
pub use partners::{KeyRecord, PartnerRecord, Partners};
pub use proof_keys::{ProofKeyRecord, ProofKeys};
pub(crate) use schema::migrate;
pub(crate) use snapshot::Snapshot;
pub(crate) use snapshot_apps::App;

/// The records of a service: partners, keys and licences. Cheap to clone.
///
/// Several processes may share a database: a change by one is seen by the others within a second or so.
#[derive(Debug, Clone)]
pub struct Records {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    connection: Mutex<Watched>,
    snapshot: ArcSwap<Snapshot>,
    clock: Arc<dyn Clock>,
}

/// The connection, and the version of the data that the snapshot was made of.
#[derive(Debug)]
struct Watched {
    connection: Connection,
    data_version: i64,
}

impl Records {
    /// Opens the database at `path`, or one in memory without a path, and brings it to today's schema.
    ///
    /// # Errors
    ///
    /// When the file cannot be made or read, or a newer release wrote it.
    pub async fn open(path: Option<&Path>, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let path = path.map(Path::to_owned);
        blocking(move || Self::open_now(path.as_deref(), clock)).await
    }

    fn open_now(path: Option<&Path>, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let mut connection = match path {
            Some(path) => open_private(path)?,
            None => Connection::open_in_memory()?,
        };
        tune(&connection)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        migrate(&mut connection, schema::STEPS)?;
        let data_version = data_version(&connection)?;
        let snapshot = ArcSwap::from_pointee(Snapshot::read(&connection)?);
        Ok(Self {
            inner: Arc::new(Inner { connection: Mutex::new(Watched { connection, data_version }), snapshot, clock }),
        })
    }

    /// The partners and their keys.
    #[must_use]
    pub fn partners(&self) -> Partners {
        Partners::new(self.clone())
    }

    /// The partners' apps.
    #[must_use]
    pub fn apps(&self) -> Apps {
        Apps::new(self.clone())
    }

    /// The licences.
    #[must_use]
    pub fn licenses(&self) -> Licenses {
        Licenses::new(self.clone())
    }

    /// The keys that sign licences.
    #[must_use]
    pub fn license_keys(&self) -> LicenseKeys {
        LicenseKeys::new(self.clone())
    }

    /// The keys that sign proofs.
    #[must_use]
    pub fn proof_keys(&self) -> ProofKeys {
        ProofKeys::new(self.clone())
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.inner.snapshot.load_full()
    }

    fn clock(&self) -> &dyn Clock {
        &*self.inner.clock
    }

    /// Takes in what another process changed, if it did.
    pub(crate) async fn refresh(&self) -> Result<(), Error> {
        let records = self.clone();
        blocking(move || {
            let mut watched = records.inner.connection.lock().unwrap_or_else(PoisonError::into_inner);
            let data_version = data_version(&watched.connection)?;
            if data_version != watched.data_version {
                records.inner.snapshot.store(Arc::new(Snapshot::read(&watched.connection)?));
                watched.data_version = data_version;
            }
            Ok(())
        })
        .await
    }

    /// Changes the records in one transaction, off the async threads, and takes the change in.
    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let records = self.clone();
        blocking(move || {
            let mut watched = records.inner.connection.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction = watched.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let result = change(&transaction)?;
            transaction.commit()?;
            records.inner.snapshot.store(Arc::new(Snapshot::read(&watched.connection)?));
            Ok(result)
        })
        .await
    }

    /// Writes what no request looks up, in one transaction, off the async threads.
    async fn write(
        &self,
        write: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let records = self.clone();
        blocking(move || {
            let mut watched = records.inner.connection.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction = watched.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            write(&transaction)?;
            Ok(transaction.commit()?)
        })
        .await
    }

    /// Reads from the records, off the async threads.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let records = self.clone();
        blocking(move || {
            let watched = records.inner.connection.lock().unwrap_or_else(PoisonError::into_inner);
            read(&watched.connection)
        })
        .await
    }
}

/// Opens a database whose file only its owner can read.
pub(crate) fn open_private(path: &Path) -> Result<Connection, Error> {
    create_private(path).map_err(|source| Error::DatabaseFile { path: path.display().to_string(), source })?;
    Ok(Connection::open(path)?)
}

/// What is committed stays, whatever happens to the machine; and others are waited for.
pub(crate) fn tune(connection: &Connection) -> Result<(), Error> {
    connection.busy_timeout(Duration::from_secs(5))?;
    // The journal's mode in use is answered as a row.
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(())
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or(Err(Error::System("a task of the database was stopped")))
}

/// A number that changes when another connection changes the data.
fn data_version(connection: &Connection) -> Result<i64, Error> {
    Ok(connection.pragma_query_value(None, "data_version", |row| row.get(0))?)
}

/// Makes the file, readable by its owner only, when it is not there: it holds the keys that sign licences.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// `N` random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::System("it gave no randomness"))?;
    Ok(bytes)
}

/// `N` random bytes in hexadecimal.
pub(crate) fn random_hex<const N: usize>() -> Result<String, Error> {
    Ok(hex(&random::<N>()?))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A time of a record: seconds since 1970.
fn timestamp(seconds: i64) -> Result<jiff::Timestamp, Error> {
    jiff::Timestamp::from_second(seconds).map_err(|_| Error::Record("a time"))
}
