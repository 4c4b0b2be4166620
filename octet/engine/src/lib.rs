//! Evidence in, assessment out: where a browser session comes from, how sure that is, and what contradicts it.
//!
//! Pure: no clock, no socket, no file, no async. Time and reference data are arguments, and equal arguments give
//! equal answers.

mod address;
mod alarm;
mod assess;
mod assessment;
pub mod bot;
mod elsewhere;
mod evidence;
mod fuse;
pub mod grid;
mod locale;
pub mod locate;
mod masses;
pub mod model;
mod time;
pub mod world;

pub use assess::{assess, assess_with};
pub use assessment::{Assessment, Reason};
pub use evidence::{
    Anomalies, EdgeEvidence, Evidence, LocaleEvidence, MAX_EDGES, MAX_ROUND_TRIPS, Omissions, TcpRoundTrip,
};
pub use masses::{CountryMasses, Held};
pub use time::UnixTime;
pub use world::World;
