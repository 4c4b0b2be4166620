//! `POST /v1/challenge/{id}`: a challenge is answered, once. What comes of it stands beside the verdict; score and
//! `is_bot` stand.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, Response, StatusCode};
use octet::ChallengeOutcome;
use octet::challenge::{ChallengeAnswer, ChallengeBundle, ChallengeId};
use octet::problem::Code;

use super::challenge::{Bound, Checked, nothing_to_verify};
use super::{network, visible, written};
use crate::failure::{Failure, json};
use crate::ingest::{self, Received};
use crate::service::Shared;
use crate::sessions::Key;

/// `POST /v1/challenge/{id}`.
pub(crate) async fn challenge_answer(
    State(shared): State<Arc<Shared>>,
    path: Result<Path<String>, axum::extract::rejection::PathRejection>,
    request: Request<Body>,
) -> Result<Response<Body>, Failure> {
    let Received { edge, body, .. } = ingest::read_message(&shared, request).await?;
    let bundle: ChallengeBundle<ChallengeAnswer> = ingest::parse(&body)?;
    edge.covers(&bundle.observations.edge)?;
    let malformed = || Failure::new(Code::MalformedBundle, "the path names no challenge");
    let id: ChallengeId = path.ok().and_then(|Path(id)| id.parse().ok()).ok_or_else(malformed)?;
    let records = shared.records.snapshot();
    let answer = bundle.request;
    let app = records.app(&answer.app_key).filter(|app| app.partner == edge.partner).ok_or_else(nothing_to_verify)?;
    let key = Key { partner: edge.partner.clone(), session: answer.session_ref };
    let bot = &shared.bot;
    let Some(challenged) = bot.challenges.take(&id, &key, &app.key).await? else {
        // Answered before, or never given: what is known stands.
        let known = visible(app, bot.sessions.visit(&key)).ok_or_else(nothing_to_verify)?;
        return Ok(json(StatusCode::OK, &known.verdict));
    };
    let bound = Bound { key: &key, app: &app.key, network: network(&bundle.observations) };
    let outcome = match &answer.solution {
        None if answer.unavailable => ChallengeOutcome::Unavailable,
        None => ChallengeOutcome::Failed,
        Some(solution) => match bot.challenges.check(&id, solution, &bound, shared.clock.now()) {
            Checked::Right => ChallengeOutcome::Passed,
            Checked::Wrong => ChallengeOutcome::Failed,
            Checked::Late => ChallengeOutcome::Expired,
        },
    };
    let verdict = bot.sessions.conclude(&key, challenged, outcome);
    if let Some(outcome) = verdict.challenge() {
        written(bot.log.record_outcome(&app.key, &key.session, outcome), &bot.log).await?;
    }
    Ok(json(StatusCode::OK, &verdict))
}
