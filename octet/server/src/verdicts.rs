//! What backends ask: `GET /v1/verdict/{ref}`. Waits for an arrival, never polls, and gives nobody a hint of another
//! partner's sessions. Knows nothing of how a verdict came about.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Response, StatusCode};
use octet::problem::Code;
use octet::{Pending, SessionRef, Verdict, header};
use tokio::time::Instant;

use crate::failure::{Failure, json};
use crate::identity;
use crate::ingest::origin;
use crate::service::Shared;
use crate::sessions::{Answer, Key};

/// The longest that a request waits.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// `GET /v1/verdict/{ref}?waitMs=…`.
pub(crate) async fn verdict(
    State(shared): State<Arc<Shared>>,
    path: Result<Path<String>, axum::extract::rejection::PathRejection>,
    RawQuery(query): RawQuery,
    parts: Parts,
) -> Result<Response<Body>, Failure> {
    let session = path.ok().map(|Path(session)| session).unwrap_or_default();
    let answer = look_up(&shared, &session, query.as_deref().unwrap_or_default(), &parts).await;
    match answer {
        Ok((_, Some(verdict))) => {
            shared.counters.verdicts_read.add();
            Ok(json(StatusCode::OK, &verdict))
        }
        Ok((session, None)) => {
            shared.counters.pending.add();
            Ok(json(StatusCode::NOT_FOUND, &Pending::new(session)))
        }
        Err(failure) => {
            shared.counters.backend_refusals.add();
            tracing::debug!(code = failure.code().as_str(), "verdict refused");
            Err(failure)
        }
    }
}

async fn look_up(
    shared: &Arc<Shared>,
    session: &str,
    query: &str,
    parts: &Parts,
) -> Result<(SessionRef, Option<Verdict>), Failure> {
    let partner = identity::backend(shared, parts)?;
    shared.verdicts_limit.check(&partner)?;
    let session: SessionRef = session.parse().map_err(|_| {
        Failure::new(
            Code::MalformedRef,
            "a session reference is 1 to 128 characters, each one of A-Z, a-z, 0-9, _ and -",
        )
    })?;
    let wait = wait(query)?;
    let visitor = visitor_address(&parts.headers)?.map(|address| origin(shared, Some(address)));
    let key = Key { partner, session };

    // Over the partner's limit of waiters a request is answered at once.
    let waiter = if wait.is_zero() { None } else { shared.sessions.wait(&key) };
    let Some(waiter) = waiter else {
        return match shared.sessions.read(&key, visitor.as_ref(), false) {
            Answer::Ready(verdict) => Ok((key.session, Some(verdict))),
            Answer::Pending | Answer::Doubtful => pending(shared, key),
        };
    };
    let until = Instant::now() + wait;
    loop {
        let mut arrival = std::pin::pin!(waiter.arrival());
        // First listen, then look: what arrives in between wakes too.
        arrival.as_mut().enable();
        let patient = Instant::now() < until && !shared.shutdown.is_cancelled();
        if let Answer::Ready(verdict) = shared.sessions.read(&key, visitor.as_ref(), patient) {
            return Ok((key.session, Some(verdict)));
        }
        if !patient {
            return pending(shared, key);
        }
        tokio::select! {
            () = arrival => {}
            () = tokio::time::sleep_until(until) => {}
            () = shared.shutdown.cancelled() => {}
        }
    }
}

/// There is no verdict, and while the node shuts down there will be none.
fn pending(shared: &Shared, key: Key) -> Result<(SessionRef, Option<Verdict>), Failure> {
    if shared.shutdown.is_cancelled() { Err(Failure::shutting_down()) } else { Ok((key.session, None)) }
}

/// `waitMs` of a query: a whole number, of which more than the longest wait counts as that.
fn wait(query: &str) -> Result<Duration, Failure> {
    let malformed = || Failure::new(Code::MalformedWait, "waitMs is a whole number of milliseconds, at most 10000");
    let mut values = query.split('&').filter_map(|pair| match pair.split_once('=') {
        Some(("waitMs", value)) => Some(value),
        None if pair == "waitMs" => Some(""),
        _ => None,
    });
    let Some(value) = values.next() else { return Ok(Duration::ZERO) };
    if values.next().is_some() || value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed());
    }
    // All digits: what does not fit is larger than the longest wait.
    let wait = value.parse().map_or(LONGEST_WAIT, Duration::from_millis);
    Ok(wait.min(LONGEST_WAIT))
}

pub(crate) fn visitor_address(headers: &HeaderMap) -> Result<Option<IpAddr>, Failure> {
    let malformed = || Failure::new(Code::MalformedVisitorIp, "x-octet-visitor-ip is one IPv4 or IPv6 address");
    let mut values = headers.get_all(header::VISITOR_IP).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().map_err(|_| malformed())?.trim();
    if values.next().is_some() {
        return Err(malformed());
    }
    text.parse().map(Some).map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_wait_is_a_whole_number_and_at_most_ten_seconds() {
        for (query, milliseconds) in [
            ("", 0),
            ("waitMs=0", 0),
            ("waitMs=2000", 2000),
            ("other=1&waitMs=10000", 10_000),
            ("waitMs=99999", 10_000),
            ("waitMs=99999999999999999999999999", 10_000),
        ] {
            assert_eq!(wait(query).unwrap(), Duration::from_millis(milliseconds), "{query}");
        }
        for query in ["waitMs", "waitMs=", "waitMs=-1", "waitMs=abc", "waitMs=1.5", "waitMs=+1", "waitMs=1&waitMs=2"] {
            assert_eq!(wait(query).unwrap_err().code(), Code::MalformedWait, "{query}");
        }
    }

    proptest! {
        #[test]
        fn no_query_makes_a_request_wait_longer_than_ten_seconds(query in ".{0,200}") {
            if let Ok(wait) = wait(&query) {
                prop_assert!(wait <= LONGEST_WAIT);
            }
        }
    }
}
