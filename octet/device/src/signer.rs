//! The device's key: P-256, held by hardware where there is any, and by this process on desktops and in tests.

use std::fmt;

use octet::proof::{Algorithm, Point, Signer, SigningFailed};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};

use crate::StartError;

/// A device's key. To hold one in hardware, implement [`Signer`] and this over the Secure Enclave or Android's
/// `KeyStore`: ECDSA on P-256 with SHA-256, signatures as two numbers of 32 bytes.
pub trait DeviceKey: Signer + Send + Sync + 'static {
    /// The public point: a byte 4, then both coordinates in 32 bytes each.
    fn public_point(&self) -> [u8; 65];

    /// Whether hardware holds it, so that it cannot be copied.
    fn is_in_hardware(&self) -> bool;
}

/// A key in this process's memory: gone with it.
pub struct SoftwareKey {
    pair: EcdsaKeyPair,
    thumbprint: String,
    random: SystemRandom,
}

impl SoftwareKey {
    /// A new key.
    ///
    /// # Errors
    ///
    /// When the operating system has no randomness to give.
    pub fn generate() -> Result<Self, StartError> {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let new = || {
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).ok()?;
            EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).ok()
        };
        let pair = new().ok_or(StartError::NoRandomness)?;
        let thumbprint = pair.public_key().as_ref().try_into().ok().and_then(thumbprint);
        Ok(Self { thumbprint: thumbprint.ok_or(StartError::NoRandomness)?, pair, random })
    }
}

impl Signer for SoftwareKey {
    fn key_id(&self) -> &str {
        &self.thumbprint
    }

    fn algorithm(&self) -> Algorithm {
        Algorithm::Es256
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        self.pair.sign(&self.random, message).map(|signature| signature.as_ref().to_vec()).map_err(|_| SigningFailed)
    }
}

impl DeviceKey for SoftwareKey {
    fn public_point(&self) -> [u8; 65] {
        let mut point = [0; 65];
        // The uncompressed form of a point on P-256 has 65 bytes.
        point.copy_from_slice(self.pair.public_key().as_ref());
        point
    }

    fn is_in_hardware(&self) -> bool {
        false
    }
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftwareKey").field("thumbprint", &self.thumbprint).finish_non_exhaustive()
    }
}

/// The name of a key in proofs: the thumbprint (RFC 7638) of its public point, uncompressed; `None` for other bytes.
#[must_use]
pub fn thumbprint(point: &[u8; 65]) -> Option<String> {
    Point::p256(point).map(|point| point.thumbprint())
}
