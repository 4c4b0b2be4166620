//! The Octet service, as a library and as the binary `octet`.
//!
//! Takes what edges saw of browser sessions, lets the engine reason about it, and tells each partner's backend
//! the verdicts about its own sessions. What a verdict was derived from never leaves.
//!
//! [`Octet`] is a tower service, so that service, edge and client also run in one process:
//!
//! ```
//! use octet_client::{Lookup, OctetClient, SessionRef};
//! use octet_server::{Config, Octet};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("octet.db");
//! let octet = Octet::open(Config::embedded(path)).await?; // SQLite and memory, nothing to install
//! let edge = octet.edge_transport("shop")?;               // for OctetEdgeLayer::over(edge)
//! let client = OctetClient::over(octet.backend_transport("shop")?);
//! let admin = octet.router();                             // mount it, or serve it on its own port
//!
//! let session: SessionRef = "sess_1".parse()?;
//! assert_eq!(client.verdict(&session).await?, Lookup::Pending);
//! # let _ = (edge, admin);
//! # Ok(())
//! # }
//! ```
//!
//! Partners and licences are made by the `octet` command line, or in code:
//!
//! ```
//! # use octet_server::{Config, NewLicense, Octet};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let octet = Octet::open(Config::in_memory()).await?;
//! let partner_key = octet.partners().add("shop").await?;
//! let license = octet.licenses().issue(NewLicense::browser("shop").days(365)).await?;
//! assert!(license.key.expose().starts_with("octet_live_v4.public."));
//! # let _ = partner_key;
//! # Ok(())
//! # }
//! ```
//!
//! # Which bundle decides
//!
//! The same bytes of a collector again change nothing. Until the backend first reads the verdict:
//!
//! - a different bundle from the same network (/24, /48) raises the alarm by one step, once; a complete one takes
//!   the place of an incomplete one before it, and the alarm is raised all the same;
//! - the first bundle of each of up to four networks is kept, since the backend may say which network is its
//!   visitor's; any more are dropped and counted;
//! - where the backend names an address, the first bundle of its network decides. A request that waits holds out
//!   for it when all that there is comes from another country too; when nothing better comes, the alarm is at least
//!   `medium`. Countries that no table knows do not differ.
//!
//! Once read, nothing changes until the session ends. The edge is told 202 in every case.

pub mod attest;
mod bot;
pub mod clock;
mod config;
mod counts;
#[cfg(feature = "demo")]
pub mod demo;
mod digest;
mod error;
mod evidence;
mod failure;
mod identity;
mod ingest;
mod limits;
mod omissions;
mod partner_name;
mod predicates;
mod projection;
mod records;
mod reference;
mod serve;
mod service;
mod sessions;
mod shares;
mod siblings;
mod verdicts;
pub mod visits;

pub use config::{Config, Limits};
pub use counts::Counts;
pub use error::Error;
pub use partner_name::PartnerName;
pub use records::{
    AppRecord, AppSettings, Apps, IssuedLicense, KeyRecord, LicenseKeyRecord, LicenseKeys, LicenseRecord, LicenseState,
    Licenses, NewApp, NewLicense, PartnerRecord, Partners, ProofKeyRecord, ProofKeys, Records,
};
pub use reference::DataFiles;
pub use service::{InProcess, Octet};
