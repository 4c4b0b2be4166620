//! Location proofs: signed, time-stamped statements that anyone verifies offline with published keys. Knows what a
//! proof says and how it is checked; never why its claim was concluded, and it holds no secret.

#[cfg(feature = "verify")]
pub mod chain;
#[cfg(feature = "verify")]
mod jws;
#[cfg(feature = "verify")]
mod keys;
#[cfg(all(test, feature = "verify"))]
mod tests;
#[cfg(feature = "verify")]
mod verify;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::EdgeId;
use crate::predicate::{Claim, ConfidenceSummary, Validity};

#[cfg(feature = "verify")]
pub use chain::Chain;
#[cfg(feature = "verify")]
pub use jws::{Algorithm, Signer, SigningFailed};
#[cfg(feature = "verify")]
pub use keys::{Ec, InvalidKeySet, KEYS_PATH, KeySet, Okp, Point, PublicKey};
#[cfg(feature = "verify")]
pub use verify::{Audience, Confirmation, DeviceBinding, Expect, Refusal, verify};

/// The media type in a proof's header (`typ`).
pub const PROOF_TYPE: &str = "octet-proof+jwt";
/// The version of the claims that this release writes and reads (`ver`).
pub const CLAIMS_VERSION: u32 = 1;

/// A proof as it travels: a compact JWS (RFC 7515) of at most 16 KiB. That it has this shape says nothing of whether it
/// is good: `octet::proof::verify` (feature `verify`) does.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LocationProof(Box<str>);

/// The text is no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a proof is a compact JWS: three parts of base64url with dots between them, at most 16384 characters")]
pub struct InvalidProof;

impl LocationProof {
    /// The longest proof, in characters.
    pub const MAX_LEN: usize = 16 * 1024;

    /// The token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LocationProof {
    type Err = InvalidProof;

    fn from_str(text: &str) -> Result<Self, InvalidProof> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let mut parts = text.split('.');
        let three = parts.by_ref().take(3).filter(|part| !part.is_empty() && part.bytes().all(allowed)).count() == 3;
        if text.len() <= Self::MAX_LEN && three && parts.next().is_none() {
            Ok(Self(text.into()))
        } else {
            Err(InvalidProof)
        }
    }
}

impl AsRef<str> for LocationProof {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for LocationProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocationProof(…)")
    }
}

impl Serialize for LocationProof {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for LocationProof {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::parse(deserializer, "a proof", |text| text.parse().map_err(de::Error::custom))
    }
}

/// What a proof says. Documented as a JSON Schema in `docs/proof-claims.schema.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ProofClaims {
    /// The version of these claims: 1.
    #[serde(rename = "ver")]
    pub version: u32,
    /// Who says it.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// For whom it is: the partner.
    #[serde(rename = "aud")]
    pub audience: String,
    /// Which session it is about.
    #[serde(rename = "sid")]
    pub session: SessionDigest,
    /// Its own name, different for each proof.
    #[serde(rename = "jti")]
    pub id: String,
    /// When it was signed, in whole seconds.
    #[serde(rename = "iat", with = "jiff::fmt::serde::timestamp::second::required")]
    pub issued_at: Timestamp,
    /// What it proves: the one level that it discloses.
    pub claim: Claim,
    /// When the place was determined.
    pub fix_time: Timestamp,
    /// When the claim holds: around `fix_time`, by the claim's level.
    pub validity: Validity,
    /// How sure it is.
    pub confidence: ConfidenceSummary,
    /// What vouches for the key that signed it, outermost last: device bindings. Empty for Octet's own keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attestation: Vec<LocationProof>,
    /// The edges that reported, for a browser session.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observed_by: Vec<EdgeId>,
    /// Whose key signed it, for a device session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder>,
}

/// The key of a device that signed a proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    /// The thumbprint of its key (RFC 7638, SHA-256, base64url).
    pub jkt: String,
    /// Whether hardware holds the key, so that it cannot be copied.
    pub hardware: bool,
}

impl ProofClaims {
    /// The claims of a proof that `issuer` gives `audience` about a session; signed at `issued_at`, named `id`, valid
    /// around `fix_time` by the claim's level.
    #[must_use]
    pub fn new(
        (issuer, audience): (impl Into<String>, impl Into<String>),
        session: SessionDigest,
        id: impl Into<String>,
        issued_at: Timestamp,
        claim: Claim,
        fix_time: Timestamp,
        confidence: ConfidenceSummary,
    ) -> Self {
        Self {
            version: CLAIMS_VERSION,
            issuer: issuer.into(),
            audience: audience.into(),
            session,
            id: id.into(),
            issued_at,
            validity: Validity::around(fix_time, claim.region().level()),
            claim,
            fix_time,
            confidence,
            attestation: Vec::new(),
            observed_by: Vec::new(),
            holder: None,
        }
    }
}

/// The SHA-256 of a session reference, on the wire 64 lower-case hexadecimal digits: what `printf %s "$REF" | sha256sum`
/// prints.
///
/// It binds a proof to a session for who knows the reference, and tells nobody else which it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionDigest([u8; 32]);

impl SessionDigest {
    /// The digest of these bytes, which are the SHA-256 of a session reference.
    #[must_use]
    pub const fn from_bytes(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }

    /// The digest of this session's reference.
    #[cfg(feature = "verify")]
    #[must_use]
    pub fn of(session: &crate::SessionRef) -> Self {
        Self(sha256(session.as_str().as_bytes()))
    }
}

impl fmt::Display for SessionDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SessionDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionDigest(…)")
    }
}

impl Serialize for SessionDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SessionDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::parse(deserializer, "a SHA-256 in hexadecimal", |text| {
            from_hex(text).map(Self).ok_or_else(|| de::Error::custom("a SHA-256 is 64 of 0-9 and a-f"))
        })
    }
}

/// 32 bytes from 64 lower-case hexadecimal digits.
fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 32];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return None;
    }
    for (byte, &[high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(bytes)
}

/// SHA-256, by ring.
#[cfg(feature = "verify")]
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    // SHA-256 is 32 bytes long.
    digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    digest
}
