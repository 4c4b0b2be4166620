//! Octet's edge without a web framework: what `octet-tower` and the other hosts share.
//!
//! An edge stands on the hop where the browser's connection ends. It serves the collector, takes its bundle, adds
//! what it saw of the connection, and forwards both to Octet. It observes and does not interpret: this crate holds
//! no rule, no threshold about visitors and no table.
//!
//! A host asks [`Relay::route`] whether a path is the edge's own, describes the request as an [`Observation`] made of
//! borrowed bytes, and does what [`Relay::begin`] says: send an [`Answer`], read a body, or switch protocols and move
//! the messages of the [latency channel](channel). It needs a tokio runtime, and no particular HTTP library.
//!
//! ```
//! use octet_relay::{Observation, Relay, Step};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let relay = Relay::builder()
//!     .octet_url("https://octet.internal")
//!     .license("octet_test_v4.public.eyJzdWIiOiJzaG9wIn0")
//!     .build()?;
//! assert!(relay.route("/checkout").is_none(), "the partner's own");
//!
//! let route = relay.route("/octet/healthz").ok_or("the edge's own")?;
//! let seen = Observation { method: "GET", path: "/octet/healthz", http_version: "1.1", ..Default::default() };
//! let Step::Answer(answer) = relay.begin(route, &seen) else { return Err("nothing to read".into()) };
//! assert_eq!(answer.status, 200);
//! # Ok(())
//! # }
//! ```

mod answer;
mod assess;
mod assets;
mod cdn;
pub mod channel;
pub mod client_hello;
mod config;
mod current;
mod forwarded;
mod handshake;
mod limits;
mod mac;
mod network;
mod observation;
mod opening;
mod origin;
mod page;
mod pages;
mod peers;
pub mod preface;
mod progress;
pub mod proxy_protocol;
mod relay;
mod routes;
mod settings;
mod signals;
mod signed_ref;
pub mod tcp_info;
mod ticket;
mod upstream;
mod websocket;

pub use answer::Answer;
pub use config::{Builder, ConfigError};
pub use current::Passing;
pub use limits::RateLimit;
pub use mac::NoRandomness;
pub use observation::Observation;
pub use opening::{OpenChannel, Opening};
pub use page::{HiddenInput, PageSession, ScriptTag};
pub use progress::Progress;
pub use relay::{Relay, Step};
pub use routes::Route;
pub use signals::{BODY_TIMEOUT, BodyError, MAX_BODY, SignalsRequest};
