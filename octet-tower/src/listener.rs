//! A TCP listener that tells of each connection. Accepts, observes, and reads what stands before HTTP: a PROXY protocol
//! header, a TLS handshake.

use std::io;
use std::net::SocketAddr;
use std::sync::Once;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::task::JoinSet;

use crate::stream::Setup;
use crate::{Connection, OctetEdgeLayer, Stream, Unavailable, layer};

/// How many connections are at it at a time.
const MAX_OPENING: usize = 4096;

/// A TCP listener that tells of its connections.
///
/// With axum it goes to `octet_tower::axum::serve`; any other host [`accept`](Self::accept)s, and puts the [`Connection`]
/// into the extensions of each request.
///
/// It sets `TCP_NODELAY`, without which the round trips of the latency channel would measure the kernel's patience.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    setup: Setup,
    opening: JoinSet<Option<Stream>>,
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

    /// Reads PROXY protocol (versions 1 and 2) from the peers that `edge` trusts, and from no other. A trusted peer may
    /// also send none: then the connection is its own.
    #[must_use]
    pub fn proxy_protocol(mut self, edge: &OctetEdgeLayer) -> Self {
        self.setup.relay = Some(edge.relay().clone());
        self
    }

    /// Serves HTTPS, and sees each browser's ClientHello.
    ///
    /// ```no_run
    /// # async fn bind() -> Result<octet_tower::Listener, Box<dyn std::error::Error>> {
    /// let tls = octet_tower::Tls::from_files("chain.pem", "key.pem")?;
    /// let listener = octet_tower::Listener::bind("[::]:443").await?.tls(tls);
    /// # Ok(listener)
    /// # }
    /// ```
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: crate::Tls) -> Self {
        self.setup.tls = Some(tls);
        self
    }

    /// The next connection that is ready for HTTP, and what can be told of it. Waits while connections fail. Where it is
    /// first called in a process that has made no edge, one was forgotten: the log says what to add.
    pub async fn accept(&mut self) -> (Stream, Connection) {
        static FORGOTTEN: Once = Once::new();
        if !layer::is_made() {
            FORGOTTEN.call_once(|| tracing::error!("{}", Unavailable::NoLayer));
        }
        let stream = loop {
            tokio::select! {
                Some(opened) = self.opening.join_next(), if !self.opening.is_empty() => {
                    if let Ok(Some(stream)) = opened {
                        break stream;
                    }
                }
                accepted = self.tcp.accept(), if self.opening.len() < MAX_OPENING => match accepted {
                    Ok((tcp, peer)) => {
                        if let Some(stream) = self.begin(tcp, peer) {
                            break stream;
                        }
                    }
                    Err(error) if is_the_connections_own(&error) => {}
                    Err(error) => {
                        // Out of descriptors, most likely: they come back when connections end.
                        tracing::error!(%error, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                },
            }
        };
        let connection = stream.connection().clone();
        (stream, connection)
    }

    /// The connection, where nothing stands before HTTP; else that is read on a task of its own.
    fn begin(&mut self, tcp: TcpStream, peer: SocketAddr) -> Option<Stream> {
        // Without it the connection is slower, not wrong.
        let _ = tcp.set_nodelay(true);
        if self.setup.is_at_once(peer) {
            let connection = Connection::of(&tcp, peer);
            return Some(Stream::plain(tcp, Bytes::new(), connection));
        }
        let setup = self.setup.clone();
        self.opening.spawn(async move {
            let stream = setup.open(tcp, peer).await.ok();
            if stream.is_none() {
                tracing::debug!("a connection ended before HTTP began");
            }
            stream
        });
        None
    }
}

impl From<TcpListener> for Listener {
    fn from(tcp: TcpListener) -> Self {
        Self { tcp, setup: Setup::default(), opening: JoinSet::new() }
    }
}

fn is_the_connections_own(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
