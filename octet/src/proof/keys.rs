//! Public keys as they are published: a JWK set (RFC 7517), read with bounds. Holds no secret, and believes no key that
//! comes with what it is to check.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::jws::{Algorithm, Parts};
use super::{Refusal, sha256};

/// The path at which Octet publishes its keys.
pub const KEYS_PATH: &str = "/.well-known/octet-keys.json";

/// The most keys of a set, and its longest text.
const MOST_KEYS: usize = 256;
const LONGEST: usize = 256 * 1024;

/// The public keys with which proofs are checked.
///
/// ```
/// use octet::proof::KeySet;
/// let keys = KeySet::from_json(r#"{ "keys": [ { "kty": "OKP", "crv": "Ed25519", "kid": "prf_1", "alg": "EdDSA",
///     "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "nbf": 1767225600, "exp": 1830297600 } ] }"#)?;
/// assert_eq!(keys.len(), 1);
/// # Ok::<(), octet::proof::InvalidKeySet>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KeySet(Vec<PublicKey>);

/// The text is no set of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key set is a JWK set of at most 256 keys and 256 KiB, each with its own kid")]
pub struct InvalidKeySet;

/// One key of a set: a name, when it counts, and a point on its curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PublicKey {
    /// Its name.
    pub kid: String,
    /// Before this time nothing that it signed counts.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub nbf: Timestamp,
    /// From this time on nothing that it signed counts, unless it is known from elsewhere that it was signed before.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub exp: Timestamp,
    /// The point.
    #[serde(flatten)]
    pub point: Point,
}

/// A point on a curve, as a JWK has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "crv")]
#[non_exhaustive]
pub enum Point {
    /// An Ed25519 key of Octet's.
    Ed25519 {
        /// `OKP`.
        kty: Okp,
        /// 32 bytes, base64url.
        x: String,
    },
    /// A P-256 key of a device's.
    #[serde(rename = "P-256")]
    P256 {
        /// `EC`.
        kty: Ec,
        /// 32 bytes, base64url.
        x: String,
        /// 32 bytes, base64url.
        y: String,
    },
}

/// The key type of Ed25519.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Okp {
    /// `OKP`.
    #[serde(rename = "OKP")]
    Okp,
}

/// The key type of P-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ec {
    /// `EC`.
    #[serde(rename = "EC")]
    Ec,
}

impl KeySet {
    /// The set of these keys.
    ///
    /// # Errors
    ///
    /// With more than 256 keys, or two of the same name.
    pub fn new(keys: Vec<PublicKey>) -> Result<Self, InvalidKeySet> {
        let twice = keys.iter().enumerate().any(|(index, key)| keys[..index].iter().any(|other| other.kid == key.kid));
        if twice || keys.len() > MOST_KEYS { Err(InvalidKeySet) } else { Ok(Self(keys)) }
    }

    /// The set that Octet publishes at [`KEYS_PATH`], or one that was pinned. Keys of other kinds are passed over.
    ///
    /// # Errors
    ///
    /// When it is no JWK set, too large, or has two keys of the same name.
    pub fn from_json(text: &str) -> Result<Self, InvalidKeySet> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }

        if text.len() > LONGEST {
            return Err(InvalidKeySet);
        }
        let set: Set = serde_json::from_str(text).map_err(|_| InvalidKeySet)?;
        if set.keys.len() > MOST_KEYS {
            return Err(InvalidKeySet);
        }
        Self::new(set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect())
    }

    /// The set as it is published: each key with its `use` and `alg`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let keys = self.0.iter().map(|key| {
            let mut jwk = serde_json::to_value(key).unwrap_or_default();
            jwk["use"] = "sig".into();
            jwk["alg"] = serde_json::to_value(key.point.algorithm()).unwrap_or_default();
            jwk
        });
        serde_json::json!({ "keys": keys.collect::<Vec<_>>() })
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys.
    pub fn iter(&self) -> impl Iterator<Item = &PublicKey> {
        self.0.iter()
    }

    pub(super) fn get(&self, kid: &str) -> Option<&PublicKey> {
        self.0.iter().find(|key| key.kid == kid)
    }
}

impl Point {
    /// The Ed25519 key of these 32 bytes.
    #[must_use]
    pub fn ed25519(public: &[u8]) -> Self {
        Self::Ed25519 { kty: Okp::Okp, x: URL_SAFE_NO_PAD.encode(public) }
    }

    /// The P-256 key of this uncompressed point: 4, then x and y in 32 bytes each.
    #[must_use]
    pub fn p256(uncompressed: &[u8; 65]) -> Option<Self> {
        let (x, y) = uncompressed[1..].split_at(32);
        let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        (uncompressed[0] == 4).then(|| Self::P256 { kty: Ec::Ec, x: encode(x), y: encode(y) })
    }

    /// The uncompressed point of a P-256 key: 4, then x and y in 32 bytes each; of no other.
    #[must_use]
    pub fn uncompressed(&self) -> Option<[u8; 65]> {
        let Self::P256 { x, y, .. } = self else { return None };
        let bytes = |part: &String| URL_SAFE_NO_PAD.decode(part).ok();
        [vec![4], bytes(x)?, bytes(y)?].concat().try_into().ok()
    }

    /// How a key like this signs.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519 { .. } => Algorithm::EdDsa,
            Self::P256 { .. } => Algorithm::Es256,
        }
    }

    /// Its thumbprint (RFC 7638, SHA-256, base64url).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let canonical = match self {
            Self::Ed25519 { x, .. } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#),
            Self::P256 { x, y, .. } => format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#),
        };
        URL_SAFE_NO_PAD.encode(sha256(canonical.as_bytes()))
    }

    /// Whether this key signed the token, in the way that keys like it sign: what the header claims decides nothing.
    pub(super) fn check(&self, parts: &Parts<'_>) -> Result<(), Refusal> {
        if parts.algorithm() != Some(self.algorithm()) {
            return Err(Refusal::WrongAlgorithm);
        }
        let bytes = |part: &String| URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::UnusableKey);
        let (how, point): (&'static dyn VerificationAlgorithm, Vec<u8>) = match self {
            Self::Ed25519 { x, .. } => (&ED25519, bytes(x)?),
            Self::P256 { x, y, .. } => (&ECDSA_P256_SHA256_FIXED, [vec![4], bytes(x)?, bytes(y)?].concat()),
        };
        UnparsedPublicKey::new(how, point).verify(parts.signed, &parts.signature).map_err(|_| Refusal::BadSignature)
    }
}
