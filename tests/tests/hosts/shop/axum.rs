//! The shop on axum.

use std::convert::Infallible;
use std::future::ready;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::body::Body;
use axum::extract::Request;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::http::header::{ALLOW, CACHE_CONTROL, HeaderMap, HeaderValue, TRAILER};
use axum::http::{Response, StatusCode};
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Router, ServiceExt};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http_body::Frame;
use http_body_util::StreamBody;
use octet_tower::axum::{OctetSession, VisitorIp};
use octet_tower::{Connection, OctetEdgeLayer};

use super::{Setup, endless, page};

/// With the edge as a layer of the router.
pub(super) async fn serve(setup: &Setup, made: Arc<AtomicU64>) -> SocketAddr {
    let app = shop(made).layer(OctetEdgeLayer::from(setup.relay()));
    let listener = setup.listener().await;
    let addr = listener.local_addr().unwrap();
    if setup.told {
        let app = app.into_make_service_with_connect_info::<Connection>();
        tokio::spawn(async move { axum::serve(listener, app).await });
    } else {
        tokio::spawn(async move { axum::serve(listener, app).await });
    }
    addr
}

/// With the edge around the router.
pub(super) async fn serve_around(setup: &Setup, made: Arc<AtomicU64>) -> SocketAddr {
    let app = OctetEdgeLayer::from(setup.relay()).layer(shop(made));
    let listener = setup.listener().await;
    let addr = listener.local_addr().unwrap();
    if setup.told {
        tokio::spawn(async move { octet_tower::axum::serve(listener, app).await });
    } else {
        let app = ServiceExt::<Request>::into_make_service(app);
        tokio::spawn(async move { axum::serve(listener, app).await });
    }
    addr
}

fn shop(made: Arc<AtomicU64>) -> Router {
    plain(made).merge(pages())
}

fn pages() -> Router {
    let html = |session: OctetSession| async move { ([(CACHE_CONTROL, "public, max-age=60")], Html(page(&session))) };
    Router::new()
        .route("/", get(html))
        .route("/ref", get(|session: OctetSession| async move { session.to_string() }))
        .route("/ip", get(|visitor: VisitorIp| async move { visitor.0.to_string() }))
        .route("/late-panic", get(|_: OctetSession| async { panic!("the shop's own") as &'static str }))
}

/// The routes that need no edge.
pub(super) fn plain(made: Arc<AtomicU64>) -> Router {
    let options = || async { (StatusCode::NO_CONTENT, [(ALLOW, "the partner's")]) };
    let endless = || async move { Body::from_stream(endless(made)) };
    Router::new()
        .route("/plain", get(|| async { ([(CACHE_CONTROL, "public")], "plain") }).options(options))
        .route("/echo", post(|request: Request| async move { ([(TRAILER, "x-sent")], request.into_body()) }))
        .route("/own-ws", get(websocket))
        .route("/octet/own-ws", get(websocket))
        .route("/error", get(|| async { (StatusCode::IM_A_TEAPOT, [("x-partner", "own")], "the partner's error") }))
        .route("/panic", get(|| async { panic!("the shop's own") as &'static str }))
        .route("/trailers", get(|| async { trailers() }))
        .route("/endless", get(endless))
        .route("/octet/partners-own", get(|| async { "partner" }))
}

/// A response with a trailer.
pub(super) fn trailers() -> Response<Body> {
    let trailers = HeaderMap::from_iter([("x-end".parse().unwrap(), HeaderValue::from_static("reached"))]);
    let frames = [Ok::<_, Infallible>(Frame::data(Bytes::from("data"))), Ok(Frame::trailers(trailers))];
    let mut response = Response::new(Body::new(StreamBody::new(stream::iter(frames))));
    response.headers_mut().insert(TRAILER, HeaderValue::from_static("x-end"));
    response
}

/// A WebSocket of the partner's own, which says everything again.
async fn websocket(upgrade: WebSocketUpgrade) -> Response<Body> {
    upgrade.on_upgrade(|socket| async {
        let (says, hears) = socket.split();
        let _ = hears
            .try_filter(|message| ready(matches!(message, Message::Text(_) | Message::Binary(_))))
            .forward(says)
            .await;
    })
}
