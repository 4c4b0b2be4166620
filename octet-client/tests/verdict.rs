//! The client against answers that a test writes, in virtual time.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use octet::problem::Code;
use octet_client::{At, ErrorKind, Lookup, OctetClient, ReasonCode, Region, SessionRef, Transport};
use tokio::time::{Instant, sleep};

const VERDICT: &str = r#"{ "country": "DE", "confidence": 0.91, "alarm": "none", "later": {} }"#;
const PENDING: &str = r#"{ "status": "pending", "ref": "sess_1" }"#;

/// What was asked, and when.
type Asked = Arc<Mutex<Vec<(Duration, String, http::HeaderMap)>>>;

fn octet<F, A>(answer: F) -> (OctetClient, Asked)
where
    F: Fn(usize, Duration) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let asked = Asked::default();
    let (log, begun) = (Arc::clone(&asked), Instant::now());
    let service = tower::service_fn(move |request: Request<Full<Bytes>>| {
        let uri = request.uri().path_and_query().unwrap().to_string();
        let wait = uri.split_once("waitMs=").map_or(0, |(_, wait)| wait.parse().unwrap());
        let mut log = log.lock().unwrap();
        log.push((begun.elapsed(), uri, request.headers().clone()));
        let answer = answer(log.len() - 1, Duration::from_millis(wait));
        async move { Ok::<_, Infallible>(answer.await) }
    });
    (OctetClient::over(service), asked)
}

fn answer(status: u16, body: &'static str) -> Response<Full<Bytes>> {
    Response::builder().status(status).body(Full::from(body)).unwrap()
}

fn session() -> SessionRef {
    "sess_1".parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn without_a_wait_one_question_is_asked_and_answered() {
    let (octet, asked) = octet(|_, _| async { answer(404, PENDING) });
    assert_eq!(octet.verdict(session()).await.unwrap(), Lookup::Pending);
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].1, "/v1/verdict/sess_1");
}

#[tokio::test(start_paused = true)]
async fn a_question_about_a_place_is_asked_again_after_an_outage_and_not_when_the_session_has_answered_enough() {
    const INDETERMINATE: &str = include_str!("../../octet/tests/golden/predicate-verdict-indeterminate.json");
    const ENOUGH: &str = r#"{ "status": 429, "code": "too_many_questions" }"#;
    let (octet, asked) = octet(|n, _| async move {
        [answer(503, "{}"), answer(200, INDETERMINATE), answer(429, ENOUGH)].into_iter().nth(n).unwrap()
    });
    let ask = || octet.is_within(session(), Region::eu(), At::Now);
    assert_eq!(ask().await.unwrap().reason, ReasonCode::NoProofAtResolution);
    let refused = ask().await.unwrap_err();
    assert!(refused.is_rate_limited() && refused.code() == Some(Code::TooManyQuestions));
    let asked = asked.lock().unwrap();
    assert_eq!(asked.iter().map(|(_, path, _)| path.as_str()).collect::<Vec<_>>(), ["/v1/predicate"; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_of_25_seconds_is_three_polls_without_a_pause() {
    let (octet, asked) = octet(|_, wait| async move {
        sleep(wait).await;
        answer(404, PENDING)
    });
    let begun = Instant::now();
    assert_eq!(octet.verdict(session()).wait(Duration::from_secs(25)).await.unwrap(), Lookup::Pending);
    assert!((25_000..25_050).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    let asked: Vec<_> = asked.lock().unwrap().iter().map(|(_, uri, _)| uri.clone()).collect();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked[0].ends_with("waitMs=10000") && asked[1].ends_with("waitMs=10000"), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn the_longest_wait_and_patience_that_there_are_can_be_given() {
    let service = tower::service_fn(|_: Request<Full<Bytes>>| async { Ok::<_, Infallible>(answer(200, VERDICT)) });
    let octet = OctetClient::builder().transport(Transport::over(service)).timeout(Duration::MAX).build().unwrap();
    assert!(matches!(octet.verdict(session()).wait(Duration::MAX).await.unwrap(), Lookup::Ready(_)));
}

#[tokio::test(start_paused = true)]
async fn an_octet_that_holds_no_polls_is_not_asked_in_a_hot_loop() {
    let (octet, asked) = octet(|_, _| async { answer(404, PENDING) });
    assert_eq!(octet.verdict(session()).wait(Duration::from_secs(2)).await.unwrap(), Lookup::Pending);
    assert!(asked.lock().unwrap().len() <= 21);
}

#[tokio::test(start_paused = true)]
async fn the_verdict_is_given_as_soon_as_octet_gives_it() {
    let (octet, asked) = octet(|_, _| async {
        sleep(Duration::from_millis(700)).await;
        answer(200, VERDICT)
    });
    let address: std::net::IpAddr = "192.0.2.7".parse().unwrap();
    let lookup = octet.verdict(session()).visitor_ip(address).wait(Duration::from_secs(2)).await.unwrap();
    assert_eq!(lookup.ready().unwrap().country.unwrap(), "DE");
    assert_eq!(asked.lock().unwrap()[0].2["x-octet-visitor-ip"], "192.0.2.7");
}

#[tokio::test(start_paused = true)]
async fn a_failing_octet_is_asked_three_times_and_then_it_is_an_outage() {
    let (octet, asked) = octet(|_, _| async { answer(503, r#"{"status":503,"code":"shutting_down"}"#) });
    let error = octet.verdict(session()).await.unwrap_err();
    assert!(error.is_outage() && !error.is_timeout());
    assert_eq!(error.code(), Some(octet::problem::Code::ShuttingDown));
    assert_eq!(asked.lock().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_retry_may_bring_the_verdict() {
    let (octet, _) =
        octet(|nth, _| async move { if nth == 0 { answer(502, "bad gateway") } else { answer(200, VERDICT) } });
    assert!(octet.verdict(session()).await.unwrap().ready().is_some());
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_kept_when_short_and_left_to_the_caller_when_long() {
    let limited = |seconds| {
        octet(move |nth, _| async move {
            if nth == 0 {
                Response::builder().status(429).header("retry-after", seconds).body(Full::default()).unwrap()
            } else {
                answer(200, VERDICT)
            }
        })
    };
    let (octet, asked) = limited("1");
    assert!(octet.verdict(session()).await.is_ok());
    assert!(asked.lock().unwrap()[1].0 >= Duration::from_secs(1));

    let (octet, asked) = limited("30");
    let error = octet.verdict(session()).await.unwrap_err();
    assert!(error.is_rate_limited() && !error.is_outage());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(30)));
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_silent_octet_is_a_timeout_within_wait_and_timeout_together() {
    let (octet, asked) = octet(|_, _| async {
        sleep(Duration::from_secs(3600)).await;
        answer(200, VERDICT)
    });
    let begun = Instant::now();
    let error = octet.verdict(session()).wait(Duration::from_secs(2)).await.unwrap_err();
    assert!(error.is_timeout() && error.is_outage());
    assert!(begun.elapsed() <= Duration::from_millis(5_050), "{:?}", begun.elapsed());
    assert!(asked.lock().unwrap().len() > 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_helped_is_not_asked_again() {
    for (status, body, kind) in [
        (401, r#"{"status":401,"code":"partner_key_rejected"}"#, ErrorKind::Unauthorized),
        (400, r#"{"status":400,"code":"malformed_ref"}"#, ErrorKind::InvalidRequest),
        (404, "<h1>no such page</h1>", ErrorKind::Protocol),
        (302, "", ErrorKind::Protocol),
        (200, "{}", ErrorKind::Protocol),
        (200, "<html>", ErrorKind::Protocol),
    ] {
        let (octet, asked) = octet(move |_, _| async move { answer(status, body) });
        let error = octet.verdict(session()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status} {body}");
        assert!(!error.is_outage());
        assert_eq!(asked.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn an_octet_that_is_not_there_is_an_outage() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let octet = OctetClient::builder()
        .url(format!("http://{port}"))
        .partner_key("opk_0123456789abcdef".parse().unwrap())
        .build()
        .unwrap();
    assert!(octet.verdict(session()).await.unwrap_err().is_outage());
}

#[test]
fn a_client_says_what_is_missing_and_never_shows_its_key() {
    let no_url = OctetClient::builder().build().unwrap_err();
    assert_eq!(no_url.kind(), ErrorKind::Configuration);
    let no_key = OctetClient::builder().url("https://octet.internal").build().unwrap_err();
    assert!(no_key.to_string().contains("partner key"), "{no_key}");
    let builder =
        OctetClient::builder().url("https://octet.internal").partner_key("opk_secret_secret_s".parse().unwrap());
    assert!(!format!("{builder:?}").contains("secret"));
    assert!(!format!("{:?}", builder.build().unwrap()).contains("secret"));
}
