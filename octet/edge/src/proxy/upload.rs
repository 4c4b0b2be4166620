//! A browser's body on its way to the app, which says whether it moves: a large upload may take longer than an
//! answer, a stuck one may not.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderName;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::headers;

/// A browser's body as it streams.
#[derive(Debug)]
pub(crate) struct Upload {
    /// None of a request that is sent a second time: only those without a body are.
    body: Option<Incoming>,
    moved: Option<Moved>,
    /// The headers that this edge was told to believe, which no trailer may be.
    believed: Arc<[HeaderName]>,
}

/// Whether something came since this was asked last.
#[derive(Debug, Clone)]
pub(crate) struct Moved(Arc<AtomicBool>);

impl Moved {
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Upload {
    pub(crate) fn new(body: Incoming, believed: Arc<[HeaderName]>) -> Self {
        let moved = (!body.is_end_stream()).then(|| Moved(Arc::new(AtomicBool::new(false))));
        Self { body: Some(body), moved, believed }
    }

    /// The same once more, where there is nothing in it.
    pub(crate) fn again(&self) -> Option<Self> {
        let Self { moved, believed, .. } = self;
        moved.is_none().then(|| Self { body: None, moved: None, believed: Arc::clone(believed) })
    }

    /// Tells of this body while it is on its way; `None` where there is none.
    pub(crate) fn moved(&self) -> Option<Moved> {
        self.moved.clone()
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let mut frame = ready!(Pin::new(body).poll_frame(cx));
        if let Some(Ok(frame)) = &mut frame
            && let Some(trailers) = frame.trailers_mut()
        {
            headers::trailers(trailers, &self.believed);
        }
        if let Some(Moved(moved)) = &self.moved {
            moved.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}
