//! One accepted connection, ready for HTTP: behind its PROXY protocol header and its TLS handshake, if it has them,
//! with what was seen of both.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use octet_relay::Relay;
use octet_relay::proxy_protocol::{MAX_HEADER, Start, parse};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::Connection;
use crate::watched::Watched;

/// How long a connection may take for what stands before HTTP.
const SLOWEST_OPENING: Duration = Duration::from_secs(10);

/// A connection that a [`Listener`](crate::Listener) accepted.
#[derive(Debug)]
pub struct Stream {
    kind: Kind,
    connection: Connection,
}

#[derive(Debug)]
enum Kind {
    Tcp(Watched<TcpStream>),
    #[cfg(feature = "tls")]
    Tls(Box<Watched<tokio_rustls::server::TlsStream<Watched<TcpStream>>>>),
}

/// What stands between a connection's first byte and HTTP.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setup {
    /// Whose trusted peers may send PROXY protocol.
    pub(crate) relay: Option<Relay>,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<crate::Tls>,
}

impl Setup {
    /// Whether nothing has to be read before HTTP begins.
    pub(crate) fn is_at_once(&self, peer: SocketAddr) -> bool {
        #[cfg(feature = "tls")]
        if self.tls.is_some() {
            return false;
        }
        !self.asks_for_header(peer)
    }

    fn asks_for_header(&self, peer: SocketAddr) -> bool {
        self.relay.as_ref().is_some_and(|relay| relay.trusts(peer.ip()))
    }

    /// Reads what stands before HTTP, if it comes in time.
    pub(crate) async fn open(&self, tcp: TcpStream, peer: SocketAddr) -> io::Result<Stream> {
        tokio::time::timeout(SLOWEST_OPENING, self.read(tcp, peer)).await?
    }

    async fn read(&self, mut tcp: TcpStream, peer: SocketAddr) -> io::Result<Stream> {
        let mut connection = Connection::of(&tcp, peer);
        let mut read = Bytes::new();
        if self.asks_for_header(peer) {
            let source;
            (source, read) = header(&mut tcp).await?;
            if let Some(source) = source {
                connection = connection.forwarded_from(source);
            }
        }
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            return Stream::behind_tls(tls, Watched::hello(tcp, read), connection).await;
        }
        Ok(Stream::plain(tcp, read, connection))
    }
}

/// The source that a PROXY protocol header names, if there is a header and it names one, and what was read behind it.
async fn header(tcp: &mut TcpStream) -> io::Result<(Option<SocketAddr>, Bytes)> {
    let mut bytes = BytesMut::with_capacity(512);
    loop {
        match parse(&bytes).map_err(io::Error::other)? {
            Start::Other => return Ok((None, bytes.freeze())),
            Start::Header { length, source } => return Ok((source, bytes.split_off(length).freeze())),
            Start::Incomplete if bytes.len() >= MAX_HEADER => return Err(io::ErrorKind::InvalidData.into()),
            Start::Incomplete => {
                if tcp.read_buf(&mut bytes).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        }
    }
}

impl Stream {
    /// A connection without TLS, behind `read`, which was read of it already.
    pub(crate) fn plain(tcp: TcpStream, read: Bytes, connection: Connection) -> Self {
        let (tcp, seen) = Watched::preface(tcp, read);
        Self { kind: Kind::Tcp(tcp), connection: connection.with_preface(seen) }
    }

    #[cfg(feature = "tls")]
    async fn behind_tls(tls: &crate::Tls, tcp: Watched<TcpStream>, connection: Connection) -> io::Result<Self> {
        let mut stream = tls.accept(tcp).await?;
        let (tcp, session) = stream.get_mut();
        let connection = connection.with_hello(tcp.take_hello());
        if session.alpn_protocol() == Some(b"h2") {
            let (stream, seen) = Watched::preface(stream, Bytes::new());
            return Ok(Self { kind: Kind::Tls(Box::new(stream)), connection: connection.with_preface(seen) });
        }
        Ok(Self { kind: Kind::Tls(Box::new(Watched::nothing(stream))), connection })
    }

    /// Whether the TLS handshake agreed on HTTP/2.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn is_http2(&self) -> bool {
        matches!(&self.kind, Kind::Tls(stream) if stream.get_ref().get_ref().1.alpn_protocol() == Some(b"h2"))
    }

    /// What there is to tell of this connection.
    #[must_use]
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// Does the same with whatever the connection is.
macro_rules! either {
    ($stream:ident, $inner:ident => $do:expr) => {
        match &mut $stream.kind {
            Kind::Tcp(inner) => {
                let $inner = Pin::new(inner);
                $do
            }
            #[cfg(feature = "tls")]
            Kind::Tls(inner) => {
                let $inner = Pin::new(&mut **inner);
                $do
            }
        }
    };
}

impl AsyncRead for Stream {
    #[inline]
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self, inner => inner.poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    #[inline]
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, inner => inner.poll_write(cx, buf))
    }

    #[inline]
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, inner => inner.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, inner => inner.poll_shutdown(cx))
    }

    #[inline]
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self, inner => inner.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.kind {
            Kind::Tcp(inner) => inner.is_write_vectored(),
            #[cfg(feature = "tls")]
            Kind::Tls(inner) => inner.is_write_vectored(),
        }
    }
}
