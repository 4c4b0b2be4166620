//! What a partner's handler gets from the edge around it: the session of a page, and the visitor's address.

use std::fmt;
use std::net::IpAddr;
use std::ops::Deref;

use http::Request;
use octet::SessionRef;
use octet_relay::{PageSession, Relay};

use crate::observe::{Head, observe};

/// A session for the page that this request asks for: a signed reference, and the tags that carry it.
///
/// The reference expires, and is bound to the network and the user agent of this request. The layer sends the page
/// with `Cache-Control: no-store`, whatever the handler says. See [`PageSession`] for what goes into the page.
///
/// An axum handler takes it as an argument; any other service inside the layer opens it from its request:
///
/// ```
/// use http::{Request, Response};
/// use octet_tower::{OctetSession, Unavailable};
///
/// async fn page<B>(request: Request<B>) -> Result<Response<String>, Unavailable> {
///     let session = OctetSession::open(&request)?;
///     Ok(Response::new(format!("<form method=post>{}</form>{}", session.hidden_input(), session.script_tag())))
/// }
/// ```
#[derive(Debug, Clone)]
pub struct OctetSession(PageSession);

impl OctetSession {
    /// A session for the page that answers `request`, in a service that the layer is around.
    ///
    /// # Errors
    ///
    /// When the layer is not around the service, or the operating system has no randomness.
    pub fn open<B>(request: &Request<B>) -> Result<Self, Unavailable> {
        Self::new(&Head::from(request))
    }

    fn new(head: &Head<'_>) -> Result<Self, Unavailable> {
        let relay = Relay::current().ok_or(Unavailable::NoLayer)?;
        relay.open_page(&observe(head, false)).map(Self).map_err(|_| Unavailable::NoRandomness)
    }

    #[cfg(feature = "axum")]
    pub(crate) fn of_parts(parts: &http::request::Parts) -> Result<Self, Unavailable> {
        Self::new(&Head::from(parts))
    }
}

impl Deref for OctetSession {
    type Target = PageSession;

    fn deref(&self) -> &PageSession {
        &self.0
    }
}

impl fmt::Display for OctetSession {
    /// The reference as text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.session_ref().as_str())
    }
}

impl AsRef<SessionRef> for OctetSession {
    fn as_ref(&self) -> &SessionRef {
        self.session_ref()
    }
}

/// The address of the visitor, by the layer's trusted-proxy walk: what `octet_client`'s `visitor_ip` takes.
///
/// An axum handler takes it as an argument, or `Option<VisitorIp>` where the address may be unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VisitorIp(pub IpAddr);

impl VisitorIp {
    /// The address of the visitor who sent `request`, in a service that the layer is around.
    ///
    /// # Errors
    ///
    /// When the layer is not around the service, the host does not tell of the connection, or a trusted proxy hides
    /// whom it forwards.
    pub fn of<B>(request: &Request<B>) -> Result<Self, Unavailable> {
        Self::new(&Head::from(request))
    }

    fn new(head: &Head<'_>) -> Result<Self, Unavailable> {
        let relay = Relay::current().ok_or(Unavailable::NoLayer)?;
        relay.visitor(&observe(head, false)).map(|peer| Self(peer.ip)).ok_or(Unavailable::NoAddress)
    }

    #[cfg(feature = "axum")]
    pub(crate) fn of_parts(parts: &http::request::Parts) -> Result<Self, Unavailable> {
        Self::new(&Head::from(parts))
    }
}

/// Why there is no session or address to give. Its text says what to add; it is not for the visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unavailable {
    /// The layer is not around the route, or the handler runs on a task of its own.
    NoLayer,
    /// The connection's other end is not known.
    NoAddress,
    /// The operating system has no randomness to give.
    NoRandomness,
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoLayer => {
                "OctetEdgeLayer is not around this route: serve OctetEdgeLayer::from_env()?.layer(app), where app is the \
                 outermost router"
            }
            Self::NoAddress => {
                "the visitor's address is not known: serve the app with octet_tower::axum::serve (another host puts a \
                 Connection into the request's extensions), and check that the proxies in TRUSTED_PROXIES write FORWARDED_HEADER"
            }
            Self::NoRandomness => "the operating system has no randomness to give",
        })
    }
}

impl std::error::Error for Unavailable {}
