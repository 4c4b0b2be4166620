//! Sessions on devices against the real service: each reason, each kind of answer, and proofs that anyone checks.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use octet_device::{
    At, Attestor, Claim, Fix, FixSink, FixSource, LatLon, Octet as Sdk, OctetConfig, Outcome, PredicateVerdict,
    Reading, ReasonCode, Region, StartError, Statement, Transport, Vouching,
};
use octet_server::clock::{Clock as _, ManualClock};
use octet_server::{Config, NewLicense, Octet};

const KANSAS_CITY: (f64, f64) = (39.1, -94.6);

/// A service for tests, a clock that it shares with the device, and an app's licence.
struct Stage {
    octet: Octet,
    clock: Arc<ManualClock>,
    license: octet::LicenseKey,
}

/// The service's clock as a device reads it.
#[derive(Debug)]
struct Shared(Arc<ManualClock>);

impl octet_device::Clock for Shared {
    fn read(&self) -> Reading {
        Reading { wall: self.0.now(), monotonic: self.0.monotonic() }
    }
}

fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn fix(place: (f64, f64), accuracy_meters: f64) -> Fix {
    Fix::new(LatLon::new(place.0, place.1).unwrap(), accuracy_meters)
}

fn us() -> Region {
    Region::country("US").unwrap()
}

impl Stage {
    async fn new() -> Self {
        Self::in_environment(octet::Environment::Test).await
    }

    async fn in_environment(environment: octet::Environment) -> Self {
        let clock = Arc::new(ManualClock::at(now()));
        let config = Config::in_memory().environment(environment).clock(clock.clone());
        let octet = Octet::open(config).await.unwrap();
        octet.partners().add("shop").await.unwrap();
        let license = NewLicense::browser("shop").product(octet::license::Product::Mobile).environment(environment);
        let license = octet.licenses().issue(license).await.unwrap().key;
        Self { octet, clock, license }
    }

    fn config(&self) -> OctetConfig {
        OctetConfig::new(self.license.clone())
            .transport(Transport::over(self.octet.clone()))
            .clock(Shared(Arc::clone(&self.clock)))
    }

    async fn sdk(&self) -> Sdk {
        Sdk::start(self.config()).await.unwrap()
    }

    /// What the proof says, by the keys that the service publishes.
    async fn verified(&self, sdk: &Sdk, verdict: &PredicateVerdict) -> octet::proof::ProofClaims {
        let keys = http::Request::get("/.well-known/octet-keys.json").body(bytes::Bytes::new()).unwrap();
        let transport = Transport::over(self.octet.clone());
        let keys = transport.send(keys, octet_transport::Limits::default()).await.unwrap();
        let keys = octet::proof::KeySet::from_json(std::str::from_utf8(keys.body()).unwrap()).unwrap();
        let expect = octet::proof::Expect::audience("shop").at(self.clock.now()).session(sdk.session());
        octet::proof::verify(verdict.proof.as_ref().unwrap(), &keys, expect).unwrap()
    }
}

#[tokio::test]
async fn a_device_in_kansas_city_is_in_the_us_with_a_proof_of_that_and_nothing_finer() {
    let stage = Stage::new().await;
    let sdk = stage.sdk().await;
    sdk.fixes().push(fix(KANSAS_CITY, 15.0));
    let verdict = sdk.loc().is_within(us(), At::Now).await;
    assert_eq!((verdict.result, verdict.reason), (Outcome::Yes, ReasonCode::Ok));
    assert!(verdict.confidence.overall_score > 0.8);
    let claims = stage.verified(&sdk, &verdict).await;
    assert_eq!(claims.claim, Claim::Within(us()));
    assert!(!serde_json::to_string(&claims).unwrap().contains("39.1"));
    assert!(!claims.holder.unwrap().hardware);

    let verdict = sdk.loc().is_within(Region::eu(), At::Now).await;
    assert_eq!(verdict.result, Outcome::No);
    assert_eq!(stage.verified(&sdk, &verdict).await.claim, Claim::Outside(Region::eu().dated(now()).unwrap()));
    let center = LatLon::new(39.1, -94.6).unwrap();
    assert_eq!(sdk.loc().contains(center, 100.0, At::Now).await.result, Outcome::Yes);
    assert_eq!(sdk.loc().contains(center, 10.0, At::Now).await.reason, ReasonCode::NoProofAtResolution);
    assert_eq!(sdk.loc().contains(center, f64::NAN, At::Now).await.reason, ReasonCode::NoProofAtResolution);
    assert_eq!(sdk.loc().is_outside(us(), At::Now).await.result, Outcome::No);
}

#[tokio::test]
async fn a_device_knows_its_state_and_its_city() {
    let stage = Stage::new().await;
    let sdk = stage.sdk().await;
    sdk.fixes().push(fix((39.0997, -94.5786), 15.0));
    let within = async |region: Region| sdk.loc().is_within(region, At::Now).await;
    let state = |code| Region::subdivision(code).unwrap();
    let (kansas_city, berlin) = (Region::city(4_393_217).unwrap(), Region::city(2_950_159).unwrap());
    for (region, result) in [
        (state("US-MO"), Outcome::Yes),
        (state("US-TX"), Outcome::No),
        (state("DE-BY"), Outcome::No),
        (kansas_city.clone(), Outcome::Yes),
        (berlin, Outcome::No),
    ] {
        let verdict = within(region.clone()).await;
        assert_eq!(verdict.result, result, "{region:?}: {}", verdict.message);
    }
    stage.clock.advance(Duration::from_secs(10));
    sdk.fixes().push(fix((39.0997, -94.5786), 3_000.0));
    assert_eq!(within(state("US-KS")).await.reason, ReasonCode::NoProofAtResolution);
    assert_eq!(within(kansas_city).await.reason, ReasonCode::NoProofAtResolution);
}

#[tokio::test]
async fn each_reason_comes_when_the_documentation_says() {
    let stage = Stage::new().await;
    let sdk = stage.sdk().await;
    let ask = async |at: At| sdk.loc().is_within(us(), at).await.reason;
    assert_eq!(ask(At::Now).await, ReasonCode::NoFix);
    assert_eq!(ask(At::Time(now() + SignedDuration::from_millis(2_001))).await, ReasonCode::FutureTime);
    sdk.fixes().push(fix(KANSAS_CITY, 15.0).mocked(true));
    assert_eq!(ask(At::Now).await, ReasonCode::MockLocationDetected);
    stage.clock.advance(Duration::from_secs(10));
    sdk.fixes().push(fix(KANSAS_CITY, 15.0).simulated(true));
    let verdict = sdk.loc().is_within(us(), At::Now).await;
    assert_eq!(verdict.reason, ReasonCode::NoFix);
    assert!(verdict.message.contains("simulator"), "{}", verdict.message);
    stage.clock.advance(Duration::from_secs(10));
    sdk.fixes().push(fix(KANSAS_CITY, 900_000.0));
    assert_eq!(ask(At::Now).await, ReasonCode::NoProofAtResolution);
    stage.clock.advance(Duration::from_secs(10));
    sdk.fixes().push(fix(KANSAS_CITY, 15.0));
    assert_eq!(ask(At::Now).await, ReasonCode::Ok);
    let nowhere = sdk.loc().is_within(Region::subdivision("US-ZZ").unwrap(), At::Now).await;
    assert_eq!(nowhere.reason, ReasonCode::NotYetReleased, "there is no map of it");
    stage.clock.advance(Duration::from_secs(10));
    sdk.fixes().push(fix((50.0, 8.6), 15.0));
    assert_eq!(ask(At::Now).await, ReasonCode::NoFix, "nothing travels so fast");
    stage.clock.advance(Duration::from_secs(10));
    sdk.fixes().push(fix((50.0, 8.6), 15.0));
    assert_eq!(ask(At::Now).await, ReasonCode::Ok, "from there on it may be there");
    stage.clock.advance(Duration::from_secs(301));
    assert_eq!(ask(At::Now).await, ReasonCode::StaleFix);
    sdk.stop();
    assert_eq!(ask(At::Now).await, ReasonCode::SdkNotRunning);
    sdk.fixes().push(fix(KANSAS_CITY, 15.0));
    assert_eq!(ask(At::Now).await, ReasonCode::SdkNotRunning);
}

#[tokio::test]
async fn the_past_is_answered_from_the_fixes_that_were_made_then() {
    let stage = Stage::new().await;
    let sdk = stage.sdk().await;
    sdk.fixes().push(fix(KANSAS_CITY, 15.0));
    stage.clock.advance(Duration::from_secs(3600));
    let verdict = sdk.loc().is_within(us(), now() + SignedDuration::from_secs(200)).await;
    assert_eq!(verdict.result, Outcome::Yes);
    assert_eq!(stage.verified(&sdk, &verdict).await.fix_time, now());
    assert_eq!(sdk.loc().is_within(us(), At::Now).await.reason, ReasonCode::StaleFix);
}

#[tokio::test]
async fn a_live_service_vouches_for_no_key_without_a_platform() {
    let stage = Stage::in_environment(octet::Environment::Live).await;
    let sdk = stage.sdk().await;
    sdk.fixes().push(fix(KANSAS_CITY, 15.0));
    assert_eq!(sdk.loc().is_within(us(), At::Now).await.reason, ReasonCode::AttestationFailed);
}

#[tokio::test]
async fn a_statement_that_vouches_for_nothing_is_refused() {
    struct Forged(Statement);

    impl Attestor for Forged {
        fn attest(&self, _: [u8; 32]) -> Vouching<'_> {
            Box::pin(std::future::ready(Some(self.0.clone())))
        }
    }

    let stage = Stage::new().await;
    let apple = Statement::AppAttest { key_id: "AAAA".into(), attestation: "oA".into() };
    for statement in [apple, Statement::PlayIntegrity { token: "a.b.c.d.e".into() }] {
        let sdk = Sdk::start(stage.config().attestor(Forged(statement))).await.unwrap();
        sdk.fixes().push(fix(KANSAS_CITY, 15.0));
        assert_eq!(sdk.loc().is_within(us(), At::Now).await.reason, ReasonCode::AttestationFailed);
    }
}

#[tokio::test]
async fn octet_that_was_away_is_asked_again() {
    let stage = Stage::new().await;
    let octet = stage.octet.clone();
    let away = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let is_away = Arc::clone(&away);
    let transport = Transport::over(tower::service_fn(move |request| {
        let (mut octet, away) = (octet.clone(), is_away.load(std::sync::atomic::Ordering::SeqCst));
        async move {
            if away {
                return Err(std::io::Error::other("away"));
            }
            tower::Service::call(&mut octet, request).await.map_err(|never| match never {})
        }
    }));
    let sdk = Sdk::start(stage.config().transport(transport)).await.unwrap();
    sdk.fixes().push(fix(KANSAS_CITY, 15.0));
    let disc = Region::disc(LatLon::new(39.1, -94.6).unwrap(), 10_000.0).unwrap();
    assert_eq!(sdk.loc().is_within(disc.clone(), At::Now).await.reason, ReasonCode::AttestationFailed);
    away.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(sdk.loc().is_within(disc.clone(), At::Now).await.reason, ReasonCode::AttestationFailed, "not at once");
    stage.clock.advance(Duration::from_secs(30));
    assert_eq!(sdk.loc().is_within(disc, At::Now).await.result, Outcome::Yes);
}

#[tokio::test]
async fn what_the_developer_has_to_mend_is_an_error_at_the_start() {
    let stage = Stage::new().await;
    let browser = NewLicense::browser("shop").environment(octet::Environment::Test);
    let browser = stage.octet.licenses().issue(browser).await.unwrap().key;
    let start = |license| {
        Sdk::start(
            OctetConfig::new(license)
                .transport(Transport::over(stage.octet.clone()))
                .clock(Shared(Arc::clone(&stage.clock))),
        )
    };
    assert!(matches!(start(browser).await, Err(StartError::LicenseWrongProduct)));
    assert!(matches!(start("octet_test_v4.public.AAAA".parse().unwrap()).await, Err(StartError::LicenseRejected)));
    let other = stage.config().license_issuer([7; 32]);
    assert!(matches!(Sdk::start(other).await, Err(StartError::LicenseRejected)), "another issuer's key");
    stage.clock.advance(Duration::from_secs(366 * 86_400));
    assert!(matches!(start(stage.license.clone()).await, Err(StartError::LicenseExpired)));
}

#[tokio::test]
async fn a_source_is_started_with_the_session_and_stopped_with_it() {
    #[derive(Clone, Default)]
    struct Source(Arc<Mutex<(Option<FixSink>, bool)>>);

    impl FixSource for Source {
        fn start(&self, sink: FixSink) {
            self.0.lock().unwrap().0 = Some(sink);
        }

        fn stop(&self) {
            self.0.lock().unwrap().1 = true;
        }
    }

    let stage = Stage::new().await;
    let source = Source::default();
    let sdk = Sdk::start(stage.config().fix_source(source.clone())).await.unwrap();
    source.0.lock().unwrap().0.as_ref().unwrap().push(fix(KANSAS_CITY, 15.0));
    assert_eq!(sdk.loc().is_within(us(), At::Now).await.result, Outcome::Yes);
    drop(sdk);
    assert!(source.0.lock().unwrap().1);
}
