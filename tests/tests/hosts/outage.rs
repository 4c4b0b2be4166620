//! Octet is slow, down and back: the browser is told so in time, and the partner's routes do not notice.

use std::time::{Duration, Instant};

use http::{Request, StatusCode, header};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket};

use crate::shop::{Host, Setup};
use crate::support::{Octet, Shop, bundle, header_of, refusal};

pub(crate) async fn with_octet_down_the_browser_gets_503_and_the_shop_stands_and_with_octet_back_202(host: Host) {
    let shop = Shop::open(host).await;
    assert_eq!(shop.post(bundle("s")).await.status(), StatusCode::ACCEPTED);
    shop.octet.goes_down();
    // Until the last connection to it is closed, a bundle may still arrive.
    let refused = loop {
        let response = shop.post(bundle("s")).await;
        if response.status() != StatusCode::ACCEPTED {
            break response;
        }
    };
    assert_eq!(refusal(&refused), (503, "octet_unavailable".to_owned()));
    assert!(!header_of(refused.headers(), "retry-after").is_empty());
    for path in ["/plain", "/octet/healthz", "/octet/octet-collector.js"] {
        assert_eq!(shop.get(path).await.status(), StatusCode::OK, "{path}");
    }
    let back = Octet::back_at(shop.octet.addr).await;
    assert_eq!(shop.post(bundle("again")).await.status(), StatusCode::ACCEPTED);
    assert!(back.signals().contains("again"));
}

pub(crate) async fn an_edge_that_starts_before_octet_serves_the_shop_and_finds_octet_when_it_comes(host: Host) {
    // A port that is taken, and where nobody listens yet.
    let port = TcpSocket::new_v4().unwrap();
    port.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let shop = Shop::towards(host, Setup::new(&[]), port.local_addr().unwrap(), Octet::open().await).await;
    for path in ["/plain", "/octet/healthz", "/octet/octet-collector.js"] {
        assert_eq!(shop.get(path).await.status(), StatusCode::OK, "{path}");
    }
    assert_eq!(refusal(&shop.post(bundle("s")).await), (503, "octet_unavailable".to_owned()));
    let octet = Octet::at(port.listen(1024).unwrap());
    assert_eq!(shop.post(bundle("late")).await.status(), StatusCode::ACCEPTED);
    assert!(octet.signals().contains("late"));
}

/// Waits for the edge's own time limits, so that all hosts wait at once.
#[tokio::test]
async fn an_octet_that_never_answers_is_given_up_in_time_and_no_host_keeps_the_shop_waiting() {
    // Accepts in the kernel, and never answers.
    let hole = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hole = hole.local_addr().map(|addr| (addr, hole)).unwrap();
    let octet = Octet::open().await;
    let one = async |host| {
        let shop = Shop::towards(host, Setup::new(&[]), hole.0, octet.clone()).await;
        let start = Instant::now();
        let (response, pages) = tokio::join!(shop.post(bundle("s")), async {
            for path in ["/plain", "/octet/healthz"] {
                assert_eq!(shop.get(path).await.status(), StatusCode::OK, "{host:?} {path}");
            }
            start.elapsed()
        });
        let took = start.elapsed();
        assert_eq!(refusal(&response), (503, "octet_unavailable".to_owned()), "{host:?}");
        assert!(took >= Duration::from_secs(4), "{host:?}: two attempts of two seconds: {took:?}");
        assert!(pages < took, "{host:?}: {pages:?} and {took:?}");
    };
    futures_util::future::join_all(Host::ALL.map(one)).await;
}

/// The same for a browser that never finishes what it sends.
#[tokio::test]
async fn a_body_that_never_ends_is_given_up_on_every_host() {
    let one = async |host| {
        let shop = Shop::open(host).await;
        let origin = shop.origin();
        let mut browser =
            shop.dial(&format!("POST /octet/v1/signals HTTP/1.1\r\nOrigin: {origin}\r\nContent-Length: 1000")).await;
        let mut status = [0; 12];
        browser.read_exact(&mut status).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&status), "HTTP/1.1 400", "{host:?}");
        assert_eq!(shop.get("/plain").await.status(), StatusCode::OK);
        assert_eq!(shop.octet.count(), 0);
    };
    futures_util::future::join_all(Host::ALL.map(one)).await;
}

pub(crate) async fn a_browser_that_goes_on_sending_is_refused_before_its_body(host: Host) {
    let shop = Shop::open(host).await;
    let request = Request::post("/octet/v1/signals").header(header::ORIGIN, "https://evil.example");
    assert_eq!(shop.send_body(request, vec![b'x'; 60_000]).await.status(), StatusCode::FORBIDDEN);
}
