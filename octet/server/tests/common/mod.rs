//! What the tests of the service share: a service on a clock that they move, bundles, and short ways to ask.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use octet::facts::FACTS;
use octet::{LicenseKey, PartnerKey, Profile};
use octet_server::clock::ManualClock;
use octet_server::{Config, Limits, NewLicense, Octet};
use serde_json::{Value, json};
use tower::ServiceExt;

/// An address in Germany, one in the same network, and ones in other networks: German, American, French.
pub(crate) const GERMAN: &str = "141.20.1.1";
pub(crate) const GERMAN_NEIGHBOUR: &str = "141.20.1.77";
pub(crate) const OTHER_GERMAN: &str = "141.20.7.1";
pub(crate) const AMERICAN: &str = "128.32.1.1";
pub(crate) const FRENCH: &str = "129.175.1.1";

pub(crate) struct Service {
    pub(crate) octet: Octet,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) license: LicenseKey,
    pub(crate) partner_key: PartnerKey,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or("no code")
    }
}

/// A service with the partner `shop`, at noon on 21 November 2026.
pub(crate) async fn service() -> Service {
    service_with(Limits::default()).await
}

pub(crate) async fn service_with(limits: Limits) -> Service {
    service_of(Config::in_memory().limits(limits)).await
}

pub(crate) async fn service_of(config: Config) -> Service {
    let clock = Arc::new(ManualClock::at("2026-11-21T12:00:00Z".parse().unwrap()));
    let octet = Octet::open(config.clock(Arc::clone(&clock) as _)).await.unwrap();
    let partner_key = octet.partners().add("shop").await.unwrap();
    let license = octet.licenses().issue(NewLicense::browser("shop")).await.unwrap().key;
    Service { octet, clock, license, partner_key }
}

impl Service {
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        answer(self.octet.clone().oneshot(request).await.unwrap()).await
    }

    /// Forwards a bundle as the edge of `shop`.
    pub(crate) async fn forward(&self, body: impl Into<Body>) -> Answer {
        self.forward_with(self.license.expose(), body).await
    }

    pub(crate) async fn forward_with(&self, license: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post("/v1/signals").header("x-octet-license", license).body(body.into()).unwrap();
        self.send(request).await
    }

    /// Asks as the backend of `shop`; `ask` is a reference and perhaps a query.
    pub(crate) async fn ask(&self, ask: &str) -> Answer {
        self.ask_with(ask, &[]).await
    }

    pub(crate) async fn ask_with(&self, ask: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(format!("/v1/verdict/{ask}"));
        if !headers.iter().any(|(name, _)| *name == "x-octet-partner-key") {
            request = request.header("x-octet-partner-key", self.partner_key.expose());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }
}

pub(crate) async fn answer(response: axum::response::Response) -> Answer {
    let (parts, body) = response.into_parts();
    let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    let json = serde_json::from_str(&text).unwrap_or_default();
    Answer { status: parts.status, headers: parts.headers, text, json }
}

/// A complete bundle of an honest visitor in Berlin.
pub(crate) fn signals(session: &str) -> Value {
    let mut facts = serde_json::Map::new();
    for fact in FACTS.iter().filter(|fact| fact.profile <= Profile::Standard) {
        facts.insert(fact.name.wire().into(), Value::Null);
    }
    for (name, value) in [
        ("timeZone", json!("Europe/Berlin")),
        ("utcOffset", json!(60)),
        ("utcOffsetJanuary", json!(60)),
        ("utcOffsetJuly", json!(120)),
        ("locale", json!("de-DE")),
        ("languages", json!(["de-DE", "de", "en"])),
        ("platform", json!("Linux x86_64")),
        ("hardwareConcurrency", json!(8)),
        ("screenWidth", json!(1920)),
        ("screenHeight", json!(1080)),
        ("innerWidth", json!(1280)),
        ("innerHeight", json!(720)),
        ("userAgent", json!("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36")),
    ] {
        facts.insert(name.into(), value);
    }
    json!({
        "schema": 1, "id": format!("b_{session}"), "sessionRef": session, "collector": "0.1.0", "runtime": "wasm",
        "profile": "standard", "channel": { "state": "complete", "ticket": "t", "rounds": [
            { "round": 0, "rttUs": 9000 }, { "round": 1, "rttUs": 9100 } ] },
        "facts": facts, "worker": { "blocked": "policy" }, "frame": { "blocked": "policy" },
    })
}

pub(crate) fn observations(address: &str) -> Value {
    json!({
        "edge": { "id": "fra1" }, "observedAtMs": 1_795_262_400_000_u64, "peer": { "ip": address },
        "httpVersion": "2", "headers": { "accept-language": "de-DE,de;q=0.9,en;q=0.8" },
        "channel": { "ticket": "valid", "rounds": [
            { "round": 0, "rttUs": 9000 }, { "round": 1, "rttUs": 9100 },
            { "round": 2, "rttUs": 9050 }, { "round": 3, "rttUs": 9020 } ] },
    })
}

/// The body of a bundle that an edge forwards.
pub(crate) fn bundle(session: &str, address: &str) -> String {
    body(&signals(session), &observations(address))
}

/// A bundle that differs from [`bundle`] in the collector's bytes.
pub(crate) fn other_bundle(session: &str, address: &str, id: &str) -> String {
    let mut signals = signals(session);
    signals["id"] = json!(id);
    body(&signals, &observations(address))
}

pub(crate) fn body(signals: &Value, observations: &Value) -> String {
    json!({ "signals": signals, "observations": observations }).to_string()
}
