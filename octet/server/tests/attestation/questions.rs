//! Every state of a device's session, every kind of question, every kind of time: the answer, by table. And whatever
//! happens in whatever order, no other than a model of the rules gives.

use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use octet::attestation::Statement;
use octet::license::Product;
use octet::region::Level;
use octet::{Environment, LicenseKey};
use octet_device::{
    At, Attestor, Borders, Fix, LatLon, Octet as Sdk, OctetConfig, Outcome, PredicateVerdict, Reading, ReasonCode,
    Region, Transport, Vouching,
};
use octet_geometry::distance_km;
use octet_server::clock::ManualClock;
use octet_server::{Config, Limits, NewLicense, Octet};
use proptest::prelude::*;
use tokio::runtime::Runtime;

/// A service for tests, an app's licence and the map of countries: for all sessions here.
struct Stage {
    runtime: Runtime,
    octet: Octet,
    license: LicenseKey,
    borders: Borders,
}

static STAGE: LazyLock<Stage> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (octet, license, borders) = runtime.block_on(async {
        let limits = Limits { signals_per_second: u32::MAX / 8, ..Limits::default() };
        let config = Config::in_memory().environment(Environment::Test).clock(Arc::new(ManualClock::at(begun())));
        let octet = Octet::open(config.limits(limits)).await.unwrap();
        octet.partners().add("shop").await.unwrap();
        let license = NewLicense::browser("shop").product(Product::Mobile).environment(Environment::Test);
        let license = octet.licenses().issue(license).await.unwrap().key;
        let request = axum::http::Request::get("/v1/borders").header("x-octet-license", license.expose());
        let answer = tower::ServiceExt::oneshot(octet.clone(), request.body(axum::body::Body::empty()).unwrap());
        let map = crate::common::answer(answer.await.unwrap()).await.text;
        (octet, license, Borders::from_json(map.as_bytes()).unwrap())
    });
    Stage { runtime, octet, license, borders }
});

fn begun() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

/// A device's clocks, in milliseconds since the beginning.
#[derive(Debug, Clone, Default)]
struct Hands(Arc<Mutex<(i64, i64)>>);

impl Hands {
    fn pass(&self, ms: i64) {
        let mut hands = self.0.lock().unwrap();
        *hands = (hands.0 + ms, hands.1 + ms);
    }

    fn set_wall(&self, by_ms: i64) {
        self.0.lock().unwrap().0 += by_ms;
    }

    fn read_ms(&self) -> (i64, i64) {
        *self.0.lock().unwrap()
    }
}

impl octet_device::Clock for Hands {
    fn read(&self) -> Reading {
        let (wall, monotonic) = self.read_ms();
        Reading { wall: wall_at(wall), monotonic: Duration::from_millis(monotonic.unsigned_abs()) }
    }
}

fn wall_at(ms: i64) -> Timestamp {
    begun() + SignedDuration::from_millis(ms)
}

/// A platform that vouches for nothing.
struct Forger;

impl Attestor for Forger {
    fn attest(&self, _: [u8; 32]) -> Vouching<'_> {
        let statement = Statement::AppAttest { key_id: "AAAA".into(), attestation: "oA".into() };
        Box::pin(std::future::ready(Some(statement)))
    }
}

/// What a position is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    /// In Kansas City.
    Here,
    /// In Frankfurt.
    There,
    /// In Kansas City, give or take 900 km.
    AboutHere,
    /// In Frankfurt, give or take 900 km.
    AboutThere,
    Mocked,
    Simulated,
}

const POSITIONS: [Position; 6] = {
    use Position::{AboutHere, AboutThere, Here, Mocked, Simulated, There};
    [Here, There, AboutHere, AboutThere, Mocked, Simulated]
};

impl Position {
    fn fix(self) -> Fix {
        Fix::new(self.place(), self.accuracy_meters()).mocked(self == Self::Mocked).simulated(self == Self::Simulated)
    }

    fn place(self) -> LatLon {
        let (lat, lon) = if matches!(self, Self::There | Self::AboutThere) { (50.1, 8.7) } else { (39.1, -94.6) };
        LatLon::new(lat, lon).unwrap()
    }

    fn accuracy_meters(self) -> f64 {
        if matches!(self, Self::AboutHere | Self::AboutThere) { 900_000.0 } else { 15.0 }
    }
}

const QUESTIONS: usize = 9;

fn questions() -> [Region; QUESTIONS] {
    let place = |lat, lon| LatLon::new(lat, lon).unwrap();
    let disc = |meters| Region::disc(place(39.1, -94.6), meters).unwrap();
    [
        Region::country("US").unwrap(),
        Region::country("DE").unwrap(),
        Region::eu(),
        Region::country("ZZ").unwrap(),
        disc(10_000.0),
        disc(10.0),
        Region::polygon(vec![place(36.0, -98.0), place(36.0, -91.0), place(42.0, -91.0), place(42.0, -98.0)]).unwrap(),
        Region::subdivision("ZZ-1").unwrap(),
        Region::city(1).unwrap(),
    ]
}

/// Whether the device is within, as its latest position has it: of the United States, Germany, the Union, a country that
/// is none; 10 km, 10 m and some states around Kansas City; a subdivision and a city that are none.
/// `Y`es, `N`o, too coarse (`R`), not released (`-`), mocked (`M`), no fix (`X`).
const ANSWERS: [(Position, &str); POSITIONS.len()] = [
    (Position::Here, "YNN-YRY--"),
    (Position::There, "NYY-NNN--"),
    (Position::AboutHere, "RNN-RRR--"),
    (Position::AboutThere, "NRR-NNN--"),
    (Position::Mocked, "MMMMMMMMM"),
    (Position::Simulated, "XXXXXXXXX"),
];

/// How old a position may be, in milliseconds.
const fn window_ms(level: Level) -> i64 {
    match level {
        Level::Country => 300_000,
        Level::Subdivision => 180_000,
        Level::City => 60_000,
        Level::Shape => 30_000,
    }
}

/// What a letter of the table means.
fn meant(letter: char, outside: bool) -> (Outcome, ReasonCode) {
    let proven = |yes: bool| (if yes { Outcome::Yes } else { Outcome::No }, ReasonCode::Ok);
    let reason = match letter {
        'Y' | 'N' => return proven((letter == 'Y') != outside),
        'R' => ReasonCode::NoProofAtResolution,
        '-' => ReasonCode::NotYetReleased,
        'M' => ReasonCode::MockLocationDetected,
        'X' => ReasonCode::NoFix,
        'S' => ReasonCode::StaleFix,
        'F' => ReasonCode::FutureTime,
        'A' => ReasonCode::AttestationFailed,
        _ => ReasonCode::SdkNotRunning,
    };
    (Outcome::Indeterminate, reason)
}

fn letter(position: Position, question: usize) -> char {
    let row = ANSWERS.iter().find(|(of, _)| *of == position).unwrap().1;
    row.chars().nth(question).unwrap()
}

async fn session(hands: &Hands, attestor: Option<Forger>) -> Sdk {
    let config = OctetConfig::new(STAGE.license.clone()).borders(STAGE.borders.clone()).clock(hands.clone());
    let config = config.transport(Transport::over(STAGE.octet.clone()));
    Sdk::start(match attestor {
        Some(attestor) => config.attestor(attestor),
        None => config,
    })
    .await
    .unwrap()
}

async fn ask(sdk: &Sdk, question: usize, outside: bool, at: At) -> PredicateVerdict {
    let region = questions()[question].clone();
    if outside { sdk.loc().is_outside(region, at).await } else { sdk.loc().is_within(region, at).await }
}

#[test]
fn each_state_question_and_time_has_its_answer() {
    const AHEAD_MS: [i64; 12] =
        [0, 2_000, 2_001, 86_400_000, -30_000, -30_001, -60_000, -60_001, -180_000, -180_001, -300_000, -300_001];
    /// A session's state, and what it answers where the time is good; what its position says where there is none.
    const STATES: [(&str, Option<Position>, Option<char>); 9] = [
        ("waiting", None, Some('X')),
        ("stopped", Some(Position::Here), Some('Z')),
        ("not vouched for", Some(Position::Here), Some('A')),
        ("here", Some(Position::Here), None),
        ("there", Some(Position::There), None),
        ("about here", Some(Position::AboutHere), None),
        ("about there", Some(Position::AboutThere), None),
        ("mocked", Some(Position::Mocked), None),
        ("simulated", Some(Position::Simulated), None),
    ];
    let asked = async {
        for (state, position, always) in STATES {
            let hands = Hands::default();
            let sdk = session(&hands, (always == Some('A')).then_some(Forger)).await;
            if let Some(position) = position {
                sdk.fixes().push(position.fix());
            }
            if always == Some('Z') {
                sdk.stop();
            }
            for (question, region) in questions().iter().enumerate() {
                for ahead in AHEAD_MS {
                    let expected = match always {
                        Some('Z') => 'Z',
                        _ if ahead > 2_000 => 'F',
                        Some('X') => 'X',
                        _ if -ahead > window_ms(region.level()) => 'S',
                        Some(always) => always,
                        None => letter(position.unwrap(), question),
                    };
                    for outside in [false, true] {
                        let verdict = ask(&sdk, question, outside, At::Time(wall_at(ahead))).await;
                        let found = (verdict.result, verdict.reason);
                        assert_eq!(found, meant(expected, outside), "{state}, {region:?}, {ahead} ms, {outside}");
                        assert_eq!(verdict.queried_at, wall_at(ahead));
                    }
                }
            }
        }
    };
    STAGE.runtime.block_on(asked);
}

#[derive(Debug, Clone)]
enum Event {
    Stop,
    Push(Position),
    Pass(i64),
    SetWall(i64),
    Ask { question: usize, outside: bool, ahead_ms: Option<i64> },
}

fn event() -> impl Strategy<Value = Event> {
    let ask = (0..QUESTIONS, any::<bool>(), prop::option::of(-700_000..4_000_i64));
    prop_oneof![
        1 => Just(Event::Stop),
        8 => prop::sample::select(POSITIONS.to_vec()).prop_map(Event::Push),
        6 => (0..200_000_i64).prop_map(Event::Pass),
        2 => Just(Event::Pass(6 * 3_600_000)),
        2 => (-10_000..10_000_i64).prop_map(Event::SetWall),
        16 => ask.prop_map(|(question, outside, ahead_ms)| Event::Ask { question, outside, ahead_ms }),
    ]
}

/// A session in plain integers: every position that counts, with both clocks.
#[derive(Default)]
struct Model {
    stopped: bool,
    counting: Vec<(i64, i64, Position)>,
    last: Option<(i64, Position)>,
}

impl Model {
    fn push(&mut self, (wall, monotonic): (i64, i64), position: Position) {
        if self.stopped {
            return;
        }
        if let Some((then, before)) = self.last.replace((monotonic, position)) {
            let meters = 1000.0 * distance_km(before.place(), position.place());
            let reached = 400.0 * ((monotonic - then) as f64 / 1000.0 + 2.0);
            if meters > reached + 2.0 * (before.accuracy_meters() + position.accuracy_meters()) {
                self.counting.clear();
                return;
            }
        }
        self.counting.push((wall, monotonic, position));
    }

    fn letter(&self, (wall, monotonic): (i64, i64), question: usize, asked: i64) -> char {
        let window = window_ms(questions()[question].level());
        let usable = self.counting.iter().filter(|(made, then, _)| {
            (made - asked).abs() <= window && ((wall - made) - (monotonic - then)).abs() <= 2_000
        });
        let nearest = usable.rev().min_by_key(|(made, ..)| (made - asked).abs());
        match nearest {
            _ if self.stopped => 'Z',
            _ if asked > wall + 2_000 => 'F',
            _ if self.counting.is_empty() => 'X',
            None => 'S',
            // Octet vouches for a key for a day.
            Some(_) if wall >= 86_400_000 => 'A',
            Some((.., position)) => letter(*position, question),
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_a_device_answers_as_the_model_does(events in prop::collection::vec(event(), 0..40)) {
        let (hands, mut model) = (Hands::default(), Model::default());
        STAGE.runtime.block_on(async {
            let sdk = session(&hands, None).await;
            for event in events {
                let now = hands.read_ms();
                match event {
                    Event::Stop => {
                        sdk.stop();
                        (model.stopped, model.counting) = (true, Vec::new());
                    }
                    Event::Push(position) => {
                        sdk.fixes().push(position.fix());
                        model.push(now, position);
                    }
                    Event::Pass(ms) => hands.pass(ms),
                    Event::SetWall(by_ms) => hands.set_wall(by_ms),
                    Event::Ask { question, outside, ahead_ms } => {
                        let asked = now.0 + ahead_ms.unwrap_or(0);
                        let at = ahead_ms.map_or(At::Now, |_| At::Time(wall_at(asked)));
                        let verdict = ask(&sdk, question, outside, at).await;
                        let expected = meant(model.letter(now, question, asked), outside);
                        prop_assert_eq!((verdict.result, verdict.reason), expected, "{:?} {}", &verdict, question);
                        prop_assert_eq!(verdict.queried_at, wall_at(asked));
                    }
                }
            }
            Ok(())
        })?;
    }
}
