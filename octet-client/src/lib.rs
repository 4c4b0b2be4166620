//! The typed client with which a partner's backend asks Octet for verdicts.
//!
//! Knows the service's routes and answers, and nothing of how a verdict comes about.
//!
//! ```no_run
//! use std::time::Duration;
//! use octet_client::{Alarm, Lookup, OctetClient, SessionRef};
//!
//! # async fn checkout(session: SessionRef, visitor: std::net::IpAddr) -> Result<&'static str, octet_client::Error> {
//! let octet = OctetClient::from_env()?; // OCTET_URL, OCTET_PARTNER_KEY
//! Ok(match octet.verdict(&session).visitor_ip(visitor).wait(Duration::from_secs(2)).await {
//!     Ok(Lookup::Ready(v)) if v.alarm >= Alarm::Medium => "step up",
//!     Ok(Lookup::Ready(v)) if v.confidence >= 0.8 && v.country_in(["DE", "FR"]) => "allow",
//!     Ok(Lookup::Ready(_) | Lookup::Pending) => "step up",
//!     Err(e) if e.is_outage() => "log",
//!     Err(e) => return Err(e),
//! })
//! # }
//! ```
//!
//! # Retries
//!
//! Asking for a verdict changes nothing, so what failed on the way (no connection, an exchange that broke off,
//! 429 and 5xx) is asked again, with jitter, at most twice for a call, and for at most one call in ten when
//! Octet fails for long ([`Builder::retries`] sets both). `Retry-After` is kept. A call never takes longer than its
//! `wait` and the [`timeout`](Builder::timeout) together. A wait of more than 10 s is several long-polls, one
//! after the other without a pause.
//!
//! # Troubleshooting
//!
//! | what you see | what it is | what to do |
//! | --- | --- | --- |
//! | always [`Lookup::Pending`] | no bundle came for this reference | is the collector's tag in the page, and does the browser's console show a `POST …/v1/signals` with 202? Is the key of the same partner as the edge's licence? |
//! | `Pending` at first, ready later | the backend asks before the browser is done | give the call a [`wait`](VerdictRequest::wait): 2 s is plenty |
//! | [`Error::is_unauthorized`] | the partner key is missing or unknown | `octet partner list` shows the ids of a partner's keys, `octet partner rotate` prints a new one |
//! | [`Error::is_rate_limited`] | this partner asks more often than it may | ask once for a session, with a wait, not in a loop |
//! | [`Error::is_timeout`] | Octet did not answer in time | a firewall, or too small a [`timeout`](Builder::timeout) |
//! | [`Error::is_outage`] | Octet cannot be reached or says that it cannot serve | decide as you would without it; the error's source says what the connection said |
//! | kind [`ErrorKind::Protocol`] | something answers that is not Octet | `OCTET_URL` is Octet's API base URL, not the shop's or the edge's |

mod bot;
mod budget;
mod client;
mod error;
mod predicate;
mod verdict;

pub use bot::{BotExport, BotLookup, BotVerdictRequest, Period};
pub use client::{Builder, OctetClient};
pub use error::{Error, ErrorKind};
pub use octet::data::{BotStats, Visit};
pub use octet::{
    Alarm, AppKey, AppSecret, At, BotAction, BotLevel, BotVerdict, ChallengeOutcome, ClickToken, Confidence,
    CountryCode, FeasibleRegion, LatLon, Outcome, PartnerKey, PredicateVerdict, RadiusKm, ReasonCode, Region,
    SessionRef, Verdict, Vertex,
};
pub use octet_transport::{TlsOptions, Transport};
pub use predicate::{PredicateCall, PredicateFuture};
pub use verdict::{Lookup, VerdictFuture, VerdictRequest};
