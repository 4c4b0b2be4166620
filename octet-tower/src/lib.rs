//! Octet's edge as a tower layer: for axum, and for any other host of http 1.x services.
//!
//! The layer stands where the browser's connection ends, in the partner's own application. Under its prefix
//! (`/octet` unless told otherwise) it serves the collector, measures the latency channel, and forwards the
//! collector's bundle to Octet together with what it saw of the connection. Everything else passes through to the
//! partner's service untouched, unknown paths under the prefix too.
//!
//! | route | what |
//! | --- | --- |
//! | `GET /octet/octet-collector.*` | the collector, precompressed, cacheable for ever under its hashed names |
//! | `POST /octet/v1/signals` | the bundle: 202 once Octet has taken it |
//! | `GET /octet/v1/ws` | the latency channel (WebSocket; over HTTP/2 too where the host offers that, as axum does) |
//! | `GET /octet/healthz` | liveness of the edge itself |
//!
//! # A shop on axum
//!
//! With the feature `axum` there are extractors, and a listener that lets the edge see the connection:
//!
//! ```no_run
//! # #[cfg(feature = "axum")]
//! # mod shop {
//! use axum::{Router, response::Html, routing::get};
//! use octet_tower::{Listener, OctetEdgeLayer, axum::OctetSession};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let app = Router::new().route("/", get(page));
//!     let app = OctetEdgeLayer::from_env()?.layer(app);
//!     octet_tower::axum::serve(Listener::bind("[::]:3000").await?, app).await?;
//!     Ok(())
//! }
//!
//! async fn page(session: OctetSession) -> Html<String> {
//!     Html(format!("<form method=post>{}{}</form>", session.hidden_input(), session.script_tag()))
//! }
//! # }
//! # fn main() {}
//! ```
//!
//! The page's form brings the session reference back, and the partner's backend asks `octet-client` for its verdict.
//! The page is sent with `Cache-Control: no-store`: a reference belongs to one page view.
//!
//! The edge is around the whole router, so that its routes are reached although the router has none of that name. It may
//! be one of the router's layers too (`Router::layer`, not `route_layer`), outside of those that change or refuse requests.
//! That costs each request two allocations, whatever the layer, and around the router the edge costs none:
//!
//! ```no_run
//! # #[cfg(feature = "axum")]
//! # async fn serve(router: axum::Router) -> Result<(), Box<dyn std::error::Error>> {
//! use octet_tower::{Connection, Listener, OctetEdgeLayer};
//!
//! let app = router.layer(OctetEdgeLayer::from_env()?);
//! let listener = Listener::bind("[::]:3000").await?;
//! axum::serve(listener, app.into_make_service_with_connect_info::<Connection>()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Any other host
//!
//! For warp there are filters and a server, with the feature `warp`. Plain hyper, tonic and the rest need no feature: a
//! host puts a [`Connection`] into each request's extensions, if it knows one, as [`Listener::accept`] gives it:
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response, StatusCode};
//! use http_body_util::Full;
//! use octet_tower::{Connection, OctetEdgeLayer};
//! use tower::{Service, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let shop = service_fn(|_: Request<Full<Bytes>>| async { Ok::<_, std::io::Error>(Response::new(Full::<Bytes>::from("shop"))) });
//! let edge = OctetEdgeLayer::builder()
//!     .octet_url("https://octet.internal")
//!     .license("octet_test_v4.public.eyJzdWIiOiJzaG9wIn0")
//!     .build()?;
//! let mut service = edge.layer(shop);
//!
//! let mut request = Request::get("/octet/healthz").body(Full::default())?;
//! request.extensions_mut().insert(Connection::new("192.0.2.1:4711".parse()?));
//! assert_eq!(service.ready().await?.call(request).await?.status(), StatusCode::OK);
//!
//! let response = service.ready().await?.call(Request::get("/octet/other").body(Full::default())?).await?;
//! assert_eq!(http_body_util::BodyExt::collect(response).await?.to_bytes(), "shop");
//! # Ok(())
//! # }
//! ```
//!
//! # What it costs, and what it bounds
//!
//! A request that is not the edge's costs one comparison with the prefix and no allocation; its future is not boxed,
//! and the types of its body and its error are its own. Bundles are at most 64 KiB, arrive within 10 seconds, and are forwarded with a time
//! limit, one retry, and a bound on how many are under way; when Octet is down the browser gets 503 and the
//! partner's routes do not notice. Bundles and channels are limited per network (an IPv4 address, an IPv6 /64).
//!
//! # What it believes
//!
//! A POST or an upgrade needs an `Origin` that is the request's own host, or one of `ALLOWED_ORIGIN`. The visitor's
//! address is the connection's, unless the peer is in `TRUSTED_PROXIES`: then it is the rightmost hop of
//! `FORWARDED_HEADER` that is not itself trusted. No other forwarding header changes anything.
//!
//! # When something is missing
//!
//! A setting that is missing or cannot be used is an error of [`OctetEdgeLayer::from_env`] or [`Builder::build`], which
//! names it and says what to do; a certificate, one of `Tls::from_files`. `axum::serve` and `warp::serve` of this crate
//! ask for an edge by its type, and a [`Listener`] that begins to accept in a process that has made none says so in the
//! log. What a host asks nobody at its start is which handler needs which layer: one that takes [`OctetSession`] or [`VisitorIp`] where the layer is around
//! other routes only answers its first request with 500, and the log says what to add. A test of the page finds that
//! before a visitor does:
//!
//! ```
//! # #[cfg(feature = "axum")]
//! # mod shop {
//! # use axum::{Router, body::Body, http::Request, response::Html, routing::get};
//! # use octet_tower::{OctetEdgeLayer, axum::OctetSession};
//! # use tower::ServiceExt;
//! # async fn page(session: OctetSession) -> Html<String> { Html(session.script_tag().to_string()) }
//! # #[tokio::main(flavor = "current_thread")]
//! # pub async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let edge = OctetEdgeLayer::builder().octet_url("https://octet.internal").license("octet_test_v4.public.abc").build()?;
//! let shop = Router::new().route("/", get(page)).layer(edge);
//! assert!(shop.oneshot(Request::get("/").body(Body::empty())?).await?.status().is_success());
//! # Ok(())
//! # }
//! # }
//! # #[cfg(feature = "axum")]
//! # shop::main().expect("a page");
//! ```
//!
//! An application without `Listener` works too; the observation then says that the connection was not observed.
//! The extractors find the layer through the task that polls the response, so a handler that is moved to a task of
//! its own must extract before.

#[cfg(feature = "axum")]
pub mod axum;
mod body;
mod connection;
mod future;
mod layer;
mod listener;
mod observe;
mod own;
mod service;
mod session;
mod stream;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "warp")]
pub mod warp;
mod watched;

pub use body::ResponseBody;
pub use connection::Connection;
pub use future::ResponseFuture;
pub use layer::OctetEdgeLayer;
pub use listener::Listener;
pub use octet_relay::{Builder, ConfigError, HiddenInput, PageSession, RateLimit, ScriptTag, tcp_info};
pub use octet_transport::Transport;
pub use service::OctetEdge;
pub use session::{OctetSession, Unavailable, VisitorIp};
pub use stream::Stream;
#[cfg(feature = "tls")]
pub use tls::{Tls, TlsError};
