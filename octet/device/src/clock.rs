//! Time, for a session: one reading of both clocks. Tests move it instead of waiting.

use std::fmt;
use std::time::Instant;

use jiff::Timestamp;
use octet::timeline::Reading;

/// Tells both times at once.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time of day, and the time since some fixed moment.
    fn read(&self) -> Reading;
}

/// The operating system's clocks.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    begun: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { begun: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn read(&self) -> Reading {
        Reading { wall: Timestamp::now(), monotonic: self.begun.elapsed() }
    }
}
