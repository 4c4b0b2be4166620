//! What is not the edge's passes through as if the edge were not there.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use octet_tower::OctetEdgeLayer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Octet, Shop, header_of};

fn edge() -> OctetEdgeLayer {
    OctetEdgeLayer::builder().transport(Octet::default().transport()).build().unwrap()
}

#[tokio::test]
async fn unknown_paths_under_the_prefix_are_the_partners_too() {
    let shop = Shop::open().await;
    assert_eq!(shop.get("/octet/partners-own").await.body(), "partner");
    for path in
        ["/octet", "/octet/", "/octet/v1", "/octet/v1/signals/", "/octetv1/signals", "/octet/octet-collector.old.js"]
    {
        assert_eq!(shop.get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let options = shop.send(Request::options("/plain")).await;
    assert_eq!(options.status(), StatusCode::METHOD_NOT_ALLOWED);
    let head = shop.send(Request::head("/plain")).await;
    assert_eq!((head.status(), header_of(head.headers(), "content-length")), (StatusCode::OK, "5"));
}

#[tokio::test]
async fn another_prefix_moves_the_edge_and_frees_its_paths() {
    let shop = Shop::with(|edge| edge.prefix("/shield/v2/")).await;
    assert_eq!(shop.get("/shield/v2/healthz").await.status(), StatusCode::OK);
    assert_eq!(shop.get("/octet/healthz").await.status(), StatusCode::NOT_FOUND);
    let page = String::from_utf8(shop.get("/").await.into_body().to_vec()).unwrap();
    assert!(page.contains(r#"src="/shield/v2/octet-collector."#) && page.contains(r#"data-octet-api="/shield/v2""#));
}

#[tokio::test]
async fn bodies_stream_both_ways_while_they_are_made() {
    let shop = Shop::open().await;
    let mut browser = TcpStream::connect(shop.addr).await.unwrap();
    let head = format!("POST /echo HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n", shop.addr);
    browser.write_all(head.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    for part in ["first", "second"] {
        browser.write_all(format!("{:x}\r\n{part}\r\n", part.len()).as_bytes()).await.unwrap();
        // The part comes back before the next is sent.
        while !String::from_utf8_lossy(&received).contains(part) {
            let mut buffer = [0; 1024];
            let read = browser.read(&mut buffer).await.unwrap();
            assert!(read > 0);
            received.extend_from_slice(&buffer[..read]);
        }
    }
}

#[tokio::test]
async fn trailers_and_extensions_of_the_partners_response_survive() {
    let shop = service_fn(|_: Request<Empty<Bytes>>| async {
        let trailers = http::HeaderMap::from_iter([(http::header::EXPIRES, http::HeaderValue::from_static("never"))]);
        let frames = [
            Ok::<_, Infallible>(http_body::Frame::data(Bytes::from("data"))),
            Ok(http_body::Frame::trailers(trailers)),
        ];
        let mut response = Response::new(StreamBody::new(futures_util::stream::iter(frames)));
        response.extensions_mut().insert(7_u8);
        Ok::<_, Infallible>(response)
    });
    let response = edge().layer(shop).oneshot(Request::new(Empty::new())).await.unwrap();
    assert_eq!(response.extensions().get::<u8>(), Some(&7));
    let body = response.into_body().collect().await.unwrap();
    assert!(body.trailers().is_some_and(|trailers| trailers.contains_key("expires")));
}

#[tokio::test]
async fn the_partners_error_is_its_own() {
    #[derive(Debug, PartialEq)]
    struct ShopError(u8);

    let shop = service_fn(|_: Request<Full<Bytes>>| async { Err::<Response<Full<Bytes>>, _>(ShopError(7)) });
    let mut service = edge().layer(shop);
    let error = service.ready().await.unwrap().call(Request::new(Full::default())).await.unwrap_err();
    assert_eq!(error, ShopError(7));
    let own = Request::get("/octet/healthz").body(Full::default()).unwrap();
    assert_eq!(service.ready().await.unwrap().call(own).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_request_that_is_not_the_edges_costs_no_allocation() {
    type Answer = Result<Response<Empty<Bytes>>, Infallible>;
    let shop = service_fn(|_: Request<Empty<Bytes>>| std::future::ready::<Answer>(Ok(Response::new(Empty::new()))));
    let mut bare = shop;
    let mut wrapped = edge().layer(shop);
    let request = || Request::new(Empty::new());
    // The first use of a thread's state is not counted against a request.
    let _ = wrapped.call(request()).await;
    let (first, second) = (request(), request());
    let bare = allocation_counter::measure(|| drop(poll_once(bare.call(first))));
    let wrapped = allocation_counter::measure(|| drop(poll_once(wrapped.call(second))));
    assert_eq!(wrapped.count_total, bare.count_total);
}

/// What a future gives that never waits.
fn poll_once<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => panic!("it waits"),
    }
}

#[tokio::test]
async fn a_handler_that_panics_leaves_the_edge_standing() {
    let app = axum::Router::new()
        .route(
            "/panic",
            axum::routing::get(|_: octet_tower::axum::OctetSession| async { panic!("the shop's own") as &'static str }),
        )
        .layer(edge());
    let addr = crate::support::serve(app).await;
    let mut browser = TcpStream::connect(addr).await.unwrap();
    browser.write_all(b"GET /panic HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut nothing = Vec::new();
    let _ = browser.read_to_end(&mut nothing).await;
    assert!(nothing.is_empty());
    let health = Request::get("/octet/healthz").body(Full::default()).unwrap();
    assert_eq!(crate::support::exchange(addr, health).await.status(), StatusCode::OK);
}

/// Calls the edge around nothing, without a socket.
async fn call<B>(request: Request<B>) -> Response<octet_tower::ResponseBody<Full<Bytes>>>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
{
    let nothing = service_fn(|_: Request<B>| async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) });
    edge().layer(nothing).oneshot(request).await.unwrap_or_else(|never| match never {})
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up() {
    let never = StreamBody::new(futures_util::stream::pending::<Result<http_body::Frame<Bytes>, Infallible>>());
    let request = Request::post("/octet/v1/signals").header("host", "shop").header("origin", "http://shop");
    let start = tokio::time::Instant::now();
    let response = call(request.body(never).unwrap()).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(start.elapsed() <= std::time::Duration::from_secs(11), "{:?}", start.elapsed());
}

#[tokio::test]
async fn over_http_2_the_authority_is_the_host() {
    for (origin, expected) in [("https://shop.example", 202), ("https://evil.example", 403)] {
        let request = Request::post("https://shop.example/octet/v1/signals").version(http::Version::HTTP_2);
        let body = Full::<Bytes>::from(crate::support::bundle("s"));
        assert_eq!(call(request.header("origin", origin).body(body).unwrap()).await.status(), expected, "{origin}");
    }
}

#[tokio::test]
async fn a_host_that_cannot_upgrade_says_so_and_takes_no_place() {
    for _ in 0..2 {
        let request = Request::get("/octet/v1/ws?ref=s")
            .header("host", "shop")
            .header("origin", "http://shop")
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(call(request.body(Empty::<Bytes>::new()).unwrap()).await.status(), StatusCode::UPGRADE_REQUIRED);
    }
}
