//! The transport's promises over real sockets: bounded in time and size, and honest about what failed.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use octet_transport::{Limits, TlsOptions, Transport};
use tokio::net::TcpListener;

/// A server that answers every request with its path, and those below `/large` with 1 MiB.
async fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/base/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = service_fn(|request: Request<Incoming>| async move {
                let path = request.uri().path().to_owned();
                let body = if path.ends_with("/large") { vec![b'x'; 1 << 20] } else { path.into_bytes() };
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(body))))
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    url
}

fn get(path: &str) -> Request<Bytes> {
    Request::get(path).body(Bytes::new()).unwrap()
}

#[tokio::test]
async fn paths_are_joined_to_the_base_url() {
    let transport = Transport::connect(&server().await, &TlsOptions::default()).unwrap();
    let answer = transport.send(get("/v1/verdict/abc?waitMs=5"), Limits::default()).await.unwrap();
    assert_eq!(answer.body(), "/base/v1/verdict/abc");
}

#[tokio::test]
async fn an_answer_over_the_bound_is_an_error_and_not_a_cut_one() {
    let transport = Transport::connect(&server().await, &TlsOptions::default()).unwrap();
    let error = transport.send(get("/large"), Limits::default()).await.unwrap_err();
    assert!(!error.is_timeout() && !error.is_connect());
    assert_eq!(error.to_string(), "Octet's answer is larger than allowed");
}

#[tokio::test]
async fn a_closed_port_is_told_from_a_silent_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let silent = Transport::connect(&url, &TlsOptions::default()).unwrap();
    let limits = Limits { timeout: Duration::from_millis(50), ..Limits::default() };
    assert!(silent.send(get("/"), limits).await.unwrap_err().is_timeout());
    drop(listener);
    let closed = Transport::connect(&url, &TlsOptions::default()).unwrap();
    assert!(closed.send(get("/"), Limits::default()).await.unwrap_err().is_connect());
}

#[test]
fn what_is_no_url_of_a_service_is_refused_with_an_example() {
    for bad in ["", "octet.internal", "ftp://octet.internal", "/v1", "https://", "https://user:key@octet.internal"] {
        let error = Transport::connect(bad, &TlsOptions::default()).unwrap_err();
        assert!(error.to_string().contains("https://octet.internal"), "{bad}");
    }
}

#[test]
fn a_ca_file_without_a_certificate_is_refused() {
    let tls = TlsOptions::default().pinned_ca("no certificate");
    assert!(Transport::connect("https://octet.internal", &tls).is_err());
}
