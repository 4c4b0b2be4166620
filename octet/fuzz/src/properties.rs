//! What holds of any question, token, key set and chain, whatever the bytes. The fuzz targets look for bytes that break
//! it; a plain test holds it for the committed ones.

#![allow(dead_code, reason = "a fuzz target uses one of them")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what a property stands on must be there")]

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use octet::predicate::PredicateRequest;
use octet::proof::{Chain, Expect, KeySet, Point, ProofClaims, PublicKey, verify};
use octet::{Claim, LatLon, PredicateVerdict, Region};
use octet_geometry::{NoGazetteer, judge};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};

/// Any text as a question about a place, and as an answer: what was read can be written and read again, and judged. (Not
/// that it is the same: of a number with very many digits the last one may differ.)
pub(crate) fn region(text: &str) {
    if let Ok(answer) = serde_json::from_str::<PredicateVerdict>(text) {
        let again = serde_json::to_string(&answer).expect("what was read can be written");
        serde_json::from_str::<PredicateVerdict>(&again).expect("what was written can be read");
    }
    let Ok(asked) = serde_json::from_str::<PredicateRequest>(text) else { return };
    let again = serde_json::to_string(&asked).expect("what was read can be written");
    serde_json::from_str::<PredicateRequest>(&again).expect("what was written can be read");
    let berlin = LatLon::new(52.52, 13.4).expect("a place");
    let known = Region::disc(berlin, 20_000.0).expect("a disc");
    let judged = |claim: &Claim| judge(claim, &known, Timestamp::UNIX_EPOCH, &NoGazetteer);
    let opposite = judged(&asked.claim.clone().negated());
    assert_eq!(judged(&asked.claim).map(|holds| !holds), opposite, "a claim and its opposite");
}

/// Any text as a token, a key set and a chain: nothing is accepted that nobody signed.
pub(crate) fn proof(text: &str) {
    assert!(verify(text, &SIGNED.keys, expect()).is_err());
    if let Ok(others) = KeySet::from_json(text) {
        assert_eq!(KeySet::from_json(&others.to_json().to_string()), Ok(others));
    }
    let _ = Chain::read(text, &"0".repeat(64));
}

/// Any words that keys which are believed did sign: what is accepted keeps the rules of a proof.
///
/// Two lines are the header and the payload of a proof by Octet's key. With two more, the first two are of a binding,
/// and the others of a proof by the device's key, where `$BINDING`, `$JKT` and `"$JWK"` stand for what only the key
/// gives.
pub(crate) fn signed(text: &str) {
    let text = text.replace("\"$JWK\"", &SIGNED.jwk).replace("$JKT", &SIGNED.thumbprint);
    let lines: Vec<_> = text.splitn(4, '\n').collect();
    let (token, from_a_device) = match lines[..] {
        [header, payload] => (SIGNED.by_octet(header, payload), false),
        [header, payload, device_header, device_payload] => {
            let binding = SIGNED.by_octet(header, payload);
            (SIGNED.by_device(device_header, &device_payload.replace("$BINDING", &binding)), true)
        }
        _ => return,
    };
    let Ok(claims) = verify(&token, &SIGNED.keys, expect()) else { return };
    assert_eq!((claims.version, claims.audience.as_str()), (1, "shop"));
    assert!(claims.validity.covers(claims.fix_time));
    assert_eq!(from_a_device, claims.holder.as_ref().is_some_and(|holder| holder.jkt == SIGNED.thumbprint));
    let again = serde_json::to_value(&claims).expect("what was read can be written");
    assert_eq!(serde_json::from_value::<ProofClaims>(again).ok(), Some(claims), "its own values, not their digits");
}

fn expect() -> Expect<'static> {
    Expect::audience("shop").at(Timestamp::from_second(1_795_262_400).expect("a time"))
}

static SIGNED: LazyLock<Keys> = LazyLock::new(Keys::new);

/// Keys that are believed.
struct Keys {
    octet: Ed25519KeyPair,
    device: EcdsaKeyPair,
    keys: KeySet,
    jwk: String,
    thumbprint: String,
}

impl Keys {
    fn new() -> Self {
        let octet = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let device = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let device = EcdsaKeyPair::from_pkcs8(algorithm, device.as_ref(), &random).unwrap();
        let (nbf, exp) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
        let point = Point::ed25519(octet.public_key().as_ref());
        let keys = KeySet::new(vec![PublicKey { kid: "prk_1".into(), nbf, exp, point }]).unwrap();
        let point = Point::p256(device.public_key().as_ref().try_into().unwrap()).unwrap();
        let (jwk, thumbprint) = (serde_json::to_string(&point).unwrap(), point.thumbprint());
        Self { octet, device, keys, jwk, thumbprint }
    }

    fn by_octet(&self, header: &str, payload: &str) -> String {
        signed_by(header, payload, |message| self.octet.sign(message).as_ref().to_vec())
    }

    fn by_device(&self, header: &str, payload: &str) -> String {
        let sign = |message: &[u8]| self.device.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec();
        signed_by(header, payload, sign)
    }
}

fn signed_by(header: &str, payload: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}
