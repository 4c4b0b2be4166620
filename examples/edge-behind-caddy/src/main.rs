//! A shop of one page behind Caddy: it mints references and asks for verdicts, and knows nothing of the edge.
//! `octet-edge` stands beside it and has the path `/octet/`; `Caddyfile` in this folder joins them.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use axum::{Router, serve};
use octet::{Alarm, SessionRef};
use octet_client::{Lookup, OctetClient};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let octet = OctetClient::from_env()?; // OCTET_URL, OCTET_PARTNER_KEY
    Ok(serve(TcpListener::bind("127.0.0.1:3000").await?, shop(octet)).await?)
}

pub(crate) fn shop(octet: OctetClient) -> Router {
    Router::new().route("/", get(page)).route("/orders", post(order)).with_state(octet)
}

async fn page() -> impl IntoResponse {
    let page = PAGE.replace("SESSION", SessionRef::mint().as_str());
    ([(CACHE_CONTROL, "no-store")], Html(page))
}

const PAGE: &str = "<!doctype html><title>shop</title><p id=state>measuring</p><button id=buy>Buy</button>
<script type=module>
    import { verify } from '/octet/octet-collector.mjs';
    const { completed } = await verify({ apiUrl: '/octet', sessionRef: 'SESSION' });
    state.textContent = completed ? 'completed' : 'not completed';
    buy.onclick = async () => {
        const answer = await fetch('/orders', { method: 'POST', body: 'SESSION' });
        state.textContent = await answer.text();
    };
</script>";

async fn order(State(octet): State<OctetClient>, session: String) -> Result<&'static str, StatusCode> {
    let session: SessionRef = session.parse().map_err(|_| StatusCode::BAD_REQUEST)?;
    match octet.verdict(&session).wait(Duration::from_secs(2)).await {
        Ok(Lookup::Ready(verdict)) if verdict.alarm < Alarm::Medium => Ok("bought"),
        Ok(_) => Ok("one more step, please"),
        Err(_) => Err(StatusCode::SERVICE_UNAVAILABLE),
    }
}
