//! Questions about places, with proofs: `POST /v1/predicate`, and the keys with which anybody checks the answers. Gives
//! nothing but yes, no or neither, and how sure.

mod basis;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, Request, Response, StatusCode};
use jiff::Timestamp;
use octet::predicate::PredicateRequest;
use octet::problem::Code;
use octet::proof::{LocationProof, ProofClaims, SessionDigest};
use octet::timeline::{Reading, Timeline};
use octet::{Alarm, At, Claim, ConfidenceSummary, PredicateVerdict, Unproven};

pub(crate) use basis::Basis;
use basis::Judged;

use crate::digest::{Digest, sha256};
use crate::failure::{Failure, json};
use crate::identity;
use crate::ingest::origin;
use crate::records::random_hex;
use crate::service::Shared;
use crate::sessions::{Key, Question};
use crate::verdicts::visitor_address;

/// A question is at most so long: a polygon of 64 vertices, and room.
const LARGEST_QUESTION: usize = 16 * 1024;
/// A backend that sends more slowly has given up.
const SLOWEST_BODY: Duration = Duration::from_secs(10);
/// So much at most waits to be written into the chain, 8 MiB.
const MOST_SIGNED: usize = 1 << 18;
/// Nobody needs to ask for the keys again sooner; a new key is published for longer before it signs.
const KEYS_MAX_AGE: &str = "public, max-age=300";

/// `GET /.well-known/octet-keys.json`.
pub(crate) async fn keys(State(shared): State<Arc<Shared>>) -> Result<Response<Body>, Failure> {
    let keys = shared.records.snapshot().key_set(shared.environment);
    let keys = keys.map_err(|_| Failure::new(Code::Internal, "the keys cannot be read"))?;
    let mut response = json(StatusCode::OK, &keys.to_json());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(KEYS_MAX_AGE));
    Ok(response)
}

/// `POST /v1/predicate`.
pub(crate) async fn predicate(
    State(shared): State<Arc<Shared>>,
    request: Request<Body>,
) -> Result<Response<Body>, Failure> {
    let answer = answer(&shared, request).await;
    match &answer {
        Ok(_) => &shared.counters.predicates,
        Err(failure) => {
            tracing::debug!(code = failure.code().as_str(), "predicate refused");
            &shared.counters.backend_refusals
        }
    }
    .add();
    answer.map(|verdict| json(StatusCode::OK, &verdict))
}

async fn answer(shared: &Arc<Shared>, request: Request<Body>) -> Result<PredicateVerdict, Failure> {
    let (parts, body) = request.into_parts();
    let partner = identity::backend(shared, &parts)?;
    shared.verdicts_limit.check(&partner)?;
    let visitor = visitor_address(&parts.headers)?.map(|address| origin(shared, Some(address)));
    let asked = parse(body).await?;
    let key = Key { partner, session: asked.session };
    let now = Reading { wall: shared.clock.now(), monotonic: shared.clock.monotonic() };
    let question = shared.sessions.question(&key, visitor.as_ref());
    if matches!(question, Question::TooMany) {
        return Err(Failure::new(Code::TooManyQuestions, "a session answers at most 32 questions about places"));
    }
    let at = asked.at_time.map_or(At::Now, At::Time);
    let queried_at = Timeline::<()>::queried_at(at, now);
    match proven(shared, &key, &question, &asked.claim, at, now) {
        Ok(verdict) => verdict,
        Err(why) => Ok(PredicateVerdict::indeterminate(why, queried_at)),
    }
}

async fn parse(body: Body) -> Result<PredicateRequest, Failure> {
    let malformed = |detail| Failure::new(Code::MalformedPredicate, detail);
    let read = tokio::time::timeout(SLOWEST_BODY, axum::body::to_bytes(body, LARGEST_QUESTION)).await;
    let body = read.map_err(|_| malformed("the body took longer than ten seconds"))?;
    let body = body.map_err(|_| malformed("the body broke off, or is larger than 16 KiB"))?;
    // The parser's own message repeats what it found.
    serde_json::from_slice(&body).map_err(|_| {
        malformed("the body is JSON with `ref`, `predicate` (`within` or `outside`), `region` and perhaps `atTime`")
    })
}

/// The proven answer; why there is none is the outer error, what failed on our side the inner one.
fn proven(
    shared: &Shared,
    key: &Key,
    question: &Question,
    claim: &Claim,
    at: At,
    now: Reading,
) -> Result<Result<PredicateVerdict, Failure>, Unproven> {
    let mut timeline = Timeline::new(1);
    let mut alarm = Alarm::None;
    match question {
        Question::Unknown | Question::TooMany => {}
        Question::Waiting => timeline.start(),
        Question::Known(known, basis) => {
            timeline.start();
            alarm = *known;
            if let Some(basis) = basis {
                timeline.push(basis.made, Arc::clone(basis));
            }
        }
    }
    let found = timeline.find(at, now, claim.region().level())?;
    if alarm >= Alarm::Medium {
        return Err(Unproven::AttestationFailed);
    }
    let claim = claim.clone().dated(found.queried_at).map_err(|_| Unproven::NotYetReleased)?;
    let Judged { holds, score } = found.fix.judge(&claim, found.queried_at, &shared.reference.now().world)?;
    let proven = if holds { claim } else { claim.negated() };
    let failed = || Failure::new(Code::Internal, "the proof could not be signed");
    let sign = || {
        let mut claims = ProofClaims::new(
            (&*shared.issuer, key.partner.as_str()),
            SessionDigest::from_bytes(sha256(key.session.as_str().as_bytes())),
            format!("prf_{}", random_hex::<16>().map_err(|_| failed())?),
            now.wall,
            proven,
            found.fix_time,
            ConfidenceSummary::new(score),
        );
        claims.observed_by.clone_from(&found.fix.observed_by);
        let proof = sign(shared, &claims, now.wall)?;
        let (validity, confidence) = (claims.validity, claims.confidence);
        let verdict = if holds { PredicateVerdict::yes } else { PredicateVerdict::no };
        verdict(proof, validity, confidence, found.queried_at).map_err(|_| failed())
    };
    Ok(sign())
}

fn sign(shared: &Shared, claims: &ProofClaims, now: Timestamp) -> Result<LocationProof, Failure> {
    let snapshot = shared.records.snapshot();
    let unavailable = || {
        let detail = "no proof can be signed or noted now; the log says why";
        Failure::new(Code::StoreUnavailable, detail).retry_after(1)
    };
    let key = snapshot.proof_key(shared.environment, now).ok_or_else(unavailable)?;
    let proof = claims.sign(key).map_err(|_| Failure::new(Code::Internal, "the proof could not be signed"))?;
    if shared.signed.add(&proof) { Ok(proof) } else { Err(unavailable()) }
}

/// The digests of what was signed and is not yet in the records' chain.
#[derive(Debug, Default)]
pub(crate) struct Signed(Mutex<Vec<Digest>>);

impl Signed {
    /// Takes a proof or a binding in, unless the records could not be written for so long that there are too many.
    pub(crate) fn add(&self, proof: &LocationProof) -> bool {
        let mut digests = self.lock();
        let has_room = digests.len() < MOST_SIGNED;
        if has_room {
            digests.push(sha256(proof.as_str().as_bytes()));
        }
        has_room
    }

    /// Writes them into the records; what cannot be written is kept for the next time.
    pub(crate) async fn flush(&self, records: &crate::Records) -> Result<(), crate::Error> {
        let digests = std::mem::take(&mut *self.lock());
        if digests.is_empty() {
            return Ok(());
        }
        let written = records.proof_keys().note(digests.clone()).await;
        if written.is_err() {
            self.lock().extend(digests);
        }
        written
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Digest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
