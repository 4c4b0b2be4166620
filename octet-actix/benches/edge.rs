//! What the middleware costs a request that is not its own: a bare actix-web app, one with a middleware that does
//! nothing, and one with the edge. `cargo xtask bench edge` runs it under load and under valgrind, with the allocator
//! that a shop has.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on stops")]

use std::convert::Infallible;
use std::hint::black_box;

use actix_http::Request;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error, HttpServer, web};
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use octet_actix::OctetEdge;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = arguments[1..].iter().map(String::as_str).collect();
    match words[..] {
        ["serve", kind, addr] => serve(kind, addr).unwrap(),
        ["run", kind, requests] => ask_of(kind, requests.parse().unwrap()),
        _ => println!("run me by `cargo xtask bench edge`"),
    }
}

macro_rules! app {
    () => {
        App::new().route("/", web::get().to(|| async { "hello" }))
    };
}

/// An edge whose Octet takes everything.
fn edge() -> OctetEdge {
    OctetEdge::over(tower::service_fn(|_: http::Request<Full<Bytes>>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }))
}

#[actix_web::main]
async fn serve(kind: &str, addr: &str) -> std::io::Result<()> {
    let edge = edge();
    match kind {
        "bare" => HttpServer::new(|| app!()).workers(1).bind(addr)?.run().await,
        "identity" => {
            let nothing = || app!().wrap_fn(|request, inner| inner.call(request));
            HttpServer::new(nothing).workers(1).bind(addr)?.run().await
        }
        "edge" => {
            let server = HttpServer::new(move || app!().wrap(edge.clone())).on_connect(octet_actix::on_connect);
            server.workers(1).bind(addr)?.run().await
        }
        other => panic!("no app is called {other}"),
    }
}

#[actix_web::main]
async fn ask_of(kind: &str, requests: usize) {
    match kind {
        "bare" => ask(init_service(app!()).await, requests),
        "identity" => {
            let nothing = app!().wrap_fn(|request, inner| inner.call(request));
            ask(init_service(nothing).await, requests);
        }
        "edge" => ask(init_service(app!().wrap(edge())).await, requests),
        other => panic!("no app is called {other}"),
    }
}

/// Requests whose answers never wait.
fn ask<B: MessageBody>(app: impl Service<Request, Response = ServiceResponse<B>, Error = Error>, requests: usize) {
    for _ in 0..requests {
        let request = TestRequest::get().uri("/").insert_header(("host", "shop.example")).to_request();
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let answer = std::pin::pin!(app.call(request)).poll(&mut context);
        assert!(black_box(answer).is_ready(), "it waits");
    }
}
