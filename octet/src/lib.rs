//! The contract of Octet: the types that browsers, edges, backends and the service exchange.
//!
//! Types only. This crate knows no rule, no table, no clock and no socket, and builds for
//! `wasm32-unknown-unknown`. Every type on the wire reads unknown fields and unknown enum values without
//! an error, and cannot hold a value that its documentation forbids.

mod country;
mod place;
mod text;

pub use country::{CountryCode, InvalidCountryCode};
pub use place::{InvalidLatLon, LatLon};
