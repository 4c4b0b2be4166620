//! An edge in this process, an app behind it, and what a browser says to them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use clap::Parser;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use octet::observations::{EdgeObservations, SignalBundle};
use octet_edge::{Edge, Error, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A running edge; it stops with the test.
pub(crate) struct Running {
    pub(crate) addr: SocketAddr,
    pub(crate) stop: CancellationToken,
    pub(crate) end: JoinHandle<Result<(), Error>>,
}

/// The settings of an edge whose Octet is nowhere.
pub(crate) fn options(more: &[&str]) -> Options {
    let base =
        ["octet-edge", "--octet-url=http://127.0.0.1:1", "--license=octet_test_v4.public.abc", "--bind=127.0.0.1"];
    Options::try_parse_from([&base[..], &["--port=0", "--workers=2"], more].concat()).unwrap()
}

pub(crate) fn start(more: &[&str]) -> Running {
    let edge = Edge::bind(&options(more)).unwrap();
    let (addr, stop) = (edge.local_addr().unwrap(), CancellationToken::new());
    let end = tokio::spawn(edge.run(stop.clone()));
    Running { addr, stop, end }
}

/// An edge in front of `app`.
pub(crate) async fn before(app: Router, more: &[&str]) -> Running {
    let app = serve(app).await;
    start(&[&[&*format!("--upstream-url=http://{app}")], more].concat())
}

pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    addr
}

/// Sends a request whose URI is a path, and reads the whole answer.
pub(crate) async fn exchange(addr: SocketAddr, request: Request<Full<Bytes>>) -> Response<Bytes> {
    exchange_by(&Client::builder(TokioExecutor::new()).build_http(), addr, request).await
}

/// The same over HTTP/2.
pub(crate) async fn exchange_h2(addr: SocketAddr, request: Request<Full<Bytes>>) -> Response<Bytes> {
    exchange_by(&Client::builder(TokioExecutor::new()).http2_only(true).build_http(), addr, request).await
}

async fn exchange_by(
    client: &Client<hyper_util::client::legacy::connect::HttpConnector, Full<Bytes>>,
    addr: SocketAddr,
    mut request: Request<Full<Bytes>>,
) -> Response<Bytes> {
    *request.uri_mut() = format!("http://{addr}{}", request.uri()).parse().unwrap();
    let (parts, body) = client.request(request).await.unwrap().into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

pub(crate) async fn get(addr: SocketAddr, path: &str) -> Response<Bytes> {
    exchange(addr, Request::get(path).body(Full::default()).unwrap()).await
}

/// An Octet that takes every bundle, and keeps what the edge said of it.
pub(crate) struct Octet {
    pub(crate) addr: SocketAddr,
    bundles: Arc<Mutex<Vec<SignalBundle>>>,
}

impl Octet {
    pub(crate) async fn start() -> Self {
        let bundles = Arc::new(Mutex::new(Vec::<SignalBundle>::new()));
        let kept = Arc::clone(&bundles);
        let signals = move |body: Bytes| async move {
            kept.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
            (StatusCode::ACCEPTED, r#"{"status":"accepted"}"#)
        };
        Self { addr: serve(Router::new().route("/v1/signals", axum::routing::post(signals))).await, bundles }
    }

    /// An edge of this Octet.
    pub(crate) fn edge(&self, more: &[&str]) -> Running {
        start(&[&[&*format!("--octet-url=http://{}", self.addr)], more].concat())
    }

    /// What the edge said with the last bundle.
    pub(crate) fn observed(&self) -> EdgeObservations {
        self.bundles.lock().unwrap().last().expect("a bundle came").observations.clone()
    }
}

/// A connection on which the edge was asked to switch to `protocol` at `path`, and the head of its answer.
pub(crate) async fn upgrade(addr: SocketAddr, path: &str, protocol: &str) -> (TcpStream, String) {
    let mut tcp = TcpStream::connect(addr).await.unwrap();
    let head = format!(
        "GET {path} HTTP/1.1\r\nhost: {addr}\r\norigin: http://{addr}\r\nconnection: Upgrade\r\nupgrade: {protocol}\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    tcp.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(tcp.read_u8().await.unwrap());
    }
    (tcp, String::from_utf8(answer).unwrap().to_ascii_lowercase())
}

/// An app whose `/socket` says four bytes again, when it is asked for a WebSocket.
pub(crate) fn socket() -> Router {
    let switch = async |mut request: axum::extract::Request| {
        if !request.headers().contains_key(header::UPGRADE) {
            return Response::new(Body::from("no upgrade"));
        }
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let mut socket = TokioIo::new(upgrade.await.unwrap());
            let mut said = [0; 4];
            socket.read_exact(&mut said).await.unwrap();
            socket.write_all(&said).await.unwrap();
        });
        let switch = Response::builder().status(101).header("upgrade", "websocket").header("connection", "upgrade");
        switch.header("sec-websocket-accept", "x").body(Body::empty()).unwrap()
    };
    Router::new().route("/socket", axum::routing::get(switch))
}

/// The smallest bundle that a collector sends.
pub(crate) fn bundle() -> String {
    r#"{"schema":1,"id":"b1","sessionRef":"sess_1","collector":"0.1.0","runtime":"wasm","profile":"standard"}"#
        .to_owned()
}

/// Posts a bundle with these headers besides.
pub(crate) async fn post(addr: SocketAddr, headers: &[(&str, &str)]) -> Response<Bytes> {
    let mut request = Request::post("/octet/v1/signals").header("origin", format!("http://{addr}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    exchange(addr, request.body(Full::from(bundle())).unwrap()).await
}
