//! The one source of time. All of the service asks a [`Clock`], so that a test moves time instead of waiting.

use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;

/// Tells the time of day and the time gone by.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time of day; may jump when somebody sets it.
    fn now(&self) -> Timestamp;

    /// The time since some fixed moment; never goes back.
    fn monotonic(&self) -> Duration;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    begun: tokio::time::Instant,
}

impl SystemClock {
    /// The clock, whose monotonic time begins now.
    #[must_use]
    pub fn new() -> Self {
        Self { begun: tokio::time::Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// A clock that stands still until it is moved: for tests.
///
/// ```
/// use std::time::Duration;
/// use octet_server::clock::{Clock, ManualClock};
/// let clock = ManualClock::at("2026-11-21T12:00:00Z".parse()?);
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().to_string(), "2026-11-21T12:01:00Z");
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Debug)]
pub struct ManualClock {
    begun: Timestamp,
    gone: Mutex<Duration>,
}

impl ManualClock {
    /// The clock, standing at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { begun: now, gone: Mutex::default() }
    }

    /// Moves time forward.
    pub fn advance(&self, by: Duration) {
        let mut gone = self.gone.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *gone = gone.saturating_add(by);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.begun.checked_add(self.monotonic()).unwrap_or(Timestamp::MAX)
    }

    fn monotonic(&self) -> Duration {
        *self.gone.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
