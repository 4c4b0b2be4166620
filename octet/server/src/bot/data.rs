//! The Data API: one visit, the figures of a period, an export, for who has an app's key and secret. An app sees its own
//! visits and no other's.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::request::Parts;
use axum::http::{Response, StatusCode};
use octet::data::{Data, Visit};
use octet::problem::Code;
use octet::{AppKey, AppSecret, ClickToken, SessionRef, header};

use super::export::{Format, Rows};
use super::query::{Query, malformed};
use super::visible;
use crate::Error;
use crate::failure::{Failure, json};
use crate::records::{App, click_name};
use crate::service::Shared;
use crate::sessions::Key;
use crate::visits::Cursor;

/// `GET /v1/bot/verdict?cid=…` or `?click_token=…`.
pub(crate) async fn verdict(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    parts: Parts,
) -> Result<Response<Body>, Failure> {
    let app = authorize(&shared, &parts)?;
    let query = Query::parse(query.as_deref(), &["cid", "click_token"])?;
    let visit = match (query.parsed::<SessionRef>("cid")?, query.parsed::<ClickToken>("click_token")?) {
        (Some(session), None) => of_session(&shared, &app, session).await,
        (None, Some(click)) => {
            shared.bot.log.flush().await;
            shared.bot.log.visit_of_click(&app.key, click_name(&app.click_key, &click)).await
        }
        _ => return Err(malformed("a visit is asked for by cid, the session reference, or by click_token")),
    };
    let unknown = || Failure::new(Code::VisitUnknown, "this app has no such visit; it may be under way");
    let visit = visit.map_err(|error| unreadable(&error))?.ok_or_else(unknown)?;
    Ok(json(StatusCode::OK, &Data::new(visit)))
}

/// The visit as the figures count it. What is in memory alone is not written yet, or could not be.
async fn of_session(shared: &Shared, app: &App, session: SessionRef) -> Result<Option<Visit>, Error> {
    let key = Key { partner: app.partner.clone(), session };
    shared.bot.log.flush().await;
    match shared.bot.log.visit(&app.key, &key.session).await {
        Ok(Some(visit)) => Ok(Some(visit)),
        unwritten => visible(app, shared.bot.sessions.visit(&key)).map_or(unwritten, |visit| Ok(Some(visit))),
    }
}

/// `GET /v1/bot/stats?from=…&to=…`.
pub(crate) async fn stats(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    parts: Parts,
) -> Result<Response<Body>, Failure> {
    let app = authorize(&shared, &parts)?;
    let period = Query::parse(query.as_deref(), &["from", "to"])?.period()?;
    shared.bot.log.flush().await;
    let stats = shared.bot.log.stats(&app.key, period).await.map_err(|error| unreadable(&error))?;
    Ok(json(StatusCode::OK, &Data::new(stats)))
}

/// `GET /v1/bot/export?from=…&to=…&format=…&cursor=…`.
pub(crate) async fn export(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    parts: Parts,
) -> Result<Response<Body>, Failure> {
    let app = authorize(&shared, &parts)?;
    let query = Query::parse(query.as_deref(), &["from", "to", "format", "cursor", "limit"])?;
    let period = query.period()?;
    let format = match query.get("format") {
        None | Some("csv") => Format::Csv,
        Some("ndjson") => Format::NdJson,
        Some(_) => return Err(malformed("format is csv or ndjson")),
    };
    let cursor = query.get("cursor").map(str::parse::<Cursor>).transpose();
    let cursor = cursor.map_err(|()| malformed("cursor is the last field of the last row that came"))?;
    let limit = query.parsed::<u32>("limit")?;
    let busy =
        || Failure::new(Code::RateLimited, "as many exports run as may; come back when one has ended").retry_after(10);
    let share = shared.bot.exports_of_app.take(app.key.clone()).ok_or_else(busy)?;
    let permit = Arc::clone(&shared.bot.exports).try_acquire_owned().map_err(|_| busy())?;
    shared.bot.log.flush().await;
    Ok(super::export::response(&shared.bot.log, &app.key, Rows { period, cursor, limit }, format, (share, permit)))
}

/// The app whose key and secret the request carries. A missing and an unknown one are answered alike, in the same time.
fn authorize(shared: &Shared, parts: &Parts) -> Result<Arc<App>, Failure> {
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let key: Option<AppKey> = text(header::APP_KEY).and_then(|text| text.parse().ok());
    let secret: Option<AppSecret> = text(header::APP_SECRET).and_then(|text| text.parse().ok());
    let snapshot = shared.records.snapshot();
    let app = snapshot.authorized_app(key.as_ref(), secret.as_ref(), shared.clock.now());
    let rejected = || {
        shared.counters.backend_refusals.add();
        Failure::new(
            Code::AppRejected,
            "X-App-Key or X-App-Secret is missing or unknown, or they do not belong together",
        )
    };
    let app = app.ok_or_else(rejected)?;
    shared.verdicts_limit.check(&app.partner)?;
    Ok(Arc::clone(app))
}

fn unreadable(error: &Error) -> Failure {
    if matches!(error, Error::FiguresGone) {
        let detail = "so long ago only whole hours are counted: let from and to be full hours, or dates";
        return Failure::new(Code::MalformedPeriod, detail);
    }
    tracing::error!(%error, "the visit log cannot be read");
    Failure::new(Code::StoreUnavailable, "the visit log cannot be read now; ask again").retry_after(1)
}
