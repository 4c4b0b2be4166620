//! The demo's landing page: an advertisement led there, and the shop wants to know whether a person came. It knows Octet
//! by its edge layer and its client only.

use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use axum::{Form, Router};
use octet::AppKey;
use octet_client::{BotLookup, OctetClient};
use octet_tower::axum::OctetSession;

use super::shop::{Question, no_referrer};

const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; worker-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The landing page's routes, for an app of the shop.
pub(super) fn router(octet: OctetClient, app: AppKey) -> Router {
    Router::new().route("/landing", get(page).post(verdict)).with_state(Landing { octet, app })
}

#[derive(Clone)]
struct Landing {
    octet: OctetClient,
    app: AppKey,
}

async fn page(State(landing): State<Landing>, session: OctetSession) -> impl IntoResponse {
    let page = include_str!("page/landing.html")
        .replace("{script_tag}", &session.script_tag().to_string())
        .replace("{hidden_input}", &session.hidden_input().to_string())
        .replace("{app_key}", landing.app.as_str());
    let policy: (HeaderName, HeaderValue) = (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    ([policy, no_referrer()], Html(page))
}

/// What the backend gets, as it decides on it; printed too.
async fn verdict(State(landing): State<Landing>, Form(question): Form<Question>) -> String {
    let lookup = landing.octet.bot_verdict(&question.octet).wait(Duration::from_secs(2)).await;
    let decision = match &lookup {
        Ok(BotLookup::Known(visit)) if visit.verdict.is_bot() => "a bot: do not pay for this click",
        Ok(BotLookup::Known(_)) => "no bot",
        Ok(BotLookup::Degraded(_) | BotLookup::Unknown) | Err(_) => "unknown, which is not clean",
    };
    let shown = lookup
        .as_ref()
        .map_or_else(ToString::to_string, |lookup| serde_json::to_string(&lookup.verdict()).unwrap_or_default());
    println!("bot verdict  {shown}  →  {decision}");
    format!("{decision}: {shown}")
}
