//! What holds of the layer as a tower service; what holds of every host is in the suite `hosts` of `octet-tests`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use octet::observations::{Accepted, EdgeObservations, SignalBundle};
use octet_tower::axum::{OctetSession, VisitorIp};
use octet_tower::{OctetEdgeLayer, ResponseBody, Transport};
use tower::{Service, ServiceExt, service_fn};

type Body = Full<Bytes>;

/// The edge, and what it said of each bundle.
fn edge() -> (OctetEdgeLayer, Arc<Mutex<Vec<EdgeObservations>>>) {
    let seen = Arc::<Mutex<Vec<EdgeObservations>>>::default();
    let kept = seen.clone();
    let octet = service_fn(move |request: Request<Body>| {
        let kept = kept.clone();
        async move {
            let body = request.into_body().collect().await.unwrap_or_else(|never| match never {}).to_bytes();
            if let Ok(bundle) = serde_json::from_slice::<SignalBundle>(&body) {
                kept.lock().unwrap().push(bundle.observations);
            }
            let taken = serde_json::to_vec(&Accepted::default()).unwrap();
            Response::builder().status(StatusCode::ACCEPTED).body(Body::from(taken))
        }
    });
    (OctetEdgeLayer::builder().transport(Transport::over(octet)).build().unwrap(), seen)
}

/// Calls the edge around nothing.
async fn call<B>(request: Request<B>) -> Response<Body>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
{
    let nothing = service_fn(|_: Request<B>| async { Ok::<_, Infallible>(Response::new(Body::default())) });
    edge().0.layer(nothing).oneshot(request).await.unwrap_or_else(|never| match never {})
}

const BUNDLE: &str =
    r#"{"schema":1,"id":"b1","sessionRef":"s","collector":"0.1.0","runtime":"wasm","profile":"standard"}"#;

#[tokio::test]
async fn trailers_and_extensions_of_the_partners_response_survive() {
    let shop = service_fn(|_: Request<Empty<Bytes>>| async {
        let trailers = HeaderMap::from_iter([(header::EXPIRES, HeaderValue::from_static("never"))]);
        let frames = [Ok::<_, Infallible>(Frame::data(Bytes::from("data"))), Ok(Frame::trailers(trailers))];
        let mut response = Response::new(StreamBody::new(stream::iter(frames)));
        response.extensions_mut().insert(7_u8);
        Ok::<_, Infallible>(response)
    });
    let shop = shop.map_response(|response| response.map(ResponseBody::new));
    let response = edge().0.layer(shop).oneshot(Request::new(Empty::new())).await.unwrap();
    assert_eq!(response.extensions().get::<u8>(), Some(&7));
    let body = response.into_body().collect().await.unwrap();
    assert!(body.trailers().is_some_and(|trailers| trailers.contains_key("expires")));
}

#[tokio::test]
async fn the_partners_error_is_its_own() {
    #[derive(Debug, PartialEq)]
    struct ShopError(u8);

    let shop = service_fn(|_: Request<Body>| async { Err::<Response<Body>, _>(ShopError(7)) });
    let mut service = edge().0.layer(shop);
    let error = service.ready().await.unwrap().call(Request::new(Body::default())).await.unwrap_err();
    assert_eq!(error, ShopError(7));
    let own = Request::get("/octet/healthz").body(Body::default()).unwrap();
    assert_eq!(service.ready().await.unwrap().call(own).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_partners_service_that_is_not_ready_is_waited_for() {
    let shop = service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::default())) });
    let one = tower::ServiceBuilder::new().layer(edge().0).concurrency_limit(1).service(shop);
    let (mut first, mut second) = (one.clone(), one);
    let _taken = first.ready().await.unwrap();
    assert!(std::pin::pin!(second.ready()).as_mut().poll(&mut noop()).is_pending());
    drop(first);
    assert!(second.ready().await.is_ok());
}

#[tokio::test]
async fn a_request_that_is_not_the_edges_costs_no_allocation() {
    type Answer = Result<Response<Body>, Infallible>;
    let shop = service_fn(|_: Request<Body>| std::future::ready::<Answer>(Ok(Response::new(Body::default()))));
    let mut bare = shop;
    let mut wrapped = edge().0.layer(shop);
    let request = || Request::new(Body::default());
    // The first use of a thread's state is not counted against a request.
    let _ = wrapped.call(request()).await;
    let (first, second) = (request(), request());
    let bare = allocation_counter::measure(|| drop(poll_once(bare.call(first))));
    let wrapped = allocation_counter::measure(|| drop(poll_once(wrapped.call(second))));
    assert_eq!(wrapped.count_total, bare.count_total);
}

fn noop() -> std::task::Context<'static> {
    std::task::Context::from_waker(std::task::Waker::noop())
}

/// What a future gives that never waits.
fn poll_once<F: Future>(future: F) -> F::Output {
    match std::pin::pin!(future).poll(&mut noop()) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => panic!("it waits"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up() {
    let never = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>());
    let request = Request::post("/octet/v1/signals").header("host", "shop").header("origin", "http://shop");
    let start = tokio::time::Instant::now();
    let response = call(request.body(never).unwrap()).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(start.elapsed() <= Duration::from_secs(11), "{:?}", start.elapsed());
}

#[tokio::test]
async fn over_http_2_the_authority_is_the_host() {
    for (origin, expected) in [("https://shop.example", 202), ("https://evil.example", 403)] {
        let request = Request::post("https://shop.example/octet/v1/signals").version(http::Version::HTTP_2);
        let request = request.header("origin", origin).body(Body::from(BUNDLE)).unwrap();
        assert_eq!(call(request).await.status(), expected, "{origin}");
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

fn pages() -> Router {
    Router::new()
        .route("/session", get(|session: OctetSession| async move { session.to_string() }))
        .route("/ip", get(|visitor: VisitorIp| async move { visitor.0.to_string() }))
        .route("/maybe-ip", get(|visitor: Option<VisitorIp>| async move { visitor.is_some().to_string() }))
}

async fn body_of(app: Router, request: http::request::Builder) -> (StatusCode, Bytes) {
    let response = app.oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
    (response.status(), response.into_body().collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn without_the_layer_an_extractor_refuses_and_tells_the_visitor_nothing() {
    for path in ["/session", "/ip"] {
        let (status, body) = body_of(pages(), Request::get(path)).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(body, "this page is not available now");
    }
}

#[tokio::test]
async fn the_address_alone_as_connect_info_is_the_visitors_and_the_kernels_view_stays_unsaid() {
    let (edge, seen) = edge();
    let app = pages().layer(edge);
    let peer = ConnectInfo("192.0.2.7:4711".parse::<SocketAddr>().unwrap());
    assert_eq!(body_of(app.clone(), Request::get("/ip").extension(peer)).await.1, "192.0.2.7");
    assert_eq!(body_of(app.clone(), Request::get("/maybe-ip")).await.1, "false");
    let post =
        Request::post("/octet/v1/signals").header("host", "shop").header("origin", "http://shop").extension(peer);
    let response = app.oneshot(post.body(axum::body::Body::from(BUNDLE)).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let seen = seen.lock().unwrap().pop().unwrap();
    assert_eq!((seen.peer.map(|peer| peer.ip.to_string()), seen.tcp), (Some("192.0.2.7".to_owned()), None));
}
