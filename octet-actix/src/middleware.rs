//! The middleware: answers the edge's own routes, and passes everything else to the application untouched.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use futures_util::future::LocalBoxFuture;
use octet_relay::{Passing, Relay};
use pin_project_lite::pin_project;

use crate::answer;

/// An application with Octet's edge around it. See the [crate's documentation](crate).
#[derive(Debug)]
pub struct OctetEdgeMiddleware<S> {
    inner: S,
    relay: Relay,
}

impl<S> OctetEdgeMiddleware<S> {
    pub(crate) const fn new(inner: S, relay: Relay) -> Self {
        Self { inner, relay }
    }
}

impl<S, B> Service<ServiceRequest> for OctetEdgeMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>>,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    actix_web::dev::forward_ready!(inner);

    #[inline]
    fn call(&self, request: ServiceRequest) -> Self::Future {
        match self.relay.route(request.uri().path()) {
            None => {
                let mut passing = Passing::new(&self.relay);
                let future = passing.enter(|| self.inner.call(request));
                ResponseFuture { kind: Kind::Inner { future, passing } }
            }
            Some(route) => {
                let answer = answer::boxed(self.relay.clone(), route, request);
                ResponseFuture { kind: Kind::Own { answer } }
            }
        }
    }
}

pin_project! {
    /// The response of an [`OctetEdgeMiddleware`]: the application's own, unboxed, or the edge's.
    pub struct ResponseFuture<F> {
        #[pin]
        kind: Kind<F>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<F> {
        Inner { #[pin] future: F, passing: Passing },
        Own { answer: LocalBoxFuture<'static, ServiceResponse> },
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, E>>,
{
    type Output = Result<ServiceResponse<EitherBody<B>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindProjection::Inner { future, passing } => {
                let mut response = ready!(passing.enter(|| future.poll(cx)))?;
                if passing.carries_reference() {
                    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
                }
                Poll::Ready(Ok(response.map_into_left_body()))
            }
            KindProjection::Own { answer } => Poll::Ready(Ok(ready!(answer.as_mut().poll(cx)).map_into_right_body())),
        }
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
