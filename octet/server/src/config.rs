//! What an embedded service can be told. Knows no file, flag or variable: those are the binary's.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use octet::Environment;
use octet_engine::World;

use crate::attest::AttestConfig;
use crate::clock::{Clock, SystemClock};
use crate::reference::DataFiles;
use crate::visits::{VisitLog, VisitOptions};

/// How to open a service; see [`Octet::open`](crate::Octet::open).
///
/// ```
/// use octet_server::{Config, Limits};
/// let config = Config::embedded("octet.db")
///     .environment(octet::Environment::Test)
///     .limits(Limits { sessions: 10_000, ..Limits::default() });
/// # let _ = config;
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Config {
    pub(crate) database: Option<PathBuf>,
    pub(crate) environment: Environment,
    pub(crate) limits: Limits,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) world: Option<Arc<World>>,
    pub(crate) issuer: String,
    pub(crate) attest: AttestConfig,
    pub(crate) visits: VisitOptions,
    pub(crate) visits_database: Option<PathBuf>,
    pub(crate) data: DataFiles,
}

impl Config {
    /// A service whose records (partners, keys, licences) are in the SQLite database at `path`, made when it is
    /// not there, and whose sessions are in memory.
    pub fn embedded(path: impl AsRef<Path>) -> Self {
        Self { database: Some(path.as_ref().to_owned()), ..Self::in_memory() }
    }

    /// A service that keeps nothing: its records, too, are in memory.
    pub fn in_memory() -> Self {
        Self {
            database: None,
            environment: Environment::Live,
            limits: Limits::default(),
            clock: Arc::new(SystemClock::new()),
            world: None,
            issuer: "octet".to_owned(),
            attest: AttestConfig::default(),
            visits: VisitOptions::default(),
            visits_database: None,
            data: DataFiles::default(),
        }
    }

    /// Whether this service takes live or test licences; live by default.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// The bounds of what the service holds and answers.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How the visit log is kept.
    pub fn visits(mut self, options: VisitOptions) -> Self {
        self.visits = options;
        self
    }

    /// Another place for the visit log than beside the records (`octet.db` has `octet-visits.db`).
    pub fn visits_database(mut self, path: impl AsRef<Path>) -> Self {
        self.visits_database = Some(path.as_ref().to_owned());
        self
    }

    /// Opens the visit log alone: for the operator's commands.
    ///
    /// # Errors
    ///
    /// When its file cannot be made or read.
    pub async fn open_visits(&self) -> Result<VisitLog, crate::Error> {
        VisitLog::open(self.visits_path().as_deref(), self.visits, Arc::clone(&self.clock)).await
    }

    /// Where the visit log is; in memory where the records are too, and nothing else is said.
    fn visits_path(&self) -> Option<PathBuf> {
        self.visits_database.clone().or_else(|| self.database.as_deref().map(VisitLog::beside))
    }

    /// Another clock than the system's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Which platforms' word is taken for a device's key; by default none's.
    pub fn attest(mut self, attest: AttestConfig) -> Self {
        self.attest = attest;
        self
    }

    /// Who proofs say that they are from (`iss`), such as the service's URL; `octet` by default.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// Other reference data than the embedded tables.
    pub fn world(mut self, world: Arc<World>) -> Self {
        self.world = Some(world);
        self
    }

    /// Files that take the place of reference data and parameters, read again when they change.
    pub fn data(mut self, files: DataFiles) -> Self {
        self.data = files;
        self
    }
}

/// The bounds of what a service holds and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a session and its verdict are held, from its first bundle; 5 minutes by default.
    pub verdict_ttl: Duration,
    /// How many sessions are held at a time; over it, bundles of new sessions are refused with 503, and no
    /// readable verdict is given up for them. 200,000 by default.
    pub sessions: usize,
    /// How many verdict requests of one partner wait at a time; over it they are answered at once. 2,000 by default.
    pub waiters_per_partner: usize,
    /// How many verdict requests one partner may make in a second, in the long run; four times as many at once.
    /// 500 by default.
    pub verdicts_per_second: u32,
    /// How many bundles one partner's edges may forward in a second, in the long run; four times as many at once.
    /// 500 by default.
    pub signals_per_second: u32,
    /// How many connections are open at a time when the service listens itself; 4,096 by default.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            verdict_ttl: Duration::from_secs(300),
            sessions: 200_000,
            waiters_per_partner: 2_000,
            verdicts_per_second: 500,
            signals_per_second: 500,
            connections: 4_096,
        }
    }
}
