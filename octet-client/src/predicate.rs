//! Questions about a place: is this session inside, or outside, of a region? Asks, asks again what failed on the way,
//! and reads the answer; knows nothing of how it comes about.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode};
use octet::predicate::PredicateRequest;
use octet::{At, Claim, LatLon, PredicateVerdict, Region, SessionRef, header, region};
use octet_transport::Limits;
use tokio::time::{Instant, sleep};

use crate::budget::{LONGEST_PAUSE, pause};
use crate::verdict::refusal;
use crate::{Error, OctetClient};

/// A predicate verdict with the largest proof there can be.
const LARGEST_ANSWER: usize = 64 * 1024;

impl OctetClient {
    /// Asks whether the session's device is within `region`, at a time or [`At::Now`].
    ///
    /// ```no_run
    /// use octet_client::{At, OctetClient, Outcome::Yes, Region, SessionRef};
    /// # async fn order(octet: OctetClient, session: SessionRef) -> Result<bool, octet_client::Error> {
    /// let verdict = octet.is_within(&session, Region::eu(), At::Now).await?;
    /// let let_in = verdict.result == Yes && verdict.confidence.overall_score > 0.8;
    /// # Ok(let_in)
    /// # }
    /// ```
    pub fn is_within(&self, session: impl AsRef<SessionRef>, region: Region, at: impl Into<At>) -> PredicateCall {
        self.ask(session.as_ref(), Claim::Within(region), at.into())
    }

    /// Asks whether the session's device is outside of `region`. Not the opposite of [`Self::is_within`]: where neither
    /// can be proven, both are INDETERMINATE.
    pub fn is_outside(&self, session: impl AsRef<SessionRef>, region: Region, at: impl Into<At>) -> PredicateCall {
        self.ask(session.as_ref(), Claim::Outside(region), at.into())
    }

    /// Asks whether the session's device is within `tolerance_meters` of `center`.
    ///
    /// # Errors
    ///
    /// When the tolerance is no radius.
    pub fn contains(
        &self,
        session: impl AsRef<SessionRef>,
        center: LatLon,
        tolerance_meters: f64,
        at: impl Into<At>,
    ) -> Result<PredicateCall, region::InvalidRegion> {
        Ok(self.is_within(session, Region::disc(center, tolerance_meters)?, at))
    }

    fn ask(&self, session: &SessionRef, claim: Claim, at: At) -> PredicateCall {
        let at_time = match at {
            At::Now => None,
            At::Time(time) => Some(time),
        };
        let question = PredicateRequest { session: session.clone(), claim, at_time };
        PredicateCall { client: self.clone(), question, visitor: None }
    }
}

/// A question about a place; ask it with `.await`.
#[derive(Debug, Clone)]
#[must_use = "a question is asked when it is awaited"]
pub struct PredicateCall {
    client: OctetClient,
    question: PredicateRequest,
    visitor: Option<IpAddr>,
}

impl PredicateCall {
    /// Tells Octet the address that the backend itself sees for this visitor, as for a verdict.
    pub fn visitor_ip(mut self, address: impl Into<IpAddr>) -> Self {
        self.visitor = Some(address.into());
        self
    }

    async fn ask(self) -> Result<PredicateVerdict, Error> {
        let inner = &self.client.inner;
        inner.budget.deposit();
        let begun = Instant::now();
        let mut retries = 0;
        loop {
            let left = inner.timeout.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(Error::timeout());
            }
            // Half of the time leaves room for another try.
            let limits = Limits { timeout: (inner.timeout / 2).min(left), max_body: LARGEST_ANSWER };
            let answer = inner.transport.send(self.request()?, limits).await;
            let error = match answer.map_err(Error::transport).and_then(|answer| read(&answer)) {
                Err(error) if error.is_transient() => error,
                answer => return answer,
            };
            let pause = error.retry_after().unwrap_or_else(|| pause(retries));
            let hopeless = pause > LONGEST_PAUSE || begun.elapsed() + pause >= inner.timeout;
            if hopeless || !inner.budget.withdraw(retries) {
                return Err(error);
            }
            retries += 1;
            sleep(pause).await;
        }
    }

    fn request(&self) -> Result<Request<Bytes>, Error> {
        let body = serde_json::to_vec(&self.question).map_err(|error| Error::configuration(error.to_string()))?;
        let mut request = Request::post("/v1/predicate").header(CONTENT_TYPE, "application/json");
        if let Some(key) = &self.client.inner.key {
            request = request.header(header::PARTNER_KEY, key);
        }
        if let Some(address) = self.visitor {
            request = request.header(header::VISITOR_IP, address.to_string());
        }
        request.body(body.into()).map_err(|error| Error::configuration(error.to_string()))
    }
}

fn read(response: &Response<Bytes>) -> Result<PredicateVerdict, Error> {
    match response.status() {
        StatusCode::OK => serde_json::from_slice(response.body())
            .map_err(|error| Error::protocol(format!("the answer cannot be read: {:?}", error.classify()))),
        _ => Err(refusal(response)),
    }
}

impl IntoFuture for PredicateCall {
    type Output = Result<PredicateVerdict, Error>;
    type IntoFuture = PredicateFuture;

    fn into_future(self) -> PredicateFuture {
        PredicateFuture { future: Box::pin(self.ask()) }
    }
}

/// The future of a [`PredicateCall`].
#[must_use = "futures do nothing unless polled"]
pub struct PredicateFuture {
    future: Pin<Box<dyn Future<Output = Result<PredicateVerdict, Error>> + Send>>,
}

impl Future for PredicateFuture {
    type Output = Result<PredicateVerdict, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.future.as_mut().poll(context)
    }
}

impl fmt::Debug for PredicateFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PredicateFuture").finish_non_exhaustive()
    }
}
