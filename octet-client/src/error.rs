//! What can go wrong with a question to Octet, by who can do something about it. Never holds a key, a reference
//! or an address.

use std::fmt;
use std::time::Duration;

use octet::problem::{Code, Problem};
use octet_transport::TransportError;

/// A question to Octet failed. See the crate's "Troubleshooting" for what to do.
pub struct Error {
    kind: ErrorKind,
    code: Option<Code>,
    message: String,
    retry_after: Option<Duration>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What kind of failure an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client's own configuration cannot be used.
    Configuration,
    /// The partner key is missing or unknown.
    Unauthorized,
    /// Octet finds the question malformed.
    InvalidRequest,
    /// The partner asks more often than it may.
    RateLimited,
    /// Octet did not answer in time.
    Timeout,
    /// Octet cannot be reached, or says that it cannot serve now.
    Outage,
    /// The answer is none of Octet's.
    Protocol,
}

impl Error {
    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The stable code of Octet's problem details, when Octet answered with one.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        self.code
    }

    /// When Octet asked to come back.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The partner key is missing or unknown.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.kind == ErrorKind::Unauthorized
    }

    /// The partner asks more often than it may.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.kind == ErrorKind::RateLimited
    }

    /// Octet did not answer in time. This is an outage too.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.kind == ErrorKind::Timeout
    }

    /// Octet cannot be had now: unreachable, too slow, failing or shutting down. Nothing is wrong with the
    /// question, and nothing is known of the visitor.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(self.kind, ErrorKind::Outage | ErrorKind::Timeout)
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    pub(crate) fn protocol(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Protocol, message)
    }

    pub(crate) fn timeout() -> Self {
        Self::new(ErrorKind::Timeout, "Octet did not answer in time")
    }

    pub(crate) fn transport(error: TransportError) -> Self {
        let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Outage };
        Self { source: Some(Box::new(error)), ..Self::new(kind, "Octet cannot be reached") }
    }

    /// The failure that an answer with this status tells.
    pub(crate) fn status(status: u16, problem: Option<Problem>, retry_after: Option<Duration>) -> Self {
        let kind = match (status, &problem) {
            (401, _) => ErrorKind::Unauthorized,
            (429, _) => ErrorKind::RateLimited,
            (500.., _) => ErrorKind::Outage,
            (400, Some(_)) => ErrorKind::InvalidRequest,
            _ => ErrorKind::Protocol,
        };
        let message = match &problem {
            Some(problem) => format!("Octet answered {status}: {}", problem.title),
            None => format!("{status} from something that does not answer as Octet does"),
        };
        Self { code: problem.map(|problem| problem.code), retry_after, ..Self::new(kind, message) }
    }

    /// Whether asking again can help.
    pub(crate) fn is_transient(&self) -> bool {
        (self.is_outage() || self.is_rate_limited()) && self.code != Some(Code::TooManyQuestions)
    }

    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, code: None, message: message.into(), retry_after: None, source: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .field("code", &self.code)
            .field("message", &self.message)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
