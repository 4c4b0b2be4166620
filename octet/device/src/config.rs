//! How a session is set up. Everything but the licence and where Octet is has a default.

use std::fmt;
use std::sync::Arc;

use octet::LicenseKey;
use octet_transport::{TlsOptions, Transport};

use crate::attestation::{Attestor, Unattested};
use crate::borders::Borders;
use crate::clock::{Clock, SystemClock};
use crate::fix::FixSource;
use crate::signer::DeviceKey;

/// How a session is set up; see [`Octet::start`](crate::Octet::start).
#[must_use]
pub struct OctetConfig {
    pub(crate) license: LicenseKey,
    pub(crate) issuers: Vec<[u8; 32]>,
    pub(crate) url: Option<String>,
    pub(crate) tls: TlsOptions,
    pub(crate) transport: Option<Transport>,
    pub(crate) source: Option<Arc<dyn FixSource>>,
    pub(crate) key: Option<Arc<dyn DeviceKey>>,
    pub(crate) attestor: Arc<dyn Attestor>,
    pub(crate) borders: Option<Borders>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl OctetConfig {
    /// With this licence (product `mobile`); the rest as the methods say.
    pub fn new(license: LicenseKey) -> Self {
        Self {
            license,
            issuers: Vec::new(),
            url: None,
            tls: TlsOptions::default(),
            transport: None,
            source: None,
            key: None,
            attestor: Arc::new(Unattested),
            borders: None,
            clock: Arc::new(SystemClock::default()),
        }
    }

    /// Where Octet is, such as `https://octet.example`; otherwise what `OCTET_URL` says.
    pub fn octet_url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Whom to trust on the way to Octet.
    pub fn tls(mut self, options: TlsOptions) -> Self {
        self.tls = options;
        self
    }

    /// Another way to reach Octet than by its URL.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = Some(transport);
        self
    }

    /// A public key (Ed25519) that may have signed the licence; called again, another one, as the service's keys are
    /// rotated (`octet keys export --licenses`). Without any, a licence is read and its time and product are checked, and
    /// whether it is genuine is found out by the service.
    pub fn license_issuer(mut self, public_key: [u8; 32]) -> Self {
        self.issuers.push(public_key);
        self
    }

    /// Where fixes come from; without one, push them into [`Octet::fixes`](crate::Octet::fixes).
    pub fn fix_source(mut self, source: impl FixSource) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// The device's key; without one, a new one in this process's memory.
    pub fn key(mut self, key: impl DeviceKey) -> Self {
        self.key = Some(Arc::new(key));
        self
    }

    /// What the platform says of this app and device; without one, nothing.
    pub fn attestor(mut self, attestor: impl Attestor) -> Self {
        self.attestor = Arc::new(attestor);
        self
    }

    /// The map that ships with the app; without one it is fetched from Octet when the session starts.
    pub fn borders(mut self, borders: Borders) -> Self {
        self.borders = Some(borders);
        self
    }

    /// Another clock than the operating system's: for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

impl fmt::Debug for OctetConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OctetConfig").field("url", &self.url).finish_non_exhaustive()
    }
}
