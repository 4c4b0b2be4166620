//! The shop on hyper alone: a function from request to response, and an accept loop.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::body::Body;
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use octet_tower::{Listener, OctetEdgeLayer, OctetSession, VisitorIp};
use tower::ServiceExt;

use super::axum::trailers;
use super::{Setup, endless, page};

pub(super) async fn serve(setup: &Setup, made: Arc<AtomicU64>) -> SocketAddr {
    let edge = OctetEdgeLayer::from(setup.relay());
    let app = edge.layer(tower::service_fn(move |request| {
        let made = made.clone();
        async move { Ok::<_, Infallible>(respond(request, made)) }
    }));
    let listener = Listener::bind("127.0.0.1:0").await.unwrap();
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
        ("POST", "/echo") => response.body(Body::new(request.into_body())),
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
