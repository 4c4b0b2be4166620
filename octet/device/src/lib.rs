//! Octet on a device: is it inside of this region, at this time? YES, NO or INDETERMINATE, each YES and NO with a proof
//! that anyone checks offline.
//!
//! The device's place never leaves it: a proof discloses the region that was asked about, and nothing finer. Fixes are
//! pushed in by a [`FixSource`], the key stands behind a [`Signer`], and what the platform says of app and key behind
//! an [`Attestor`]. Octet vouches for the key once, when a session starts; questions are then answered without it.
//!
//! ```no_run
//! use octet_device::{At, Octet, OctetConfig, Outcome, Region};
//! # async fn run(license: octet_device::LicenseKey) -> Result<(), Box<dyn std::error::Error>> {
//! let sdk = Octet::start(OctetConfig::new(license)).await?;
//! let v = sdk.loc().is_within(Region::country("US")?, At::Now).await;
//! let ok = v.result == Outcome::Yes && v.confidence.overall_score > 0.8;
//! # let _ = ok;
//! # Ok(())
//! # }
//! ```
//!
//! # Why there is no answer
//!
//! | reason | here |
//! | --- | --- |
//! | `NO_FIX` | no fix yet; on an emulator or simulator; or the fixes move faster than anything travels |
//! | `FUTURE_TIME` | more than 2 s ahead |
//! | `STALE_FIX` | no fix whose validity covers the time, or somebody moved the clock since |
//! | `NO_PROOF_AT_RESOLUTION` | the fix is not accurate enough for this region |
//! | `ATTESTATION_FAILED` | Octet does not vouch for the device's key, or cannot be reached to do so |
//! | `MOCK_LOCATION_DETECTED` | the operating system flagged the fix as mocked |
//! | `SDK_NOT_RUNNING` | the session was stopped |
//! | `NOT_YET_RELEASED` | there is no map of that region: see [`Borders`] |

mod attestation;
mod borders;
mod clock;
mod config;
mod error;
mod fix;
mod license;
mod loc;
mod maps;
mod motion;
mod sdk;
mod signer;

pub use attestation::{Attestor, Unattested, Vouching};
pub use borders::{Borders, InvalidBorders};
pub use clock::{Clock, SystemClock};
pub use config::OctetConfig;
pub use error::StartError;
pub use fix::{Fix, FixSink, FixSource};
pub use loc::Loc;
pub use octet::attestation::Statement;
pub use octet::proof::{Algorithm, Signer, SigningFailed};
pub use octet::timeline::Reading;
pub use octet::{
    At, Claim, Confidence, ConfidenceSummary, LatLon, LicenseKey, Outcome, PredicateVerdict, ReasonCode, Region,
    SessionRef, Validity,
};
pub use octet_transport::{TlsOptions, Transport};
pub use sdk::Octet;
pub use signer::{DeviceKey, SoftwareKey, thumbprint};
