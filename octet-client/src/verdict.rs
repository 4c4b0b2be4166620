//! One question: what is the verdict about this session? Long-polls, retries and reads the answer; knows nothing
//! of how a verdict comes about.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{Request, Response, StatusCode};
use octet::problem::Problem;
use octet::{Pending, SessionRef, Verdict, header};
use octet_transport::Limits;
use tokio::time::{Instant, sleep};

use crate::budget::{LONGEST_PAUSE, pause};
use crate::{Error, OctetClient};

/// The longest that Octet holds one long-poll.
const LONGEST_POLL: Duration = Duration::from_secs(10);
/// A verdict is a few hundred bytes; an outline adds at most a few kilobytes.
const LARGEST_ANSWER: usize = 64 * 1024;

/// What Octet knows about a session.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup {
    /// The verdict.
    Ready(Verdict),
    /// Collection is in flight, or never happened.
    Pending,
}

impl Lookup {
    /// The verdict, when there is one.
    #[must_use]
    pub fn ready(self) -> Option<Verdict> {
        match self {
            Self::Ready(verdict) => Some(verdict),
            Self::Pending => None,
        }
    }
}

/// A question for a verdict; ask it with `.await`.
#[derive(Debug, Clone)]
#[must_use = "a question is asked when it is awaited"]
pub struct VerdictRequest {
    client: OctetClient,
    session: SessionRef,
    visitor: Option<IpAddr>,
    wait: Duration,
}

impl VerdictRequest {
    pub(crate) fn new(client: OctetClient, session: SessionRef) -> Self {
        Self { client, session, visitor: None, wait: Duration::ZERO }
    }

    /// Tells Octet the address that the backend itself sees for this visitor, so that a bundle from elsewhere
    /// does not decide in its place.
    pub fn visitor_ip(mut self, address: impl Into<IpAddr>) -> Self {
        self.visitor = Some(address.into());
        self
    }

    /// Waits this long for the verdict while there is none. Without it, the answer comes at once.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    async fn ask(self) -> Result<Lookup, Error> {
        let inner = &self.client.inner;
        inner.budget.deposit();
        let begun = Instant::now();
        let longest = self.wait.saturating_add(inner.timeout);
        let mut retries = 0;
        loop {
            let asked = Instant::now();
            let left = self.wait.saturating_sub(begun.elapsed());
            let poll = left.min(LONGEST_POLL);
            let before_the_end = longest.saturating_sub(begun.elapsed());
            if before_the_end.is_zero() {
                return Err(Error::timeout());
            }
            // Half of the time that is given beyond the wait leaves room for another try.
            let limits = Limits {
                timeout: poll.saturating_add(inner.timeout / 2).min(before_the_end),
                max_body: LARGEST_ANSWER,
            };
            let pause = match self.poll(poll, limits).await {
                Ok(Lookup::Pending) if self.wait > begun.elapsed() => {
                    // An answer before its time means that Octet holds no more polls for us: no hot loop then.
                    if asked.elapsed() + Duration::from_millis(5) < poll {
                        pause_of_a_busy_octet()
                    } else {
                        poll.saturating_sub(asked.elapsed())
                    }
                }
                Err(error) if error.is_transient() => {
                    let pause = error.retry_after().unwrap_or_else(|| pause(retries));
                    let hopeless = pause > LONGEST_PAUSE || begun.elapsed() + pause >= longest;
                    if hopeless || !inner.budget.withdraw(retries) {
                        return Err(error);
                    }
                    retries += 1;
                    pause
                }
                answer => return answer,
            };
            if !pause.is_zero() {
                sleep(pause).await;
            }
        }
    }

    async fn poll(&self, wait: Duration, limits: Limits) -> Result<Lookup, Error> {
        let request = self.request(wait)?;
        let response = self.client.inner.transport.send(request, limits).await.map_err(Error::transport)?;
        read(&response)
    }

    fn request(&self, wait: Duration) -> Result<Request<Bytes>, Error> {
        let path = format!("/v1/verdict/{}", self.session.as_str());
        // Rounded up, so that the last poll does not end just before the wait does.
        let wait_ms = wait.as_micros().div_ceil(1000);
        let uri = if wait_ms == 0 { path } else { format!("{path}?waitMs={wait_ms}") };
        let mut request = Request::get(uri);
        if let Some(key) = &self.client.inner.key {
            request = request.header(header::PARTNER_KEY, key);
        }
        if let Some(address) = self.visitor {
            request = request.header(header::VISITOR_IP, address.to_string());
        }
        request.body(Bytes::new()).map_err(|error| Error::configuration(error.to_string()))
    }
}

/// Between two polls that Octet did not hold.
fn pause_of_a_busy_octet() -> Duration {
    Duration::from_millis(100) + pause(1)
}

fn read(response: &Response<Bytes>) -> Result<Lookup, Error> {
    let body = response.body();
    match response.status() {
        StatusCode::OK => serde_json::from_slice(body)
            .map(Lookup::Ready)
            .map_err(|error| Error::protocol(format!("the verdict cannot be read: {:?}", error.classify()))),
        StatusCode::NOT_FOUND if serde_json::from_slice::<Pending>(body).is_ok() => Ok(Lookup::Pending),
        _ => Err(refusal(response)),
    }
}

/// What an answer that is none says.
pub(crate) fn refusal(response: &Response<Bytes>) -> Error {
    let problem = serde_json::from_slice::<Problem>(response.body()).ok();
    Error::status(response.status().as_u16(), problem, retry_after(response))
}

/// The `Retry-After` header in its form of seconds, the only one that Octet sends.
pub(crate) fn retry_after(response: &Response<Bytes>) -> Option<Duration> {
    response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

impl IntoFuture for VerdictRequest {
    type Output = Result<Lookup, Error>;
    type IntoFuture = VerdictFuture;

    fn into_future(self) -> VerdictFuture {
        VerdictFuture { future: Box::pin(self.ask()) }
    }
}

/// The future of a [`VerdictRequest`].
#[must_use = "futures do nothing unless polled"]
pub struct VerdictFuture {
    future: Pin<Box<dyn Future<Output = Result<Lookup, Error>> + Send>>,
}

impl Future for VerdictFuture {
    type Output = Result<Lookup, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.future.as_mut().poll(context)
    }
}

impl fmt::Debug for VerdictFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerdictFuture").finish_non_exhaustive()
    }
}
