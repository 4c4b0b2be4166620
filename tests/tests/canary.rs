//! What a verdict was derived from never leaves the service: canary values in every signal, looked for in every
//! answer and in every line that edge and service log at any level. The only test of its file, since it takes the
//! process's log.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Request;
use octet::SessionRef;
use octet_server::NewLicense;
use octet_tests::hand_made::{HandMade, bundle};
use octet_tests::stack::{self, Setup, Stack};
use octet_transport::{Limits, TlsOptions, Transport};
use serde_json::{Value, json};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const ADDRESS: &str = "84.160.77.88";

/// Everything that was said: answers, and the log.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Said {
    /// All log lines of our own crates, at every level.
    fn log() -> Self {
        let said = Self::default();
        let writer = said.clone();
        let ours = Targets::new().with_target("octet", LevelFilter::TRACE);
        // Without the time, whose digits may be a canary's by chance.
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).without_time();
        tracing_subscriber::registry().with(lines.with_writer(move || writer.clone()).with_filter(ours)).init();
        said
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// The bundle with a canary in the place of every text, and for every number one that stands out.
fn with_canaries(bundle: &Bytes, canaries: &mut Vec<String>) -> Value {
    fn plant(value: &mut Value, canaries: &mut Vec<String>) {
        match value {
            Value::String(text) => {
                *text = format!("canary{:03}", canaries.len());
                canaries.push(text.clone());
            }
            Value::Number(number) => {
                let canary = 710_000 + canaries.len();
                *number = canary.into();
                canaries.push(canary.to_string());
            }
            Value::Array(items) => items.iter_mut().for_each(|item| plant(item, canaries)),
            Value::Object(fields) => fields.values_mut().for_each(|field| plant(field, canaries)),
            Value::Bool(_) | Value::Null => {}
        }
    }

    let mut bundle: Value = serde_json::from_slice(bundle).unwrap();
    for part in ["facts", "worker", "frame", "resources"] {
        plant(&mut bundle[part], canaries);
    }
    bundle
}

const SIBLINGS_TICKET: &str = "canary-sibling-ticket";

/// What a sibling edge reports of the session, with a canary wherever one fits.
fn sibling(session: &SessionRef, canaries: &mut Vec<String>) -> String {
    let rounds: Vec<_> = (0..4).map(|round| json!({ "round": round, "rttUs": 720_001 + round })).collect();
    canaries.extend((0..4).map(|round| (720_001 + round).to_string()));
    canaries.extend([SIBLINGS_TICKET, "720101", "720102", "720103"].map(str::to_owned));
    json!({
        "sessionRef": session, "ticket": SIBLINGS_TICKET, "observations": {
            "edge": { "id": "waw-1", "position": { "lat": 52.23, "lon": 21.01 } },
            "observedAtMs": 1_795_262_400_000_u64, "peer": { "ip": ADDRESS }, "httpVersion": "canary-version",
            "headerNames": ["canary-name"], "origin": "canary-origin",
            "headers": { "user-agent": "canary-agent", "accept-language": "canary-language", "sec-ch-ua": "canary-brands" },
            "tcp": { "rttUs": 720_101, "rttVarUs": 720_102, "minRttUs": 720_103 },
            "channel": { "ticket": "missing", "rounds": rounds, "tcp": { "rttUs": 720_101, "rttVarUs": 720_102 } },
        },
    })
    .to_string()
}

/// Sends `request` and keeps the whole answer, headers too.
async fn ask(to: &Transport, request: Request<Bytes>, answers: &mut String) {
    let answer = to.send(request, Limits::default()).await.unwrap();
    answers.push_str(&format!("{:?} {}\n", answer.headers(), String::from_utf8_lossy(answer.body())));
}

fn post(stack: &Stack, body: String) -> Request<Bytes> {
    Request::post("/octet/v1/signals")
        .header("origin", format!("http://{}", stack.shop))
        .header("user-agent", "canary-user-agent")
        .header("accept-language", "canary-language")
        .header("x-forwarded-for", ADDRESS)
        .header("x-canary-header", "canary-header")
        .body(body.into())
        .unwrap()
}

/// What the proofs in `answers` say.
fn claims(answers: &str) -> String {
    let proofs = answers.split("\"proof\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    let says = |proof: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(proof.split('.').nth(1).unwrap()).unwrap());
    proofs.map(|proof| says(proof).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_and_no_log_line_carries_a_signal() {
    let log = Said::log();
    let stack = stack::start(Setup { profile: octet::Profile::Full, ..Setup::default() }).await;
    let connect = |address| Transport::connect(&format!("http://{address}"), &TlsOptions::default()).unwrap();
    let (edge, service) = (connect(stack.shop), connect(stack.octet));
    let session = SessionRef::mint();
    let ticket = HandMade::new(stack.shop, ADDRESS).channel(&session).await.unwrap();
    let honest = bundle(&session, "Europe/Berlin", "de-DE", Some(&ticket));
    let mut canaries = vec!["canary".to_owned(), ADDRESS.to_owned(), ticket, stack.key.expose().to_owned()];
    let mut planted = with_canaries(&honest, &mut canaries);

    let mut answers = String::new();
    // A sibling that reports in time, and whose ticket the bundle brings; one that comes after the verdict; and ones that
    // are refused.
    let license = stack.service.licenses().issue(NewLicense::browser("shop")).await.unwrap().key;
    let sibling = sibling(&session, &mut canaries);
    planted["siblings"] = json!([{ "state": "complete", "ticket": SIBLINGS_TICKET }]);
    let report = |body: &str, license: &str| {
        let request = Request::post("/v1/observations").header("x-octet-license", license);
        request.body(Bytes::from(body.to_owned())).unwrap()
    };
    let mut told = [String::new(), String::new()];
    ask(&service, report(&sibling, license.expose()), &mut told[0]).await;
    for (body, license) in [(&sibling[..sibling.len() / 2], license.expose()), (&*sibling, "canary-licence")] {
        ask(&service, report(body, license), &mut answers).await;
    }
    // An accepted one, one that a second bundle contests, and ones that are refused for each of its parts.
    ask(&edge, post(&stack, planted.to_string()), &mut answers).await;
    ask(&edge, post(&stack, planted.to_string().replace("\"b_", "\"c_")), &mut answers).await;
    ask(&edge, post(&stack, planted.to_string().split_at(900).0.to_owned()), &mut answers).await;
    for part in ["facts", "channel", "page", "resources", "id", "schema", "runtime"] {
        let mut wrong = planted.clone();
        wrong[part] = json!([["canary-part", 710_999]]);
        ask(&edge, post(&stack, wrong.to_string()), &mut answers).await;
        ask(&service, post(&stack, wrong.to_string()), &mut answers).await;
    }
    assert_eq!(stack.service.counts().siblings_joined, 2, "the sibling's word counts with each of the two bundles");
    // Before and after the verdict a sibling hears the same, and nothing of it.
    ask(&service, report(&sibling, license.expose()), &mut told[1]).await;
    let said = |answer: &str| answer.rsplit_once(' ').unwrap().1.to_owned();
    assert_eq!(said(&told[0]), said(&told[1]));
    assert_eq!(said(&told[0]), "{\"status\":\"accepted\"}\n");
    answers.extend(told);
    for path in [
        format!("/v1/verdict/{}", session.as_str()),
        "/v1/verdict/canary-ref".to_owned(),
        "/v1/verdict/canary%20ref".to_owned(),
    ] {
        for key in [stack.key.expose(), "canary-key-0123456789"] {
            let request = Request::get(&path)
                .header("x-octet-partner-key", key)
                .header("x-octet-visitor-ip", ADDRESS)
                .body(Bytes::new())
                .unwrap();
            ask(&service, request, &mut answers).await;
        }
    }
    // Questions about the same session, and about one that nobody disturbed, whose answers have proofs.
    let undisturbed = SessionRef::mint();
    HandMade::new(stack.shop, ADDRESS).visit(&undisturbed, "Europe/Berlin", "de-DE").await;
    for (session, code) in [(&session, "DE"), (&undisturbed, "DE"), (&undisturbed, "US"), (&undisturbed, "canary")] {
        let question = json!({ "ref": session, "predicate": "within", "region": { "type": "country", "code": code } });
        let request = Request::post("/v1/predicate")
            .header("x-octet-partner-key", stack.key.expose())
            .header("x-octet-visitor-ip", ADDRESS)
            .body(Bytes::from(question.to_string()))
            .unwrap();
        ask(&service, request, &mut answers).await;
    }
    let claims = claims(&answers);
    assert!(claims.contains("\"claim\""), "there are proofs: {answers}");
    answers.push_str(&claims);
    stack.octet_goes_down();
    ask(&edge, post(&stack, planted.to_string()), &mut answers).await;

    assert!(answers.contains("\"confidence\""), "the run came to a verdict: {answers}");
    // A backend's own reference stands in the pending answer that it gets, and in no other.
    let answers = answers.replace(r#""ref":"canary-ref""#, "");
    for canary in &canaries {
        assert!(!answers.contains(canary.as_str()), "{canary} in {answers}");
        assert!(!log.text().contains(canary.as_str()), "{canary} in {}", log.text());
    }
    for session in [&session, &undisturbed] {
        assert!(!claims.contains(session.as_str()) && !log.text().contains(session.as_str()), "{}", log.text());
    }
    assert!(!log.text().is_empty(), "the log was listened to");
}
