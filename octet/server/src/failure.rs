//! A refused request as problem details (RFC 9457). Says what was wrong with the request; never repeats any of it.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use octet::problem::{Code, Problem};

/// Why a request was refused.
#[derive(Debug)]
pub(crate) struct Failure {
    problem: Problem,
    /// In seconds.
    retry_after: Option<u64>,
    allow: Option<&'static str>,
}

impl Failure {
    pub(crate) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { problem: Problem::new(code, detail), retry_after: None, allow: None }
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub(crate) fn shutting_down() -> Self {
        Self::new(Code::ShuttingDown, "this node is shutting down; ask again").retry_after(1)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(Code::NotFound, "there is nothing at this path; is the base URL right?")
    }

    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        Self { allow: Some(allow), ..Self::new(Code::MethodNotAllowed, format!("this path takes {allow}")) }
    }

    pub(crate) fn code(&self) -> Code {
        self.problem.code
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response<Body> {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // Only texts and a number: cannot fail.
        let body = serde_json::to_vec(&self.problem).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(Problem::MEDIA_TYPE));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Some(methods) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(methods));
        }
        response
    }
}

/// `value` as JSON that nobody stores on the way.
pub(crate) fn json(status: StatusCode, value: &impl serde::Serialize) -> Response<Body> {
    let Ok(body) = serde_json::to_vec(value) else {
        return Failure::new(Code::Internal, "the answer could not be written").into_response();
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
