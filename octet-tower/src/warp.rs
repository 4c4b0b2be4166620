//! For warp: the session of a page and the visitor's address as filters, and a server that tells of each connection.
//! Nothing here answers a route.
//!
//! ```no_run
//! use octet_tower::OctetEdgeLayer;
//! use octet_tower::warp::OctetSession;
//! use warp::Filter;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let page = |session: OctetSession| format!("<form>{}</form>{}", session.hidden_input(), session.script_tag());
//! let routes = warp::path::end().and(octet_tower::warp::session()).map(move |s| warp::reply::html(page(s)));
//! octet_tower::warp::serve(OctetEdgeLayer::from_env()?.layer(warp::service(routes)), "[::]:3000").await?;
//! # Ok(())
//! # }
//! ```

use std::convert::Infallible;
use std::future::ready;
use std::io;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::ToSocketAddrs;
use tower_service::Service;
use warp::{Filter, Rejection};

pub use crate::session::{OctetSession, Unavailable, VisitorIp};
use crate::{Connection, Listener, OctetEdge};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl warp::reject::Reject for Unavailable {}

/// Extracts a session for the page that is asked for. Without the layer around the routes it rejects with
/// [`Unavailable`], and the log says what to add.
pub fn session() -> impl Filter<Extract = (OctetSession,), Error = Rejection> + Copy {
    extracted(OctetSession::open)
}

/// Extracts the visitor's address; rejects with [`Unavailable`] where it is not known.
pub fn visitor_ip() -> impl Filter<Extract = (VisitorIp,), Error = Rejection> + Copy {
    extracted(VisitorIp::of)
}

fn extracted<T: Send>(
    extract: fn(&Request<()>) -> Result<T, Unavailable>,
) -> impl Filter<Extract = (T,), Error = Rejection> + Copy {
    let head = |headers: HeaderMap, connection: Option<Connection>| {
        let mut request = Request::new(());
        *request.headers_mut() = headers;
        if let Some(connection) = connection {
            request.extensions_mut().insert(connection);
        }
        request
    };
    let parts = warp::header::headers_cloned().and(warp::ext::optional::<Connection>());
    parts.and_then(move |headers, connection| {
        ready(extract(&head(headers, connection)).map_err(|error| {
            tracing::error!("{error}");
            warp::reject::custom(error)
        }))
    })
}

/// Serves `service` at `addr` over HTTP/1.1 and HTTP/2, as long as the process lives, and lets the edge see each
/// connection. It asks for an edge by its type, so that none is forgotten; [`serve_on`] takes any service, such as one
/// with another layer around the edge.
///
/// # Errors
///
/// When the address cannot be listened at.
pub async fn serve<S, B>(service: OctetEdge<S>, addr: impl ToSocketAddrs) -> io::Result<()>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: Body + From<Bytes> + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    match serve_on(service, Listener::bind(addr).await?).await {}
}

/// The same on a listener, such as one with TLS.
pub async fn serve_on<S, B>(service: S, mut listener: Listener) -> Infallible
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new());
    http.http2().timer(TokioTimer::new());
    loop {
        let (stream, connection) = listener.accept().await;
        let (http, told) = (http.clone(), Told { service: service.clone(), connection });
        tokio::spawn(async move {
            let served = http.serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(told));
            if let Err(error) = served.await {
                tracing::debug!(%error, "a connection ended");
            }
        });
    }
}

/// A service that is told of the connection on which its requests come.
#[derive(Debug, Clone)]
struct Told<S> {
    service: S,
    connection: Connection,
}

impl<S, B> Service<Request<B>> for Told<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        request.extensions_mut().insert(self.connection.clone());
        self.service.call(request)
    }
}
