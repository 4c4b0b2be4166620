//! What the layer costs a request that is not its own: a bare axum app, one with axum's own `Identity`, one with the
//! edge as a layer of the router, and one with the edge around the router. `cargo xtask bench edge` runs it under load
//! and under valgrind, with the allocator that a shop has.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on stops")]

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use axum::routing::get;
use axum::{Router, ServiceExt};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use octet_tower::{Listener, OctetEdgeLayer};
use tower::Service;
use tower::layer::util::Identity;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = arguments[1..].iter().map(String::as_str).collect();
    match words[..] {
        ["serve", "around", addr] => serve(edge().layer(app("bare")), addr),
        ["serve", kind, addr] => serve(app(kind), addr),
        ["run", "around", requests] => run(&mut edge().layer(app("bare")), requests.parse().unwrap()),
        ["run", kind, requests] => run(&mut app(kind), requests.parse().unwrap()),
        _ => println!("run me by `cargo xtask bench edge`"),
    }
}

fn app(kind: &str) -> Router {
    let bare = Router::new().route("/", get(|| async { "hello" }));
    let app = match kind {
        "bare" => bare,
        "identity" => bare.layer(Identity::new()),
        "edge" => bare.layer(edge()),
        other => panic!("no app is called {other}"),
    };
    // As `axum::serve` does for each connection: otherwise every request would make its routes anew.
    app.with_state(())
}

/// An edge whose Octet takes everything.
fn edge() -> OctetEdgeLayer {
    OctetEdgeLayer::over(tower::service_fn(|_: Request<Full<Bytes>>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }))
}

#[tokio::main(flavor = "current_thread")]
async fn serve<S>(app: S, addr: &str)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    let listener = Listener::bind(addr).await.unwrap();
    axum::serve(listener, app.into_make_service()).await.unwrap();
}

fn run(app: &mut impl Service<Request<Body>>, requests: usize) {
    for _ in 0..requests {
        ask(app);
    }
}

/// One request, whose answer never waits.
fn ask(app: &mut impl Service<Request<Body>>) {
    let request = Request::get("/").header("host", "shop.example").body(Body::empty()).unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(response) = pin!(app.call(request)).poll(&mut context) else { panic!("it waits") };
    drop(black_box(response));
}
