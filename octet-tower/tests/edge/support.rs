//! A shop, an Octet and a browser, as far as the edge can tell.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{Request as AxumRequest, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use octet::observations::{Accepted, EdgeObservations, SignalBundle};
use octet::{BotAction, BotVerdict, ChallengeOutcome, SessionRef};
use octet_tower::axum::{OctetSession, VisitorIp};
use octet_tower::{Builder, Connection, Listener, OctetEdgeLayer, Transport};
use serde_json::{Value, json};

/// An Octet that takes every bundle, and keeps it.
#[derive(Clone, Default)]
pub(crate) struct Octet {
    bundles: Arc<Mutex<Vec<SignalBundle>>>,
    messages: Arc<Mutex<Vec<(String, String)>>>,
}

impl Octet {
    pub(crate) fn transport(&self) -> Transport {
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
        Transport::over(router.with_state(self.clone()))
    }

    /// The path and the body of the last message that was no bundle.
    pub(crate) fn message(&self) -> (String, String) {
        self.messages.lock().unwrap().last().expect("a message came").clone()
    }

    pub(crate) fn messages(&self) -> usize {
        self.messages.lock().unwrap().len()
    }

    pub(crate) fn count(&self) -> usize {
        self.bundles.lock().unwrap().len()
    }

    /// What the edge said of the last bundle.
    pub(crate) fn observed(&self) -> EdgeObservations {
        self.bundles.lock().unwrap().last().expect("a bundle came").observations.clone()
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
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::with(|edge| edge).await
    }

    /// With an edge that is built as `build` says.
    pub(crate) async fn with(build: impl FnOnce(Builder<OctetEdgeLayer>) -> Builder<OctetEdgeLayer>) -> Self {
        let octet = Octet::default();
        let edge = build(OctetEdgeLayer::builder().transport(octet.transport())).build().unwrap();
        Self { addr: serve(shop().layer(edge)).await, octet }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub(crate) async fn get(&self, path: &str) -> Response<Bytes> {
        self.send(Request::get(path)).await
    }

    /// Sends a request without a body.
    pub(crate) async fn send(&self, request: http::request::Builder) -> Response<Bytes> {
        self.send_body(request, "").await
    }

    pub(crate) async fn send_body(&self, request: http::request::Builder, body: impl Into<Bytes>) -> Response<Bytes> {
        exchange(self.addr, request.body(Full::new(body.into())).unwrap()).await
    }

    /// Posts a bundle as the page's collector does.
    pub(crate) async fn post(&self, bundle: impl Into<Bytes>) -> Response<Bytes> {
        let request = Request::post("/octet/v1/signals").header(header::ORIGIN, self.origin());
        self.send_body(request.header(header::USER_AGENT, "Agent"), bundle).await
    }
}

/// Sends a request whose URI is a path, and reads the whole answer.
pub(crate) async fn exchange(addr: SocketAddr, request: Request<Full<Bytes>>) -> Response<Bytes> {
    let (mut parts, body) = request.into_parts();
    parts.uri = format!("http://{addr}{}", parts.uri).parse().unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let (parts, body) = client.request(Request::from_parts(parts, body)).await.unwrap().into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = Listener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<Connection>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    addr
}

/// The partner's own routes.
pub(crate) fn shop() -> Router {
    let page = |session: OctetSession| async move {
        let form = format!("<form>{}</form>{}", session.hidden_input(), session.script_tag().nonce("n"));
        ([(header::CACHE_CONTROL, "public, max-age=60")], Html(form))
    };
    Router::new()
        .route("/", get(page))
        .route("/ref", get(|session: OctetSession| async move { session.to_string() }))
        .route("/ip", get(|visitor: VisitorIp| async move { visitor.0.to_string() }))
        .route("/maybe-ip", get(|visitor: Option<VisitorIp>| async move { visitor.is_some().to_string() }))
        .route("/plain", get(|| async { ([(header::CACHE_CONTROL, "public")], "plain") }))
        .route("/echo", post(|request: AxumRequest| async move { request.into_body() }))
        .route("/octet/partners-own", get(|| async { "partner" }))
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

pub(crate) fn code(response: &Response<Bytes>) -> String {
    let problem: serde_json::Value = serde_json::from_slice(response.body()).unwrap_or_default();
    assert_eq!(header_of(response.headers(), "content-type"), "application/problem+json");
    problem["code"].as_str().unwrap_or_default().to_owned()
}

/// A header's value; empty when it is not there.
pub(crate) fn header_of<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}
