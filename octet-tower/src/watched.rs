//! A connection whose first bytes are looked at on their way, and not held up. Changes none of them.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use octet::handshake::Http2Preface;
use octet_relay::preface;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Where what was seen of an HTTP/2 preface comes to stand, before the first request does.
pub(crate) type SeenPreface = Arc<OnceLock<Http2Preface>>;

/// A connection with a reader of its first bytes beside it.
pub(crate) struct Watched<S> {
    inner: S,
    /// What was read of it already and belongs to it.
    replay: Bytes,
    watch: Watch,
}

/// Which reader looks at the bytes.
enum Watch {
    Nothing,
    #[cfg(feature = "tls")]
    Hello(Box<octet_relay::client_hello::Reader>),
    Preface(Box<preface::Reader>, SeenPreface),
}

impl<S> Watched<S> {
    /// A connection that may open HTTP/2, behind `replay`, which was read of it already.
    pub(crate) fn preface(inner: S, replay: Bytes) -> (Self, SeenPreface) {
        let seen = SeenPreface::default();
        (Self { inner, replay, watch: Watch::Preface(Box::default(), Arc::clone(&seen)) }, seen)
    }

    /// A connection as it is.
    #[cfg(feature = "tls")]
    pub(crate) fn nothing(inner: S) -> Self {
        Self { inner, replay: Bytes::new(), watch: Watch::Nothing }
    }

    /// A connection that opens with TLS.
    #[cfg(feature = "tls")]
    pub(crate) fn hello(inner: S, replay: Bytes) -> Self {
        Self { inner, replay, watch: Watch::Hello(Box::default()) }
    }

    #[cfg(feature = "tls")]
    pub(crate) const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// What was seen of the ClientHello; looks at no more.
    #[cfg(feature = "tls")]
    pub(crate) fn take_hello(&mut self) -> Option<octet::handshake::TlsObservation> {
        match std::mem::replace(&mut self.watch, Watch::Nothing) {
            Watch::Hello(reader) => reader.observation(),
            Watch::Nothing | Watch::Preface(..) => None,
        }
    }
}

impl Watch {
    fn look(&mut self, bytes: &[u8]) {
        match self {
            Self::Nothing => {}
            #[cfg(feature = "tls")]
            Self::Hello(reader) => {
                reader.feed(bytes);
            }
            Self::Preface(reader, _) => {
                if reader.feed(bytes).is_done()
                    && let Self::Preface(reader, seen) = std::mem::replace(self, Self::Nothing)
                    && let Some(preface) = reader.observation()
                {
                    let _ = seen.set(preface);
                }
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    #[inline]
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.replay.is_empty() && matches!(this.watch, Watch::Nothing) {
            return Pin::new(&mut this.inner).poll_read(cx, buf);
        }
        let before = buf.filled().len();
        if this.replay.is_empty() {
            ready!(Pin::new(&mut this.inner).poll_read(cx, buf))?;
        } else {
            let length = this.replay.len().min(buf.remaining());
            buf.put_slice(&this.replay.split_to(length));
        }
        this.watch.look(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    #[inline]
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    #[inline]
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    #[inline]
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

impl<S> fmt::Debug for Watched<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").finish_non_exhaustive()
    }
}
