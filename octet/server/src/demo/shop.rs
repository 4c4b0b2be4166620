//! The demo's partner: a shop on axum, as a partner would write it. It knows Octet by its edge layer and its
//! client only, and shows the visitor what it got.

use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use axum::{Form, Router};
use octet::{Alarm, AppKey, SessionRef, Verdict};
use octet_client::{Lookup, OctetClient};
use octet_engine::World;
use octet_tower::OctetEdgeLayer;
use octet_tower::axum::{OctetSession, VisitorIp};
use serde::Deserialize;

use super::{landing, map};

const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The shop, with its edge.
pub(super) fn router(octet: OctetClient, app: AppKey, edge: OctetEdgeLayer, world: Arc<World>) -> Router {
    let map = map::world(&world);
    let file = |media_type: &'static str, text: String| {
        get(move || async move { ([(CONTENT_TYPE, media_type), (CACHE_CONTROL, "max-age=600")], text) })
    };
    Router::new()
        .route("/", get(page))
        .route("/verdict", post(verdict))
        .route("/world.svg", file("image/svg+xml", map))
        .route("/shop.css", file("text/css", include_str!("page/shop.css").to_owned()))
        .route("/shop.js", file("text/javascript", include_str!("page/shop.js").to_owned()))
        .route("/landing.js", file("text/javascript", include_str!("page/landing.js").to_owned()))
        .with_state(Shop { octet: octet.clone(), world })
        .merge(landing::router(octet, app))
        .layer(edge)
}

#[derive(Clone)]
struct Shop {
    octet: OctetClient,
    world: Arc<World>,
}

async fn page(session: OctetSession) -> impl IntoResponse {
    let page = include_str!("page/shop.html")
        .replace("{script_tag}", &session.script_tag().to_string())
        .replace("{hidden_input}", &session.hidden_input().to_string())
        .replace("{attribution}", ATTRIBUTION);
    ([(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)), no_referrer()], Html(page))
}

pub(super) fn no_referrer() -> (HeaderName, HeaderValue) {
    (HeaderName::from_static("referrer-policy"), HeaderValue::from_static("no-referrer"))
}

const ATTRIBUTION: &str = "Map: Natural Earth. <a href=\"https://db-ip.com\">IP geolocation by DB-IP</a>.";

#[derive(Deserialize)]
pub(super) struct Question {
    pub(super) octet: SessionRef,
}

async fn verdict(
    State(shop): State<Shop>,
    VisitorIp(visitor): VisitorIp,
    Form(question): Form<Question>,
) -> Html<String> {
    let answer = shop.ask(&question.octet, visitor).await;
    println!("{}", answer.line());
    Html(answer.fragment(&shop.world))
}

/// What the shop does about a visitor, and what it knew when it decided so.
struct Answer {
    decision: Decision,
    why: &'static str,
    verdict: Option<Verdict>,
}

#[derive(Clone, Copy)]
enum Decision {
    Allow,
    Log,
    StepUp,
}

impl Shop {
    async fn ask(&self, session: &SessionRef, visitor: IpAddr) -> Answer {
        let lookup = self.octet.verdict(session).visitor_ip(visitor).wait(Duration::from_secs(5)).await;
        let (decision, why, verdict) = match lookup {
            Ok(Lookup::Ready(verdict)) if verdict.alarm >= Alarm::Medium => {
                (Decision::StepUp, "the session contradicts itself", Some(verdict))
            }
            Ok(Lookup::Ready(verdict)) if verdict.country.is_some() && verdict.confidence >= 0.8 => {
                (Decision::Allow, "the country is known well enough", Some(verdict))
            }
            Ok(Lookup::Ready(verdict)) => (Decision::StepUp, "the country is not known well enough", Some(verdict)),
            Ok(Lookup::Pending) => (Decision::StepUp, "nothing was collected from this page", None),
            Err(error) if error.is_outage() => (Decision::Log, "Octet cannot be reached", None),
            Err(_) => (Decision::StepUp, "the shop could not ask", None),
        };
        Answer { decision, why, verdict }
    }
}

impl Decision {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Allow => ("allow", "Allow"),
            Self::Log => ("log", "Allow, and log"),
            Self::StepUp => ("step-up", "Step up"),
        }
    }
}

impl Answer {
    /// One line for the terminal.
    fn line(&self) -> String {
        let (decision, _) = self.decision.words();
        match &self.verdict {
            Some(verdict) => {
                let rows: Vec<_> = rows(verdict).map(|(name, value)| format!("{name} {value}")).collect();
                format!("verdict  {}  →  {decision}: {}", rows.join(", "), self.why)
            }
            None => format!("no verdict  →  {decision}: {}", self.why),
        }
    }

    /// What the page shows.
    fn fragment(&self, world: &World) -> String {
        let (class, words) = self.decision.words();
        let mut html = format!(
            "<div id=\"overlay\">{}</div>",
            self.verdict.as_ref().map_or_else(String::new, |verdict| map::overlay(world, verdict))
        );
        let _ = write!(
            html,
            "<div id=\"verdict\"><p class=\"decision {class}\">{words}</p><p class=\"why\">{}</p>",
            self.why
        );
        if let Some(verdict) = &self.verdict {
            html.push_str("<dl>");
            for (name, value) in rows(verdict) {
                let country = if name == "country" && verdict.country.is_some() {
                    format!(" data-country=\"{value}\"")
                } else {
                    String::new()
                };
                let _ = write!(html, "<dt>{name}</dt><dd{country}>{value}</dd>");
            }
            // JSON of numbers and codes: nothing in it needs escaping in HTML.
            let json = serde_json::to_string_pretty(verdict).unwrap_or_default();
            let _ = write!(html, "</dl><details><summary>As the backend got it</summary><pre>{json}</pre></details>");
        }
        html.push_str("</div>");
        html
    }
}

/// The verdict's fields in words.
fn rows(verdict: &Verdict) -> impl Iterator<Item = (&'static str, String)> {
    let unknown = || "unknown".to_owned();
    let alarm = serde_json::to_value(verdict.alarm).ok().and_then(|alarm| alarm.as_str().map(str::to_owned));
    [
        ("country", verdict.country.map_or_else(unknown, |country| country.to_string())),
        ("confidence", format!("{:.2}", verdict.confidence.get())),
        ("alarm", alarm.unwrap_or_else(unknown)),
        (
            "place",
            verdict.estimated_location.map_or_else(unknown, |place| format!("{:.1}, {:.1}", place.lat(), place.lon())),
        ),
        ("radius", verdict.confidence_radius_km.map_or_else(unknown, |radius| format!("{radius} km"))),
    ]
    .into_iter()
}
