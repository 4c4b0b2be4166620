//! What can go wrong on the way to Octet. Never holds a body, a header or a key.

use std::fmt;

/// The options for a connection cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The base URL is no URL of a service.
    #[error("Octet's base URL must look like https://octet.internal or http://127.0.0.1:7080")]
    BaseUrl,
    /// The pinned CA is no PEM file with certificates.
    #[error("the CA file holds no usable PEM certificate; give the one that signed Octet's certificate")]
    Ca,
    /// The client certificate and its key do not fit.
    #[error("the client certificate or its key cannot be used: {0}")]
    ClientCertificate(String),
}

/// An exchange with Octet failed before a whole answer was there.
#[derive(Debug)]
pub struct TransportError {
    kind: Kind,
    /// What happened, as text.
    cause: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Connect,
    Timeout,
    TooLarge,
    Interrupted,
}

impl TransportError {
    /// Octet did not answer in time.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.kind == Kind::Timeout
    }

    /// No connection came about, so nothing was sent.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        self.kind == Kind::Connect
    }

    pub(crate) fn timeout() -> Self {
        Self { kind: Kind::Timeout, cause: None }
    }

    pub(crate) fn too_large() -> Self {
        Self { kind: Kind::TooLarge, cause: None }
    }

    pub(crate) fn interrupted(cause: impl fmt::Display) -> Self {
        Self { kind: Kind::Interrupted, cause: Some(cause.to_string()) }
    }

    pub(crate) fn from_client(error: &hyper_util::client::legacy::Error) -> Self {
        let kind = if error.is_connect() { Kind::Connect } else { Kind::Interrupted };
        // The client's error is not kept whole: its chain can name the address of a request. Its end says what happened.
        let mut cause = std::error::Error::source(error);
        while let Some(next) = cause.and_then(std::error::Error::source) {
            cause = Some(next);
        }
        Self { kind, cause: cause.map(ToString::to_string) }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Connect => "no connection to Octet came about",
            Kind::Timeout => "Octet did not answer in time",
            Kind::TooLarge => "Octet's answer is larger than allowed",
            Kind::Interrupted => "the exchange with Octet broke off",
        })?;
        self.cause.as_ref().map_or(Ok(()), |cause| write!(f, ": {cause}"))
    }
}

impl std::error::Error for TransportError {}
