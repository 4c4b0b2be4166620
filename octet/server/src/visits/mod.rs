//! The visit log: a durable row for each bot verdict, and exact figures of any period. Writing is batched and bounded:
//! whoever records waits for nothing unless they ask to. Must never know an address or what a verdict was made of.

mod challenges;
mod export;
mod figures;
mod queue;
mod read;
mod schema;
mod stats;
mod subject;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use octet::{AppKey, BotVerdict, ChallengeOutcome, ClickToken, SessionRef};
use ring::hmac;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::Error;
use crate::clock::Clock;

pub(crate) use challenges::{OpenChallenge, Salt};
pub use export::{Cursor, Page, Row};
use queue::{Op, Queue};
pub use stats::Period;
pub use subject::Subject;

/// How the log is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VisitOptions {
    /// How long rows are kept; 90 days by default. The figures of whole hours are kept for good.
    pub retention: Duration,
    /// Whether an answer waits until its row is on disk: then a crash loses none.
    pub sync: bool,
    /// How many rows may wait to be written; over it they are dropped and counted. 65,536 by default.
    pub waiting: usize,
}

impl Default for VisitOptions {
    fn default() -> Self {
        Self { retention: Duration::from_secs(90 * 24 * 3600), sync: false, waiting: 65_536 }
    }
}

/// The visit log. Cheap to clone; the last clone writes what is left and ends.
#[derive(Debug, Clone)]
pub struct VisitLog {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    queue: Arc<Queue>,
    source: Source,
    /// The writer's own.
    connection: Arc<Mutex<Connection>>,
    challenge_key: hmac::Key,
    writer: Mutex<Option<JoinHandle<()>>>,
    sync: bool,
}

/// Where reading connections come from.
#[derive(Debug)]
enum Source {
    /// A connection each, so that nobody waits for the writer.
    File { path: PathBuf, idle: Mutex<Vec<Connection>> },
    /// The writer's own.
    Memory,
}

/// How many reading connections are kept for the next reader.
const IDLE: usize = 4;

/// A visit to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVisit {
    /// Whose it is.
    pub app: AppKey,
    /// The session.
    pub session: SessionRef,
    /// When, in milliseconds since 1970.
    pub time_ms: i64,
    /// The click token, if it had one.
    pub click: Option<Click>,
    /// What was answered; or, of a page whose collector never reported, the unread verdict.
    pub verdict: BotVerdict,
    /// A prefetch, or a crawler that says so. A click token that came before is found when the row is written.
    pub invalid: bool,
}

/// A click token as the log keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Click {
    /// The first half of its HMAC under the app's key.
    pub name: [u8; 16],
    /// As it came, where the app asks for that.
    pub plain: Option<ClickToken>,
}

/// As many rows wait to be written as may: this one was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overflow;

/// Ends when everything that was recorded before it is on disk.
pub type Written = oneshot::Receiver<()>;

impl VisitLog {
    /// Opens the log at `path`, or one in memory without a path, and starts its writer.
    ///
    /// # Errors
    ///
    /// When the file cannot be made or read, or a newer release wrote it.
    pub async fn open(path: Option<&Path>, options: VisitOptions, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let path = path.map(Path::to_owned);
        crate::records::blocking(move || Self::open_now(path, options, clock)).await
    }

    /// Where the log of a service is whose records are at `path`.
    #[must_use]
    pub fn beside(path: &Path) -> PathBuf {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        path.with_file_name(format!("{stem}-visits.db"))
    }

    fn open_now(path: Option<PathBuf>, options: VisitOptions, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let connection = schema::open(path.as_deref())?;
        let challenge_key = challenges::key(&connection)?;
        let connection = Arc::new(Mutex::new(connection));
        let queue = Arc::new(Queue::new(options.waiting));
        let source = match path {
            Some(path) => Source::File { path, idle: Mutex::default() },
            None => Source::Memory,
        };
        let writer = writer::Writer::new(Arc::clone(&connection), Arc::clone(&queue), options.retention, clock);
        let writer = std::thread::Builder::new()
            .name("octet-visits".into())
            .spawn(move || writer.run())
            .map_err(|_| Error::System("it gave no thread"))?;
        let inner =
            Inner { queue, source, connection, challenge_key, writer: Mutex::new(Some(writer)), sync: options.sync };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Records a visit. A session's first answer stands; only one that was unread or degraded is replaced by a better.
    ///
    /// Where the log is kept in step (`sync`), it gives what to wait for.
    ///
    /// # Errors
    ///
    /// When as many rows wait as may.
    pub fn record(&self, visit: NewVisit) -> Result<Option<Written>, Overflow> {
        self.inner.queue.push(Op::Visit(visit), self.inner.sync)
    }

    /// Records what came of an escalation of a visit that was recorded before.
    ///
    /// # Errors
    ///
    /// As for [`Self::record`].
    pub fn record_outcome(
        &self,
        app: &AppKey,
        session: &SessionRef,
        outcome: ChallengeOutcome,
    ) -> Result<Option<Written>, Overflow> {
        let op = Op::Outcome { app: app.clone(), session: session.clone(), outcome };
        self.inner.queue.push(op, self.inner.sync)
    }

    /// Waits two seconds at most until all that was recorded before is on disk; whether it is.
    pub async fn flush(&self) -> bool {
        // The writer is gone when nobody answers.
        matches!(tokio::time::timeout(LONGEST_FLUSH, self.inner.queue.barrier()).await, Ok(Ok(())))
    }

    /// Whether an answer waits for its row.
    pub(crate) fn is_in_step(&self) -> bool {
        self.inner.sync
    }

    /// How many rows were dropped since the log was opened, because too many waited.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.inner.queue.dropped()
    }

    /// Reads, off the async threads, on a connection that no writer holds up.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let inner = Arc::clone(&self.inner);
        crate::records::blocking(move || match &inner.source {
            Source::Memory => read(&mut lock(&inner.connection)),
            Source::File { path, idle } => {
                let taken = lock(idle).pop();
                let mut connection = taken.map_or_else(|| schema::open_to_read(path), Ok)?;
                let result = read(&mut connection);
                let mut idle = lock(idle);
                if result.is_ok() && idle.len() < IDLE {
                    idle.push(connection);
                }
                result
            }
        })
        .await
    }
}

/// How long a question waits for what was recorded just before it.
const LONGEST_FLUSH: Duration = Duration::from_secs(2);

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(writer) = lock(&self.writer).take() {
            // It ends by itself; a panic in it was reported when it happened.
            let _ = writer.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Whole at every step: SQLite's transactions, and a list of connections.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The times of rows and periods: milliseconds since 1970.
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
