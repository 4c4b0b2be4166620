//! The connection that an upgraded request becomes: what the browser sends is the request's payload, what it gets is
//! the response's body. Moves bytes; reads none. Must never hold more than the payload's own bound.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::Payload;
use bytes::Bytes;
use futures_util::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;

/// Both directions: for the channel, and for the response.
pub(crate) fn open(payload: Payload) -> (Tunnel, Outgoing) {
    // The channel says at most a few kilobytes in its whole life, so the queue needs no bound of its own.
    let (outgoing, queue) = mpsc::unbounded_channel();
    (Tunnel { payload, unread: Bytes::new(), outgoing: Some(outgoing) }, Outgoing(queue))
}

/// The edge's end of the connection.
pub(crate) struct Tunnel {
    payload: Payload,
    unread: Bytes,
    outgoing: Option<mpsc::UnboundedSender<Bytes>>,
}

impl AsyncRead for Tunnel {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.unread.is_empty() {
            match ready!(Pin::new(&mut self.payload).poll_next(cx)) {
                Some(Ok(data)) => self.unread = data,
                Some(Err(_)) | None => return Poll::Ready(Ok(())),
            }
        }
        let length = self.unread.len().min(buf.remaining());
        buf.put_slice(&self.unread.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let sent = self.outgoing.as_ref().is_some_and(|queue| queue.send(Bytes::copy_from_slice(data)).is_ok());
        Poll::Ready(if sent { Ok(data.len()) } else { Err(io::ErrorKind::BrokenPipe.into()) })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing = None;
        Poll::Ready(Ok(()))
    }
}

/// What the edge says, as a response's body.
pub(crate) struct Outgoing(mpsc::UnboundedReceiver<Bytes>);

impl MessageBody for Outgoing {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.0.poll_recv(cx).map(|data| data.map(Ok))
    }
}
