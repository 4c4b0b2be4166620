//! The same partner's shop on every host that an edge can be mounted in. What a host cannot give is said here, once.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::Stream;
use octet_relay::Relay;
use octet_tower::{Listener, Tls};
use tempfile::TempDir;

mod actix;
mod axum;
mod edge;
mod hyper;
mod warp;

/// Where the edge is mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    Axum,
    /// Around axum's router instead of in it.
    AroundAxum,
    Warp,
    Hyper,
    Actix,
    /// The binary in front of the app, as its library.
    Edge,
}

impl Host {
    pub(crate) const ALL: [Self; 6] = [Self::Axum, Self::AroundAxum, Self::Warp, Self::Hyper, Self::Actix, Self::Edge];

    /// Whether it keeps the order of a request's headers.
    pub(crate) const fn keeps_header_order(self) -> bool {
        !matches!(self, Self::Actix)
    }

    /// Whether requests and responses can have trailers.
    pub(crate) const fn has_trailers(self) -> bool {
        matches!(self, Self::Axum | Self::AroundAxum | Self::Hyper | Self::Edge)
    }

    /// Serves the shop behind an edge.
    pub(crate) async fn serve(self, setup: Setup, made: Arc<AtomicU64>) -> SocketAddr {
        match self {
            Self::Axum => axum::serve(&setup, made).await,
            Self::AroundAxum => axum::serve_around(&setup, made).await,
            Self::Warp => warp::serve(&setup, made).await,
            Self::Hyper => hyper::serve(&setup, made).await,
            Self::Actix => actix::serve(&setup, made),
            Self::Edge => edge::serve(&setup, made).await,
        }
    }
}

/// How the edge is set.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    settings: Vec<(&'static str, String)>,
    signed_only: bool,
    told: bool,
    tls: Option<Arc<TempDir>>,
}

impl Setup {
    pub(crate) fn new(settings: &[(&'static str, &str)]) -> Self {
        let settings = settings.iter().map(|(name, value)| (*name, (*value).to_owned()));
        Self { settings: settings.collect(), signed_only: false, told: true, tls: None }
            .set("LICENSE", "octet_test_v4.public.abc")
    }

    fn set(mut self, name: &'static str, value: &str) -> Self {
        if !self.settings.iter().any(|(other, _)| *other == name) {
            self.settings.push((name, value.to_owned()));
        }
        self
    }

    pub(crate) fn octet(self, addr: SocketAddr) -> Self {
        self.set("OCTET_URL", &format!("http://{addr}"))
    }

    /// An edge that takes its own references only.
    pub(crate) fn signed_only(self) -> Self {
        Self { signed_only: true, ..self }
    }

    /// A host that was not set up to tell the edge of its connections.
    pub(crate) fn untold(self) -> Self {
        Self { told: false, ..self }
    }

    /// A host that ends TLS itself, for 127.0.0.1.
    pub(crate) fn over_https(self) -> Self {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("chain.pem"), cert.pem()).unwrap();
        std::fs::write(folder.path().join("key.pem"), signing_key.serialize_pem()).unwrap();
        Self { tls: Some(Arc::new(folder)), ..self }
    }

    /// The certificate's file and the key's, where TLS ends here.
    pub(crate) fn tls_files(&self) -> Option<[PathBuf; 2]> {
        self.tls.as_ref().map(|folder| ["chain.pem", "key.pem"].map(|name| folder.path().join(name)))
    }

    /// A listener on a port of its own.
    async fn listener(&self) -> Listener {
        let listener = Listener::bind("127.0.0.1:0").await.unwrap();
        match self.tls_files() {
            Some([chain, key]) => listener.tls(Tls::from_files(chain, key).unwrap()),
            None => listener,
        }
    }

    pub(crate) fn relay(&self) -> Relay {
        let find = |name| self.settings.iter().find(|(other, _)| *other == name).map(|(_, value)| value.clone());
        Relay::builder().require_signed_refs(self.signed_only).from_lookup(find).build().unwrap()
    }
}

/// A page as the shop makes it.
fn page(session: &octet_relay::PageSession) -> String {
    format!("<form>{}</form>{}", session.hidden_input(), session.script_tag().nonce("n"))
}

/// A body without end, and a count of its bytes.
fn endless(made: Arc<AtomicU64>) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + Sync + 'static {
    futures_util::stream::repeat_with(move || {
        made.fetch_add(16 * 1024, Ordering::Relaxed);
        Ok(Bytes::from_static(&[b'x'; 16 * 1024]))
    })
}
