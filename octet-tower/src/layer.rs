//! The layer: an edge to be put around a partner's service. See the crate's documentation.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use octet_relay::{Builder, ConfigError, Relay};
use octet_transport::Transport;
use tower_layer::Layer;
use tower_service::Service;

use crate::OctetEdge;

/// Whether an edge was made in this process.
static MADE: AtomicBool = AtomicBool::new(false);

/// Whether an edge was made in this process: a host that starts without one has forgotten it.
pub(crate) fn is_made() -> bool {
    MADE.load(Ordering::Relaxed)
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Puts Octet's edge around a service. See the [crate's documentation](crate) for an example.
///
/// Cheap to clone; clones are one edge, with one set of channels, limits and connections to Octet.
#[derive(Debug, Clone)]
pub struct OctetEdgeLayer {
    relay: Relay,
}

impl OctetEdgeLayer {
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
    /// use octet_tower::OctetEdgeLayer;
    ///
    /// let edge = OctetEdgeLayer::builder()
    ///     .octet_url("https://octet.internal")
    ///     .license("octet_test_v4.public.eyJzdWIiOiJzaG9wIn0")
    ///     .require_signed_refs(true)
    ///     .build()?;
    /// # Ok::<(), octet_tower::ConfigError>(())
    /// ```
    #[must_use]
    pub fn builder() -> Builder<Self> {
        Builder::default()
    }

    /// The edge without its framework.
    #[must_use]
    pub const fn relay(&self) -> &Relay {
        &self.relay
    }

    /// An edge with everything by default, and Octet as a tower service in the same process.
    pub fn over<S, B>(octet: S) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self::from(Relay::over(Transport::over(octet)))
    }

    /// The edge around `inner`; what [`Layer::layer`] does, without the trait.
    pub fn layer<S>(&self, inner: S) -> OctetEdge<S> {
        OctetEdge::new(inner, self.relay.clone())
    }
}

impl From<Relay> for OctetEdgeLayer {
    fn from(relay: Relay) -> Self {
        MADE.store(true, Ordering::Relaxed);
        Self { relay }
    }
}

impl<S> Layer<S> for OctetEdgeLayer {
    type Service = OctetEdge<S>;

    fn layer(&self, inner: S) -> Self::Service {
        self.layer(inner)
    }
}
