//! A TCP listener that tells of each connection. Accepts and observes; reads no byte.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};

use crate::Connection;

/// A TCP listener that tells of its connections.
///
/// With axum it goes to `axum::serve(listener, app.into_make_service_with_connect_info::<octet_tower::Connection>())`;
/// any other host [`accept`](Self::accept)s, and puts the [`Connection`] into the extensions of each request.
///
/// It sets `TCP_NODELAY`, without which the round trips of the latency channel would measure the kernel's patience.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
}

impl Listener {
    /// Listens at `addr`, such as `[::]:3000` (IPv4 and IPv6).
    ///
    /// # Errors
    ///
    /// When the address cannot be listened at.
    pub async fn bind(addr: impl ToSocketAddrs) -> io::Result<Self> {
        TcpListener::bind(addr).await.map(Self::from)
    }

    /// Where it listens: with the port that the system chose, if 0 was asked for.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// The next connection, and what can be told of it. Waits while connections fail.
    pub async fn accept(&mut self) -> (TcpStream, Connection) {
        loop {
            match self.tcp.accept().await {
                Ok((tcp, peer)) => {
                    // Without it the connection is slower, not wrong.
                    let _ = tcp.set_nodelay(true);
                    let connection = Connection::of(&tcp, peer);
                    return (tcp, connection);
                }
                Err(error) if is_the_connections_own(&error) => {}
                Err(error) => {
                    // Out of descriptors, most likely: they come back when connections end.
                    tracing::error!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

impl From<TcpListener> for Listener {
    fn from(tcp: TcpListener) -> Self {
        Self { tcp }
    }
}

fn is_the_connections_own(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
