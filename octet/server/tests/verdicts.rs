//! What backends ask: keys, waits, other partners' sessions, the shutdown.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::http::Request;
use bytes::Bytes;
use common::{AMERICAN, FRENCH, GERMAN, bundle, other_bundle, service, service_with};
use octet_client::{Lookup, OctetClient, Transport};
use octet_server::{Limits, Octet};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Serves on a socket; the sender ends it.
async fn serve(octet: &Octet) -> (SocketAddr, tokio::sync::oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let octet = octet.clone();
    let served = tokio::spawn(async move {
        octet.serve(listener, async { drop(stopped.await) }).await.unwrap();
    });
    (address, stop, served)
}

/// One request over a connection of its own.
async fn get(address: SocketAddr, path: &str, key: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: octet\r\nx-octet-partner-key: {key}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn pending_is_a_404_with_its_own_body() {
    let service = service().await;
    let answer = service.ask("sess_1").await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.text, r#"{"status":"pending","ref":"sess_1"}"#);
    assert_eq!(answer.headers["content-type"], "application/json");
}

#[tokio::test]
async fn a_head_request_settles_nothing() {
    let service = service().await;
    service.forward(bundle("s", GERMAN)).await;
    let head = Request::head("/v1/verdict/s").header("x-octet-partner-key", service.partner_key.expose());
    let head = service.send(head.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!((head.status.as_u16(), &head.headers["allow"]), (405, &"GET".parse().unwrap()));
    service.forward(other_bundle("s", GERMAN, "two")).await;
    assert_eq!(service.ask("s").await.json["alarm"], "low");
}

#[tokio::test]
async fn a_missing_and_an_unknown_key_are_answered_with_the_same_bytes() {
    let service = service().await;
    service.forward(bundle("s", GERMAN)).await;
    let mut answers = Vec::new();
    for key in ["", "short", "opk_0123456789abcdef0123456789abcdef", service.license.expose()] {
        let answer = service.ask_with("s", &[("x-octet-partner-key", key)]).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (401, "partner_key_rejected"));
        answers.push((answer.text, answer.headers));
    }
    let without = Request::get("/v1/verdict/s?waitMs=abc").body(axum::body::Body::empty()).unwrap();
    let without = service.send(without).await;
    assert!(answers.iter().all(|answer| *answer == (without.text.clone(), without.headers.clone())));
}

#[tokio::test]
async fn malformed_questions_are_400_each_with_its_code() {
    let service = service().await;
    let long = "a".repeat(129);
    for (ask, code) in [
        ("a.b", "malformed_ref"),
        ("a%2Fb", "malformed_ref"),
        ("%FF", "malformed_ref"),
        (long.as_str(), "malformed_ref"),
        ("s?waitMs=-1", "malformed_wait"),
        ("s?waitMs=abc", "malformed_wait"),
        ("s?waitMs=1.5", "malformed_wait"),
        ("s?waitMs=", "malformed_wait"),
    ] {
        let answer = service.ask(ask).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, code), "{ask}");
    }
    for address in ["visitor", "1.2.3.4, 5.6.7.8", "1.2.3.4:80"] {
        let answer = service.ask_with("s", &[("x-octet-visitor-ip", address)]).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, "malformed_visitor_ip"), "{address}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_kept_and_is_never_longer_than_ten_seconds() {
    let service = service().await;
    for (ask, seconds) in [("s", 0), ("s?waitMs=0", 0), ("s?waitMs=10000", 10), ("s?waitMs=99999", 10)] {
        let begun = tokio::time::Instant::now();
        assert_eq!(service.ask(ask).await.status, 404);
        assert_eq!(begun.elapsed().as_secs(), seconds, "{ask}");
    }
}

#[tokio::test]
async fn a_waiter_that_comes_before_the_signals_is_answered_within_milliseconds_of_them() {
    let service = service().await;
    let (address, _stop, _) = serve(&service.octet).await;
    service.forward(bundle("warm", GERMAN)).await;
    let mut slowest = Duration::ZERO;
    for n in 0..20 {
        let session = format!("s{n}");
        let key = service.partner_key.expose().to_owned();
        let path = format!("/v1/verdict/{session}?waitMs=10000");
        let waiter = tokio::spawn(async move {
            let answer = get(address, &path, &key).await;
            (answer, Instant::now())
        });
        while service.octet.waiters() == 0 {
            tokio::task::yield_now().await;
        }
        service.forward(bundle(&session, GERMAN)).await;
        let forwarded = Instant::now();
        let (answer, answered) = waiter.await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        slowest = slowest.max(answered.saturating_duration_since(forwarded));
    }
    println!("slowest wake: {slowest:?}");
    assert!(slowest < Duration::from_millis(100), "{slowest:?}");
}

#[tokio::test(start_paused = true)]
async fn another_partners_key_sees_pending_and_waits_as_long() {
    let service = service().await;
    let other = service.octet.partners().add("other").await.unwrap();
    service.forward(bundle("s", GERMAN)).await;
    let ask = async |ask: &str| service.ask_with(ask, &[("x-octet-partner-key", other.expose())]).await;
    let begun = tokio::time::Instant::now();
    let theirs = ask("s?waitMs=700").await;
    assert_eq!((theirs.status.as_u16(), begun.elapsed().as_millis()), (404, 700));
    let nobodys = ask("x?waitMs=0").await;
    assert_eq!(theirs.text.replace(r#""s""#, r#""x""#), nobodys.text);
    assert_eq!(theirs.headers, nobodys.headers);
    assert_eq!(service.ask("s").await.status, 200);
}

#[tokio::test]
async fn two_partners_may_use_the_same_reference() {
    let service = service().await;
    let other = OctetClient::over(service.octet.backend_transport("other").unwrap());
    let edge = Transport::over(service.octet.edge_transport("other").unwrap());
    service.forward(bundle("s", GERMAN)).await;
    let request = Request::post("/v1/signals").body(Bytes::from(other_bundle("s", AMERICAN, "two"))).unwrap();
    assert_eq!(edge.send(request, Default::default()).await.unwrap().status(), 202);
    assert_eq!(service.ask("s").await.json["country"], "DE");
    let session: octet::SessionRef = "s".parse().unwrap();
    assert!(other.verdict(&session).await.unwrap().ready().is_some());
}

#[tokio::test(start_paused = true)]
async fn over_its_waiters_a_partner_is_answered_at_once() {
    let service = service_with(Limits { waiters_per_partner: 1, ..Limits::default() }).await;
    let octet = OctetClient::over(service.octet.backend_transport("shop").unwrap());
    let session: octet::SessionRef = "s".parse().unwrap();
    let waiter = tokio::spawn({
        let (octet, session) = (octet.clone(), session.clone());
        async move { octet.verdict(session).wait(Duration::from_secs(10)).await }
    });
    while service.octet.waiters() == 0 {
        tokio::task::yield_now().await;
    }
    let begun = tokio::time::Instant::now();
    assert_eq!(service.ask("s?waitMs=5000").await.status, 404);
    assert_eq!(begun.elapsed(), Duration::ZERO);
    service.forward(bundle("s", GERMAN)).await;
    assert!(matches!(waiter.await.unwrap().unwrap(), Lookup::Ready(_)));
    assert_eq!(service.octet.waiters(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_holds_out_for_the_visitors_network_and_takes_what_there_is_in_the_end() {
    let service = service().await;
    service.forward(other_bundle("s", AMERICAN, "first")).await;
    let ask = service.ask_with("s?waitMs=5000", &[("x-octet-visitor-ip", FRENCH)]);
    let forward = async {
        while service.octet.waiters() == 0 {
            tokio::task::yield_now().await;
        }
        service.forward(bundle("s", FRENCH)).await
    };
    let (verdict, _) = tokio::join!(ask, forward);
    assert_eq!(verdict.status, 200);
    assert_eq!((service.octet.counts().bundles_kept, service.octet.counts().bundles_dropped), (1, 1));

    service.forward(bundle("t", AMERICAN)).await;
    let begun = tokio::time::Instant::now();
    let verdict = service.ask_with("t?waitMs=5000", &[("x-octet-visitor-ip", FRENCH)]).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(5));
    assert!(["medium", "high"].contains(&verdict.json["alarm"].as_str().unwrap()), "{}", verdict.text);
}

#[tokio::test]
async fn over_its_rate_a_backend_is_told_when_to_come_back() {
    let service = service_with(Limits { verdicts_per_second: 1, ..Limits::default() }).await;
    for _ in 0..4 {
        assert_eq!(service.ask("s").await.status, 404);
    }
    let refused = service.ask("s").await;
    assert_eq!((refused.status.as_u16(), refused.code()), (429, "rate_limited"));
    assert_eq!(refused.headers["retry-after"], "1");
    service.clock.advance(Duration::from_secs(1));
    assert_eq!(service.ask("s").await.status, 404);
}

#[tokio::test]
async fn keys_rotate_with_an_overlap_and_can_be_revoked_alone() {
    let service = service().await;
    let new = service.octet.partners().rotate("shop", Duration::from_secs(3600)).await.unwrap();
    let with = async |key: &str| service.ask_with("s", &[("x-octet-partner-key", key)]).await.status.as_u16();
    assert_eq!((with(service.partner_key.expose()).await, with(new.expose()).await), (404, 404));
    service.clock.advance(Duration::from_secs(3600));
    assert_eq!((with(service.partner_key.expose()).await, with(new.expose()).await), (401, 404));
    let listed = service.octet.partners().list().await.unwrap().remove(0);
    service.octet.partners().revoke_key("shop", &listed.keys[1].id).await.unwrap();
    assert_eq!(with(new.expose()).await, 401);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_asks_nothing_is_closed_after_ten_seconds_whatever_it_speaks() {
    let service = service().await;
    let (address, _stop, _) = serve(&service.octet).await;
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let settings = format!("{preface}\0\0\0\x04\0\0\0\0\0");
    for said in ["", "PRI * HT", "GET /healthz HTTP/1.1\r\nhost: ", preface, &settings] {
        let begun = tokio::time::Instant::now();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert_eq!(begun.elapsed().as_secs(), 10, "{said:?}");
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: octet\r\n\r\n").await.unwrap();
    let begun = tokio::time::Instant::now();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(begun.elapsed() > Duration::from_secs(30), "a connection that asked something stays");
}

#[tokio::test]
async fn a_shutdown_answers_the_waiters_and_ends() {
    let service = service().await;
    let (address, stop, served) = serve(&service.octet).await;
    let key = service.partner_key.expose().to_owned();
    let waiter = tokio::spawn(async move { get(address, "/v1/verdict/s?waitMs=10000", &key).await });
    while service.octet.waiters() == 0 {
        tokio::task::yield_now().await;
    }
    let begun = Instant::now();
    stop.send(()).unwrap();
    let answer = waiter.await.unwrap().to_lowercase();
    assert!(answer.starts_with("http/1.1 503"), "{answer}");
    assert!(answer.contains("retry-after: 1") && answer.contains(r#""code":"shutting_down""#), "{answer}");
    served.await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(TcpStream::connect(address).await.is_err());
    let refused = service.forward(bundle("s", GERMAN)).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (503, "shutting_down"));
    let ready = Request::get("/readyz").body(axum::body::Body::empty()).unwrap();
    assert_eq!(service.send(ready).await.status, 503);
}

#[tokio::test]
async fn service_edge_and_client_run_in_one_process_without_keys() {
    let service = service().await;
    let edge = Transport::over(service.octet.edge_transport("shop").unwrap());
    let client = OctetClient::over(service.octet.backend_transport("shop").unwrap());
    let session: octet::SessionRef = "s".parse().unwrap();
    assert_eq!(client.verdict(&session).await.unwrap(), Lookup::Pending);
    let waiting = client.verdict(&session).visitor_ip(GERMAN.parse::<std::net::IpAddr>().unwrap());
    let waiting = tokio::spawn(async move { waiting.wait(Duration::from_secs(10)).await });
    let request = Request::post("/v1/signals").body(Bytes::from(bundle("s", GERMAN))).unwrap();
    assert_eq!(edge.send(request, Default::default()).await.unwrap().status(), 202);
    let verdict = waiting.await.unwrap().unwrap().ready().unwrap();
    assert!(verdict.country_in(["DE"]));
    assert!(service.octet.edge_transport("no name").is_err());
    service.octet.partners().revoke("shop").await.unwrap();
    assert!(service.octet.backend_transport("shop").is_err());
}

#[tokio::test]
async fn an_identity_within_the_process_opens_its_own_door_only() {
    let service = service().await;
    let edge = OctetClient::over(service.octet.edge_transport("shop").unwrap());
    let session: octet::SessionRef = "s".parse().unwrap();
    assert!(edge.verdict(&session).await.unwrap_err().is_unauthorized());
}
