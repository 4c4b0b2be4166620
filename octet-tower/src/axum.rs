//! Extractors for axum: the session of a page, and the visitor's address. Nothing here answers a route.
//!
//! Both need [`OctetEdgeLayer`](crate::OctetEdgeLayer) around the route; without it the request is refused, and the
//! log says what to add.
//!
//! ```
//! use axum::response::Html;
//! use octet_tower::axum::OctetSession;
//!
//! async fn page(session: OctetSession) -> Html<String> {
//!     Html(format!("<form method=post>{}</form>{}", session.hidden_input(), session.script_tag()))
//! }
//! ```

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

pub use crate::session::{OctetSession, Unavailable, VisitorIp};

impl<S: Send + Sync> FromRequestParts<S> for OctetSession {
    type Rejection = Unavailable;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Unavailable> {
        Self::of_parts(parts)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for VisitorIp {
    type Rejection = Unavailable;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Unavailable> {
        Self::of_parts(parts)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for VisitorIp {
    type Rejection = Unavailable;

    /// `None` where the address is not known.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Unavailable> {
        match Self::of_parts(parts) {
            Ok(visitor) => Ok(Some(visitor)),
            Err(Unavailable::NoAddress) => Ok(None),
            Err(other) => Err(other),
        }
    }
}

impl IntoResponse for Unavailable {
    /// 500; what to add is for the log, not for the visitor.
    fn into_response(self) -> Response {
        tracing::error!("{self}");
        (StatusCode::INTERNAL_SERVER_ERROR, "this page is not available now").into_response()
    }
}
