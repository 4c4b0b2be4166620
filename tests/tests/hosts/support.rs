//! A shop on any host, an Octet behind it and a browser in front of it, all on real sockets.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use octet::observations::{Accepted, EdgeObservations, SignalBundle};
use octet::{BotAction, BotVerdict, ChallengeOutcome, SessionRef};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::shop::{Host, Setup};

/// An Octet that takes every bundle and keeps it, on a port of its own.
#[derive(Clone)]
pub(crate) struct Octet {
    pub(crate) addr: SocketAddr,
    bundles: Arc<Mutex<Vec<SignalBundle>>>,
    messages: Arc<Mutex<Vec<(String, String)>>>,
    stop: CancellationToken,
}

impl Octet {
    pub(crate) async fn open() -> Self {
        Self::at(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// The same on this listener.
    pub(crate) fn at(listener: TcpListener) -> Self {
        let octet = Self {
            addr: listener.local_addr().unwrap(),
            bundles: Arc::default(),
            messages: Arc::default(),
            stop: CancellationToken::new(),
        };
        let signals = |State(octet): State<Self>, body: Bytes| async move {
            match serde_json::from_slice(&body) {
                Ok(bundle) => {
                    octet.bundles.lock().unwrap().push(bundle);
                    (StatusCode::ACCEPTED, Json(Accepted::default())).into_response()
                }
                Err(_) => StatusCode::BAD_REQUEST.into_response(),
            }
        };
        let settings = || async { Json(json!({ "profile": "full", "pages": true })) };
        let other = |State(octet): State<Self>, uri: axum::http::Uri, body: String| async move {
            octet.messages.lock().unwrap().push((uri.path().to_owned(), body));
            let bot = BotVerdict::new(74, true, BotAction::Challenge);
            let mut challenge: Value =
                serde_json::from_str(include_str!("../../../octet/tests/golden/challenge.json")).unwrap();
            challenge["secret"] = json!("the right number");
            match uri.path() {
                "/v1/assess" => Json(json!(bot)).into_response(),
                "/v1/challenge" => Json(challenge).into_response(),
                "/v1/challenge/ch_9f2c" => Json(json!(bot.after(ChallengeOutcome::Passed))).into_response(),
                _ => (StatusCode::ACCEPTED, Json(Accepted::default())).into_response(),
            }
        };
        let router =
            Router::new().route("/v1/signals", post(signals)).route("/v1/edge-settings", get(settings)).fallback(other);
        let served = axum::serve(listener, router.with_state(octet.clone()));
        let stop = octet.stop.clone();
        tokio::spawn(async move { served.with_graceful_shutdown(stop.cancelled_owned()).await });
        octet
    }

    /// The same address, when what listened there has gone.
    pub(crate) async fn back_at(addr: SocketAddr) -> Self {
        loop {
            match TcpListener::bind(addr).await {
                Ok(listener) => return Self::at(listener),
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }

    /// Goes down, as in an outage: the port is closed.
    pub(crate) fn goes_down(&self) {
        self.stop.cancel();
    }

    pub(crate) fn count(&self) -> usize {
        self.bundles.lock().unwrap().len()
    }

    /// What the edge said of the last bundle.
    pub(crate) fn observed(&self) -> EdgeObservations {
        self.bundles.lock().unwrap().last().expect("a bundle came").observations.clone()
    }

    /// The path and the body of the last message that was no bundle.
    pub(crate) fn message(&self) -> (String, String) {
        self.messages.lock().unwrap().last().expect("a message came").clone()
    }

    pub(crate) fn messages(&self) -> usize {
        self.messages.lock().unwrap().len()
    }

    /// The collector's bytes in the last bundle.
    pub(crate) fn signals(&self) -> String {
        self.bundles.lock().unwrap().last().expect("a bundle came").signals.get().to_owned()
    }
}

/// A shop with an edge around it, on a port of its own.
pub(crate) struct Shop {
    pub(crate) addr: SocketAddr,
    pub(crate) octet: Octet,
    /// How many bytes of `/endless` the partner's app has made.
    pub(crate) made: Arc<AtomicU64>,
}

impl Shop {
    pub(crate) async fn open(host: Host) -> Self {
        Self::with(host, &[]).await
    }

    /// With settings by the names of their variables.
    pub(crate) async fn with(host: Host, settings: &[(&'static str, &str)]) -> Self {
        Self::set_up(host, Setup::new(settings)).await
    }

    pub(crate) async fn set_up(host: Host, setup: Setup) -> Self {
        let octet = Octet::open().await;
        Self::towards(host, setup, octet.addr, octet).await
    }

    /// With Octet at `addr`, whatever is there.
    pub(crate) async fn towards(host: Host, setup: Setup, addr: SocketAddr, octet: Octet) -> Self {
        let made = Arc::new(AtomicU64::new(0));
        let setup = setup.octet(addr);
        Self { addr: host.serve(setup, made.clone()).await, octet, made }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub(crate) fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    pub(crate) async fn get(&self, path: &str) -> Response<Bytes> {
        self.send(Request::get(path)).await
    }

    /// Sends a request without a body.
    pub(crate) async fn send(&self, request: http::request::Builder) -> Response<Bytes> {
        self.send_body(request, "").await
    }

    /// Sends a request whose URI is a path, and reads the whole answer.
    pub(crate) async fn send_body(&self, request: http::request::Builder, body: impl Into<Bytes>) -> Response<Bytes> {
        let (mut parts, body) = request.body(Full::new(body.into())).unwrap().into_parts();
        parts.uri = format!("http://{}{}", self.addr, parts.uri).parse().unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let (parts, body) = client.request(Request::from_parts(parts, body)).await.unwrap().into_parts();
        Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
    }

    /// Posts a bundle as the page's collector does.
    pub(crate) async fn post(&self, bundle: impl Into<Bytes>) -> Response<Bytes> {
        let request = Request::post("/octet/v1/signals").header(header::ORIGIN, self.origin());
        self.send_body(request.header(header::USER_AGENT, "Agent"), bundle).await
    }

    /// A connection on which `head` was written, with `Host` and an empty line added.
    pub(crate) async fn dial(&self, head: &str) -> TcpStream {
        let mut browser = TcpStream::connect(self.addr).await.unwrap();
        let head = format!("{head}\r\nHost: {}\r\n\r\n", self.addr);
        browser.write_all(head.as_bytes()).await.unwrap();
        browser
    }
}

/// Reads until `wanted` is in what was read, and gives all of it.
pub(crate) async fn read_until(browser: &mut TcpStream, wanted: &str) -> String {
    let mut received = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&received);
        if text.contains(wanted) {
            return text.into_owned();
        }
        let mut buffer = [0; 4096];
        let read = browser.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the connection ended before {wanted}: {text}");
        received.extend_from_slice(&buffer[..read]);
    }
}

/// The smallest bundle that a collector sends.
pub(crate) fn bundle(session: &str) -> String {
    bundle_with(session, &json!({}))
}

/// The same with more fields.
pub(crate) fn bundle_with(session: &str, more: &serde_json::Value) -> String {
    let mut bundle = json!({
        "schema": 1, "id": "b1", "sessionRef": session, "collector": "0.1.0", "runtime": "wasm", "profile": "standard",
    });
    bundle.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    bundle.to_string()
}

pub(crate) fn fresh() -> String {
    SessionRef::mint().as_str().to_owned()
}

/// Status and stable code of a refusal.
pub(crate) fn refusal(response: &Response<Bytes>) -> (u16, String) {
    let problem: serde_json::Value = serde_json::from_slice(response.body()).unwrap_or_default();
    assert_eq!(header_of(response.headers(), "content-type"), "application/problem+json");
    (response.status().as_u16(), problem["code"].as_str().unwrap_or_default().to_owned())
}

/// A header's value; empty when it is not there.
pub(crate) fn header_of<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}
