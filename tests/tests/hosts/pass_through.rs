//! What is not the edge's passes through as if the edge were not there.

use http::{Request, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::shop::Host;
use crate::support::{Shop, header_of, read_until};

pub(crate) async fn unknown_paths_under_the_prefix_are_the_partners_too(host: Host) {
    let shop = Shop::open(host).await;
    assert_eq!(shop.get("/octet/partners-own").await.body(), "partner");
    for path in
        ["/octet", "/octet/", "/octet/v1", "/octet/v1/signals/", "/octetv1/signals", "/octet/octet-collector.old.js"]
    {
        assert_eq!(shop.get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

pub(crate) async fn methods_answers_and_errors_are_the_partners_own(host: Host) {
    let shop = Shop::open(host).await;
    let options = shop.send(Request::options("/plain")).await;
    assert_eq!((options.status(), header_of(options.headers(), "allow")), (StatusCode::NO_CONTENT, "the partner's"));
    let head = shop.send(Request::head("/plain")).await;
    assert_eq!((head.status(), header_of(head.headers(), "content-length")), (StatusCode::OK, "5"));
    let plain = shop.get("/plain").await;
    assert_eq!((header_of(plain.headers(), "cache-control"), &plain.body()[..]), ("public", &b"plain"[..]));
    let error = shop.get("/error").await;
    assert_eq!((error.status(), header_of(error.headers(), "x-partner")), (StatusCode::IM_A_TEAPOT, "own"));
    assert_eq!(error.body(), "the partner's error");
    assert_eq!(shop.get("/nothing").await.status(), StatusCode::NOT_FOUND);
}

pub(crate) async fn another_prefix_moves_the_edge_and_frees_its_paths(host: Host) {
    for (prefix, path) in
        [("/shield/v2/", "/shield/v2/healthz"), ("/", "/healthz"), ("/.well-known", "/.well-known/healthz")]
    {
        let shop = Shop::with(host, &[("OCTET_PREFIX", prefix)]).await;
        assert_eq!(shop.get(path).await.status(), StatusCode::OK, "{prefix}");
        assert_eq!(shop.get("/octet/healthz").await.status(), StatusCode::NOT_FOUND, "{prefix}");
        assert_eq!(shop.get("/plain").await.body(), "plain");
    }
}

pub(crate) async fn bodies_stream_both_ways_while_they_are_made(host: Host) {
    let shop = Shop::open(host).await;
    let mut browser = shop.dial("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked").await;
    for part in ["first", "second"] {
        browser.write_all(format!("{:x}\r\n{part}\r\n", part.len()).as_bytes()).await.unwrap();
        // The part comes back before the next is sent.
        read_until(&mut browser, part).await;
    }
}

pub(crate) async fn a_browser_that_reads_slowly_is_not_read_ahead_of(host: Host) {
    let shop = Shop::open(host).await;
    let mut browser = shop.dial("GET /endless HTTP/1.1").await;
    read_until(&mut browser, "xxxx").await;
    // Time for an edge that would not wait: it would make hundreds of megabytes meanwhile.
    for _ in 0..50 {
        assert_eq!(shop.get("/plain").await.status(), StatusCode::OK);
    }
    // What the sockets' own buffers hold.
    assert!(shop.made() < 64 << 20, "{} bytes made, and nobody reads", shop.made());
    let before = shop.made();
    let mut rest = vec![0; 32 << 20];
    browser.read_exact(&mut rest).await.unwrap();
    assert!(shop.made() > before, "and then it goes on");
}

pub(crate) async fn trailers_arrive(host: Host) {
    if !host.has_trailers() {
        println!("skipped: {host:?} sends no trailers");
        return;
    }
    let shop = Shop::open(host).await;
    let mut browser = shop.dial("GET /trailers HTTP/1.1\r\nTE: trailers\r\nConnection: TE").await;
    let all = read_until(&mut browser, "x-end: reached\r\n\r\n").await;
    assert!(all.contains("data\r\n0\r\n"), "{all}");
}

pub(crate) async fn a_handler_that_panics_leaves_the_edge_standing(host: Host) {
    let shop = Shop::open(host).await;
    for _ in 0..3 {
        let mut browser = shop.dial("GET /panic HTTP/1.1\r\nConnection: close").await;
        let mut answer = Vec::new();
        let _ = browser.read_to_end(&mut answer).await;
        // Nothing, or what a proxy says of an app that broke off.
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 50"), "{}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(shop.get("/octet/healthz").await.status(), StatusCode::OK);
    assert_eq!(shop.get("/plain").await.status(), StatusCode::OK);
}
