//! What the makers of phones say of an app and its key: Apple's App Attest and Google's Play Integrity, checked
//! offline against pinned roots and configured keys. Knows no session, no clock and no network.
//!
//! A device shows a key of its own and asks its platform to vouch for the app that holds it. Both platforms sign 32
//! bytes of the caller's choice; here these are always a [`Binding`]: the challenge that the service gave, the
//! session, and the device's key. So what was vouched for one key in one session is worth nothing for another.

mod app_attest;
mod certificates;
mod challenge;
mod config;
mod play_integrity;
mod receipt;
pub(crate) mod routes;
mod sealed;

use std::sync::OnceLock;

use bytes::Bytes;
use octet::Environment;

use crate::limits::PartnerLimit;

pub use app_attest::{AppAttest, AppKey};
pub use config::AttestConfig;
pub use play_integrity::{DeviceIntegrity, PlayIntegrity, PlayVerdict};

/// What the service holds for devices.
#[derive(Debug)]
pub(crate) struct Attestation {
    config: AttestConfig,
    limit: PartnerLimit,
    /// The map that phones get, made when the first one asks.
    map: OnceLock<Bytes>,
}

impl Attestation {
    /// With this configuration; a service for tests takes keys that no platform vouches for.
    pub(crate) fn new(mut config: AttestConfig, environment: Environment, limit: PartnerLimit) -> Self {
        config.unattested.get_or_insert(environment == Environment::Test);
        Self { config, limit, map: OnceLock::new() }
    }
}

/// What a platform is asked to sign: [`octet::attestation::binding_digest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding([u8; 32]);

impl Binding {
    /// The digest: App Attest's `clientDataHash`, and in unpadded base64url Play Integrity's `nonce`.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Binding {
    fn from(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}

/// Why a platform's statement is not believed. For the operator: whoever asked learns only that it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It cannot be read.
    #[error("the statement is malformed, or larger than any that the platform makes")]
    Malformed,
    /// Its certificates do not lead to the pinned root, or are not valid now.
    #[error("the certificates do not lead to the pinned root at this time")]
    Chain,
    /// Its signature, or the seal around it, is wrong.
    #[error("the signature is wrong")]
    Signature,
    /// It vouches for other bytes than were asked for.
    #[error("the statement is for another challenge, session or key")]
    Binding,
    /// The key's name is not the key's digest.
    #[error("the key id is not the digest of the attested key")]
    KeyId,
    /// It is for an app that is not configured.
    #[error("the app is not one that is configured")]
    App,
    /// It comes from Apple's development environment, which is not allowed here.
    #[error("the statement is from the development environment")]
    Environment,
    /// Its counter did not grow: it was used before, or comes from a copy of the key.
    #[error("the counter did not grow")]
    Counter,
    /// It is too old, or from the future.
    #[error("the statement is not of this time")]
    Time,
    /// The app was not recognised as the one that was published.
    #[error("the app is not recognised by its store")]
    Unrecognized,
    /// The device does not reach the integrity that is asked for.
    #[error("the device does not have the integrity that is asked for")]
    Device,
    /// It comes from an emulator.
    #[error("the statement comes from an emulator")]
    Emulator,
}

/// Exactly `N` bytes.
fn array<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}
