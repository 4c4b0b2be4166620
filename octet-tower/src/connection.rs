//! What a host tells of a connection: its other end, and the kernel's view of it while it lives.

use std::net::SocketAddr;

use octet::observations::TcpInfo;
use octet_relay::tcp_info::{Probe, Socket};

/// A connection that a request came on. Does not keep the connection open.
///
/// With axum it is the connect info that [`Listener`](crate::Listener) provides; another host puts it into the request's
/// extensions.
#[derive(Debug, Clone, Copy)]
pub struct Connection {
    peer: SocketAddr,
    probe: Option<Probe>,
}

impl Connection {
    /// A connection from `peer` of which the kernel tells nothing.
    #[must_use]
    pub const fn new(peer: SocketAddr) -> Self {
        Self { peer, probe: None }
    }

    /// The connection of `socket` from `peer`, of which the kernel tells what it sees.
    #[must_use]
    pub fn of(socket: &impl Socket, peer: SocketAddr) -> Self {
        Self { peer, probe: Probe::new(socket) }
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
