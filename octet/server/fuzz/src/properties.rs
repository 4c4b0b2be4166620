//! What holds for any bytes that a device, an edge or a backend sends, whatever they are. The fuzz targets look for
//! bytes that break it; a plain test holds it for the committed ones.

#![allow(dead_code, reason = "a fuzz target uses one of them")]
#![allow(clippy::unwrap_used, reason = "what a property stands on must be there")]

use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use aes_kw::{KeyInit, KwAes256};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use octet::Environment;
use octet::license::Product;
use octet_server::attest::{AppAttest, AppKey, Binding, PlayIntegrity};
use octet_server::clock::ManualClock;
use octet_server::{AppSettings, Config, Limits, NewLicense, Octet};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::Value;
use tower_service::Service;

/// Whatever is changed in what a real iPhone said, it vouches for that iPhone's key or for none.
pub(crate) fn app_attest(bytes: &[u8]) {
    static PHONE: LazyLock<Phone> = LazyLock::new(Phone::new);
    let phone = &*PHONE;
    if let Ok(key) = phone.verifier.attest(bytes, &phone.key_id, &phone.binding, phone.at) {
        assert_eq!((&sha256(&key.public)[..], key.counter), (&phone.key_id[..], 0));
    }
    let mut key = phone.asserting.clone();
    match phone.verifier.assert(&mut key, bytes, &phone.payload) {
        Ok(()) => assert_eq!((key.counter, key.public), (1, phone.asserting.public)),
        Err(_) => assert_eq!(key, phone.asserting, "a refusal changes nothing"),
    }
}

/// What a real iPhone said, and what is known of it.
struct Phone {
    verifier: AppAttest,
    key_id: Vec<u8>,
    binding: Binding,
    at: Timestamp,
    asserting: AppKey,
    payload: Binding,
}

impl Phone {
    fn new() -> Self {
        const APP: &str = "V8H6LQ9448.io.uebelacker.AppAttestExample";
        let said: Value = serde_json::from_str(include_str!("../../tests/attestation/real-iphone.json")).unwrap();
        let bytes = |value: &Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
        let spki = bytes(&said["assertion"]["publicKey"]);
        Self {
            verifier: AppAttest::new([APP]),
            key_id: bytes(&said["production"]["keyId"]),
            binding: Binding::from(sha256(&bytes(&said["production"]["challenge"]))),
            at: "2024-02-08T00:00:00Z".parse().unwrap(),
            asserting: AppKey::restored(spki[26..].try_into().unwrap(), APP, 0),
            payload: Binding::from(sha256(said["assertion"]["payload"].as_str().unwrap().as_bytes())),
        }
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().unwrap()
}

/// Any bytes as a token, as what Google sealed, and as what Google signed and sealed: only the last is ever believed, and
/// only when it says what is asked for.
pub(crate) fn play_integrity(bytes: &[u8]) {
    static GOOGLE: LazyLock<Google> = LazyLock::new(Google::new);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    assert!(!GOOGLE.is_believed(text), "nobody sealed it");
    assert!(!GOOGLE.is_believed(&GOOGLE.sealed(text)), "nobody signed it");
    if GOOGLE.is_believed(&GOOGLE.sealed(&GOOGLE.signed(text))) {
        let said: Value = serde_json::from_str(text).unwrap();
        assert_eq!(said["requestDetails"]["requestPackageName"], Google::PACKAGE);
        assert_eq!(said["appIntegrity"]["packageName"], Google::PACKAGE);
        assert_eq!(said["appIntegrity"]["appRecognitionVerdict"], "PLAY_RECOGNIZED");
        let labels = said["deviceIntegrity"]["deviceRecognitionVerdict"].as_array().unwrap();
        let has = |label: &str| labels.iter().any(|said| said == label);
        assert!(has("MEETS_DEVICE_INTEGRITY") || has("MEETS_STRONG_INTEGRITY"));
    }
}

/// What Google holds, and the verifier that believes it.
struct Google {
    signing: EcdsaKeyPair,
    verifier: PlayIntegrity,
}

impl Google {
    const PACKAGE: &str = "example.shop";
    const SEALING: [u8; 32] = [3; 32];
    const CONTENT: [u8; 32] = [9; 32];
    const NONCE: [u8; 12] = [1; 12];

    fn new() -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let signing = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let signing = EcdsaKeyPair::from_pkcs8(algorithm, signing.as_ref(), &random).unwrap();
        let head = STANDARD.decode("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgA=").unwrap();
        let spki = STANDARD.encode([&head, signing.public_key().as_ref()].concat());
        let verifier = PlayIntegrity::new(Self::PACKAGE, [[5; 32]], &STANDARD.encode(Self::SEALING), &spki).unwrap();
        Self { signing, verifier }
    }

    fn is_believed(&self, token: &str) -> bool {
        let now = "2026-06-01T12:00:00Z".parse().unwrap();
        self.verifier.verify(token, &Binding::from([7; 32]), now).is_ok()
    }

    fn signed(&self, payload: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256"}"#), URL_SAFE_NO_PAD.encode(payload));
        let signature = self.signing.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn sealed(&self, text: &str) -> String {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"A256KW","enc":"A256GCM"}"#);
        let mut wrapped = [0; 40];
        KwAes256::new(&Self::SEALING.into()).wrap_key(&Self::CONTENT, &mut wrapped).unwrap();
        let mut sealed = text.as_bytes().to_vec();
        let tag = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &Self::CONTENT).unwrap())
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(Self::NONCE),
                Aad::from(header.as_bytes()),
                &mut sealed,
            )
            .unwrap();
        let parts = [&wrapped[..], &Self::NONCE, &sealed, tag.as_ref()].map(|part| URL_SAFE_NO_PAD.encode(part));
        format!("{header}.{}", parts.join("."))
    }
}

/// Any requests at any routes, with every credential: each is answered, and never by a failure of ours.
///
/// A request is as HTTP/1.1 has it: method and path, lines of headers, an empty line, the body; `$APP` stands for the
/// key of an app. Two empty lines end it, and the next one follows. Says how each was answered.
pub(crate) fn route(bytes: &[u8]) -> Vec<StatusCode> {
    static SERVED: LazyLock<Mutex<Served>> = LazyLock::new(|| Mutex::new(Served::open()));
    let mut served = SERVED.lock().unwrap();
    let mut answers = Vec::new();
    for text in String::from_utf8_lossy(bytes).split("\n\n\n") {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let Some((method, path)) = lines.next().and_then(|line| line.split_once(' ')) else { break };
        let headers = lines.filter_map(|line| line.split_once(": "));
        let request = headers
            .fold(served.request().method(method).uri(path), |request, (name, value)| request.header(name, value));
        let Ok(request) = request.body(Body::from(body.replace("$APP", &served.app))) else { break };
        answers.push(served.send(request));
        assert_ne!(answers.last(), Some(&StatusCode::INTERNAL_SERVER_ERROR));
    }
    answers
}

/// A service on a clock that moves with each request, so that it holds little.
struct Served {
    runtime: tokio::runtime::Runtime,
    octet: Octet,
    clock: Arc<ManualClock>,
    credentials: Vec<(&'static str, String)>,
    app: String,
}

impl Served {
    fn open() -> Self {
        // Whoever waits for time to pass does not wait.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let clock = Arc::new(ManualClock::at("2026-11-21T12:00:00Z".parse().unwrap()));
        let most = u32::MAX / 8;
        let limits = Limits { verdicts_per_second: most, signals_per_second: most, ..Limits::default() };
        let config = Config::in_memory().environment(Environment::Test).limits(limits).clock(clock.clone());
        let (octet, credentials, app) = runtime.block_on(async {
            let octet = Octet::open(config).await.unwrap();
            let partner_key = octet.partners().add("shop").await.unwrap();
            let license = |product| {
                let license = NewLicense::browser("shop").product(product).environment(Environment::Test).days(3650);
                let licenses = octet.licenses();
                async move { licenses.issue(license).await.unwrap().key.expose().to_owned() }
            };
            let (browser, mobile) = (license(Product::Browser).await, license(Product::Mobile).await);
            let app = octet.apps().add("shop", "landing", AppSettings::default()).await.unwrap();
            let credentials = vec![
                ("x-octet-partner-key", partner_key.expose().to_owned()),
                ("x-app-key", app.key.as_str().to_owned()),
                ("x-app-secret", app.secret.expose().to_owned()),
                (Self::BROWSER, browser),
                (Self::MOBILE, mobile),
            ];
            (octet, credentials, app.key.as_str().to_owned())
        });
        Self { runtime, octet, clock, credentials, app }
    }

    const BROWSER: &str = "x-octet-license";
    const MOBILE: &str = "x-octet-license-mobile";

    fn request(&self) -> axum::http::request::Builder {
        let request = Request::builder();
        self.credentials.iter().fold(request, |request, (name, value)| request.header(*name, value))
    }

    fn send(&mut self, mut request: Request<Body>) -> StatusCode {
        self.clock.advance(Duration::from_secs(1));
        let for_devices = ["/v1/attest", "/v1/borders"].iter().any(|path| request.uri().path().starts_with(path));
        match request.headers_mut().remove(Self::MOBILE) {
            Some(mobile) if for_devices => drop(request.headers_mut().insert(Self::BROWSER, mobile)),
            _ => {}
        }
        let octet = &mut self.octet;
        self.runtime.block_on(async {
            let answer = octet.call(request).await.unwrap_or_else(|never| match never {});
            let status = answer.status();
            axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            status
        })
    }
}
