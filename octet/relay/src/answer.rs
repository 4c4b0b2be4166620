//! An answer of the edge itself, in no framework's types. Must never carry anything about a verdict.

use std::borrow::Cow;

use bytes::Bytes;
use octet::problem::{Code, Problem};

/// An HTTP answer that a host turns into its own framework's response.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Lower-case names with values of visible ASCII.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body; empty where the request was a `HEAD`.
    pub body: Bytes,
}

impl Answer {
    /// An answer without a body.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same with a body that is not to be stored.
    pub(crate) fn body(self, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut answer = self
            .header("content-type", media_type)
            .header("cache-control", "no-store")
            .header("x-content-type-options", "nosniff");
        answer.body = body.into();
        answer
    }

    /// A problem (RFC 9457).
    pub(crate) fn problem(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        let problem = Problem::new(code, detail);
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        Self::new(problem.status).body(Problem::MEDIA_TYPE, body)
    }

    /// The same, and when to come back.
    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        self.header("retry-after", seconds.max(1).to_string())
    }

    /// The same without its body where the request was a `HEAD`.
    pub(crate) fn for_method(self, method: &str) -> Self {
        if method != "HEAD" {
            return self;
        }
        let length = self.body.len().to_string();
        Self { body: Bytes::new(), ..self.header("content-length", length) }
    }

    /// The same for a page of another origin, which is configured.
    pub(crate) fn for_origin(self, origin: &str) -> Self {
        let answer =
            if self.headers.iter().any(|(name, _)| *name == "vary") { self } else { self.header("vary", "origin") };
        answer.header("access-control-allow-origin", origin.to_owned()).header("timing-allow-origin", origin.to_owned())
    }
}
