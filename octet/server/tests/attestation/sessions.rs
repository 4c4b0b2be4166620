//! Devices that are vouched for, by the service's own routes: once by an attestation, then by assertions; and what a
//! statement is worth that is sent again.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use octet::attestation::{AttestationAnswer, AttestationChallenge, Statement, binding_digest};
use octet::license::Product;
use octet::proof::{DeviceBinding, Expect, KeySet, Point, chain, verify};
use octet::{LicenseKey, PredicateVerdict, Region};
use octet_device::{At, Attestor, Fix, LatLon, Octet as Sdk, OctetConfig, Outcome, Reading, Transport, Vouching};
use octet_server::attest::{AttestConfig, Binding};
use octet_server::clock::{Clock, ManualClock};
use octet_server::{Config, NewLicense, Octet};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};

use super::app_attest::{APP, Maker, Wanted, sign};
use super::schema::documented;

/// A live service that believes Apple, whom a test stands in for.
struct Stage {
    octet: Octet,
    clock: Arc<ManualClock>,
    maker: Arc<Maker>,
}

impl Stage {
    async fn new() -> Self {
        Self::over(Config::in_memory(), Arc::new(Maker::new())).await
    }

    async fn over(config: Config, maker: Arc<Maker>) -> Self {
        let clock = Arc::new(ManualClock::at("2026-06-01T12:00:00Z".parse().unwrap()));
        let attest = AttestConfig::default().apple(maker.verifier());
        let octet = Octet::open(config.clock(clock.clone()).attest(attest)).await.unwrap();
        Self { octet, clock, maker }
    }

    async fn license(&self, partner: &str) -> LicenseKey {
        self.octet.partners().add(partner).await.unwrap();
        self.octet.licenses().issue(NewLicense::browser(partner).product(Product::Mobile)).await.unwrap().key
    }

    async fn post(&self, license: &LicenseKey, path: &str, body: &Value) -> (u16, Value) {
        let request = axum::http::Request::post(path).header("x-octet-license", license.expose());
        let request = request.body(axum::body::Body::from(body.to_string())).unwrap();
        let answer =
            crate::common::answer(tower::ServiceExt::oneshot(self.octet.clone(), request).await.unwrap()).await;
        (answer.status.as_u16(), answer.json)
    }

    async fn challenge(&self, license: &LicenseKey) -> String {
        let (_, said) = self.post(license, "/v1/attest/challenge", &Value::Null).await;
        serde_json::from_value::<AttestationChallenge>(said).unwrap().challenge
    }

    /// The body with which the device's `key` asks to be vouched for; `state` makes the statement.
    fn request(&self, challenge: &str, key: &Point, state: impl FnOnce(Binding) -> Statement) -> Value {
        let nonce = URL_SAFE_NO_PAD.decode(challenge).unwrap();
        let digest = binding_digest(&nonce, &"s".parse().unwrap(), &key.uncompressed().unwrap());
        let statement = state(Binding::from(digest));
        json!({ "sessionRef": "s", "challenge": challenge, "deviceKey": key, "hardware": true, "statement": statement })
    }
}

fn attestation(made: &super::app_attest::Made) -> Statement {
    let (key_id, attestation) = (URL_SAFE_NO_PAD.encode(made.key_id), URL_SAFE_NO_PAD.encode(&made.bytes));
    Statement::AppAttest { key_id, attestation }
}

fn device_key() -> Point {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    Point::p256(key.public_key_raw().try_into().unwrap()).unwrap()
}

/// What the answer says of the key.
fn binding(answer: &Value) -> DeviceBinding {
    let answer: AttestationAnswer = serde_json::from_value(answer.clone()).unwrap();
    DeviceBinding::unverified(&answer.binding).unwrap()
}

/// An iPhone whose app keeps what it is given.
#[derive(Clone)]
struct Phone(Arc<Inner>);

struct Inner {
    maker: Arc<Maker>,
    kept: Mutex<Option<String>>,
    key: Mutex<Option<(KeyPair, u32)>>,
    attested: AtomicU32,
}

impl Phone {
    fn new(maker: &Arc<Maker>) -> Self {
        let (maker, kept, key) = (Arc::clone(maker), Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { maker, kept, key, attested: AtomicU32::new(0) }))
    }

    /// How often Apple was asked, and how often the key signed since.
    fn counts(&self) -> (u32, u32) {
        let key = self.0.key.lock().unwrap();
        (self.0.attested.load(Ordering::SeqCst), key.as_ref().map_or(0, |key| key.1))
    }
}

impl Attestor for Phone {
    fn attest(&self, digest: [u8; 32]) -> Vouching<'_> {
        let mut key = self.0.key.lock().unwrap();
        let statement = match (self.0.kept.lock().unwrap().clone(), key.as_mut()) {
            (Some(receipt), Some((key, counter))) => {
                *counter += 1;
                let assertion = URL_SAFE_NO_PAD.encode(sign(key, APP, *counter, &Binding::from(digest)));
                Statement::AppAssertion { receipt, assertion }
            }
            _ => {
                self.0.attested.fetch_add(1, Ordering::SeqCst);
                let made = self.0.maker.make(&Wanted::of(Binding::from(digest)));
                let statement = attestation(&made);
                *key = Some((made.key, 0));
                statement
            }
        };
        Box::pin(std::future::ready(Some(statement)))
    }

    fn keep(&self, receipt: Option<&str>) {
        *self.0.kept.lock().unwrap() = receipt.map(str::to_owned);
    }
}

/// The service's clock as a device reads it.
#[derive(Debug)]
struct Shared(Arc<ManualClock>);

impl octet_device::Clock for Shared {
    fn read(&self) -> Reading {
        Reading { wall: self.0.now(), monotonic: self.0.monotonic() }
    }
}

async fn ask(stage: &Stage, license: &LicenseKey, phone: &Phone) -> PredicateVerdict {
    let config = OctetConfig::new(license.clone()).attestor(phone.clone()).clock(Shared(Arc::clone(&stage.clock)));
    let sdk = Sdk::start(config.transport(Transport::over(stage.octet.clone()))).await.unwrap();
    sdk.fixes().push(Fix::new(LatLon::new(39.1, -94.6).unwrap(), 15.0));
    sdk.loc().is_within(Region::country("US").unwrap(), At::Now).await
}

#[tokio::test]
async fn an_app_attests_once_and_asserts_in_later_sessions_until_the_receipt_ends() {
    let stage = Stage::new().await;
    let license = stage.license("shop").await;
    let phone = Phone::new(&stage.maker);
    for counts in [(1, 0), (1, 1), (1, 2)] {
        let verdict = ask(&stage, &license, &phone).await;
        assert_eq!((verdict.result, phone.counts()), (Outcome::Yes, counts), "{verdict:?}");
        let proof = verdict.proof.as_ref().unwrap();
        assert_eq!(documented(proof)["holder"]["hardware"], false, "the key itself is in this process's memory");
        let keys = stage.octet.proof_keys().key_set(octet::Environment::Live).await.unwrap();
        let claims = verify(proof, &keys, Expect::audience("shop").at(stage.clock.now())).unwrap();
        assert_eq!(DeviceBinding::unverified(&claims.attestation[0]).unwrap().attested_by, "appAttest");
    }
    stage.clock.advance(Duration::from_secs(30 * 86_400));
    assert_eq!(
        (ask(&stage, &license, &phone).await.result, phone.counts()),
        (Outcome::Yes, (2, 0)),
        "Apple is asked again"
    );
    let elsewhere = stage.license("other").await;
    assert_eq!(
        (ask(&stage, &elsewhere, &phone).await.result, phone.counts()),
        (Outcome::Yes, (3, 0)),
        "another partner's"
    );
}

#[tokio::test]
async fn a_statement_that_is_sent_again_says_the_same_of_the_same_key_and_nothing_of_another() {
    let stage = Stage::new().await;
    let (license, other) = (stage.license("shop").await, stage.license("other").await);
    let (key, challenge) = (device_key(), stage.challenge(&license).await);
    let mut made = None;
    let first =
        stage.request(&challenge, &key, |binding| attestation(made.insert(stage.maker.make(&Wanted::of(binding)))));
    let (status, answer) = stage.post(&license, "/v1/attest", &first).await;
    assert_eq!(status, 200, "{answer}");
    let receipt = answer["receipt"].as_str().unwrap().to_owned();
    let apples = made.unwrap();
    let assert = |receipt: &str, counter: u32, binding: Binding| {
        let assertion = URL_SAFE_NO_PAD.encode(sign(&apples.key, APP, counter, &binding));
        Statement::AppAssertion { receipt: receipt.to_owned(), assertion }
    };
    let second = stage.request(&challenge, &key, |binding| assert(&receipt, 1, binding));
    for body in [&first, &second] {
        let (status, said) = stage.post(&license, "/v1/attest", body).await;
        assert_eq!(status, 200, "{said}");
        let (said, once) = (binding(&said), binding(&answer));
        assert_eq!(
            (&said.id, &said.session, &said.cnf, &said.audience),
            (&once.id, &once.session, &once.cnf, &once.audience)
        );
        assert_eq!(said.cnf.jwk, key);

        let another = |field: &str, value: Value| {
            let mut body = body.clone();
            body[field] = value;
            body
        };
        let fresh = stage.challenge(&license).await;
        for (license, body) in [
            (&license, another("sessionRef", json!("t"))),
            (&license, another("deviceKey", json!(device_key()))),
            (&license, another("challenge", json!(fresh))),
            (&other, body.clone()),
        ] {
            let (status, said) = stage.post(license, "/v1/attest", &body).await;
            assert_eq!((status, &said["code"]), (403, &json!("attestation_refused")), "{body}");
        }
    }

    // Receipts: not another's, not a changed one, and no counter that did not grow.
    let (status, newer) = stage.post(&license, "/v1/attest", &second).await;
    let newer = newer["receipt"].as_str().unwrap().to_owned();
    let changed = receipt.replacen(&receipt[30..31], if &receipt[30..31] == "A" { "B" } else { "A" }, 1);
    assert_eq!((status, newer == receipt, changed == receipt), (200, false, false));
    for (receipt, counter, status) in
        [(&newer, 2, 200), (&newer, 1, 403), (&receipt, 0, 403), (&changed, 9, 403), (&String::new(), 9, 403)]
    {
        let body = stage.request(&challenge, &key, |binding| assert(receipt, counter, binding));
        assert_eq!(stage.post(&license, "/v1/attest", &body).await.0, status, "{counter}");
    }
    let theirs = stage.challenge(&other).await;
    let theirs = stage.request(&theirs, &key, |binding| assert(&newer, 9, binding));
    assert_eq!(stage.post(&other, "/v1/attest", &theirs).await.0, 403, "a receipt is one partner's");

    stage.clock.advance(Duration::from_secs(300));
    for body in [&first, &second] {
        assert_eq!(stage.post(&license, "/v1/attest", body).await.0, 403, "a challenge is good for five minutes");
    }
}

#[tokio::test]
async fn a_challenge_of_one_node_is_known_to_every_node_with_the_same_records() {
    let folder = tempfile::tempdir().unwrap();
    let config = || Config::embedded(folder.path().join("octet.db"));
    let one = Stage::over(config(), Arc::new(Maker::new())).await;
    let license = one.license("shop").await;
    let (other, stranger) = (Stage::over(config(), Arc::clone(&one.maker)).await, Stage::new().await);
    let strangers = stranger.license("shop").await;
    let challenge = one.challenge(&license).await;
    let body = one.request(&challenge, &device_key(), |binding| attestation(&one.maker.make(&Wanted::of(binding))));
    assert_eq!(other.post(&license, "/v1/attest", &body).await.0, 200);
    assert_eq!(stranger.post(&strangers, "/v1/attest", &body).await.0, 403);
}

#[tokio::test(start_paused = true)]
async fn a_devices_proof_counts_after_octets_key_has_ended_by_the_chain_of_its_bindings_day() {
    let stage = Stage::new().await;
    let license = stage.license("shop").await;
    let proof = ask(&stage, &license, &Phone::new(&stage.maker)).await.proof.clone().unwrap();
    let keys = stage.octet.proof_keys();
    // The service's own upkeep writes what was signed.
    while keys.chain().await.unwrap().is_empty() {
        stage.clock.advance(Duration::from_secs(86_400));
        tokio::time::advance(Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
    }
    let lines = keys.chain().await.unwrap();
    let set: KeySet = keys.key_set(octet::Environment::Live).await.unwrap();
    let day: chain::Day = serde_json::from_str(&lines[0]).unwrap();
    let head = serde_json::to_value(&day).unwrap()["head"].as_str().unwrap().to_owned();
    let chain = chain::Chain::read(&lines[0], &head).unwrap();
    let late = Expect::audience("shop").at(set.iter().next().unwrap().exp);
    assert!(verify(&proof, &set, late).is_err());
    assert!(verify(&proof, &set, late.anchored_in(&chain)).is_ok());
}
