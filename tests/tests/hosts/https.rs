//! Hosts that end TLS themselves: what the handshake tells, the same on each.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::{App, web};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use octet::observations::EdgeObservations;
use octet_actix::{OctetEdge, Tls, listen_https};
use octet_tests::tls::believing_anyone;
use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::shop::{Host, Setup};
use crate::support::{Octet, Shop, bundle, fresh};

async fn shop(host: Host) -> Shop {
    Shop::set_up(host, Setup::new(&[]).over_https()).await
}

/// Asks once, on a connection of its own.
async fn ask(shop: &Shop, request: http::request::Builder, body: String) -> (u16, Bytes) {
    let tls = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(believing_anyone()).https_only();
    ask_by(tls.enable_http1().build(), shop.addr, request, body).await
}

async fn ask_by(
    tls: HttpsConnector<HttpConnector>,
    addr: SocketAddr,
    request: http::request::Builder,
    body: String,
) -> (u16, Bytes) {
    let client = Client::builder(TokioExecutor::new()).build::<_, Full<Bytes>>(tls);
    let (mut parts, body) = request.body(Full::new(body.into())).unwrap().into_parts();
    parts.uri = format!("https://{addr}{}", parts.uri).parse().unwrap();
    let answer = client.request(Request::from_parts(parts, body)).await.unwrap();
    (answer.status().as_u16(), answer.into_body().collect().await.unwrap().to_bytes())
}

/// What the edge says of a visit of the same client.
async fn visit(shop: &Shop) -> EdgeObservations {
    let request = Request::post("/octet/v1/signals").header(header::ORIGIN, format!("https://{}", shop.addr));
    assert_eq!(ask(shop, request.header(header::USER_AGENT, "Agent"), bundle(&fresh())).await.0, 202);
    shop.octet.observed()
}

pub(crate) async fn over_https_every_host_sees_one_ja4_and_it_is_the_same_as_on_axum(host: Host) {
    let (axum, own) = (shop(Host::Axum).await, shop(host).await);
    let mut values = BTreeSet::new();
    for _ in 0..10 {
        for shop in [&axum, &own] {
            let seen = visit(shop).await;
            values.insert(seen.tls.expect("the hello is seen").ja4.as_str().to_owned());
            assert!(seen.tcp.is_some(), "the kernel's view is this connection's");
        }
    }
    assert_eq!(values.len(), 1, "{values:?}");
    let value = values.pop_first().unwrap();
    assert!(value.starts_with("t13i"), "{value}");
    if host == Host::Actix {
        // The app knows that it is served over TLS, so that the URLs that it makes are right.
        assert_eq!(ask(&own, Request::get("/scheme"), String::new()).await.1, "https");
    }
}

/// The first bytes of a handshake as a client sends it.
fn hello() -> Vec<u8> {
    let name = ServerName::try_from("shop.example").unwrap();
    let mut client = ClientConnection::new(Arc::new(believing_anyone()), name).unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    bytes
}

pub(crate) async fn a_handshake_that_does_not_go_on_holds_up_nobody(host: Host) {
    let shop = shop(host).await;
    let hello = hello();
    let mut halves = Vec::new();
    // None, part of one, another kind of beginning, and a whole one that nothing follows.
    for begin in [&[][..], &hello[..1], &hello[..hello.len() / 2], b"GET /plain HTTP/1.1\r\n\r\n", &hello] {
        for _ in 0..20 {
            let mut half = TcpStream::connect(shop.addr).await.unwrap();
            half.write_all(begin).await.unwrap();
            halves.push(half);
        }
    }
    assert!(visit(&shop).await.tls.is_some());
    assert_eq!(ask(&shop, Request::get("/plain"), String::new()).await.1, "plain");
}

/// Waits for the hosts' own time limit, so that all wait at once.
#[tokio::test]
async fn a_handshake_that_never_ends_is_given_up_on_every_host() {
    let hello = hello();
    let one = async |host| {
        let shop = shop(host).await;
        let mut browser = TcpStream::connect(shop.addr).await.unwrap();
        browser.write_all(&hello[..hello.len() / 2]).await.unwrap();
        assert_eq!(browser.read(&mut [0]).await.unwrap(), 0, "{host:?}");
        assert!(visit(&shop).await.tls.is_some(), "{host:?}");
    };
    futures_util::future::join_all(Host::ALL.map(one)).await;
}

#[tokio::test]
async fn an_actix_app_without_an_edge_does_not_start() {
    let setup = Setup::new(&[]).over_https();
    let [chain, key] = setup.tls_files().unwrap();
    let tls = Tls::from_files(chain, key).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::build().workers(1).disable_signals();
    let app = || App::new().route("/", web::get().to(|| async { "nobody sees this" }));
    let error = listen_https(server, listener, tls, app).unwrap().run().await.unwrap_err();
    assert!(error.to_string().contains("start"), "{error}");
}

#[tokio::test]
async fn actix_serves_http2_where_the_certificate_offers_it_and_the_edge_sees_how_it_was_opened() {
    let octet = Octet::open().await;
    let setup = Setup::new(&[]).over_https().octet(octet.addr);
    let [chain, key] = setup.tls_files().unwrap();
    let tls = Tls::from_files(chain, key).unwrap().with_http2();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let (server, edge) = (Server::build().workers(1).disable_signals(), OctetEdge::from(setup.relay()));
    tokio::spawn(listen_https(server, listener, tls, move || App::new().wrap(edge.clone())).unwrap().run());

    let tls = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(believing_anyone()).https_only();
    let request = Request::post("/octet/v1/signals").header(header::ORIGIN, format!("https://{addr}"));
    let answer = ask_by(tls.enable_http2().build(), addr, request, bundle(&fresh())).await;
    assert_eq!(answer.0, 202, "{answer:?}");
    let seen = octet.observed();
    assert_eq!(seen.http_version.as_str(), "2");
    assert!(seen.http2.is_some() && seen.tls.is_some_and(|tls| tls.ja4.as_str().contains("h2")));
}
