//! Extractors for axum: the session of a page, and the visitor's address. Nothing here answers a route.
//!
//! Both need [`OctetEdgeLayer`](crate::OctetEdgeLayer) around the route, and without it are refused with a text
//! that says so.

use std::fmt;
use std::net::IpAddr;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use octet::SessionRef;
use octet_relay::{HiddenInput, PageSession, ScriptTag};

use crate::observe::observe;
use crate::page;

/// A session for the page that this request asks for: a signed reference, and the tags that carry it.
///
/// The reference expires, and is bound to the network and the user agent of this request. The layer sends the page
/// with `Cache-Control: no-store`, whatever the handler says.
///
/// ```
/// use axum::response::Html;
/// use octet_tower::axum::OctetSession;
///
/// async fn page(session: OctetSession) -> Html<String> {
///     Html(format!("<form method=post>{}</form>{}", session.hidden_input(), session.script_tag()))
/// }
/// ```
#[derive(Debug, Clone)]
pub struct OctetSession(PageSession);

impl OctetSession {
    /// The reference, to be kept until the backend asks for the verdict.
    #[must_use]
    pub const fn session_ref(&self) -> &SessionRef {
        self.0.session_ref()
    }

    /// The tag that loads and starts the collector: one external script, no inline code. With a nonce-based
    /// Content-Security-Policy: `session.script_tag().nonce(nonce)`.
    #[must_use]
    pub const fn script_tag(&self) -> ScriptTag<'_> {
        self.0.script_tag()
    }

    /// `<input type="hidden" name="octet" value="…">`, which brings the reference back with a form.
    #[must_use]
    pub const fn hidden_input(&self) -> HiddenInput<'_> {
        self.0.hidden_input()
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

impl<S: Send + Sync> FromRequestParts<S> for OctetSession {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let relay = page::relay().ok_or(Rejection::NoLayer)?;
        let session = relay.open_page(&observe(parts, false)).map_err(|_| Rejection::NoRandomness)?;
        page::note_reference();
        Ok(Self(session))
    }
}

/// The address of the visitor, by the layer's trusted-proxy walk: what `octet_client`'s `visitor_ip` takes.
///
/// `Option<VisitorIp>` is `None` where the address is not known; without the option such a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VisitorIp(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for VisitorIp {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let relay = page::relay().ok_or(Rejection::NoLayer)?;
        relay.visitor(&observe(parts, false)).map(|peer| Self(peer.ip)).ok_or(Rejection::NoAddress)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for VisitorIp {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Rejection> {
        match <Self as FromRequestParts<S>>::from_request_parts(parts, state).await {
            Ok(visitor) => Ok(Some(visitor)),
            Err(Rejection::NoAddress) => Ok(None),
            Err(rejection) => Err(rejection),
        }
    }
}

/// Why an extractor of this module had nothing to give. Its text says what to add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// The layer is not around the route, or the handler runs on a task of its own.
    NoLayer,
    /// The connection's other end is not known.
    NoAddress,
    /// The operating system has no randomness to give.
    NoRandomness,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoLayer => {
                "OctetEdgeLayer is not around this route: add .layer(OctetEdgeLayer::from_env()?) to the Router"
            }
            Self::NoAddress => {
                "the visitor's address is not known: serve the app with \
                 into_make_service_with_connect_info::<octet_tower::Connection>(), and check that the proxy in \
                 TRUSTED_PROXIES writes FORWARDED_HEADER"
            }
            Self::NoRandomness => "the operating system has no randomness to give",
        })
    }
}

impl std::error::Error for Rejection {}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        tracing::error!("{self}");
        (StatusCode::INTERNAL_SERVER_ERROR, "this page is not available now").into_response()
    }
}
