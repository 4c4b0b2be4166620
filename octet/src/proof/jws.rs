//! Compact JWS (RFC 7515), as much of it as a proof needs: EdDSA with Ed25519, ES256 with P-256. Every byte that it
//! reads is hostile; it knows nothing of what is signed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::{LocationProof, Refusal};

/// How a proof is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Algorithm {
    /// Ed25519 (RFC 8037): Octet's own keys.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// ECDSA on P-256 with SHA-256, both numbers in 32 bytes (RFC 7518): keys of devices.
    #[serde(rename = "ES256")]
    Es256,
}

/// A key that signs, wherever it is held.
pub trait Signer {
    /// The name under which its public key is published.
    fn key_id(&self) -> &str;

    /// How it signs.
    fn algorithm(&self) -> Algorithm;

    /// The signature of `message`: 64 bytes.
    ///
    /// # Errors
    ///
    /// When whoever holds the key does not sign.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed>;
}

/// Whoever holds the key did not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key's holder did not sign")]
pub struct SigningFailed;

#[derive(Serialize)]
struct HeaderOut<'a> {
    alg: Algorithm,
    kid: &'a str,
    typ: &'a str,
}

/// `payload` signed, with `typ` in the header.
pub(super) fn sign(typ: &str, payload: &impl Serialize, signer: &dyn Signer) -> Result<LocationProof, SigningFailed> {
    let header = HeaderOut { alg: signer.algorithm(), kid: signer.key_id(), typ };
    let part = |json: Result<Vec<u8>, serde_json::Error>| json.map(|json| URL_SAFE_NO_PAD.encode(json));
    let header = part(serde_json::to_vec(&header)).map_err(|_| SigningFailed)?;
    let payload = part(serde_json::to_vec(payload)).map_err(|_| SigningFailed)?;
    let mut token = format!("{header}.{payload}");
    let signature = signer.sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token.parse().map_err(|_| SigningFailed)
}

/// The protected header of a token whose signature is still to be checked.
#[derive(Debug, Deserialize)]
pub(super) struct Header {
    alg: String,
    pub(super) kid: String,
    typ: String,
    /// Present with any value, even null: something that must be understood, and nothing of it is.
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// A token taken apart.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) header: Header,
    payload: Vec<u8>,
    pub(super) signed: &'a [u8],
    pub(super) signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    /// The parts of `token`, whose header must say `typ` and no critical extension.
    pub(super) fn of(token: &'a str, typ: &str) -> Result<Self, Refusal> {
        if token.len() > LocationProof::MAX_LEN {
            return Err(Refusal::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Refusal::Malformed)?;
        let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed);
        let header: Header = serde_json::from_slice(&bytes(header)?).map_err(|_| Refusal::Malformed)?;
        if header.crit {
            return Err(Refusal::CriticalHeader);
        }
        if header.typ != typ {
            return Err(Refusal::WrongType);
        }
        Ok(Self { header, payload: bytes(payload)?, signed: signed.as_bytes(), signature: bytes(signature)? })
    }

    /// The algorithm that the header claims, if it is one that there is.
    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        match self.header.alg.as_str() {
            "EdDSA" => Some(Algorithm::EdDsa),
            "ES256" => Some(Algorithm::Es256),
            _ => None,
        }
    }

    /// What is said.
    pub(super) fn claims<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_slice(&self.payload).map_err(|_| Refusal::Malformed)
    }
}
