//! Where the device is, as its operating system says: pushed in by whoever can ask it.

use std::sync::Weak;

use octet::LatLon;

use crate::sdk::Inner;

/// One position of the device. `Debug` does not print it.
#[derive(Clone, Copy, PartialEq)]
pub struct Fix {
    pub(crate) position: LatLon,
    pub(crate) accuracy_meters: f64,
    pub(crate) mocked: bool,
    pub(crate) simulated: bool,
}

impl Fix {
    /// At `position`, and with a probability of 68 % not farther from it than `accuracy_meters`: what Android and iOS
    /// call horizontal accuracy.
    #[must_use]
    pub const fn new(position: LatLon, accuracy_meters: f64) -> Self {
        Self { position, accuracy_meters, mocked: false, simulated: false }
    }

    /// Whether the operating system says that an app made the position up.
    #[must_use]
    pub const fn mocked(mut self, mocked: bool) -> Self {
        self.mocked = mocked;
        self
    }

    /// Whether this is an emulator or a simulator.
    #[must_use]
    pub const fn simulated(mut self, simulated: bool) -> Self {
        self.simulated = simulated;
        self
    }

    /// Whether its accuracy means anything.
    pub(crate) fn is_usable(&self) -> bool {
        self.accuracy_meters.is_finite() && self.accuracy_meters > 0.0
    }
}

impl std::fmt::Debug for Fix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fix(…)")
    }
}

/// Who asks the operating system: `CLLocationManager`, `FusedLocationProviderClient`, a receiver of its own.
pub trait FixSource: Send + Sync + 'static {
    /// The session began: push fixes into `sink` from now on, as they come.
    fn start(&self, sink: FixSink);

    /// The session ended: no more of them.
    fn stop(&self) {}
}

/// Takes fixes into a session. Cheap to clone; does nothing once the session has ended.
#[derive(Debug, Clone)]
pub struct FixSink(pub(crate) Weak<Inner>);

impl FixSink {
    /// Takes in a fix that was made just now.
    pub fn push(&self, fix: Fix) {
        if let Some(session) = self.0.upgrade() {
            session.take(fix);
        }
    }
}
