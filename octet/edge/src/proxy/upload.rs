//! A browser's body on its way to the app, which says whether it moves: a large upload may take longer than an
//! answer, a stuck one may not.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

/// A browser's body as it streams.
#[derive(Debug)]
pub(crate) struct Upload {
    body: Incoming,
    moved: Option<Moved>,
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
    pub(crate) fn new(body: Incoming) -> Self {
        let moved = (!body.is_end_stream()).then(|| Moved(Arc::new(AtomicBool::new(false))));
        Self { body, moved }
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
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Moved(moved)) = &self.moved {
            moved.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
