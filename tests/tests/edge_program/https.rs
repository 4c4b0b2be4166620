//! Hosts that end TLS themselves, in front of a shop or around it: what a real browser's connections tell each.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use actix_web::dev::Server;
use actix_web::{App, web};
use axum::Router;
use axum::response::Html;
use axum::routing::get;
use octet_actix::{OctetEdge, listen_https};
use octet_relay::Relay;
use octet_tests::browser::{self, Browser, Visitor};
use octet_tests::stack::{self, Setup, Stack};
use octet_tower::{Connection, Listener, OctetEdgeLayer, Tls};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::{certificate, edge, license, listens, observed};

/// The page of the stack's shop that loads the collector and calls nothing.
const BARE: &str = "bare?csp=default-src%20'self'%20'wasm-unsafe-eval'";
/// Another one.
const PAGE: &str = r#"<!doctype html><title>shop</title><script src="/octet/octet-collector.js"></script>"#;

#[tokio::test(flavor = "multi_thread")]
async fn over_https_and_http2_every_host_sees_the_browsers_own_connection() {
    let Some(browser) = browser::open(Visitor::BERLIN).await else { return };
    let stack = stack::start(Setup::default()).await;
    let folder = TempDir::new().unwrap();
    certificate(folder.path());
    let edge = octet_edge(&stack, folder.path(), &[]).await;
    let behind_edge = visit(&browser, &stack, &format!("https://{edge}/{BARE}"), "/edge").await;
    let axum = axum(&stack, tls(folder.path())).await;
    let on_axum = visit(&browser, &stack, &format!("https://{axum}/"), "/octet").await;
    let actix = actix(&stack, tls(folder.path())).await;
    let on_actix = visit(&browser, &stack, &format!("https://{actix}/"), "/octet").await;
    for seen in [&behind_edge, &on_axum, &on_actix] {
        assert_eq!((&seen["peer"]["forwarded"], &seen["tls"]["ja4"]), (&false.into(), &behind_edge["tls"]["ja4"]));
    }
    for seen in [behind_edge, on_axum] {
        is_in_chromiums_order(&seen);
    }
    assert!(on_actix["headerNames"].is_null(), "{on_actix}");
    browser.quit().await;
}

/// HAProxy balances connections, of which it reads nothing, and says in PROXY protocol for whom it opens them.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "cargo xtask prove engines"]
async fn behind_a_load_balancer_for_tcp_the_edge_sees_the_browsers_own_handshake() {
    let Some(browser) = browser::open(Visitor::BERLIN).await else { return };
    let stack = stack::start(Setup::default()).await;
    let folder = TempDir::new().unwrap();
    certificate(folder.path());
    let edge = octet_edge(&stack, folder.path(), &["--trusted-proxies=127.0.0.1"]).await;
    let direct = visit(&browser, &stack, &format!("https://{edge}/{BARE}"), "/edge").await;
    for version in ["send-proxy", "send-proxy-v2"] {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let file = folder.path().join("haproxy.cfg");
        let timeouts = "timeout connect 5s\n timeout client 1m\n timeout server 1m";
        let text = format!("listen tcp\n mode tcp\n {timeouts}\n bind {free}\n server edge {edge} {version}\n");
        std::fs::write(&file, text).unwrap();
        let mut haproxy = Command::new("/usr/sbin/haproxy");
        let haproxy = haproxy.arg("-db").arg("-f").arg(&file).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        listens(free).await;
        let seen = visit(&browser, &stack, &format!("https://{free}/{BARE}"), "/edge").await;
        assert_eq!((&seen["peer"]["forwarded"], &seen["tls"]["ja4"]), (&true.into(), &direct["tls"]["ja4"]), "{seen}");
        println!("behind HAProxy with {version}: {}", seen["tls"]["ja4"]);
        drop(haproxy);
    }
    browser.quit().await;
}

fn tls(folder: &Path) -> Tls {
    Tls::from_files(folder.join("chain.pem"), folder.join("key.pem")).unwrap().with_http2()
}

/// In front of the stack's shop, whose own layer has the usual prefix.
async fn octet_edge(stack: &Stack, folder: &Path, more: &[&str]) -> SocketAddr {
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let upstream = format!("--upstream-url=http://{}", stack.shop);
    let tls = ["--edge-tls-cert-file", &file("chain.pem"), "--edge-tls-key-file", &file("key.pem")];
    edge(stack, &[&[&*upstream, "--octet-prefix=/edge"], &tls[..], more].concat()).await
}

async fn relay(stack: &Stack) -> Relay {
    let license = license(stack).await;
    Relay::builder().octet_url(format!("http://{}", stack.octet)).license(license.expose()).build().unwrap()
}

async fn axum(stack: &Stack, tls: Tls) -> SocketAddr {
    let app = Router::new().route("/", get(async || Html(PAGE))).layer(OctetEdgeLayer::from(relay(stack).await));
    let listener = Listener::bind("127.0.0.1:0").await.unwrap().tls(tls);
    let address = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<Connection>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn actix(stack: &Stack, tls: Tls) -> SocketAddr {
    let edge = OctetEdge::from(relay(stack).await);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let page = async || web::Html::new(PAGE);
    let app = move || App::new().wrap(edge.clone()).route("/", web::get().to(page));
    tokio::spawn(listen_https(Server::build().workers(1).disable_signals(), listener, tls, app).unwrap().run());
    address
}

/// What the host of the page at `url` saw of the first of two visits. Each host sees all that there is to see of the
/// handshake, of HTTP/2 and of the channel.
async fn visit(browser: &Browser, stack: &Stack, url: &str, api: &str) -> Value {
    browser.goto(url).await.unwrap();
    let verify = format!(
        "return (await octet.verify({{ apiUrl: '{api}', sessionRef: 'sess_' + Math.random().toString(36).slice(2) }})).completed;"
    );
    assert_eq!(browser.run(&verify).await, true, "{url}");
    let seen = observed(stack);
    assert_eq!(seen["httpVersion"], "2", "{seen}");
    let ja4 = seen["tls"]["ja4"].as_str().unwrap();
    // No name stands in the hello to an address, so that the fourth letter says so.
    assert!(ja4.starts_with("t13i") && &ja4[8..10] == "h2" && seen["tls"]["grease"] == true, "{seen}");
    let settings: Vec<_> =
        seen["http2"]["settings"].as_array().unwrap().iter().map(|one| one["id"].as_u64().unwrap()).collect();
    assert!(settings.contains(&4) && seen["http2"]["windowUpdate"].is_u64(), "{seen}");
    // The channel has the round trip of its own connection: another one, or where the host offers it a stream of this one.
    assert!(seen["tcp"]["rttUs"].is_u64() && seen["channel"]["tcp"]["rttUs"].is_u64(), "{seen}");
    assert_eq!(seen["channel"]["ticket"], "valid", "{seen}");
    assert!(!seen["channel"]["rounds"].as_array().unwrap().is_empty(), "{seen}");
    // A second visit resumes the session, on connections of its own: the same client, the same value.
    assert_eq!(browser.run(&verify).await, true, "{url}");
    assert_eq!(observed(stack)["tls"]["ja4"], ja4);
    seen
}

/// The order in which Chromium writes its headers.
fn is_in_chromiums_order(seen: &Value) {
    let names: Vec<_> = seen["headerNames"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let at = |name: &str| names.iter().position(|other| *other == name).unwrap_or_else(|| panic!("{name}: {names:?}"));
    assert!(at("content-length") < at("user-agent") && at("user-agent") < at("sec-fetch-site"), "{names:?}");
    assert!(at("sec-fetch-site") < at("accept-language"), "{names:?}");
}
