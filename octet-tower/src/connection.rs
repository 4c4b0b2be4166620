//! What a host tells of a connection: its other end, and the kernel's view of it while it lives.

use std::net::SocketAddr;
use std::sync::Arc;

use octet::handshake::{Http2Preface, TlsObservation};
use octet::observations::TcpInfo;
use octet_relay::tcp_info::{Probe, Socket};

use crate::watched::SeenPreface;

/// A connection that a request came on. Does not keep the connection open.
///
/// With axum it is the connect info that [`Listener`](crate::Listener) provides; another host puts it into the request's
/// extensions.
#[derive(Debug, Clone)]
pub struct Connection {
    peer: SocketAddr,
    proxied: bool,
    probe: Option<Probe>,
    tls: Option<Arc<TlsObservation>>,
    http2: Option<SeenPreface>,
}

impl Connection {
    /// A connection from `peer` of which the kernel tells nothing.
    #[must_use]
    pub const fn new(peer: SocketAddr) -> Self {
        Self { peer, proxied: false, probe: None, tls: None, http2: None }
    }

    /// The connection of `socket` from `peer`, of which the kernel tells what it sees.
    #[must_use]
    pub fn of(socket: &impl Socket, peer: SocketAddr) -> Self {
        Self { probe: Probe::new(socket), ..Self::new(peer) }
    }

    /// The same, forwarded by its peer for `source`, as it says in PROXY protocol.
    pub(crate) fn forwarded_from(self, source: SocketAddr) -> Self {
        Self { peer: source, proxied: true, ..self }
    }

    #[cfg(feature = "tls")]
    pub(crate) fn with_hello(self, hello: Option<TlsObservation>) -> Self {
        Self { tls: hello.map(Arc::new), ..self }
    }

    pub(crate) fn with_preface(self, seen: SeenPreface) -> Self {
        Self { http2: Some(seen), ..self }
    }

    /// Whether a trusted peer forwards it, so that the kernel's view is of that peer's connection.
    #[must_use]
    pub const fn is_proxied(&self) -> bool {
        self.proxied
    }

    /// The ClientHello that opened it; `None` where this host does not end its TLS.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsObservation> {
        self.tls.as_deref()
    }

    /// How its HTTP/2 was opened; `None` over HTTP/1.1, or before its first request.
    #[must_use]
    pub fn http2(&self) -> Option<&Http2Preface> {
        self.http2.as_ref().and_then(|seen| seen.get())
    }

    /// The other end: the browser, or a proxy.
    #[must_use]
    pub const fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// The kernel's view of the connection now; `None` where it does not tell, or the connection is gone.
    #[must_use]
    pub fn tcp_info(&self) -> Option<TcpInfo> {
        self.probe.as_ref().and_then(Probe::read)
    }
}
