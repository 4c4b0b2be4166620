//! The extractors: what a partner's handler gets, and what the layer does to the page.

use axum::Router;
use axum::routing::get;
use http::{Request, StatusCode};
use octet_tower::OctetEdgeLayer;
use octet_tower::axum::{OctetSession, VisitorIp};

use crate::support::{Octet, Shop, exchange, header_of, serve, shop};

#[tokio::test]
async fn a_page_with_a_reference_is_not_stored_whatever_its_handler_says() {
    let shop = Shop::open().await;
    let page = shop.get("/").await;
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(header_of(page.headers(), "cache-control"), "no-store");
    let plain = shop.get("/plain").await;
    assert_eq!(header_of(plain.headers(), "cache-control"), "public");
}

#[tokio::test]
async fn the_tag_of_a_page_leads_to_the_collector() {
    let shop = Shop::open().await;
    let page = String::from_utf8(shop.get("/").await.into_body().to_vec()).unwrap();
    let part = |before: &str| page.split_once(before).and_then(|(_, rest)| rest.split_once('"')).unwrap().0.to_owned();
    assert_eq!(part("nonce=\""), "n");
    assert_eq!(part("data-octet-ref=\""), part("name=\"octet\" value=\""));
    assert_eq!(part("data-octet-api=\""), "/octet");
    let script = shop.get(&part("src=\"")).await;
    assert_eq!(script.status(), StatusCode::OK);
    let asset = octet_collector_assets::assets().iter().find(|asset| asset.integrity == part("integrity=\"")).unwrap();
    assert_eq!(script.body(), asset.plain);
}

#[tokio::test]
async fn the_partners_profile_reaches_the_page_without_keeping_it_waiting() {
    let shop = Shop::open().await;
    // The first page may come before Octet's settings; they are asked for in the background.
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        let page = shop.get("/").await;
        if String::from_utf8_lossy(page.body()).contains(r#"data-octet-profile="full""#) {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "the profile never came");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_visitors_address_is_the_connections_or_what_a_trusted_proxy_says() {
    let shop = Shop::with(|edge| edge.trusted_proxies("127.0.0.1").forwarded_header("Forwarded")).await;
    assert_eq!(shop.get("/ip").await.body(), "127.0.0.1");
    let request =
        Request::get("/ip").header("forwarded", "for=\"[2001:db8::7]:99\"").header("x-forwarded-for", "6.6.6.6");
    assert_eq!(shop.send(request).await.body(), "2001:db8::7");
}

#[tokio::test]
async fn an_app_without_connection_facts_works_and_says_what_it_does_not_know() {
    let octet = Octet::default();
    let edge = OctetEdgeLayer::builder().transport(octet.transport()).build().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, shop().layer(edge)).await });
    let get = |path: &str| exchange(addr, Request::get(path.to_owned()).body(Default::default()).unwrap());
    assert_eq!(get("/").await.status(), StatusCode::OK);
    assert_eq!(get("/maybe-ip").await.body(), "false");
    assert_eq!(get("/ip").await.status(), StatusCode::INTERNAL_SERVER_ERROR);

    let post = Request::post("/octet/v1/signals").header("origin", format!("http://{addr}"));
    let response = exchange(addr, post.body(crate::support::bundle("s").into()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert!(octet.observed().peer.is_none() && octet.observed().tcp.is_none());
}

#[tokio::test]
async fn tokios_listener_with_the_address_as_connect_info_gives_not_the_kernels_view() {
    let octet = Octet::default();
    let edge = OctetEdgeLayer::builder().transport(octet.transport()).build().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let app = shop().layer(edge).into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let post = Request::post("/octet/v1/signals").header("origin", format!("http://{addr}"));
    let response = exchange(addr, post.body(crate::support::bundle("s").into()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert!(octet.observed().peer.is_some() && octet.observed().tcp.is_none());
}

#[tokio::test]
async fn without_the_layer_an_extractor_refuses_and_the_app_stands() {
    let app = Router::new()
        .route("/session", get(|session: OctetSession| async move { session.to_string() }))
        .route("/ip", get(|visitor: VisitorIp| async move { visitor.0.to_string() }));
    let addr = serve(app).await;
    for path in ["/session", "/ip"] {
        let response = exchange(addr, Request::get(path).body(Default::default()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}

#[tokio::test]
async fn every_page_view_has_a_reference_of_its_own() {
    let shop = Shop::open().await;
    assert_ne!(shop.get("/ref").await.body(), shop.get("/ref").await.body());
}
