//! Challenges: memory-hard work for a browser, cheap to check. A challenge is good for one answer, for the session, app
//! and network that it was given to, and for a time. Knows nothing of why one is asked for.

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use octet::BotVerdict;
use octet::challenge::{Challenge, ChallengeBundle, ChallengeId, ChallengeRequest, Solution};
use octet::fact::Text;
use octet::problem::Code;
use ring::hmac;

use super::network;
use crate::failure::{Failure, json};
use crate::ingest::{self, Received};
use crate::records::{App, random};
use crate::service::Shared;
use crate::sessions::{Key, Network};
use crate::visits::{OpenChallenge, Salt, VisitLog};

/// The memory of one try, in KiB, and how often it is gone over.
const MEMORY_KIB: u32 = 8 * 1024;
const ITERATIONS: u32 = 1;
/// How many of the derived bytes the page is told: enough to know the right number by, and nothing to answer with.
const TARGET: usize = 4;

type Proof = [u8; 32];

/// The challenges of a service. Those that are open stand beside the visits, with the key under which they are bound.
pub(super) struct Challenges {
    log: VisitLog,
    most: usize,
}

/// What a challenge is bound to, beside its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound<'a> {
    pub(super) key: &'a Key,
    pub(super) app: &'a octet::AppKey,
    pub(super) network: Option<Network>,
}

/// What an answer came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checked {
    Right,
    Wrong,
    Late,
}

/// `POST /v1/challenge`.
pub(crate) async fn challenge(
    State(shared): State<Arc<Shared>>,
    request: Request<Body>,
) -> Result<Response<Body>, Failure> {
    let Received { edge, body, .. } = ingest::read_message(&shared, request).await?;
    let bundle: ChallengeBundle<ChallengeRequest> = ingest::parse(&body)?;
    edge.covers(&bundle.observations.edge)?;
    let records = shared.records.snapshot();
    let app = records.app(&bundle.request.app_key).filter(|app| app.partner == edge.partner);
    let app = Arc::clone(app.ok_or_else(nothing_to_verify)?);
    let key = Key { partner: edge.partner.clone(), session: bundle.request.session_ref };
    let busy =
        |_| Failure::new(Code::StoreUnavailable, "too many challenges are made at once; ask again").retry_after(1);
    let _permit = shared.bot.making_challenges.try_acquire().map_err(busy)?;
    let verdict = shared.bot.sessions.escalate(&key, &app.key).ok_or_else(nothing_to_verify)?;
    let (maker, network) = (Arc::clone(&shared), network(&bundle.observations));
    let made = tokio::task::spawn_blocking(move || {
        let now = maker.clock.now();
        maker.bot.challenges.make(&app, key, network, verdict, now)
    });
    let failed = || Failure::new(Code::Internal, "the challenge could not be made");
    let (salt, open, challenge) = made.await.ok().flatten().ok_or_else(failed)?;
    if !shared.bot.challenges.keep(salt, open).await? {
        return Err(Failure::new(Code::StoreUnavailable, "too many challenges are open; ask again").retry_after(1));
    }
    Ok(json(StatusCode::OK, &challenge))
}

pub(super) fn nothing_to_verify() -> Failure {
    Failure::new(Code::ChallengeUnavailable, "there is nothing to verify for this session, or no more attempts")
}

impl Challenges {
    pub(super) const fn new(log: VisitLog, most: usize) -> Self {
        Self { log, most }
    }

    /// A new challenge, and what is to be kept of it; none when there is no randomness.
    fn make(
        &self,
        app: &App,
        key: Key,
        network: Option<Network>,
        verdict: BotVerdict,
        now: Timestamp,
    ) -> Option<(Salt, OpenChallenge, Challenge)> {
        let (salt, draw) = (random::<16>().ok()?, random::<8>().ok()?);
        let difficulty = app.settings.challenge_numbers.max(1);
        // Of 2^64 draws over at most 16 numbers, no number is likelier by anything that can be seen.
        let number = u32::try_from(u64::from_be_bytes(draw) % u64::from(difficulty)).ok()?;
        let proof = derive(number, &salt)?;
        let seconds = SignedDuration::from_secs(i64::from(app.settings.challenge_seconds));
        let expires_at = Timestamp::from_second(now.checked_add(seconds).ok()?.as_second()).ok()?;
        let bound = Bound { key: &key, app: &app.key, network };
        let tag = self.tag(&bound, &salt, expires_at, number, &proof);
        let id = [&salt[..], &expires_at.as_second().to_be_bytes(), tag.as_ref()].concat();
        let challenge = Challenge {
            id: URL_SAFE_NO_PAD.encode(id).parse().ok()?,
            algorithm: Text::try_from("argon2id").ok()?,
            memory_kib: MEMORY_KIB,
            iterations: ITERATIONS,
            difficulty,
            salt: Text::try_from(&*URL_SAFE_NO_PAD.encode(salt)).ok()?,
            target: Text::try_from(&*URL_SAFE_NO_PAD.encode(&proof[..TARGET])).ok()?,
            expires_at,
        };
        Some((salt, OpenChallenge { key, app: app.key.clone(), verdict, expires_at }, challenge))
    }

    /// Keeps a challenge until it is answered; says whether there was room for it.
    async fn keep(&self, salt: Salt, open: OpenChallenge) -> Result<bool, Failure> {
        self.log.keep_challenge(salt, open, self.most).await.map_err(|error| unavailable(&error))
    }

    /// Takes the open challenge of this id, if it was given to this session and app, and says what it was given for;
    /// nobody can take it twice.
    pub(super) async fn take(
        &self,
        id: &ChallengeId,
        key: &Key,
        app: &octet::AppKey,
    ) -> Result<Option<BotVerdict>, Failure> {
        let Some((salt, ..)) = parts(id) else { return Ok(None) };
        self.log.take_challenge(salt, key.clone(), app.clone()).await.map_err(|error| unavailable(&error))
    }

    /// Whether a solution is the one that the challenge is bound to.
    pub(super) fn check(&self, id: &ChallengeId, solution: &Solution, bound: &Bound<'_>, now: Timestamp) -> Checked {
        let Some((salt, expires_at, tag)) = parts(id) else { return Checked::Wrong };
        let proof = URL_SAFE_NO_PAD.decode(solution.proof.as_str()).ok();
        let proof: Option<Proof> = proof.and_then(|proof| proof.try_into().ok());
        let Some(proof) = proof else { return Checked::Wrong };
        let message = self.message(bound, &salt, expires_at, solution.number, &proof);
        match hmac::verify(self.log.challenge_key(), &message, &tag) {
            Err(_) => Checked::Wrong,
            Ok(()) if now >= expires_at => Checked::Late,
            Ok(()) => Checked::Right,
        }
    }

    fn tag(&self, bound: &Bound<'_>, salt: &Salt, expires_at: Timestamp, number: u32, proof: &Proof) -> hmac::Tag {
        hmac::sign(self.log.challenge_key(), &self.message(bound, salt, expires_at, number, proof))
    }

    /// Every field behind its length, so that none can run into the next.
    #[expect(clippy::unused_self, reason = "reads beside tag and check")]
    fn message(&self, bound: &Bound<'_>, salt: &Salt, expires_at: Timestamp, number: u32, proof: &Proof) -> Vec<u8> {
        let network = bound.network.map_or_else(Vec::new, Network::to_bytes);
        let fields: [&[u8]; 11] = [
            b"octet challenge 1",
            bound.key.partner.as_str().as_bytes(),
            bound.key.session.as_str().as_bytes(),
            bound.app.as_str().as_bytes(),
            &network,
            &expires_at.as_second().to_be_bytes(),
            salt,
            &MEMORY_KIB.to_be_bytes(),
            &ITERATIONS.to_be_bytes(),
            &number.to_be_bytes(),
            proof,
        ];
        let mut message = Vec::new();
        for field in fields {
            message.extend_from_slice(&(field.len() as u64).to_be_bytes());
            message.extend_from_slice(field);
        }
        message
    }
}

fn unavailable(error: &crate::Error) -> Failure {
    tracing::error!(%error, "challenges cannot be kept");
    Failure::new(Code::StoreUnavailable, "challenges cannot be kept now; ask again").retry_after(1)
}

/// The parts of a challenge's id: its salt, its end, and its tag.
fn parts(id: &ChallengeId) -> Option<(Salt, Timestamp, [u8; 32])> {
    let bytes = URL_SAFE_NO_PAD.decode(id.as_str()).ok()?;
    let (salt, rest) = bytes.split_first_chunk::<16>()?;
    let (expires_at, tag) = rest.split_first_chunk::<8>()?;
    let expires_at = Timestamp::from_second(i64::from_be_bytes(*expires_at)).ok()?;
    Some((*salt, expires_at, tag.try_into().ok()?))
}

/// The 32 bytes that Argon2id derives from a number.
pub(super) fn derive(number: u32, salt: &Salt) -> Option<Proof> {
    let params = Params::new(MEMORY_KIB, ITERATIONS, 1, Some(32)).ok()?;
    let mut proof = [0; 32];
    let mut memory = vec![Block::default(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_into_with_memory(number.to_string().as_bytes(), salt, &mut proof, &mut memory).ok()?;
    Some(proof)
}
