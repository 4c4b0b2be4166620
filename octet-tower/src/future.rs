//! The future of a response: the partner's own, unboxed, or the edge's.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use octet_relay::{Answer, Passing};
use pin_project_lite::pin_project;

use crate::body;

type Own = Pin<Box<dyn Future<Output = Answer> + Send>>;

pin_project! {
    /// The response of an [`OctetEdge`](crate::OctetEdge).
    pub struct ResponseFuture<F> {
        #[pin]
        kind: Kind<F>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<F> {
        Inner { #[pin] future: F, passing: Passing },
        Own { answer: Own },
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) const fn inner(future: F, passing: Passing) -> Self {
        Self { kind: Kind::Inner { future, passing } }
    }

    pub(crate) const fn own(answer: Own) -> Self {
        Self { kind: Kind::Own { answer } }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: From<Bytes>,
{
    type Output = Result<Response<B>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindProjection::Inner { future, passing } => {
                // Changed where it lies: a response is large to be moved.
                let mut polled = passing.enter(|| future.poll(cx));
                if passing.carries_reference()
                    && let Poll::Ready(Ok(response)) = &mut polled
                {
                    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
                }
                polled
            }
            KindProjection::Own { answer } => Poll::Ready(Ok(body::response(ready!(answer.as_mut().poll(cx))))),
        }
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
