//! Apple's App Attest: an attestation once for each key, then an assertion for each later session.
//!
//! Source: Apple, "Validating apps that connect to your server". The root is "Apple App Attestation Root CA",
//! SHA-256 fingerprint `1C:B9:82:3B:A2:8B:A6:AD:2D:33:A0:06:94:1D:E2:AE:4F:51:3E:F1:D4:E8:31:B9:F7:E0:FA:7B:62:42:C9:32`.

use ciborium::Value;
use jiff::Timestamp;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use rustls_pki_types::{CertificateDer, TrustAnchor};
use subtle::ConstantTimeEq;
use x509_cert::der::oid::ObjectIdentifier;

use super::certificates::Leaf;
use super::{Binding, Refusal};
use crate::digest::sha256;

/// Real attestations have about 5.5 KB, most of it a receipt that is not read here.
const MOST_BYTES: usize = 16 * 1024;
/// No statement of Apple's nests deeper than three.
const DEEPEST: usize = 8;
const ROOT: &[u8] = include_bytes!("apple-app-attestation-root-ca.der");
/// Apple's extension with the nonce: a sequence that holds `[1]`, which holds 32 octets.
const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113635.100.8.2");
const NONCE_HEAD: [u8; 6] = [0x30, 0x24, 0xa1, 0x22, 0x04, 0x20];
const PRODUCTION: [u8; 16] = *b"appattest\0\0\0\0\0\0\0";
const DEVELOPMENT: [u8; 16] = *b"appattestdevelop";

/// The verifier of App Attest for an operator's own apps.
#[derive(Debug, Clone)]
pub struct AppAttest {
    root: TrustAnchor<'static>,
    /// SHA-256 of each `TEAMID.bundle.identifier`.
    apps: Vec<[u8; 32]>,
    development: bool,
}

/// A key that Apple vouched for, held by a device's Secure Enclave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppKey {
    /// The public key: P-256, uncompressed.
    pub public: [u8; 65],
    /// SHA-256 of the app's id.
    pub(super) app: [u8; 32],
    /// The counter of the last statement; a later one must have more.
    pub counter: u32,
}

impl AppKey {
    /// A key as a store has it: attested earlier for `app` (`TEAMID.bundle.identifier`), with its last counter.
    #[must_use]
    pub fn restored(public: [u8; 65], app: &str, counter: u32) -> Self {
        Self { public, app: sha256(app.as_bytes()), counter }
    }
}

impl AppAttest {
    /// For the apps with these ids (`TEAMID.bundle.identifier`), under Apple's own root.
    #[must_use]
    pub fn new<'a>(apps: impl IntoIterator<Item = &'a str>) -> Self {
        let root = anchor(ROOT).expect("the root in this crate is a certificate");
        Self { root, apps: apps.into_iter().map(|app| sha256(app.as_bytes())).collect(), development: false }
    }

    /// Under another root, in DER: for tests, or when Apple changes its own.
    ///
    /// # Errors
    ///
    /// [`Refusal::Malformed`] when it is no certificate.
    pub fn root(mut self, certificate: &[u8]) -> Result<Self, Refusal> {
        self.root = anchor(certificate).ok_or(Refusal::Malformed)?;
        Ok(self)
    }

    /// Takes keys of Apple's development environment too.
    #[must_use]
    pub fn development(mut self, allowed: bool) -> Self {
        self.development = allowed;
        self
    }

    /// The key that `attestation` vouches for, when it does so for `binding` under the name `key_id`.
    ///
    /// # Errors
    ///
    /// Why it is not believed.
    pub fn attest(
        &self,
        attestation: &[u8],
        key_id: &[u8],
        binding: &Binding,
        now: Timestamp,
    ) -> Result<AppKey, Refusal> {
        let statement = Map::read(attestation)?;
        if statement.text("fmt") != Some("apple-appattest") {
            return Err(Refusal::Malformed);
        }
        let auth_data = statement.bytes("authData").ok_or(Refusal::Malformed)?;
        let leaf = Leaf::verified(&statement.certificates().ok_or(Refusal::Malformed)?, &self.root, now)?;
        let nonce = sha256(&[auth_data, binding.digest()].concat());
        let said = leaf.extension(NONCE).and_then(|value| value.strip_prefix(&NONCE_HEAD));
        if !said.is_some_and(|said| bool::from(said.ct_eq(&nonce))) {
            return Err(Refusal::Binding);
        }
        if sha256(&leaf.key)[..] != *key_id {
            return Err(Refusal::KeyId);
        }
        let data = AuthData::read(auth_data).ok_or(Refusal::Malformed)?;
        let credential = Credential::read(data.rest).ok_or(Refusal::Malformed)?;
        let app = self.app(&data)?;
        if credential.id != key_id {
            return Err(Refusal::KeyId);
        }
        if credential.environment != PRODUCTION && !(self.development && credential.environment == DEVELOPMENT) {
            return Err(Refusal::Environment);
        }
        if data.counter != 0 {
            return Err(Refusal::Counter);
        }
        Ok(AppKey { public: leaf.key, app, counter: 0 })
    }

    /// Checks that `key` signed `binding`, and takes note of the counter.
    ///
    /// # Errors
    ///
    /// Why it is not believed; `key` is then as it was.
    pub fn assert(&self, key: &mut AppKey, assertion: &[u8], binding: &Binding) -> Result<(), Refusal> {
        let statement = Map::read(assertion)?;
        let signature = statement.bytes("signature").ok_or(Refusal::Malformed)?;
        let auth_data = statement.bytes("authenticatorData").ok_or(Refusal::Malformed)?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &key.public)
            .verify(&sha256(&[auth_data, binding.digest()].concat()), signature)
            .map_err(|_| Refusal::Signature)?;
        let data = AuthData::read(auth_data).ok_or(Refusal::Malformed)?;
        if self.app(&data)? != key.app {
            return Err(Refusal::App);
        }
        if data.counter <= key.counter {
            return Err(Refusal::Counter);
        }
        key.counter = data.counter;
        Ok(())
    }

    fn app(&self, data: &AuthData<'_>) -> Result<[u8; 32], Refusal> {
        self.apps.iter().find(|app| **app == data.app).copied().ok_or(Refusal::App)
    }
}

/// The head of the authenticator data (WebAuthn, section 6.1): whose app, and how often the key was used.
struct AuthData<'a> {
    app: [u8; 32],
    counter: u32,
    rest: &'a [u8],
}

impl<'a> AuthData<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (app, bytes) = bytes.split_first_chunk()?;
        let (_flags, bytes) = bytes.split_first()?;
        let (counter, rest) = bytes.split_first_chunk()?;
        Some(Self { app: *app, counter: u32::from_be_bytes(*counter), rest })
    }
}

/// The attested credential data (WebAuthn, section 6.5.1) as far as Apple's rules ask for it.
struct Credential<'a> {
    environment: [u8; 16],
    id: &'a [u8],
}

impl<'a> Credential<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (environment, bytes) = bytes.split_first_chunk()?;
        let (length, bytes) = bytes.split_first_chunk()?;
        Some(Self { environment: *environment, id: bytes.get(..usize::from(u16::from_be_bytes(*length)))? })
    }
}

/// A CBOR map with text keys, read within bounds.
struct Map(Vec<(Value, Value)>);

impl Map {
    fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > MOST_BYTES {
            return Err(Refusal::Malformed);
        }
        let mut rest = bytes;
        let value = ciborium::de::from_reader_with_recursion_limit(&mut rest, DEEPEST);
        match value {
            Ok(Value::Map(entries)) if rest.is_empty() => Ok(Self(entries)),
            _ => Err(Refusal::Malformed),
        }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        find(&self.0, name)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_text()
    }

    fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.get(name)?.as_bytes().map(Vec::as_slice)
    }

    fn certificates(&self) -> Option<Vec<Vec<u8>>> {
        let chain = find(self.get("attStmt")?.as_map()?, "x5c")?.as_array()?;
        chain.iter().map(|certificate| certificate.as_bytes().cloned()).collect()
    }
}

/// The entry of this name; none where two have it, for then two readers may see two statements.
fn find<'a>(entries: &'a [(Value, Value)], name: &str) -> Option<&'a Value> {
    let mut named = entries.iter().filter(|(key, _)| key.as_text() == Some(name));
    let (_, value) = named.next()?;
    named.next().is_none().then_some(value)
}

fn anchor(certificate: &[u8]) -> Option<TrustAnchor<'static>> {
    webpki::anchor_from_trusted_cert(&CertificateDer::from(certificate)).ok().map(|anchor| anchor.to_owned())
}
