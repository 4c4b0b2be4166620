//! `octet-device` for Swift, Kotlin and Python. Types and names only: what a session does stands in `octet-device`.
//!
//! `cargo xtask bindings` writes each language's files, with the names that the documentation uses:
//! `OctetSdk.loc.isWithin`, `OctetVerdict.Result.YES`, `.confidence.overallScore`.

// The scaffolding that UniFFI writes is the one place where memory crosses between languages.
#![allow(unsafe_code, reason = "written by UniFFI")]

mod platform;
mod region;
mod verdict;

use std::sync::Arc;
use std::time::SystemTime;

use octet_device as device;

pub use platform::{OctetAttestor, OctetKey, OctetStatement};
pub use region::{OctetPlace, OctetRegion};
pub use verdict::{OctetConfidence, OctetReason, OctetResult, OctetValidity, OctetVerdict};

uniffi::setup_scaffolding!("octet");

/// How a session is set up.
#[derive(uniffi::Record)]
pub struct OctetConfig {
    /// The licence key, product `mobile`.
    pub license: String,
    /// Where Octet is.
    pub octet_url: String,
    /// The certificates to trust on the way there, in PEM; absent: the web's.
    #[uniffi(default = None)]
    pub ca_pem: Option<String>,
    /// The device's key; absent: a new one in memory.
    #[uniffi(default = None)]
    pub key: Option<Arc<dyn OctetKey>>,
    /// What the platform says of this app; absent: nothing.
    #[uniffi(default = None)]
    pub attestor: Option<Arc<dyn OctetAttestor>>,
    /// The map that ships with the app, as `GET /v1/borders` gives it; absent: it is fetched.
    #[uniffi(default = None)]
    pub borders_json: Option<String>,
}

/// The session cannot start; the message says what to mend.
#[derive(Debug, thiserror::Error, uniffi::Error)]
#[uniffi(flat_error)]
pub enum OctetStartError {
    /// The licence, the URL, or what else the developer said.
    #[error("{0}")]
    Configuration(String),
}

fn configuration(error: impl std::fmt::Display) -> OctetStartError {
    OctetStartError::Configuration(error.to_string())
}

/// A position of the device, as its operating system says.
#[derive(uniffi::Record)]
pub struct OctetFix {
    /// Where.
    pub place: OctetPlace,
    /// With a probability of 68 % the device is not farther away than this.
    pub accuracy_meters: f64,
    /// Whether the operating system says that an app made it up.
    #[uniffi(default = false)]
    pub mocked: bool,
    /// Whether this is an emulator or a simulator.
    #[uniffi(default = false)]
    pub simulated: bool,
}

/// A session on this device.
#[derive(uniffi::Object)]
pub struct OctetSdk(device::Octet);

/// Questions about where the device is.
#[derive(uniffi::Object)]
pub struct OctetLoc(device::Octet);

#[uniffi::export(async_runtime = "tokio")]
impl OctetSdk {
    /// Starts a session.
    #[uniffi::constructor]
    pub async fn start(config: OctetConfig) -> Result<Self, OctetStartError> {
        let license = config.license.trim().parse().map_err(configuration)?;
        let mut to = device::OctetConfig::new(license).octet_url(config.octet_url);
        if let Some(pem) = config.ca_pem {
            to = to.tls(device::TlsOptions::default().pinned_ca(pem));
        }
        if let Some(key) = config.key {
            to = to.key(platform::Key::new(key).map_err(configuration)?);
        }
        if let Some(attestor) = config.attestor {
            to = to.attestor(platform::Platform(attestor));
        }
        if let Some(json) = config.borders_json {
            to = to.borders(device::Borders::from_json(json.as_bytes()).map_err(configuration)?);
        }
        device::Octet::start(to).await.map(Self).map_err(configuration)
    }

    /// Questions about where the device is.
    pub fn location(&self) -> Arc<OctetLoc> {
        Arc::new(OctetLoc(self.0.clone()))
    }

    /// The session's reference, for the app's backend.
    pub fn session_ref(&self) -> String {
        self.0.session().as_str().to_owned()
    }

    /// Takes in a fix that was made just now; one that lies on no globe is none.
    pub fn push_fix(&self, fix: OctetFix) {
        if let Some(place) = fix.place.read() {
            let fix = device::Fix::new(place, fix.accuracy_meters).mocked(fix.mocked).simulated(fix.simulated);
            self.0.fixes().push(fix);
        }
    }

    /// Ends the session.
    pub fn stop(&self) {
        self.0.stop();
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl OctetLoc {
    /// Whether the device was inside of `region` at that time; absent: now.
    #[uniffi::method(default(at = None))]
    pub async fn is_within(&self, region: OctetRegion, at: Option<SystemTime>) -> OctetVerdict {
        let at = verdict::at(at);
        match region.read() {
            Some(region) => self.0.loc().is_within(region, at).await.into(),
            None => OctetVerdict::no_such_region(at),
        }
    }

    /// Whether the device was outside of `region` at that time; absent: now.
    #[uniffi::method(default(at = None))]
    pub async fn is_outside(&self, region: OctetRegion, at: Option<SystemTime>) -> OctetVerdict {
        let at = verdict::at(at);
        match region.read() {
            Some(region) => self.0.loc().is_outside(region, at).await.into(),
            None => OctetVerdict::no_such_region(at),
        }
    }

    /// Whether the device was within `tolerance_meters` of `center` at that time; absent: now.
    #[uniffi::method(default(at = None))]
    pub async fn contains(&self, center: OctetPlace, tolerance_meters: f64, at: Option<SystemTime>) -> OctetVerdict {
        let at = verdict::at(at);
        match center.read() {
            Some(center) => self.0.loc().contains(center, tolerance_meters, at).await.into(),
            None => OctetVerdict::no_such_region(at),
        }
    }
}
