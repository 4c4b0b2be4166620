//! For axum: the session of a page and the visitor's address as extractors, and [`Listener`] for `axum::serve`.
//! Nothing here answers a route.
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

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use axum::ServiceExt;
use axum::extract::connect_info::{Connected, IntoMakeServiceWithConnectInfo};
use axum::extract::{ConnectInfo, FromRequestParts, OptionalFromRequestParts, Request};
use axum::middleware::AddExtension;
use axum::response::{IntoResponse, Response};
use axum::serve::IncomingStream;
use http::StatusCode;
use http::request::Parts;
use tokio::net::TcpListener;
use tower_service::Service;

use crate::{Connection, Listener, OctetEdge, Stream};

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

/// Serves `app`, a router with the edge around it, as `axum::serve` does, and lets the edge see each connection. It asks
/// for an edge by its type, so that none is forgotten.
///
/// ```no_run
/// use axum::{Router, routing::get};
/// use octet_tower::{Listener, OctetEdgeLayer};
///
/// # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
/// let app = Router::new().route("/", get(|| async { "shop" }));
/// let app = OctetEdgeLayer::from_env()?.layer(app);
/// octet_tower::axum::serve(Listener::bind("[::]:3000").await?, app)
///     .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
///     .await?;
/// # Ok(())
/// # }
/// ```
pub fn serve<S>(listener: Listener, app: OctetEdge<S>) -> Serve<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    axum::serve(listener, app.into_make_service_with_connect_info::<Connection>())
}

/// What [`serve`] gives: axum's own, to be awaited, and to be told when to stop.
pub type Serve<S> = axum::serve::Serve<
    Listener,
    IntoMakeServiceWithConnectInfo<OctetEdge<S>, Connection>,
    AddExtension<OctetEdge<S>, ConnectInfo<Connection>>,
>;

impl axum::serve::Listener for Listener {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Stream, SocketAddr) {
        let (stream, connection) = Self::accept(self).await;
        (stream, connection.peer_addr())
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Self::local_addr(self)
    }
}

impl Connected<IncomingStream<'_, Listener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        stream.io().connection().clone()
    }
}

impl Connected<IncomingStream<'_, TcpListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self::of(stream.io(), *stream.remote_addr())
    }
}
