//! Octet's edge as a program of its own, in front of a partner's app in any language.
//!
//! It answers the edge's routes and passes everything else to the app: HTTP/1.1 and HTTP/2 from the browser, HTTP/1.1
//! to the app, WebSockets tunnelled, bodies streamed both ways. The binary `octet-edge` is a shell over this library;
//! a test starts the same edge in its own process:
//!
//! ```no_run
//! use clap::Parser;
//! use octet_edge::{Edge, Options};
//! use tokio_util::sync::CancellationToken;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), octet_edge::Error> {
//! let flags = ["octet-edge", "--octet-url=https://octet.internal", "--license=octet_test_v4.public.abc", "--port=0"];
//! let edge = Edge::bind(&Options::parse_from(flags))?;
//! println!("listening at {}", edge.local_addr()?);
//! edge.run(CancellationToken::new()).await
//! # }
//! ```

mod body;
mod edge;
mod error;
mod front;
pub mod log;
mod options;
mod proxy;
pub mod stop;

pub use edge::Edge;
pub use error::Error;
pub use options::Options;
