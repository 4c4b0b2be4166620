//! The service: answers the edge's own routes, and passes everything else to the partner's service untouched.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use octet_relay::{Passing, Relay};
use tower_service::Service;

use crate::future::ResponseFuture;
use crate::own;

/// A partner's service with Octet's edge around it. See the [crate's documentation](crate).
///
/// Responses keep the type of their body, which must be one that can be made of bytes, as axum's, warp's and
/// `http_body_util::Full` can; [`ResponseBody`](crate::ResponseBody) wraps any other.
#[derive(Debug, Clone)]
pub struct OctetEdge<S> {
    inner: S,
    relay: Relay,
}

impl<S> OctetEdge<S> {
    pub(crate) const fn new(inner: S, relay: Relay) -> Self {
        Self { inner, relay }
    }

    /// The partner's service.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The partner's service.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The partner's service, without the edge.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for OctetEdge<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ReqBody: http_body::Body + Send + 'static,
    ReqBody::Data: Send,
    ResBody: From<Bytes>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        match self.relay.route(request.uri().path()) {
            None => {
                let mut passing = Passing::new(&self.relay);
                let future = passing.enter(|| self.inner.call(request));
                ResponseFuture::inner(future, passing)
            }
            Some(route) => ResponseFuture::own(own::boxed(self.relay.clone(), route, request)),
        }
    }
}
