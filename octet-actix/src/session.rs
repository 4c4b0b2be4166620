//! What a handler gets from the edge around it: the session of a page, and the visitor's address.

use std::fmt;
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError};
use octet::SessionRef;
use octet_relay::{PageSession, Relay};

use crate::connection::observe;

/// A session for the page that this request asks for: a signed reference, and the tags that carry it.
///
/// The reference expires, and is bound to the network and the user agent of this request. The edge sends the page with
/// `Cache-Control: no-store`, whatever the handler says. See [`PageSession`] for what goes into the page.
#[derive(Debug, Clone)]
pub struct OctetSession(PageSession);

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

impl FromRequest for OctetSession {
    type Error = Unavailable;
    type Future = Ready<Result<Self, Unavailable>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let open = |relay: Relay| relay.open_page(&observe(request, false)).map_err(|_| Unavailable::NoRandomness);
        ready(Relay::current().ok_or(Unavailable::NoEdge).and_then(open).map(Self))
    }
}

/// The address of the visitor, by the edge's trusted-proxy walk: what `octet_client`'s `visitor_ip` takes.
///
/// A handler takes `Option<VisitorIp>` where the address may be unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VisitorIp(pub IpAddr);

impl FromRequest for VisitorIp {
    type Error = Unavailable;
    type Future = Ready<Result<Self, Unavailable>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let walk = |relay: Relay| relay.visitor(&observe(request, false)).ok_or(Unavailable::NoAddress);
        ready(Relay::current().ok_or(Unavailable::NoEdge).and_then(walk).map(|peer| Self(peer.ip)))
    }
}

/// Why there is no session or address to give. Its text says what to add; it is for the log, not for the visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unavailable {
    /// The edge is not around the route, or the handler runs on a task of its own.
    NoEdge,
    /// The connection's other end is not known.
    NoAddress,
    /// The operating system has no randomness to give.
    NoRandomness,
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoEdge => {
                "OctetEdge is not around the application: make it once with OctetEdge::from_env()?, and add \
                 .wrap(edge.clone()) to the App"
            }
            Self::NoAddress => {
                "the visitor's address is not known: check that the proxies in TRUSTED_PROXIES write FORWARDED_HEADER"
            }
            Self::NoRandomness => "the operating system has no randomness to give",
        })
    }
}

impl std::error::Error for Unavailable {}

impl ResponseError for Unavailable {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    /// 500; what to add is for the log, not for the visitor.
    fn error_response(&self) -> HttpResponse {
        tracing::error!("{self}");
        HttpResponse::new(self.status_code()).set_body("this page is not available now").map_into_boxed_body()
    }
}
