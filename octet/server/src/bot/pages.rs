//! `POST /v1/pages`: an edge served a page. When its collector never reports, that is a visit too, of which only the
//! connection is known.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use octet::BotVerdict;
use octet::fact::Text;
use octet::observations::Accepted;
use octet::page::PageServed;

use super::{evidence, is_invalid};
use crate::failure::{Failure, json};
use crate::ingest::{self, Received};
use crate::service::Shared;
use crate::sessions::Key;
use crate::visits::NewVisit;

/// `POST /v1/pages`.
pub(crate) async fn pages(
    State(shared): State<Arc<Shared>>,
    request: Request<Body>,
) -> Result<Response<Body>, Failure> {
    let Received { edge, body, .. } = ingest::read_message(&shared, request).await?;
    let page: PageServed = ingest::parse(&body)?;
    edge.covers(&page.observations.edge)?;
    let records = shared.records.snapshot();
    let app = match &page.app_key {
        Some(key) => records.app(key).filter(|app| app.partner == edge.partner),
        None => records.app_of_page(&edge.partner, page.host.as_ref().map(Text::as_str)),
    };
    if let Some(app) = app {
        let reference = shared.reference.now();
        let connection = evidence::of_connection(&page.observations, &reference.world);
        let assessment = octet_engine::bot::assess_connection(&connection, &reference.bot_weights);
        let visit = NewVisit {
            app: app.key.clone(),
            session: page.session_ref.clone(),
            time_ms: shared.clock.now().as_millisecond(),
            click: None,
            verdict: BotVerdict::unread(assessment.score, assessment.consistent),
            invalid: is_invalid(&assessment.signs, page.purpose.as_ref()),
        };
        let key = Key { partner: edge.partner.clone(), session: page.session_ref };
        shared.bot.sessions.page_served(key, visit);
    }
    // An edge is told the same whether or not the page belongs to an app.
    Ok(json(StatusCode::ACCEPTED, &Accepted {}))
}
