//! How an edge is configured: from the environment, or by a builder with the same names. Everything is checked
//! before the first request; an error names the variable and says what to do. No key is ever printed.

mod builder;
mod raw;

use std::fmt;
use std::time::Duration;

use octet::observations::Edge;
use octet::{AppKey, LicenseKey};
use octet_transport::Transport;

pub use self::builder::Builder;
use crate::cdn::CdnHeaders;
use crate::forwarded::TrustedProxies;
use crate::limits::RateLimit;
use crate::origin::OriginRule;
use crate::peers::Peers;
use crate::routes::Mount;

/// What an edge is made of, once everything is checked.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) transport: Transport,
    pub(crate) license: Option<LicenseKey>,
    pub(crate) mount: Mount,
    pub(crate) origins: OriginRule,
    pub(crate) proxies: TrustedProxies,
    pub(crate) cdn: CdnHeaders,
    pub(crate) edge: Edge,
    pub(crate) peers: Peers,
    pub(crate) tuning: Tuning,
}

/// What has a good default.
#[derive(Debug, Clone)]
pub(crate) struct Tuning {
    pub(crate) require_signed_refs: bool,
    pub(crate) also_at_root: bool,
    pub(crate) session_lifetime: Duration,
    pub(crate) rate_limit: RateLimit,
    pub(crate) forward_timeout: Duration,
    pub(crate) max_in_flight: usize,
    pub(crate) app_key: Option<AppKey>,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            require_signed_refs: false,
            also_at_root: false,
            session_lifetime: Duration::from_secs(60 * 60),
            rate_limit: RateLimit::default(),
            forward_timeout: Duration::from_secs(2),
            max_in_flight: 512,
            app_key: None,
        }
    }
}

impl Config {
    /// Octet behind `transport`, and everything else as it is by default.
    pub(crate) fn over(transport: Transport) -> Self {
        Self {
            transport,
            license: None,
            mount: Mount::default(),
            origins: OriginRule::default(),
            proxies: TrustedProxies::default(),
            cdn: CdnHeaders::default(),
            edge: Edge::default(),
            peers: Peers::default(),
            tuning: Tuning::default(),
        }
    }
}

/// A setting of an edge cannot be used. Its text names the variable and says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{variable}: {advice}")]
pub struct ConfigError {
    variable: &'static str,
    advice: String,
}

impl ConfigError {
    fn new(variable: &'static str, advice: impl fmt::Display) -> Self {
        Self { variable, advice: advice.to_string() }
    }

    /// The environment variable of the setting, or the builder's method where there is no variable.
    #[must_use]
    pub const fn variable(&self) -> &'static str {
        self.variable
    }
}
