//! Which platforms' statements a service takes, and for which apps.

use super::{AppAttest, PlayIntegrity};

/// Whose word a service takes for a device's key; nobody's unless said, but in a test environment.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct AttestConfig {
    pub(crate) apple: Option<AppAttest>,
    pub(crate) google: Option<PlayIntegrity>,
    pub(crate) unattested: Option<bool>,
}

impl AttestConfig {
    /// Apple's, for the apps of this verifier.
    pub fn apple(mut self, verifier: AppAttest) -> Self {
        self.apple = Some(verifier);
        self
    }

    /// Google's, for the app of this verifier.
    pub fn google(mut self, verifier: PlayIntegrity) -> Self {
        self.google = Some(verifier);
        self
    }

    /// Whether keys are taken for which no platform vouches, as on desktops. By default only by a service for tests. Their
    /// proofs say `attestedBy: none`.
    pub fn unattested(mut self, allowed: bool) -> Self {
        self.unattested = Some(allowed);
        self
    }
}
