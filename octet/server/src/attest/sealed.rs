//! A statement that was signed and then sealed: a JWE (RFC 7516, A256KW and A256GCM) around a JWS (RFC 7515, ES256).
//! These two algorithms and no other: what a header asks for is compared, never obeyed.

use aes_kw::{KeyInit, KwAes256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde::Deserialize;

use super::{Refusal, array};

/// Real tokens have about 2 KB.
const MOST_BYTES: usize = 16 * 1024;

/// The payload of `token`, when it is sealed for `decryption` and signed by `verification`.
pub(super) fn open(token: &str, decryption: &[u8; 32], verification: &[u8; 65]) -> Result<Vec<u8>, Refusal> {
    if token.len() > MOST_BYTES {
        return Err(Refusal::Malformed);
    }
    verify(&unseal(token, decryption)?, verification)
}

/// What a header must say. A critical extension would be one that is not understood here.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    enc: Option<String>,
    #[serde(default)]
    crit: Option<serde_json::Value>,
    #[serde(default)]
    zip: Option<serde_json::Value>,
}

impl Header {
    fn check(encoded: &str, alg: &str, enc: Option<&str>) -> Result<(), Refusal> {
        let header: Self = serde_json::from_slice(&decode(encoded)?).map_err(|_| Refusal::Malformed)?;
        let known = header.alg == alg && header.enc.as_deref() == enc && header.crit.is_none() && header.zip.is_none();
        if known { Ok(()) } else { Err(Refusal::Malformed) }
    }
}

fn unseal(token: &str, key: &[u8; 32]) -> Result<Vec<u8>, Refusal> {
    let [header, wrapped, nonce, text, tag] = parts(token)?;
    Header::check(header, "A256KW", Some("A256GCM"))?;
    let wrapped: [u8; 40] = array(&decode(wrapped)?).ok_or(Refusal::Malformed)?;
    let nonce: [u8; 12] = array(&decode(nonce)?).ok_or(Refusal::Malformed)?;
    let mut content_key = [0; 32];
    KwAes256::new(key.into()).unwrap_key(&wrapped, &mut content_key).map_err(|_| Refusal::Signature)?;
    let content_key = UnboundKey::new(&AES_256_GCM, &content_key).map_err(|_| Refusal::Signature)?;
    let mut sealed = [decode(text)?, decode(tag)?].concat();
    let opened = LessSafeKey::new(content_key)
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(header.as_bytes()), &mut sealed)
        .map_err(|_| Refusal::Signature)?;
    Ok(opened.to_vec())
}

fn verify(token: &[u8], key: &[u8; 65]) -> Result<Vec<u8>, Refusal> {
    let token = std::str::from_utf8(token).map_err(|_| Refusal::Malformed)?;
    let [header, payload, signature] = parts(token)?;
    Header::check(header, "ES256", None)?;
    let signed = &token[..header.len() + 1 + payload.len()];
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key)
        .verify(signed.as_bytes(), &decode(signature)?)
        .map_err(|_| Refusal::Signature)?;
    decode(payload)
}

/// The parts of a compact serialization: exactly `N`.
fn parts<const N: usize>(token: &str) -> Result<[&str; N], Refusal> {
    let mut parts = token.split('.');
    let found: [&str; N] = std::array::from_fn(|_| parts.next().unwrap_or_default());
    if parts.next().is_none() && found.iter().all(|part| !part.is_empty()) {
        Ok(found)
    } else {
        Err(Refusal::Malformed)
    }
}

fn decode(part: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed)
}
