//! Every refusal, once; and proofs of both kinds of key that are accepted.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use super::chain::{self, Day};
use super::*;
use crate::{Confidence, Region};

struct Octets(Ed25519KeyPair);

impl Signer for Octets {
    fn key_id(&self) -> &str {
        "prf_1"
    }

    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDsa
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

struct Device {
    pair: EcdsaKeyPair,
    name: String,
}

impl Signer for Device {
    fn key_id(&self) -> &str {
        &self.name
    }

    fn algorithm(&self) -> Algorithm {
        Algorithm::Es256
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        Ok(self.pair.sign(&SystemRandom::new(), message).map_err(|_| SigningFailed)?.as_ref().to_vec())
    }
}

const NOON: &str = "2026-11-21T12:00:00Z";

fn noon() -> Timestamp {
    NOON.parse().unwrap()
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

fn octets() -> Octets {
    Octets(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap())
}

fn keys() -> KeySet {
    let point = Point::ed25519(octets().0.public_key().as_ref());
    KeySet::new(vec![PublicKey { kid: "prf_1".into(), nbf: noon() - days(1), exp: noon() + days(700), point }]).unwrap()
}

fn session() -> crate::SessionRef {
    "sess_1".parse().unwrap()
}

fn claims() -> ProofClaims {
    let claim = Claim::Within(Region::country("DE").unwrap());
    let sure = ConfidenceSummary::new(Confidence::new(0.93).unwrap());
    ProofClaims::new(("octet", "shop"), SessionDigest::of(&session()), "prf_a", noon(), claim, noon(), sure)
}

fn check(token: impl AsRef<str>) -> Result<ProofClaims, Refusal> {
    verify(token, &keys(), Expect::audience("shop").at(noon()))
}

/// A token with this header and payload, signed by Octet's key over exactly these bytes.
fn signed(header: &Value, payload: &Value) -> String {
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let message = format!("{}.{}", part(header), part(payload));
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(octets().sign(message.as_bytes()).unwrap()))
}

fn header() -> Value {
    json!({ "alg": "EdDSA", "kid": "prf_1", "typ": PROOF_TYPE })
}

fn with(field: &str, value: Value) -> String {
    let mut payload = serde_json::to_value(claims()).unwrap();
    payload[field] = value;
    signed(&header(), &payload)
}

fn with_header(field: &str, value: Value) -> String {
    let mut header = header();
    header[field] = value;
    signed(&header, &serde_json::to_value(claims()).unwrap())
}

#[test]
fn a_proof_of_octets_key_says_what_was_signed() {
    let token = claims().sign(&octets()).unwrap();
    let published = KeySet::from_json(&keys().to_json().to_string()).unwrap();
    assert_eq!(published, keys());
    let session = session();
    let expect = Expect::audience("shop").at(noon()).issuer("octet").session(&session).covering(noon());
    let proof = verify(&token, &published, expect).unwrap();
    assert_eq!(proof, claims());
    assert_eq!(proof.claim, Claim::Within(Region::country("DE").unwrap()));
}

#[test]
fn what_is_wrong_with_a_token_is_refused_for_just_that() {
    let good = claims().sign(&octets()).unwrap();
    let (head, signature) = good.as_str().rsplit_once('.').unwrap();
    for (token, refusal) in [
        (String::new(), Refusal::Malformed),
        ("a.b".into(), Refusal::Malformed),
        (format!("{}.{}", good.as_str(), signature), Refusal::Malformed),
        (format!("{head}."), Refusal::BadSignature),
        (format!("{head}.{}", "A".repeat(86)), Refusal::BadSignature),
        (format!("{head}.{signature}="), Refusal::Malformed),
        ("a".repeat(LocationProof::MAX_LEN + 1), Refusal::TooLong),
        (with_header("alg", json!("none")), Refusal::WrongAlgorithm),
        (with_header("alg", json!("HS256")), Refusal::WrongAlgorithm),
        (with_header("alg", json!("ES256")), Refusal::WrongAlgorithm),
        (with_header("alg", json!("eddsa")), Refusal::WrongAlgorithm),
        (with_header("typ", json!("JWT")), Refusal::WrongType),
        (with_header("typ", Value::Null), Refusal::Malformed),
        (with_header("kid", json!("prf_2")), Refusal::UnknownKey),
        (with_header("crit", json!(["exp"])), Refusal::CriticalHeader),
        (with_header("crit", json!([])), Refusal::CriticalHeader),
        (with_header("crit", Value::Null), Refusal::CriticalHeader),
        (with("aud", json!("other")), Refusal::WrongAudience),
        (with("aud", json!("Shop")), Refusal::WrongAudience),
        (with("aud", Value::Null), Refusal::Malformed),
        (with("aud", json!(["shop"])), Refusal::Malformed),
        (with("ver", json!(2)), Refusal::WrongVersion),
        (with("iat", json!(noon().as_second() + 61)), Refusal::FromTheFuture),
        (with("iat", json!(0)), Refusal::OutsideKeyLife),
        (with("fixTime", json!("2026-11-21T12:10:00Z")), Refusal::FromTheFuture),
        (with("sid", json!("abc")), Refusal::Malformed),
        (with("validity", json!({ "from": NOON, "to": "2026-11-21T13:00:00Z" })), Refusal::NotCovered),
        (with("validity", json!({ "from": NOON, "to": "2026-11-21T11:00:00Z" })), Refusal::Malformed),
        (with("claim", json!({ "predicate": "near", "region": {} })), Refusal::Malformed),
    ] {
        assert_eq!(check(&token).unwrap_err(), refusal, "{token}");
    }
    let expect = || Expect::audience("shop").at(noon());
    let another = "sess_2".parse().unwrap();
    for (expect, refusal) in [
        (Expect::audience("other").at(noon()), Refusal::WrongAudience),
        (expect().issuer("other"), Refusal::WrongIssuer),
        (expect().session(&another), Refusal::WrongSession),
        (expect().covering(noon() + SignedDuration::from_secs(301)), Refusal::NotCovered),
        (Expect::audience("shop").at(noon() - days(2)), Refusal::KeyNotYetValid),
        (Expect::audience("shop").at(noon() + days(700)), Refusal::KeyExpired),
    ] {
        assert_eq!(verify(&good, &keys(), expect).unwrap_err(), refusal);
    }
    assert!(verify(&good, &keys(), Expect::audience("shop").at(noon() + days(699))).is_ok());
}

#[test]
fn a_proof_older_than_its_keys_end_counts_when_the_chain_had_it_in_time() {
    let token = claims().sign(&octets()).unwrap();
    let forged = ProofClaims { id: "prf_forged".into(), ..claims() }.sign(&octets()).unwrap();
    let late = noon() + days(1000);
    let date = |day: &str| day.parse().unwrap();
    let first = Day::after([0; 32], date("2026-11-21"), vec![chain::digest("another"), chain::digest(&token)]);
    let second = Day::after(first.head, date("2028-11-01"), vec![chain::digest(&forged)]);
    let lines = [&first, &second].map(|day| serde_json::to_string(day).unwrap()).join("\n");
    let head = SessionDigest::from_bytes(second.head).to_string();
    let chain = Chain::read(&lines, &head).unwrap();
    let anchored = |token| verify(token, &keys(), Expect::audience("shop").at(late).anchored_in(&chain));
    assert_eq!(anchored(&token).unwrap(), claims());
    assert_eq!(anchored(&forged).unwrap_err(), Refusal::KeyExpired, "it was published after the key's end");

    assert!(Chain::read(&lines, &"0".repeat(64)).is_err(), "the pinned head is not in it");
    let swapped = lines.replace("\"2026-11-21\"", "\"2026-11-20\"");
    assert_eq!(Chain::read(&swapped, &head).unwrap_err().line, 1);
    let dropped = lines.lines().nth(1).unwrap();
    assert_eq!(Chain::read(dropped, &head).unwrap_err().line, 1);
    let until_the_first = Chain::read(&lines, &SessionDigest::from_bytes(first.head).to_string()).unwrap();
    assert_eq!((until_the_first.day_of(&token), until_the_first.day_of(&forged)), (Some(first.date), None));
}

fn device() -> Device {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
    let name = point(&pair).thumbprint();
    Device { pair, name }
}

fn point(pair: &EcdsaKeyPair) -> Point {
    Point::p256(pair.public_key().as_ref().try_into().unwrap()).unwrap()
}

fn device_proof(device: &Device, binding: &DeviceBinding) -> LocationProof {
    let holder = Some(Holder { jkt: device.name.clone(), hardware: true });
    let attestation = vec![binding.sign(&octets()).unwrap()];
    ProofClaims { holder, attestation, ..claims() }.sign(device).unwrap()
}

fn binding(device: &Device) -> DeviceBinding {
    DeviceBinding {
        issuer: "octet".into(),
        audience: "shop".into(),
        session: SessionDigest::of(&session()),
        id: "dev_a".into(),
        issued_at: noon(),
        signs_until: noon() + days(1),
        cnf: Confirmation { jwk: point(&device.pair) },
        hardware: true,
        attested_by: "appAttest".into(),
    }
}

#[test]
fn a_devices_proof_counts_by_its_binding_and_for_that_session_and_time_only() {
    let device = device();
    let good = binding(&device);
    assert_eq!(check(device_proof(&device, &good)).unwrap().holder.unwrap().jkt, device.name);
    for wrong in [
        DeviceBinding { session: SessionDigest::from_bytes([0; 32]), ..good.clone() },
        DeviceBinding { signs_until: noon(), ..good.clone() },
        DeviceBinding { issued_at: noon() + SignedDuration::from_secs(61), ..good.clone() },
        DeviceBinding { hardware: false, ..good.clone() },
        DeviceBinding { audience: "other".into(), ..good.clone() },
        DeviceBinding { cnf: Confirmation { jwk: Point::ed25519(&[1; 32]) }, ..good.clone() },
    ] {
        assert_eq!(check(device_proof(&device, &wrong)).unwrap_err(), Refusal::NotBound);
    }
    let unbound = ProofClaims { attestation: Vec::new(), ..claims() }.sign(&device).unwrap();
    assert_eq!(check(unbound).unwrap_err(), Refusal::UnknownKey);
    let other = Device { name: device.name.clone(), ..self::device() };
    assert_eq!(check(device_proof(&other, &good)).unwrap_err(), Refusal::BadSignature);
}

#[test]
fn a_devices_proof_counts_after_octets_key_has_ended_when_the_chain_had_its_binding() {
    let device = device();
    let proof = device_proof(&device, &binding(&device));
    let chain_of = |token: &LocationProof| {
        let day = Day::after([0; 32], "2026-11-21".parse().unwrap(), vec![chain::digest(token)]);
        let head = SessionDigest::from_bytes(day.head).to_string();
        Chain::read(&serde_json::to_string(&day).unwrap(), &head).unwrap()
    };
    let late = Expect::audience("shop").at(noon() + days(1000));
    let claims = check(&proof).unwrap();
    let (bound, own) = (chain_of(&claims.attestation[0]), chain_of(&proof));
    assert_eq!(verify(&proof, &keys(), late.anchored_in(&bound)), Ok(claims));
    for refused in [late, late.anchored_in(&own)] {
        assert_eq!(verify(&proof, &keys(), refused), Err(Refusal::KeyExpired));
    }
}

#[test]
fn a_key_set_has_each_name_once_and_passes_over_what_it_does_not_know() {
    let mut set = keys().to_json();
    let key = set["keys"][0].clone();
    set["keys"] = json!([{ "kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB" }, key, 7]);
    assert_eq!(KeySet::from_json(&set.to_string()).unwrap(), keys());
    set["keys"] = json!([key, key]);
    assert!(KeySet::from_json(&set.to_string()).is_err());
    assert!(KeySet::from_json("{}").is_err());
}

proptest! {
    #[test]
    fn no_byte_of_a_proof_can_be_changed(at in 0..600_usize, to in "[A-Za-z0-9_.-]") {
        let token = claims().sign(&octets()).unwrap();
        let at = at % token.as_str().len();
        let mut changed = token.as_str().to_owned();
        changed.replace_range(at..=at, &to);
        prop_assert_eq!(check(&changed).is_ok(), changed == token.as_str());
    }

    #[test]
    fn no_text_makes_a_check_panic(text in ".{0,300}") {
        prop_assert!(check(&text).is_err());
        prop_assert!(Chain::read(&text, &text).is_err());
    }
}
