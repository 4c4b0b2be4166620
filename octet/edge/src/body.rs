//! The body of an answer: the app's as it streams, or what the edge itself says.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;

use crate::proxy::Lease;

/// The body of an answer to a browser.
#[derive(Debug)]
pub(crate) struct Body(Kind);

#[derive(Debug)]
enum Kind {
    App { body: Incoming, lease: Option<Lease> },
    Own(Full<Bytes>),
}

impl Body {
    pub(crate) const fn own(body: Full<Bytes>) -> Self {
        Self(Kind::Own(body))
    }

    /// The app's body, which gives its connection back when it has ended.
    pub(crate) fn app(body: Incoming, lease: Lease) -> Self {
        if body.is_end_stream() {
            lease.give_back();
            return Self(Kind::App { body, lease: None });
        }
        Self(Kind::App { body, lease: Some(lease) })
    }

    /// An upgraded connection's: none.
    pub(crate) fn none() -> Self {
        Self(Kind::Own(Full::default()))
    }
}

/// A line of text, not to be stored.
pub(crate) fn text(status: StatusCode, line: &'static str) -> Response<Body> {
    let mut response = Response::new(Body(Kind::Own(Full::from(line))));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.0 {
            Kind::Own(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Kind::App { body, lease } => {
                let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
                let whole = match &frame {
                    None => true,
                    Some(Ok(_)) => body.is_end_stream(),
                    Some(Err(_)) => false,
                };
                if whole && let Some(lease) = lease.take() {
                    lease.give_back();
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Own(body) => body.is_end_stream(),
            Kind::App { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Own(body) => body.size_hint(),
            Kind::App { body, .. } => body.size_hint(),
        }
    }
}
