//! Why the edge does not start. Names the variable and says what to do; holds no key.

use std::fmt;
use std::io;
use std::net::SocketAddr;

/// The edge cannot start, or cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is missing or cannot be used.
    #[error(transparent)]
    Relay(#[from] octet_relay::ConfigError),
    /// A setting of the program itself cannot be used.
    #[error("{variable}: {advice}")]
    Setting {
        /// The environment variable.
        variable: &'static str,
        /// What was wrong and what to do.
        advice: String,
    },
    /// The address cannot be listened at.
    #[error("{address} cannot be listened at: {source}; choose another PORT or BIND, or stop what has it")]
    Listen {
        /// Which one.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The system gives no threads or no runtime.
    #[error("the edge cannot start its threads: {0}")]
    Start(io::Error),
}

impl Error {
    pub(crate) fn setting(variable: &'static str, advice: impl fmt::Display) -> Self {
        Self::Setting { variable, advice: advice.to_string() }
    }

    /// The environment variable of the setting that is to blame, if one is.
    #[must_use]
    pub fn variable(&self) -> Option<&'static str> {
        match self {
            Self::Relay(error) => Some(error.variable()),
            Self::Setting { variable, .. } => Some(variable),
            Self::Listen { .. } | Self::Start(_) => None,
        }
    }
}
