//! The edge to be wrapped around an application. See the crate's documentation.

use std::cell::Cell;
use std::future::{Ready, ready};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use octet_relay::{Builder, ConfigError, Relay};
use octet_transport::Transport;

use crate::OctetEdgeMiddleware;

thread_local! {
    /// Whether an edge was put around an application that this thread made: a worker makes its own, one after the other.
    pub(crate) static AROUND_APP: Cell<bool> = const { Cell::new(false) };
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Puts Octet's edge around an application: `App::new().wrap(edge.clone())`. See the [crate's documentation](crate).
///
/// Cheap to clone; clones are one edge, with one set of channels, limits and connections to Octet.
#[derive(Debug, Clone)]
pub struct OctetEdge {
    relay: Relay,
}

impl OctetEdge {
    /// An edge as the environment says: `OCTET_URL`, `LICENSE` and what [`Builder::from_env`] lists.
    ///
    /// # Errors
    ///
    /// When a variable is missing or cannot be used: the error names it and says what to do.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::builder().from_env().build()
    }

    /// An edge as the code says.
    ///
    /// ```
    /// use octet_actix::OctetEdge;
    ///
    /// let edge = OctetEdge::builder()
    ///     .octet_url("https://octet.internal")
    ///     .license("octet_test_v4.public.eyJzdWIiOiJzaG9wIn0")
    ///     .build()?;
    /// # Ok::<(), octet_actix::ConfigError>(())
    /// ```
    #[must_use]
    pub fn builder() -> Builder<Self> {
        Builder::default()
    }

    /// An edge with everything by default, and Octet as a tower service in the same process.
    pub fn over<S, B>(octet: S) -> Self
    where
        S: tower_service::Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self::from(Relay::over(Transport::over(octet)))
    }
}

impl From<Relay> for OctetEdge {
    fn from(relay: Relay) -> Self {
        Self { relay }
    }
}

impl<S, B> Transform<S, ServiceRequest> for OctetEdge
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = S::Error;
    type Transform = OctetEdgeMiddleware<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        AROUND_APP.set(true);
        ready(Ok(OctetEdgeMiddleware::new(service, self.relay.clone())))
    }
}
