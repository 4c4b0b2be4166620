//! The shop on hyper alone: a function from request to response, and an accept loop.

use std::convert::Infallible;
use std::future::ready;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, TRAILER, UPGRADE};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use octet_tower::{Listener, OctetEdgeLayer, OctetSession, VisitorIp};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tower::ServiceExt;

use super::axum::trailers;
use super::{Setup, endless, page};

pub(super) async fn serve(setup: &Setup, made: Arc<AtomicU64>) -> SocketAddr {
    let edge = OctetEdgeLayer::from(setup.relay());
    let app = edge.layer(tower::service_fn(move |request| {
        let made = made.clone();
        async move { Ok::<_, Infallible>(respond(request, made)) }
    }));
    let listener = setup.listener().await;
    let addr = listener.local_addr().unwrap();
    tokio::spawn(accept(listener, app, setup.told));
    addr
}

/// Serves `app`, which is told of each connection if `told`.
pub(super) async fn accept<S, B>(mut listener: Listener, app: S, told: bool)
where
    S: tower::Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes, Error: Into<axum::BoxError>> + Send + 'static,
{
    loop {
        let (tcp, connection) = listener.accept().await;
        let app = app.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            if told {
                request.extensions_mut().insert(connection.clone());
            }
            app.clone().oneshot(request)
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(tcp), service).with_upgrades());
    }
}

fn respond(request: Request<Incoming>, made: Arc<AtomicU64>) -> Response<Body> {
    let response = Response::builder();
    let answer = match (request.method().as_str(), request.uri().path()) {
        ("GET", "/") => {
            let session = OctetSession::open(&request).unwrap();
            response.header(CACHE_CONTROL, "public, max-age=60").body(page(&session).into())
        }
        ("GET", "/ref") => response.body(OctetSession::open(&request).unwrap().to_string().into()),
        ("GET", "/ip") => match VisitorIp::of(&request) {
            Ok(visitor) => response.body(visitor.0.to_string().into()),
            Err(_) => response.status(StatusCode::INTERNAL_SERVER_ERROR).body(Body::empty()),
        },
        ("GET", "/late-panic") => {
            let _session = OctetSession::open(&request);
            panic!("the shop's own")
        }
        ("GET" | "HEAD", "/plain") => response.header(CACHE_CONTROL, "public").body("plain".into()),
        ("OPTIONS", "/plain") => {
            response.status(StatusCode::NO_CONTENT).header(ALLOW, "the partner's").body(Body::empty())
        }
        ("POST", "/echo") => response.header(TRAILER, "x-sent").body(Body::new(request.into_body())),
        ("GET", "/own-ws" | "/octet/own-ws") => return websocket(request),
        ("GET", "/error") => {
            response.status(StatusCode::IM_A_TEAPOT).header("x-partner", "own").body("the partner's error".into())
        }
        ("GET", "/panic") => panic!("the shop's own"),
        ("GET", "/trailers") => Ok(trailers()),
        ("GET", "/endless") => response.body(Body::from_stream(endless(made))),
        ("GET", "/octet/partners-own") => response.body("partner".into()),
        _ => response.status(StatusCode::NOT_FOUND).body(Body::empty()),
    };
    answer.unwrap()
}

/// A WebSocket of the partner's own, which says everything again.
fn websocket(mut request: Request<Incoming>) -> Response<Body> {
    let accept = derive_accept_key(request.headers()[SEC_WEBSOCKET_KEY].as_bytes());
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let io = TokioIo::new(upgrade.await.unwrap());
        let (says, hears) = WebSocketStream::from_raw_socket(io, Role::Server, None).await.split();
        let _ = hears.try_filter(|message| ready(message.is_text() || message.is_binary())).forward(says).await;
    });
    let response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS).header(CONNECTION, "upgrade");
    response.header(UPGRADE, "websocket").header(SEC_WEBSOCKET_ACCEPT, accept).body(Body::empty()).unwrap()
}
