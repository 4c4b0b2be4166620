//! `POST /v1/assess`: a visit's evidence in, the bot verdict out, one for each session. What came is dropped once it is
//! assessed; the page is told the verdict and nothing of what it was made of.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use octet::assess::{AssessBundle, AssessSignals};
use octet::fact::Text;
use octet::observations::EdgeObservations;
use octet::problem::Code;
use octet::{BotVerdict, ClickToken};
use octet_engine::UnixTime;

use super::evidence::{self, Came};
use super::sessions::{Admission, Settled};
use super::{is_invalid, written};
use crate::digest::{Digest, sha256};
use crate::failure::{Failure, json};
use crate::ingest::{self, LARGEST_SIGNALS, Received};
use crate::records::{App, click_name};
use crate::service::Shared;
use crate::sessions::Key;
use crate::visits::{Click, NewVisit};

/// The version of the message's shape that this release reads.
const SCHEMA: u32 = 1;

/// `POST /v1/assess`.
pub(crate) async fn assess(
    State(shared): State<Arc<Shared>>,
    request: Request<Body>,
) -> Result<Response<Body>, Failure> {
    let settled = take(&shared, request).await.inspect_err(|failure| {
        match failure.code() {
            Code::StoreUnavailable => &shared.counters.store_full,
            _ => &shared.counters.edge_refusals,
        }
        .add();
        tracing::debug!(code = failure.code().as_str(), "assessment refused");
    })?;
    if let Some(visit) = settled.record {
        shared.counters.visits.add();
        written(shared.bot.log.record(visit), &shared.bot.log).await?;
    }
    Ok(json(StatusCode::OK, &settled.verdict))
}

async fn take(shared: &Arc<Shared>, request: Request<Body>) -> Result<Settled, Failure> {
    let Received { edge, body, permits } = ingest::read_message(shared, request).await?;
    let message = Message::parse(&body)?;
    edge.covers(&message.observations.edge)?;
    let records = shared.records.snapshot();
    let app = records.app(&message.signals.app_key).filter(|app| app.partner == edge.partner);
    let Some(app) = app.map(Arc::clone) else {
        // The page is told that nothing is known, and nothing is kept.
        return Ok(Settled { verdict: BotVerdict::degraded(), record: None });
    };
    if !app.allows(message.observations.origin.as_ref().map(Text::as_str)) {
        return Err(Failure::new(Code::OriginRejected, "the app does not take pages of this origin"));
    }
    ingest::compute(permits, Arc::clone(shared), move |shared| settle(shared, &app, message)).await
}

/// A message whose shape is right.
struct Message {
    digest: Digest,
    signals: AssessSignals,
    observations: EdgeObservations,
}

impl Message {
    fn parse(body: &[u8]) -> Result<Self, Failure> {
        let bundle: AssessBundle = ingest::parse(body)?;
        let bytes = bundle.assess.get().as_bytes();
        if bytes.len() > LARGEST_SIGNALS {
            return Err(ingest::too_large());
        }
        let signals: AssessSignals = ingest::parse_part("the collector's part", bytes)?;
        if signals.schema != SCHEMA {
            return Err(Failure::new(Code::MalformedBundle, "this service reads assessments of schema 1"));
        }
        Ok(Self { digest: sha256(bytes), signals, observations: bundle.observations })
    }
}

fn settle(shared: &Shared, app: &App, message: Message) -> Result<Settled, Failure> {
    let Message { digest, signals, observations } = message;
    let key = Key { partner: app.partner.clone(), session: signals.session_ref.clone() };
    let came = match shared.bot.sessions.admit(&key, &app.key, &digest, &signals.id).map_err(|_| ingest::full())? {
        Admission::Known(verdict) => return Ok(Settled { verdict, record: None }),
        Admission::Assess(came) => came,
    };
    let visit = visit(shared, app, signals, &observations, came);
    Ok(shared.bot.sessions.settle(&key, digest, visit))
}

fn visit(shared: &Shared, app: &App, signals: AssessSignals, observations: &EdgeObservations, came: Came) -> NewVisit {
    let now = shared.clock.now();
    let click = signals.click_token.as_ref().map(|token| named(app, token));
    let session = signals.session_ref.clone();
    let (reference, profile) = (shared.reference.now(), app.expected(now));
    let evidence =
        evidence::of_visit(signals, observations, profile, came, &reference.world, UnixTime(now.as_second()));
    let assessment = octet_engine::bot::assess(&evidence, &reference.bot_weights);
    let verdict = if assessment.degraded {
        BotVerdict::degraded()
    } else {
        BotVerdict::new(assessment.score, assessment.consistent, app.settings.action)
    };
    NewVisit {
        app: app.key.clone(),
        session,
        time_ms: now.as_millisecond(),
        click,
        verdict,
        invalid: is_invalid(&assessment.signs, None),
    }
}

/// A click token as the log keeps it.
fn named(app: &App, token: &ClickToken) -> Click {
    Click { name: click_name(&app.click_key, token), plain: app.settings.plain_click_tokens.then(|| token.clone()) }
}
