//! One connection of a browser: which of its requests are the edge's own, and which the app's.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use octet_relay::Relay;
use octet_tower::{Connection, OctetEdge, OctetEdgeLayer, Stream};
use tokio_util::sync::CancellationToken;
use tower_service::Service;

use crate::body::{self, Body};
use crate::edge::Place;
use crate::options::{Scheme, Settings};
use crate::proxy::{Proxy, Visit};

/// How long a browser may take for its first request's head.
const SLOWEST_FIRST_HEAD: Duration = Duration::from_secs(10);
/// How long it may take for the head of its next one: as long as an idle connection is kept.
const SLOWEST_HEAD: Duration = Duration::from_secs(75);
/// How often an HTTP/2 browser shows that it is still there, and how long it may take for that.
const SIGN_OF_LIFE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(20));
/// The largest head of a request, in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// What a thread serves connections with.
#[derive(Clone)]
pub(crate) struct Front {
    http: Arc<auto::Builder<TokioExecutor>>,
    relay: Relay,
    own: OctetEdge<Nothing>,
    proxy: Option<Arc<Proxy>>,
    scheme: Scheme,
}

impl Front {
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1().timer(TokioTimer::new()).header_read_timeout(SLOWEST_HEAD).max_buf_size(MAX_HEAD);
        http.http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(SIGN_OF_LIFE.0)
            .keep_alive_timeout(SIGN_OF_LIFE.1)
            .max_concurrent_streams(128)
            .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX));
        Self {
            http: Arc::new(http),
            relay: settings.relay.clone(),
            own: OctetEdgeLayer::from(settings.relay.clone()).layer(Nothing),
            proxy: settings.app.as_ref().map(|app| Arc::new(Proxy::new(app, &settings.believed))),
            scheme: settings.scheme,
        }
    }

    /// Serves one connection to its end; once `stop` is cancelled, to the end of its open requests.
    pub(crate) async fn serve(self, stream: Stream, connection: Connection, place: Place, stop: CancellationToken) {
        let http = Arc::clone(&self.http);
        let browser = Arc::new(Browser {
            visit: Visit::new(connection, self.scheme, place),
            front: self,
            asked: AtomicBool::new(false),
        });
        let asking = Arc::clone(&browser);
        let service = service_fn(move |request| answer(Arc::clone(&asking), request));
        let mut served = std::pin::pin!(http.serve_connection_with_upgrades(TokioIo::new(stream), service));
        let mut silence = std::pin::pin!(tokio::time::sleep(SLOWEST_FIRST_HEAD));
        let (mut waiting, mut stopping) = (true, false);
        loop {
            tokio::select! {
                ended = served.as_mut() => {
                    if ended.is_err() {
                        tracing::debug!("a connection broke off");
                    }
                    return;
                }
                () = silence.as_mut(), if waiting => {
                    if !browser.asked.load(Ordering::Relaxed) {
                        tracing::debug!("a connection asked nothing");
                        return;
                    }
                    waiting = false;
                }
                () = stop.cancelled(), if !stopping => {
                    served.as_mut().graceful_shutdown();
                    stopping = true;
                }
            }
        }
    }
}

impl fmt::Debug for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Front").field("proxy", &self.proxy).finish_non_exhaustive()
    }
}

/// One connection's own.
struct Browser {
    front: Front,
    visit: Visit,
    asked: AtomicBool,
}

async fn answer(browser: Arc<Browser>, mut request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    browser.asked.store(true, Ordering::Relaxed);
    let front = &browser.front;
    if front.relay.route(request.uri().path()).is_none() {
        return Ok(match &front.proxy {
            Some(proxy) => proxy.forward(request, &front.relay, &browser.visit).await,
            None => body::text(http::StatusCode::NOT_FOUND, "this edge serves nothing here\n"),
        });
    }
    request.extensions_mut().insert(browser.visit.connection().clone());
    front.own.clone().call(request).await.map(|response| response.map(Body::own))
}

/// What stands behind the edge's own routes: they are answered before it.
#[derive(Debug, Clone)]
struct Nothing;

impl Service<Request<Incoming>> for Nothing {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Incoming>) -> Self::Future {
        let mut response = Response::new(Full::default());
        *response.status_mut() = http::StatusCode::NOT_FOUND;
        std::future::ready(Ok(response))
    }
}
