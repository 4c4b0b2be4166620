//! Octet's edge as a middleware of actix-web.
//!
//! The middleware stands where the browser's connection ends, in the partner's own application. Under its prefix
//! (`/octet` unless told otherwise) it serves the collector, measures the latency channel, and forwards the
//! collector's bundle to Octet together with what it saw of the connection. Everything else passes through to the
//! partner's application untouched, unknown paths under the prefix too.
//!
//! ```no_run
//! use actix_web::{App, HttpServer, get, web::Html};
//! use octet_actix::{OctetEdge, OctetSession};
//!
//! #[get("/")]
//! async fn page(session: OctetSession) -> Html {
//!     Html::new(format!("<form method=post>{}{}</form>", session.hidden_input(), session.script_tag()))
//! }
//!
//! #[actix_web::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let edge = OctetEdge::from_env()?;
//!     HttpServer::new(move || App::new().wrap(edge.clone()).service(page))
//!         .on_connect(octet_actix::on_connect)
//!         .bind("[::]:3000")?
//!         .run()
//!         .await?;
//!     Ok(())
//! }
//! ```
//!
//! The page's form brings the session reference back, and the partner's backend asks `octet-client` for its verdict.
//! The page is sent with `Cache-Control: no-store`: a reference belongs to one page view.
//!
//! Make the edge once, outside of the closure, so that all workers share it. Wrap it last, so that it is outermost and
//! sees requests as they came.
//!
//! # What it can tell
//!
//! Without [`on_connect`] the address of the visitor is known, and the kernel's view of the connection is not.
//! actix-web does not keep the order of headers, so the observation has none. What a host does not tell is said to be
//! not observed, never guessed.
//!
//! Behind TLS that actix-web itself ends (`bind_rustls`), the kernel's view is not observed. With the feature `tls`,
//! `listen_https` ends TLS instead, and sees the browser's ClientHello and the kernel's view both.
//!
//! # When something is missing
//!
//! A setting that is missing or cannot be used is an error of [`OctetEdge::from_env`] or [`Builder::build`], which names
//! it and says what to do; a certificate, one of `Tls::from_files`. An application that `listen_https` serves without
//! an edge around it does not start. Under `HttpServer` actix-web asks nobody at its start what a handler will need:
//! there, [`on_connect`] says in the log at the first connection that the application has no edge, and a handler that
//! takes [`OctetSession`] or [`VisitorIp`] without [`OctetEdge`] around it answers its first request with 500. A test of
//! the page finds that before a visitor does:
//!
//! ```
//! # use actix_web::{App, get, test, web::Html};
//! # use octet_actix::{OctetEdge, OctetSession};
//! # #[get("/")]
//! # async fn page(session: OctetSession) -> Html { Html::new(session.script_tag().to_string()) }
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let edge = OctetEdge::builder().octet_url("https://octet.internal").license("octet_test_v4.public.abc").build()?;
//! let shop = test::init_service(App::new().wrap(edge.clone()).service(page)).await;
//! let answer = test::call_service(&shop, test::TestRequest::get().uri("/").to_request()).await;
//! assert!(answer.status().is_success());
//! # Ok(())
//! # }
//! ```
//!
//! # What it costs, and what it bounds
//!
//! A request that is not the edge's costs one comparison with the prefix and no allocation; its future is not boxed.
//! The edge's own refusals are replies, never errors, so no error handler of the application changes them. Bounds and
//! settings are those of every edge: see [`Builder`].

mod answer;
mod connection;
mod edge;
#[cfg(feature = "tls")]
mod https;
mod middleware;
mod session;
mod tunnel;

pub use connection::on_connect;
pub use edge::OctetEdge;
#[cfg(feature = "tls")]
pub use https::listen_https;
pub use middleware::{OctetEdgeMiddleware, ResponseFuture};
pub use octet_relay::{Builder, ConfigError, HiddenInput, PageSession, RateLimit, ScriptTag};
#[cfg(feature = "tls")]
pub use octet_tower::{Tls, TlsError};
pub use octet_transport::Transport;
pub use session::{OctetSession, Unavailable, VisitorIp};
