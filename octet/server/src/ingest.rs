//! What edges send: bundles and their question for settings. Licence, size, shape, then assessment; a bundle is
//! dropped once it is assessed.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use octet::observations::{Accepted, EdgeObservations, SiblingObservations, SignalBundle};
use octet::problem::Code;
use octet::signals::CollectorSignals;
use octet::timeline::Reading;
use octet_engine::UnixTime;
use serde::de::DeserializeOwned;
use tokio::sync::OwnedSemaphorePermit;

use crate::PartnerName;
use crate::digest::sha256;
use crate::evidence::evidence;
use crate::failure::{Failure, json};
use crate::identity::{self, AuthorizedEdge};
use crate::omissions::{is_complete, omissions};
use crate::predicates::Basis;
use crate::projection::{OMISSION_CAP, project};
use crate::service::Shared;
use crate::sessions::{Admission, Candidate, Key, Network, Origin, Taken};
use crate::shares::Share;

/// The collector's bytes are at most so long, as the edge has it.
pub(crate) const LARGEST_SIGNALS: usize = 64 * 1024;
/// What an edge adds fits into as much again.
const LARGEST_BODY: usize = 2 * LARGEST_SIGNALS;
/// An edge that sends more slowly gives up sooner than this.
const SLOWEST_BODY: Duration = Duration::from_secs(10);
/// How many bundles that were read are under way at a time; no partner has more than half as many, 64 MiB at worst.
pub(crate) const MOST_IN_FLIGHT: usize = 1024;
/// Nothing that a collector or an edge sends is nested more deeply; what is, no parser gets to see.
const DEEPEST: usize = 32;
/// The version of the bundle's shape that this release reads.
const SCHEMA: u32 = 1;

/// `POST /v1/signals`.
pub(crate) async fn signals(
    State(shared): State<Arc<Shared>>,
    request: Request<Body>,
) -> Result<Response<Body>, Failure> {
    let taken = take(&shared, request).await.inspect_err(|failure| {
        match failure.code() {
            Code::StoreUnavailable => &shared.counters.store_full,
            _ => &shared.counters.edge_refusals,
        }
        .add();
        tracing::debug!(code = failure.code().as_str(), "bundle refused");
    })?;
    match taken {
        Taken::Kept => &shared.counters.bundles_kept,
        Taken::Repeated => &shared.counters.bundles_repeated,
        Taken::Second => &shared.counters.bundles_second,
        Taken::Other | Taken::Dropped => &shared.counters.bundles_dropped,
    }
    .add();
    tracing::debug!(?taken, "bundle");
    // Whatever became of it, the page is told the same.
    Ok(json(StatusCode::ACCEPTED, &Accepted {}))
}

/// `GET /v1/edge-settings`.
pub(crate) async fn edge_settings(
    State(shared): State<Arc<Shared>>,
    request: Request<Body>,
) -> Result<Response<Body>, Failure> {
    let (parts, _) = request.into_parts();
    let edge = identity::edge(&shared, &parts)?;
    shared.signals_limit.check(&edge.partner)?;
    Ok(json(StatusCode::OK, &shared.records.snapshot().edge_settings(&edge.partner)))
}

async fn take(shared: &Arc<Shared>, request: Request<Body>) -> Result<Taken, Failure> {
    let Received { edge, body, permits } = read_message(shared, request).await?;
    let bundle = Bundle::parse(&body)?;
    edge.covers(&bundle.observations.edge)?;
    let siblings = shared.siblings.join(shared, &edge.partner, &bundle.signals).await;
    compute(permits, Arc::clone(shared), move |shared| settle(shared, &edge, bundle, &siblings)).await
}

/// A message of an edge that was read, and its place among those that are under way.
pub(crate) struct Received {
    pub(crate) edge: AuthorizedEdge,
    pub(crate) body: bytes::Bytes,
    pub(crate) permits: Permits,
}

/// A place among the messages that are under way; dropping it gives it back.
pub(crate) struct Permits {
    _share: Share<PartnerName>,
    _in_flight: OwnedSemaphorePermit,
}

/// Reads a message of an edge: licence, rate, size.
pub(crate) async fn read_message(shared: &Arc<Shared>, request: Request<Body>) -> Result<Received, Failure> {
    if shared.shutdown.is_cancelled() {
        return Err(Failure::shutting_down());
    }
    let (parts, body) = request.into_parts();
    let edge = identity::edge(shared, &parts)?;
    shared.signals_limit.check(&edge.partner)?;
    let share = shared.under_way.take(edge.partner.clone()).ok_or_else(busy)?;
    let body = read(&parts.headers, body).await?;
    // Only now, so that bodies that come slowly keep nobody else's out.
    let in_flight = Arc::clone(&shared.in_flight).try_acquire_owned().map_err(|_| busy())?;
    Ok(Received { edge, body, permits: Permits { _share: share, _in_flight: in_flight } })
}

/// Assessing is computing: not on the threads that answer requests, and as many as there are processors.
pub(crate) async fn compute<T: Send + 'static>(
    permits: Permits,
    shared: Arc<Shared>,
    assess: impl FnOnce(&Shared) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let permit = Arc::clone(&shared.assessing).acquire_owned().await.map_err(|_| Failure::shutting_down())?;
    let assessed = tokio::task::spawn_blocking(move || {
        let _permits = (permits, permit);
        assess(&shared)
    });
    assessed.await.unwrap_or_else(|_| Err(Failure::new(Code::Internal, "the assessment failed")))
}

pub(crate) fn busy() -> Failure {
    Failure::new(Code::StoreUnavailable, "more bundles come at once than this node can take; send it again")
        .retry_after(1)
}

pub(crate) fn too_large() -> Failure {
    Failure::new(Code::BodyTooLarge, "a bundle is at most 64 KiB of the collector's and 64 KiB of the edge's")
}

pub(crate) async fn read(headers: &HeaderMap, body: Body) -> Result<bytes::Bytes, Failure> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > LARGEST_BODY) {
        return Err(too_large());
    }
    let malformed = |detail| Failure::new(Code::MalformedBundle, detail);
    let whole = Limited::new(body, LARGEST_BODY).collect();
    match tokio::time::timeout(SLOWEST_BODY, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(malformed("the body broke off")),
        Err(_) => Err(malformed("the body took longer than ten seconds")),
    }
}

/// A bundle whose shape is right.
struct Bundle {
    digest: crate::digest::Digest,
    signals: CollectorSignals,
    observations: EdgeObservations,
}

impl Bundle {
    fn parse(body: &[u8]) -> Result<Self, Failure> {
        let bundle: SignalBundle = parse(body)?;
        let signals = bundle.signals.get();
        if signals.len() > LARGEST_SIGNALS {
            return Err(too_large());
        }
        let digest = sha256(signals.as_bytes());
        let signals: CollectorSignals = parse_part("the collector's part", signals.as_bytes())?;
        if signals.schema != SCHEMA {
            return Err(Failure::new(Code::MalformedBundle, "this service reads bundles of schema 1"));
        }
        Ok(Self { digest, signals, observations: bundle.observations })
    }
}

/// What an edge sent, if its shape is right.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    if is_deeper_than(DEEPEST, body) {
        return Err(Failure::new(Code::MalformedBundle, "the body is nested too deeply"));
    }
    parse_part("the body", body)
}

/// A part of a body that is nested as deeply as it may be.
pub(crate) fn parse_part<T: DeserializeOwned>(part: &str, json: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(json).map_err(|error| Failure::new(Code::MalformedBundle, describe(part, &error)))
}

/// Whether brackets of a JSON text are nested more than `most` deep; of what is no JSON it says anything.
fn is_deeper_than(most: usize, json: &[u8]) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > most {
            return true;
        }
    }
    false
}

/// What is wrong with a body, without a byte of it: the parser's own message repeats what it found.
fn describe(part: &str, error: &serde_json::Error) -> String {
    use serde_json::error::Category;

    let message = error.to_string();
    let what = match error.classify() {
        Category::Eof => "is cut short",
        Category::Syntax => "is not JSON",
        Category::Io => "cannot be read",
        Category::Data if message.starts_with("duplicate field") => "has a field twice",
        Category::Data if message.starts_with("missing field") => "lacks a field",
        Category::Data => "has a value of the wrong type or out of range",
    };
    // The name of a lacking field is the contract's, not the sender's.
    let field = match error.classify() {
        Category::Data if message.starts_with("missing field") => {
            message.split('`').nth(1).map(|field| format!(" ({field})"))
        }
        _ => None,
    };
    format!("{part} {what}{}, at line {}, column {}", field.unwrap_or_default(), error.line(), error.column())
}

/// Makes room, assesses, and hands the verdict to those who wait.
fn settle(
    shared: &Shared,
    edge: &AuthorizedEdge,
    bundle: Bundle,
    siblings: &[SiblingObservations],
) -> Result<Taken, Failure> {
    let Bundle { digest, signals, observations } = bundle;
    let key = Key { partner: edge.partner.clone(), session: signals.session_ref.clone() };
    shared.bot.reported(&key);
    let replayed = match shared.sessions.admit(&key, &digest, &signals.id).map_err(|_| full())? {
        Admission::Known(taken) => return Ok(taken),
        Admission::Assess { replayed } => replayed,
    };
    let made = Reading { wall: shared.clock.now(), monotonic: shared.clock.monotonic() };
    let now = made.wall;
    let records = shared.records.snapshot();
    let expected = records.expected(&edge.partner, now);
    let now = UnixTime(now.as_second());
    let reference = shared.reference.now();
    let omissions = omissions(&signals, &observations, &expected, &reference.world, now);
    let evidence = evidence(&signals, &observations, siblings, records.profile(&edge.partner), omissions, replayed);
    let assessment = octet_engine::assess_with(&evidence, &reference.world, &reference.model, now);
    let verdict = project(&assessment, &omissions, is_irregular(&observations, siblings));
    let edges = std::iter::once(&observations).chain(siblings.iter().map(|sibling| &sibling.observations));
    let edges = edges.map(|seen| seen.edge.id.clone()).collect();
    let capped = omissions.any().then_some(OMISSION_CAP);
    let candidate = Candidate {
        basis: Basis::new(&assessment, &verdict, capped, edges, made).map(Arc::new),
        origin: origin(shared, observations.peer.map(|peer| peer.ip)),
        complete: is_complete(&signals, &expected),
        verdict,
        raised: false,
    };
    Ok(shared.sessions.settle(&key, digest, candidate))
}

/// The store is full.
pub(crate) fn full() -> Failure {
    let detail = "as many sessions are held as may be; send the bundle again later";
    Failure::new(Code::StoreUnavailable, detail).retry_after(5)
}

/// Whether the edge saw what an honest visit seldom has: two channels for one session, wrong echoes, or a bundle from
/// another browser than the page's.
fn is_irregular(observations: &EdgeObservations, siblings: &[SiblingObservations]) -> bool {
    let seen = siblings.iter().map(|sibling| &sibling.observations).chain([observations]);
    seen.into_iter().any(|seen| {
        seen.channel.contested || seen.channel.void_rounds > 0 || seen.session.same_user_agent == Some(false)
    })
}

/// Where an address is: its network, and its country by each table.
pub(crate) fn origin(shared: &Shared, address: Option<std::net::IpAddr>) -> Origin {
    let countries = address.map_or([None; 3], |address| {
        let facts = shared.reference.now().world.address(address);
        [facts.dbip, facts.geo_whois, facts.allocation]
    });
    Origin { network: address.map(Network::of), countries }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn depth_is_that_of_brackets_outside_of_texts() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(!is_deeper_than(3, deep(3).as_bytes()) && is_deeper_than(3, deep(4).as_bytes()));
        assert!(!is_deeper_than(1, br#"{"a\"[{[{":"[[[","b":"\\"}"#));
        assert!(is_deeper_than(1, br#"{"a":"\\","b":[]}"#));
    }

    proptest! {
        #[test]
        fn no_bytes_make_parsing_panic(body in proptest::collection::vec(any::<u8>(), 0..500)) {
            prop_assert!(Bundle::parse(&body).is_err());
        }

        #[test]
        fn a_parser_never_repeats_what_it_found(text in "[a-z]{12}") {
            for body in [
                format!(r#"{{"signals":"{text}","observations":{{"observedAtMs":"{text}"}}}}"#),
                format!(r#"{{"{text}":1}}"#),
                text.clone(),
            ] {
                let failure = Bundle::parse(body.as_bytes()).err().map(|failure| format!("{failure:?}"));
                prop_assert!(failure.is_some_and(|failure| !failure.contains(&text)));
            }
        }
    }
}
