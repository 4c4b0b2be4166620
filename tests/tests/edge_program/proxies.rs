//! The guides for nginx and Caddy, as the examples write them: a real browser over HTTPS, and a visitor who writes
//! forwarding headers.

use axum::Router;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use octet::SessionRef;
use octet_client::OctetClient;
use octet_tests::browser::{self, Visitor};
use octet_tests::hand_made::bundle;
use octet_tests::stack::{self, Setup};

use crate::support::{Proxy, edge, observed, proxy, shop};

#[expect(dead_code, reason = "its main is for people")]
#[path = "../../../examples/edge-behind-caddy/src/main.rs"]
mod caddy;
#[expect(dead_code, reason = "its main is for people")]
#[path = "../../../examples/edge-behind-nginx/src/main.rs"]
mod nginx;

async fn guide(program: &str, file: &str, example: fn(OctetClient) -> Router) {
    let stack = stack::start(Setup::default()).await;
    let edge = edge(&stack, &["--trusted-proxies=127.0.0.1"]).await;
    let shop = shop(example, &stack).await;
    let Some(proxy) = proxy(program, file, edge, shop).await else { return };
    a_visitors_own_forwarding_headers_change_nothing(&proxy, &stack).await;

    let Some(browser) = browser::open(Visitor::BERLIN).await else { return };
    browser.goto(format!("https://{}/", proxy.address)).await.unwrap();
    let state = browser
        .run(
            "while (document.getElementById('state').textContent === 'measuring')
                 await new Promise(resolve => setTimeout(resolve, 50));
             return document.getElementById('state').textContent;",
        )
        .await;
    assert_eq!(state, "completed", "{program}");
    let seen = observed(&stack);
    assert_eq!((&seen["peer"]["ip"], &seen["peer"]["forwarded"]), (&"127.0.0.1".into(), &true.into()), "{seen}");
    // TLS and HTTP/2 ended before the edge.
    assert!(seen["tls"].is_null() && seen["http2"].is_null(), "{seen}");
    assert_eq!(seen["channel"]["ticket"], "valid", "{seen}");
    assert!(seen["channel"]["rounds"].as_array().unwrap().len() >= 4, "{seen}");
    browser.run("document.querySelector('button').click();").await;
    let decided = browser
        .run(
            "while (!document.body.innerText.match(/bought|step|again/)) await new Promise(resolve => setTimeout(resolve, 50));
             return document.body.innerText;",
        )
        .await;
    let decided = decided.as_str().unwrap();
    assert!(["bought", "one more step, please"].iter().any(|answer| decided.contains(answer)), "{decided}");
    browser.quit().await;
}

/// A visitor at 127.0.0.2, who is no trusted proxy, writes every header that some proxy writes.
async fn a_visitors_own_forwarding_headers_change_nothing(proxy: &Proxy, stack: &stack::Stack) {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_local_address(Some([127, 0, 0, 2].into()));
    let tls = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(octet_tests::tls::believing_anyone())
        .https_only()
        .enable_http1()
        .wrap_connector(tcp);
    let client = Client::builder(TokioExecutor::new()).build::<_, Full<Bytes>>(tls);
    let origin = format!("https://{}", proxy.address);
    let mut request = Request::post(format!("{origin}/octet/v1/signals")).header("origin", &origin);
    for header in ["x-forwarded-for", "x-real-ip", "cf-connecting-ip", "true-client-ip", "x-client-ip"] {
        request = request.header(header, "198.51.100.66");
    }
    let request = request.header("forwarded", "for=198.51.100.66").header("x-forwarded-proto", "gopher");
    let body = bundle(&SessionRef::mint(), "Europe/Berlin", "de-DE", None);
    let answer = client.request(request.body(Full::new(body)).unwrap()).await.unwrap();
    let status = answer.status();
    assert_eq!(status, 202, "{:?}", answer.into_body().collect().await.unwrap().to_bytes());
    let peer = observed(stack)["peer"].clone();
    assert_eq!((&peer["ip"], &peer["forwarded"]), (&"127.0.0.2".into(), &true.into()), "{peer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_for_nginx_works_as_written() {
    guide("nginx", "nginx.conf", nginx::shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_for_caddy_works_as_written() {
    guide("caddy", "Caddyfile", caddy::shop).await;
}
