//! Forwarding to Octet: bounded, with a time limit and one retry. What Octet answered is told to the browser as
//! no more than "taken", "malformed", "too much" or "unavailable".

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use octet::problem::{Code, Problem};
use octet::{EdgeSettings, LicenseKey};
use octet_transport::{Limits, Transport};
use tokio::sync::Semaphore;

use crate::{Answer, mac};

/// An answer of Octet to an edge is a few hundred bytes.
const MAX_ANSWER: usize = 16 * 1024;

/// How long a page waits for a bot verdict, whatever Octet does.
const BUDGET: Duration = Duration::from_millis(1_800);
/// Before the second attempt.
const PAUSE: Duration = Duration::from_millis(100);

/// What became of a question to Octet.
#[derive(Debug)]
pub(crate) enum Asked {
    /// It answered, and is not at fault.
    Answered(Response<Bytes>),
    /// It did not answer in time, or could not.
    Unavailable,
}

/// The way to Octet.
#[derive(Debug)]
pub(crate) struct Upstream {
    transport: Transport,
    license: Option<HeaderValue>,
    slots: Semaphore,
    timeout: Duration,
}

impl Upstream {
    /// `timeout` is for one attempt; over `max_in_flight` bundles at once, the next are refused.
    pub(crate) fn new(
        transport: Transport,
        license: Option<&LicenseKey>,
        timeout: Duration,
        max_in_flight: usize,
    ) -> Self {
        // A licence key is visible ASCII, so it always is a header value.
        let license = license.and_then(|key| HeaderValue::from_str(key.expose()).ok()).map(|mut value| {
            value.set_sensitive(true);
            value
        });
        let slots = Semaphore::new(max_in_flight.min(Semaphore::MAX_PERMITS));
        Self { transport, license, slots, timeout }
    }

    /// Forwards a bundle to this path of Octet, and says what the browser is told.
    pub(crate) async fn forward(&self, path: &str, bundle: Bytes) -> Answer {
        let Ok(_slot) = self.slots.try_acquire() else {
            tracing::warn!("more bundles at once than this edge forwards; refused one");
            return unavailable();
        };
        match self.attempt(path, bundle.clone()).await {
            Some(answer) => answer,
            None => {
                // A restart, or a connection that died in the pool; spread, so that edges do not come in step.
                let spread = mac::random::<1>().map_or(0, |[byte]| u64::from(byte) / 2);
                tokio::time::sleep(Duration::from_millis(50 + spread)).await;
                self.attempt(path, bundle).await.unwrap_or_else(unavailable)
            }
        }
    }

    /// One attempt; `None` where another may go better.
    async fn attempt(&self, path: &str, bundle: Bytes) -> Option<Answer> {
        let response = match self.send(Method::POST, path, bundle).await {
            Ok(response) => response,
            Err(error) => {
                tracing::warn!(%error, path, "a bundle did not reach Octet");
                return None;
            }
        };
        let status = response.status();
        if status == StatusCode::ACCEPTED {
            return Some(Answer::new(202).body("application/json", &br#"{"status":"accepted"}"#[..]));
        }
        told(&response, path, "Octet did not take a bundle");
        match status {
            StatusCode::BAD_REQUEST => {
                Some(Answer::problem(Code::MalformedBundle, "the body is not what a collector of this release sends"))
            }
            StatusCode::PAYLOAD_TOO_LARGE => Some(Answer::problem(Code::BodyTooLarge, "the bundle is too large")),
            StatusCode::TOO_MANY_REQUESTS => {
                let busy = Answer::problem(Code::RateLimited, "Octet takes no more from this site for now");
                Some(busy.retry_after(retry_after(&response)))
            }
            _ if status.is_server_error() => None,
            // A licence that Octet refuses is the operator's matter, and the browser cannot tell it from an outage.
            _ => Some(unavailable()),
        }
    }

    /// Asks Octet for a page that waits: one more attempt where the first failed at once, and within a budget in all.
    pub(crate) async fn ask(&self, path: &str, bundle: Bytes) -> Asked {
        let Ok(_slot) = self.slots.try_acquire() else {
            tracing::warn!("more messages at once than this edge forwards; refused one");
            return Asked::Unavailable;
        };
        let attempt = async || match self.send(Method::POST, path, bundle.clone()).await {
            Ok(response) if response.status().is_server_error() => {
                tracing::warn!(status = response.status().as_u16(), "Octet did not take a message");
                None
            }
            Ok(response) => Some(response),
            Err(error) => {
                tracing::warn!(%error, "a message did not reach Octet");
                None
            }
        };
        let asked = async {
            match attempt().await {
                Some(response) => Some(response),
                None => {
                    tokio::time::sleep(PAUSE).await;
                    attempt().await
                }
            }
        };
        match tokio::time::timeout(BUDGET, asked).await {
            Ok(Some(response)) => Asked::Answered(response),
            Ok(None) | Err(_) => Asked::Unavailable,
        }
    }

    /// Tells Octet something for which nobody waits; once.
    pub(crate) async fn tell(&self, path: &str, body: Bytes) {
        if let Err(error) = self.send(Method::POST, path, body).await {
            tracing::debug!(%error, "Octet was not told of a page");
        }
    }

    /// What Octet has set for this partner; `None` where it does not say.
    pub(crate) async fn settings(&self) -> Option<EdgeSettings> {
        let response = match self.send(Method::GET, "/v1/edge-settings", Bytes::new()).await {
            Ok(response) => response,
            Err(error) => {
                tracing::warn!(%error, "Octet at OCTET_URL tells no settings; the standard profile or the last one stands");
                return None;
            }
        };
        let settings = serde_json::from_slice(response.body()).ok().filter(|_| response.status() == StatusCode::OK);
        if settings.is_none() {
            told(&response, "/v1/edge-settings", "Octet at OCTET_URL tells no settings");
        }
        settings
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Bytes>, octet_transport::TransportError> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        // Paths of ours are made of letters, digits and slashes.
        *request.uri_mut() = path.parse().unwrap_or_default();
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(license) = &self.license {
            headers.insert(HeaderName::from_static(octet::header::LICENSE), license.clone());
        }
        self.transport.send(request, Limits { timeout: self.timeout, max_body: MAX_ANSWER }).await
    }
}

/// Logs an answer that is not the one that was asked for; where Octet refuses this edge, with what its operator has to do.
fn told(response: &Response<Bytes>, path: &str, what: &str) {
    let code = serde_json::from_slice::<Problem>(response.body()).map_or(Code::Unknown, |problem| problem.code);
    let (status, name) = (response.status().as_u16(), code.as_str());
    match advice(code) {
        Some(advice) => tracing::error!(path, status, code = name, "{what}: {advice}"),
        None => tracing::warn!(path, status, code = name, "{what}"),
    }
}

/// What an edge needs that Octet refuses with this code.
const fn advice(code: Code) -> Option<&'static str> {
    match code {
        Code::LicenseRejected | Code::LicenseExpired | Code::LicenseRevoked => {
            Some("it refuses this edge's licence; set LICENSE to one that `octet license issue` prints there")
        }
        Code::LicenseNotYetValid => Some("this edge's licence is for later; wait, or set LICENSE to another"),
        Code::LicenseWrongProduct | Code::LicenseWrongEnvironment => Some(
            "this edge's licence is for something else; set LICENSE to one for a browser's edge and for this Octet",
        ),
        Code::LicenseEdgeRefused => Some(
            "this edge's licence is for another one: set EDGE_ID and EDGE_LOCATION as it was issued, and \
             EDGE_CLIENT_CERT_FILE where it asks for a certificate",
        ),
        _ => None,
    }
}

/// The answer where Octet could not be asked, or did not take the bundle.
pub(crate) fn unavailable() -> Answer {
    Answer::problem(Code::OctetUnavailable, "the bundle could not be handed over; the same bytes may be sent again")
        .retry_after(2)
}

pub(crate) fn retry_after(response: &Response<Bytes>) -> u64 {
    let seconds = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    seconds.unwrap_or(1).min(3600)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http_body_util::Full;
    use tokio::time::Instant;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(2);

    fn answer(status: u16, body: &'static str, retry_after: Option<&'static str>) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
        *response.status_mut() = status.try_into().unwrap();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        response
    }

    /// Octet as a service that answers with these statuses in turn, the last one for ever; 0 never answers.
    fn octet(statuses: &'static [u16]) -> (Upstream, Arc<AtomicUsize>) {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let service = tower::service_fn(move |_: Request<Full<Bytes>>| {
            let call = counted.fetch_add(1, Ordering::Relaxed);
            async move {
                match statuses[call.min(statuses.len() - 1)] {
                    0 => std::future::pending().await,
                    429 => Ok::<_, Infallible>(answer(429, "{}", Some("17"))),
                    status => Ok(answer(status, r#"{"status":401,"code":"license_expired","detail":"secret"}"#, None)),
                }
            }
        });
        (Upstream::new(Transport::over(service), None, TIMEOUT, 1), calls)
    }

    fn header(answer: &Answer, name: &str) -> Option<String> {
        answer.headers.iter().find(|(other, _)| *other == name).map(|(_, value)| value.to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn the_browser_is_told_what_concerns_it_and_no_more() {
        for (statuses, expected, attempts) in [
            (&[202][..], 202, 1),
            (&[503, 202], 202, 2),
            (&[0, 202], 202, 2),
            (&[400], 400, 1),
            (&[413], 413, 1),
            (&[429], 429, 1),
            (&[401], 503, 1),
            (&[403], 503, 1),
            (&[302], 503, 1),
            (&[500, 500, 202], 503, 2),
        ] {
            let (upstream, calls) = octet(statuses);
            let answer = upstream.forward("/v1/signals", Bytes::from_static(b"{}")).await;
            assert_eq!(answer.status, expected, "{statuses:?}");
            assert_eq!(calls.load(Ordering::Relaxed), attempts, "{statuses:?}");
            assert!(!String::from_utf8_lossy(&answer.body).contains("secret"));
            assert!(!String::from_utf8_lossy(&answer.body).contains("license"));
        }
        let (upstream, _) = octet(&[429]);
        assert_eq!(header(&upstream.forward("/v1/signals", Bytes::new()).await, "retry-after").as_deref(), Some("17"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_octet_that_never_answers_costs_two_time_limits() {
        let (upstream, calls) = octet(&[0]);
        let start = Instant::now();
        let answer = upstream.forward("/v1/signals", Bytes::new()).await;
        assert_eq!((answer.status, calls.load(Ordering::Relaxed)), (503, 2));
        assert!(start.elapsed() < 2 * TIMEOUT + Duration::from_secs(1), "{:?}", start.elapsed());
        assert!(header(&answer, "retry-after").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn over_its_bound_the_edge_refuses_and_does_not_queue() {
        let (upstream, _) = octet(&[0]);
        let start = Instant::now();
        let (first, second) = tokio::join!(upstream.forward("/v1/signals", Bytes::new()), async {
            let second = upstream.forward("/v1/signals", Bytes::new()).await;
            (second.status, start.elapsed())
        });
        assert_eq!((first.status, second), (503, (503, Duration::ZERO)));
    }

    #[tokio::test]
    async fn the_licence_goes_along_and_is_not_printed() {
        let service = tower::service_fn(|request: Request<Full<Bytes>>| {
            let license = request.headers().get(octet::header::LICENSE).cloned();
            let known = license.is_some_and(|key| key == "octet_test_v4.public.abc");
            std::future::ready(Ok::<_, Infallible>(answer(if known { 202 } else { 401 }, "{}", None)))
        });
        let license: LicenseKey = "octet_test_v4.public.abc".parse().unwrap();
        let upstream = Upstream::new(Transport::over(service), Some(&license), TIMEOUT, 1);
        assert_eq!(upstream.forward("/v1/signals", Bytes::new()).await.status, 202);
        assert!(!format!("{upstream:?}").contains("abc"));
    }
}
