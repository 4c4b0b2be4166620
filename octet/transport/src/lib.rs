//! How an edge or a backend reaches Octet: a pooled HTTPS client, or a tower service in its place.
//!
//! Carries requests and answers, bounded in time and size. Knows no route, no key and no retry: those belong
//! to the relay and to the client, which share it.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use octet_transport::{Limits, Transport};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), octet_transport::TransportError> {
//! let service = tower::service_fn(|request: Request<Full<Bytes>>| async move {
//!     Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from(request.uri().path().to_owned()))))
//! });
//! let transport = Transport::over(service);
//! let answer = transport.send(Request::get("/healthz").body(Bytes::new()).unwrap(), Limits::default()).await?;
//! assert_eq!(answer.body(), "/healthz");
//! # Ok(())
//! # }
//! ```

mod error;
mod tls;

use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, Uri};
use http_body::Body;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower::util::{BoxCloneSyncService, MapErrLayer, MapResponseLayer};
use tower::{Service, ServiceBuilder, ServiceExt};

pub use error::{ConfigError, TransportError};
pub use tls::TlsOptions;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Erased = BoxCloneSyncService<Request<Full<Bytes>>, Response<UnsyncBoxBody<Bytes, BoxError>>, TransportError>;

/// A way to reach Octet. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Transport {
    service: Erased,
    base: Base,
}

/// The bounds of one exchange.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From sending the request to the last byte of the answer.
    pub timeout: Duration,
    /// The largest answer that is read, in bytes.
    pub max_body: usize,
}

impl Default for Limits {
    /// Five seconds and 256 KiB.
    fn default() -> Self {
        Self { timeout: Duration::from_secs(5), max_body: 256 * 1024 }
    }
}

impl Transport {
    /// A pooled client for the service at `base_url`, `http://…` or `https://…`, over HTTP/1.1 or HTTP/2.
    ///
    /// Nothing is sent before the first request.
    ///
    /// # Errors
    ///
    /// When the URL or the TLS options cannot be used; the message says which and what to do.
    pub fn connect(base_url: &str, tls: &TlsOptions) -> Result<Self, ConfigError> {
        let base = Base::parse(base_url)?;
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(Duration::from_secs(2)));
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls.client_config()?)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(64)
            .build::<_, Full<Bytes>>(connector);
        Ok(Self { service: erase(client, |error| TransportError::from_client(&error)), base })
    }

    /// A tower service in the place of a connection: Octet in the same process, or a test's own.
    pub fn over<S, B>(service: S) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let failed = |error: S::Error| TransportError::interrupted(error.into());
        Self { service: erase(service, failed), base: Base::in_process() }
    }

    /// Sends `request`, whose URI is a path and query, and reads the whole answer.
    ///
    /// # Errors
    ///
    /// When Octet cannot be reached, does not answer in time, answers more than allowed, or breaks off.
    pub async fn send(&self, request: Request<Bytes>, limits: Limits) -> Result<Response<Bytes>, TransportError> {
        let (mut parts, body) = request.into_parts();
        parts.uri = self.base.join(&parts.uri)?;
        let request = Request::from_parts(parts, Full::new(body));
        let exchange = async {
            let (parts, body) = self.service.clone().oneshot(request).await?.into_parts();
            let body = collect(body, limits.max_body).await?;
            Ok(Response::from_parts(parts, body))
        };
        tokio::time::timeout(limits.timeout, exchange).await.map_err(|_| TransportError::timeout())?
    }
}

/// Reads a whole body of at most `max` bytes. By hand: a future over `http_body_util::Limited` with a boxed error
/// cannot be proven `Send`.
async fn collect(mut body: UnsyncBoxBody<Bytes, BoxError>, max: usize) -> Result<Bytes, TransportError> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(TransportError::interrupted)?.into_data() {
            if data.len() > max - whole.len() {
                return Err(TransportError::too_large());
            }
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole.freeze())
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("base", &self.base).finish_non_exhaustive()
    }
}

fn erase<S, B>(service: S, failed: impl Fn(S::Error) -> TransportError + Clone + Send + Sync + 'static) -> Erased
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let boxed = |response: Response<B>| response.map(|body| body.map_err(Into::into).boxed_unsync());
    BoxCloneSyncService::new(
        ServiceBuilder::new().layer(MapResponseLayer::new(boxed)).layer(MapErrLayer::new(failed)).service(service),
    )
}

/// Where the service's paths begin.
#[derive(Debug, Clone)]
struct Base {
    scheme: Scheme,
    authority: Authority,
    /// Without a slash at its end.
    path: String,
}

impl Base {
    fn parse(base_url: &str) -> Result<Self, ConfigError> {
        let uri: Uri = base_url.trim().parse().map_err(|_| ConfigError::BaseUrl)?;
        let parts = uri.into_parts();
        match (parts.scheme, parts.authority) {
            // A name and a password would be sent nowhere, and printed.
            (_, Some(authority)) if authority.as_str().contains('@') => Err(ConfigError::BaseUrl),
            (Some(scheme), Some(authority)) if scheme == Scheme::HTTP || scheme == Scheme::HTTPS => {
                let path = parts.path_and_query.as_ref().map_or("", PathAndQuery::path);
                Ok(Self { scheme, authority, path: path.trim_end_matches('/').to_owned() })
            }
            _ => Err(ConfigError::BaseUrl),
        }
    }

    fn in_process() -> Self {
        Self { scheme: Scheme::HTTP, authority: Authority::from_static("octet.internal"), path: String::new() }
    }

    fn join(&self, uri: &Uri) -> Result<Uri, TransportError> {
        let tail = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(format!("{}{tail}", self.path))
            .build()
            .map_err(TransportError::interrupted)
    }
}
