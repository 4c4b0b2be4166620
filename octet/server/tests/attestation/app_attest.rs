//! Apple's App Attest.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ciborium::{Value, cbor};
use jiff::Timestamp;
use octet_server::attest::{AppAttest, AppKey, Binding, Refusal};
use proptest::prelude::*;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, date_time_ymd,
};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};

pub(crate) const APP: &str = "TEAM123456.example.shop";
const IPHONE_APP: &str = "V8H6LQ9448.io.uebelacker.AppAttestExample";

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    digest(&SHA256, &parts.concat()).as_ref().try_into().unwrap()
}

fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

/// A root, an intermediate and the ways to make statements under them.
pub(crate) struct Maker {
    root: Certificate,
    intermediate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// One statement to be made; the default is one that is believed.
pub(crate) struct Wanted {
    app: &'static str,
    environment: [u8; 16],
    counter: u32,
    binding: Binding,
    valid_until: i32,
    format: &'static str,
    id: Option<Vec<u8>>,
}

impl Wanted {
    /// One that is believed, for this binding.
    pub(crate) fn of(binding: Binding) -> Self {
        Self { binding, ..Self::default() }
    }
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            app: APP,
            environment: *b"appattest\0\0\0\0\0\0\0",
            counter: 0,
            binding: Binding::from([7; 32]),
            valid_until: 2027,
            format: "apple-appattest",
            id: None,
        }
    }
}

pub(crate) struct Made {
    pub(crate) bytes: Vec<u8>,
    pub(crate) key_id: [u8; 32],
    pub(crate) key: KeyPair,
}

fn params(name: &str, until: i32) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    params
}

impl Maker {
    pub(crate) fn new() -> Self {
        let authority = |name| {
            let mut params = params(name, 2045);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
            params
        };
        let root_key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let root_params = authority("Root");
        let root = root_params.self_signed(&root_key).unwrap();
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let params = authority("Intermediate");
        let intermediate = params.signed_by(&key, &Issuer::new(root_params, root_key)).unwrap();
        Self { root, intermediate, issuer: Issuer::new(params, key) }
    }

    pub(crate) fn verifier(&self) -> AppAttest {
        AppAttest::new([APP]).root(self.root.der()).unwrap()
    }

    pub(crate) fn make(&self, wanted: &Wanted) -> Made {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let key_id = sha256(&[key.public_key_raw()]);
        let id = wanted.id.clone().unwrap_or(key_id.to_vec());
        let mut auth_data = [&sha256(&[wanted.app.as_bytes()])[..], &[0x40], &wanted.counter.to_be_bytes()].concat();
        auth_data.extend([&wanted.environment[..], &u16::try_from(id.len()).unwrap().to_be_bytes(), &id].concat());
        auth_data.extend([0xa0]);
        let nonce = sha256(&[&auth_data, wanted.binding.digest()]);
        let mut leaf = params("Leaf", wanted.valid_until);
        let content = [&[0x30, 0x24, 0xa1, 0x22, 0x04, 0x20], &nonce[..]].concat();
        leaf.custom_extensions.push(CustomExtension::from_oid_content(&[1, 2, 840, 113_635, 100, 8, 2], content));
        let leaf = leaf.signed_by(&key, &self.issuer).unwrap();
        let chain = [&leaf, &self.intermediate].map(|certificate| Value::Bytes(certificate.der().to_vec())).to_vec();
        let statement = cbor!({
            "fmt" => wanted.format,
            "attStmt" => { "x5c" => chain, "receipt" => Value::Bytes(vec![0; 64]) },
            "authData" => Value::Bytes(auth_data),
        });
        Made { bytes: encode(&statement.unwrap()), key_id, key }
    }

    fn attest(&self, wanted: &Wanted) -> Result<AppKey, Refusal> {
        let made = self.make(wanted);
        self.verifier().attest(&made.bytes, &made.key_id, &Binding::from([7; 32]), now())
    }
}

fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

pub(crate) fn sign(key: &KeyPair, app: &str, counter: u32, binding: &Binding) -> Vec<u8> {
    let auth_data = [&sha256(&[app.as_bytes()])[..], &[0x40], &counter.to_be_bytes()].concat();
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.serialized_der(), &random).unwrap();
    let signature = key.sign(&random, &sha256(&[&auth_data, binding.digest()])).unwrap();
    let statement = cbor!({
        "signature" => Value::Bytes(signature.as_ref().to_vec()),
        "authenticatorData" => Value::Bytes(auth_data),
    });
    encode(&statement.unwrap())
}

#[test]
fn what_a_real_iphone_said_is_believed_under_apples_root() {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("real-iphone.json")).unwrap();
    let bytes = |value: &serde_json::Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
    let at = "2024-02-08T00:00:00Z".parse().unwrap();
    let mut attested = None;
    for (name, development) in [("production", false), ("development", true)] {
        let vector = &vectors[name];
        let verifier = AppAttest::new([APP, IPHONE_APP]).development(development);
        let binding = Binding::from(sha256(&[&bytes(&vector["challenge"])]));
        let (said, id) = (bytes(&vector["attestation"]), bytes(&vector["keyId"]));
        attested = Some(verifier.attest(&said, &id, &binding, at).unwrap());
        assert_eq!(verifier.attest(&said, &id, &Binding::from([0; 32]), at), Err(Refusal::Binding));
        assert_eq!(verifier.attest(&said, &id, &binding, now()), Err(Refusal::Chain), "expired");
        assert_eq!(AppAttest::new([APP]).attest(&said, &id, &binding, at), Err(Refusal::App));
        assert_eq!(
            Maker::new().verifier().attest(&said, &id, &binding, at),
            Err(Refusal::Chain),
            "under a root of our own"
        );
    }
    assert_eq!(attested.unwrap().counter, 0);
}

#[test]
fn a_key_of_the_development_environment_is_refused_unless_allowed() {
    let maker = Maker::new();
    let wanted = Wanted { environment: *b"appattestdevelop", ..Wanted::default() };
    assert_eq!(maker.attest(&wanted), Err(Refusal::Environment));
    let made = maker.make(&wanted);
    let allowed = maker.verifier().development(true);
    assert!(allowed.attest(&made.bytes, &made.key_id, &wanted.binding, now()).is_ok());
    let other = Wanted { environment: *b"appattestother\0\0", ..Wanted::default() };
    let made = maker.make(&other);
    assert_eq!(allowed.attest(&made.bytes, &made.key_id, &other.binding, now()), Err(Refusal::Environment));
}

#[test]
fn each_rule_of_an_attestation_has_its_refusal() {
    let maker = Maker::new();
    assert!(maker.attest(&Wanted::default()).is_ok());
    let refused = |wanted: Wanted| maker.attest(&wanted).unwrap_err();
    assert_eq!(refused(Wanted { app: "TEAM123456.example.other", ..Wanted::default() }), Refusal::App);
    assert_eq!(refused(Wanted { counter: 1, ..Wanted::default() }), Refusal::Counter);
    assert_eq!(refused(Wanted { binding: Binding::from([8; 32]), ..Wanted::default() }), Refusal::Binding);
    assert_eq!(refused(Wanted { valid_until: 2026, ..Wanted::default() }), Refusal::Chain);
    assert_eq!(refused(Wanted { format: "packed", ..Wanted::default() }), Refusal::Malformed);
    assert_eq!(refused(Wanted { id: Some(vec![1; 32]), ..Wanted::default() }), Refusal::KeyId);

    let made = maker.make(&Wanted::default());
    let binding = Binding::from([7; 32]);
    let attest = |bytes: &[u8]| maker.verifier().attest(bytes, &made.key_id, &binding, now());
    assert_eq!(maker.verifier().attest(&made.bytes, &[0; 32], &binding, now()), Err(Refusal::KeyId));
    assert_eq!(Maker::new().verifier().attest(&made.bytes, &made.key_id, &binding, now()), Err(Refusal::Chain));
    assert_eq!(attest(&[&made.bytes[..], &[0]].concat()), Err(Refusal::Malformed), "bytes after the end");
    assert_eq!(attest(&vec![0; 20_000]), Err(Refusal::Malformed), "too long");
    assert_eq!(attest(&vec![0x81; 4_000]), Err(Refusal::Malformed), "too deep");
}

#[test]
fn an_assertion_is_believed_once_and_only_for_its_key_its_app_and_its_bytes() {
    let maker = Maker::new();
    let made = maker.make(&Wanted::default());
    let verifier = maker.verifier();
    let mut key = verifier.attest(&made.bytes, &made.key_id, &Binding::from([7; 32]), now()).unwrap();
    let binding = Binding::from([9; 32]);
    let assertion = sign(&made.key, APP, 3, &binding);
    let before = key.clone();
    assert_eq!(verifier.assert(&mut key, &assertion, &Binding::from([8; 32])), Err(Refusal::Signature));
    let other = sign(&KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap(), APP, 3, &binding);
    assert_eq!(verifier.assert(&mut key, &other, &binding), Err(Refusal::Signature));
    let foreign = sign(&made.key, "TEAM123456.example.other", 3, &binding);
    assert_eq!(verifier.assert(&mut key, &foreign, &binding), Err(Refusal::App));
    assert_eq!(key, before, "a refusal changes nothing");
    assert_eq!(verifier.assert(&mut key, &assertion, &binding), Ok(()));
    assert_eq!(key.counter, 3);
    assert_eq!(verifier.assert(&mut key, &assertion, &binding), Err(Refusal::Counter), "a replay");
}

#[test]
fn an_assertion_of_a_real_iphone_has_the_shape_that_is_read() {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("real-iphone.json")).unwrap();
    let assertion = STANDARD.decode(vectors["assertion"]["assertion"].as_str().unwrap()).unwrap();
    let payload = Binding::from(sha256(&[vectors["assertion"]["payload"].as_str().unwrap().as_bytes()]));
    let public = STANDARD.decode(vectors["assertion"]["publicKey"].as_str().unwrap()).unwrap();
    let verifier = AppAttest::new([APP, IPHONE_APP]);
    let mut key = AppKey::restored(public[26..].try_into().unwrap(), IPHONE_APP, 0);
    assert_eq!(verifier.assert(&mut key, &assertion, &payload), Ok(()));
    assert_eq!(key.counter, 1);
}

proptest! {
    #[test]
    fn no_byte_that_is_changed_goes_unseen(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        static MADE: LazyLock<(Maker, Made)> = LazyLock::new(|| {
            let maker = Maker::new();
            let made = maker.make(&Wanted::default());
            (maker, made)
        });
        let (maker, made) = &*MADE;
        let mut bytes = made.bytes.clone();
        let at = at.index(bytes.len());
        // The receipt is for Apple's own servers: nothing is read from it, nor from its name.
        let receipt = bytes.windows(7).position(|window| window == b"receipt").unwrap();
        if !(receipt - 1..receipt + 7 + 2 + 64).contains(&at) {
            bytes[at] ^= 1 << bit;
            prop_assert!(maker.verifier().attest(&bytes, &made.key_id, &Binding::from([7; 32]), now()).is_err());
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let verifier = AppAttest::new([APP]);
        prop_assert!(verifier.attest(&bytes, &[0; 32], &Binding::from([7; 32]), now()).is_err());
    }
}
