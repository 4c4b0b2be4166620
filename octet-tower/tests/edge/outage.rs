//! Octet is down: the browser is told so in time, and the partner's routes do not notice.

use std::time::{Duration, Instant};

use http::{Request, StatusCode, header};
use octet_tower::OctetEdgeLayer;
use tokio::net::TcpListener;

use crate::support::{Octet, Shop, bundle, code, header_of, serve, shop};

async fn shop_towards(octet_url: String) -> Shop {
    let edge = OctetEdgeLayer::builder()
        .octet_url(octet_url)
        .license("octet_test_v4.public.abc")
        .forward_timeout(Duration::from_secs(1))
        .build()
        .unwrap();
    Shop { addr: serve(shop().layer(edge)).await, octet: Octet::default() }
}

#[tokio::test]
async fn with_nobody_listening_the_browser_gets_503_and_the_shop_stands() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = free.local_addr().unwrap();
    drop(free);
    let shop = shop_towards(format!("http://{addr}")).await;
    let response = shop.post(bundle("s")).await;
    assert_eq!((response.status(), code(&response).as_str()), (StatusCode::SERVICE_UNAVAILABLE, "octet_unavailable"));
    assert!(!header_of(response.headers(), "retry-after").is_empty());
    let page = shop.get("/").await;
    assert_eq!(page.status(), StatusCode::OK);
    assert!(String::from_utf8_lossy(page.body()).contains(r#"data-octet-profile="standard""#));
}

#[tokio::test]
async fn with_a_black_hole_the_browser_is_told_in_time_and_the_shop_does_not_notice() {
    // Accepts in the kernel, and never answers.
    let hole = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let shop = shop_towards(format!("http://{}", hole.local_addr().unwrap())).await;
    let start = Instant::now();
    let (bundle, pages) = tokio::join!(async { (shop.post(bundle("s")).await, start.elapsed()) }, async {
        for path in ["/", "/plain", "/octet/healthz"] {
            assert_eq!(shop.get(path).await.status(), StatusCode::OK, "{path}");
        }
        start.elapsed()
    });
    let (response, took) = bundle;
    assert_eq!((response.status(), code(&response).as_str()), (StatusCode::SERVICE_UNAVAILABLE, "octet_unavailable"));
    assert!(took >= Duration::from_secs(2), "one retry: {took:?}");
    assert!(pages < took, "{pages:?} and {took:?}");
}

#[tokio::test]
async fn a_browser_that_goes_on_sending_is_refused_before_its_body() {
    let shop = Shop::open().await;
    let request = Request::post("/octet/v1/signals").header(header::ORIGIN, "https://evil.example");
    assert_eq!(shop.send_body(request, vec![b'x'; 60_000]).await.status(), StatusCode::FORBIDDEN);
}
