//! The contract of Octet: the types that browsers, edges, backends and the service exchange.
//!
//! Types only. This crate knows no rule, no table, no clock and no socket, and builds for
//! `wasm32-unknown-unknown`. Every type on the wire reads unknown fields and unknown enum values without
//! an error, and cannot hold a value that its documentation forbids.
//!
//! | concept | types |
//! | --- | --- |
//! | what a backend asks about and gets | [`SessionRef`], [`Verdict`], [`Alarm`], [`Pending`] |
//! | what a backend asks about a place in time | [`Region`], [`Claim`], [`PredicateVerdict`], [`proof`] |
//! | what a browser sends | [`signals`] and [`assess`], made of [`facts`] |
//! | what an edge adds | [`observations`], with the [`handshake`]s of the browser's connection |
//! | whether a visit is a bot's | [`BotVerdict`], [`challenge`], [`data`] |
//! | what vouches for a device's key | [`attestation`] |
//! | who may | [`PartnerKey`], [`LicenseKey`], [`license`], [`AppKey`], [`AppSecret`] |
//! | what went wrong | [`problem`] |

mod app;
pub mod assess;
pub mod attestation;
mod bot;
pub mod challenge;
mod claim;
mod country;
mod country_set;
pub mod data;
pub mod fact;
pub mod facts;
pub mod handshake;
pub mod header;
mod key;
pub mod license;
pub mod observations;
pub mod page;
mod place;
pub mod predicate;
pub mod problem;
mod profile;
pub mod proof;
mod reason;
pub mod region;
mod session;
mod shape;
pub mod signals;
mod text;
pub mod timeline;
mod verdict;

pub use app::{AppKey, AppSecret, ClickToken, InvalidAppKey, InvalidAppSecret, InvalidClickToken};
pub use bot::{BotAction, BotLevel, BotVerdict, ChallengeOutcome, Consistency, InvalidBotAction, InvalidBotVerdict};
pub use country::{CountryCode, InvalidCountryCode};
pub use key::{Environment, InvalidKey, LicenseKey, PartnerKey};
pub use observations::{EdgeId, InvalidEdgeId};
pub use place::{InvalidLatLon, LatLon};
pub use predicate::{At, Claim, ConfidenceSummary, Outcome, PredicateVerdict, ReasonCode, Unproven, Validity};
pub use profile::{EdgeSettings, InvalidProfile, Profile};
pub use proof::LocationProof;
pub use region::Region;
pub use session::{InvalidSessionRef, SessionRef};
pub use verdict::{
    Alarm, Confidence, FeasibleRegion, InvalidConfidence, InvalidRadius, InvalidRegion, Pending, RadiusKm, Verdict,
    Vertex,
};
