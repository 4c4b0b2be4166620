//! Google's Play Integrity.

use aes_kw::{KeyInit, KwAes256};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use octet_server::attest::{Binding, DeviceIntegrity, PlayIntegrity, PlayVerdict, Refusal};
use proptest::prelude::*;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

const PACKAGE: &str = "example.shop";
const CERTIFICATE: [u8; 32] = [5; 32];
const SPKI_HEAD: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn binding() -> Binding {
    Binding::from([7; 32])
}

/// What Google holds: the two keys.
struct Google {
    signing: EcdsaKeyPair,
    sealing: [u8; 32],
}

impl Google {
    fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self { signing: EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap(), sealing: [3; 32] }
    }

    fn verifier(&self) -> PlayIntegrity {
        let spki = [SPKI_HEAD, self.signing.public_key().as_ref()].concat();
        PlayIntegrity::new(PACKAGE, [CERTIFICATE], &STANDARD.encode(self.sealing), &STANDARD.encode(spki)).unwrap()
    }

    fn signed(&self, header: &Value, payload: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(header), encode(payload));
        let signature = self.signing.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn sealed(&self, header: &Value, text: &str) -> String {
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        let content_key = [9; 32];
        let mut wrapped = [0; 40];
        KwAes256::new(&self.sealing.into()).wrap_key(&content_key, &mut wrapped).unwrap();
        let mut sealed = text.as_bytes().to_vec();
        let tag = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &content_key).unwrap())
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key([1; 12]),
                Aad::from(header.as_bytes()),
                &mut sealed,
            )
            .unwrap();
        let parts = [&wrapped[..], &[1; 12], &sealed, tag.as_ref()].map(|part| URL_SAFE_NO_PAD.encode(part));
        format!("{header}.{}", parts.join("."))
    }

    fn token(&self, payload: &Value) -> String {
        let signed = self.signed(&json!({ "alg": "ES256" }), payload);
        self.sealed(&json!({ "alg": "A256KW", "enc": "A256GCM" }), &signed)
    }

    fn verify(&self, payload: &Value) -> Result<PlayVerdict, Refusal> {
        self.verifier().verify(&self.token(payload), &binding(), now())
    }
}

fn good() -> Value {
    json!({
        "requestDetails": {
            "requestPackageName": PACKAGE,
            "nonce": URL_SAFE_NO_PAD.encode([7; 32]),
            "timestampMillis": now().as_millisecond().to_string(),
        },
        "appIntegrity": {
            "appRecognitionVerdict": "PLAY_RECOGNIZED",
            "packageName": PACKAGE,
            "certificateSha256Digest": [URL_SAFE_NO_PAD.encode(CERTIFICATE)],
            "versionCode": "42",
        },
        "deviceIntegrity": { "deviceRecognitionVerdict": ["MEETS_BASIC_INTEGRITY", "MEETS_DEVICE_INTEGRITY"] },
        "accountDetails": { "appLicensingVerdict": "LICENSED" },
    })
}

/// The good payload with the value at `pointer` in another's place.
fn with(pointer: &str, value: Value) -> Value {
    let mut payload = good();
    *payload.pointer_mut(pointer).unwrap() = value;
    payload
}

#[test]
fn a_compliant_verdict_is_believed() {
    let google = Google::new();
    assert_eq!(google.verify(&good()), Ok(PlayVerdict { device: DeviceIntegrity::Device, at: now() }));
    let number = with("/requestDetails/timestampMillis", json!(now().as_millisecond()));
    assert!(google.verify(&number).is_ok(), "Google's samples write the time both ways");
    let padded = with("/requestDetails/nonce", json!(format!("{}=", URL_SAFE_NO_PAD.encode([7; 32]))));
    assert!(google.verify(&padded).is_ok());
}

#[test]
fn each_rule_of_a_verdict_has_its_refusal() {
    let google = Google::new();
    let at = |offset| json!((now() + SignedDuration::from_secs(offset)).as_millisecond().to_string());
    let labels = "/deviceIntegrity/deviceRecognitionVerdict";
    for (pointer, value, refusal) in [
        ("/requestDetails/nonce", json!(URL_SAFE_NO_PAD.encode([8; 32])), Refusal::Binding),
        ("/requestDetails/timestampMillis", at(-301), Refusal::Time),
        ("/requestDetails/timestampMillis", at(31), Refusal::Time),
        ("/requestDetails/timestampMillis", json!("soon"), Refusal::Malformed),
        ("/requestDetails/requestPackageName", json!("example.other"), Refusal::App),
        ("/appIntegrity/packageName", json!("example.other"), Refusal::App),
        ("/appIntegrity/appRecognitionVerdict", json!("UNRECOGNIZED_VERSION"), Refusal::Unrecognized),
        ("/appIntegrity/appRecognitionVerdict", json!("UNEVALUATED"), Refusal::Unrecognized),
        ("/appIntegrity/certificateSha256Digest", json!([URL_SAFE_NO_PAD.encode([6; 32])]), Refusal::App),
        ("/appIntegrity/certificateSha256Digest", json!([]), Refusal::App),
        ("/appIntegrity", json!(null), Refusal::Malformed),
        (labels, json!([]), Refusal::Device),
        (labels, json!(["MEETS_BASIC_INTEGRITY"]), Refusal::Device),
        (labels, json!(["MEETS_VIRTUAL_INTEGRITY"]), Refusal::Emulator),
        (labels, json!(["MEETS_VIRTUAL_INTEGRITY", "MEETS_DEVICE_INTEGRITY"]), Refusal::Emulator),
    ] {
        assert_eq!(google.verify(&with(pointer, value.clone())), Err(refusal), "{pointer} = {value}");
    }
}

#[test]
fn an_operator_chooses_how_sure_google_must_be() {
    let google = Google::new();
    let labels = ["MEETS_BASIC_INTEGRITY", "MEETS_DEVICE_INTEGRITY", "MEETS_STRONG_INTEGRITY"];
    let kinds = [DeviceIntegrity::Basic, DeviceIntegrity::Device, DeviceIntegrity::Strong];
    for (has, kind) in kinds.into_iter().enumerate() {
        let token = google.token(&with("/deviceIntegrity/deviceRecognitionVerdict", json!(labels[..=has])));
        for asked in kinds {
            let verdict = google.verifier().at_least(asked).verify(&token, &binding(), now());
            assert_eq!(
                verdict.map(|verdict| verdict.device),
                if kind >= asked { Ok(kind) } else { Err(Refusal::Device) }
            );
        }
    }
}

#[test]
fn only_the_two_algorithms_are_taken_and_only_under_the_configured_keys() {
    let google = Google::new();
    let seal = json!({ "alg": "A256KW", "enc": "A256GCM" });
    let verify = |token: &str| google.verifier().verify(token, &binding(), now()).unwrap_err();
    for header in [
        json!({ "alg": "none" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "ES256", "crit": ["b64"], "b64": false }),
        json!({}),
    ] {
        assert_eq!(verify(&google.sealed(&seal, &google.signed(&header, &good()))), Refusal::Malformed, "{header}");
    }
    let signed = google.signed(&json!({ "alg": "ES256" }), &good());
    for header in [
        json!({ "alg": "dir", "enc": "A256GCM" }),
        json!({ "alg": "A256KW", "enc": "A128GCM" }),
        json!({ "alg": "A256KW", "enc": "A256GCM", "zip": "DEF" }),
        json!({ "alg": "A256KW" }),
    ] {
        assert_eq!(verify(&google.sealed(&header, &signed)), Refusal::Malformed, "{header}");
    }
    assert_eq!(verify(&signed), Refusal::Malformed, "not sealed");
    let other = Google { sealing: [4; 32], ..Google::new() };
    assert_eq!(verify(&other.token(&good())), Refusal::Signature, "sealed for another");
    let other = Google { sealing: google.sealing, ..Google::new() };
    assert_eq!(verify(&other.token(&good())), Refusal::Signature, "signed by another");
    assert_eq!(verify(&"a".repeat(20_000)), Refusal::Malformed);
}

#[test]
fn a_key_of_another_shape_is_refused_when_it_is_configured() {
    let spki = STANDARD.encode([SPKI_HEAD, &[4; 65]].concat());
    let configured = |decryption: &str, verification: &str| PlayIntegrity::new(PACKAGE, [], decryption, verification);
    assert!(configured(&STANDARD.encode([0; 32]), &spki).is_ok());
    assert!(configured(&STANDARD.encode([0; 16]), &spki).is_err());
    assert!(configured(&STANDARD.encode([0; 32]), &STANDARD.encode([4; 65])).is_err());
    assert!(configured("?", &spki).is_err());
}

proptest! {
    #[test]
    fn no_character_that_is_changed_goes_unseen(at in any::<prop::sample::Index>()) {
        let google = Google::new();
        let token = google.token(&good());
        let at = at.index(token.len());
        let changed: String =
            token.char_indices().map(|(i, c)| if i == at { if c == 'A' { 'B' } else { 'A' } } else { c }).collect();
        prop_assert!(google.verifier().verify(&changed, &binding(), now()).is_err());
    }
}
