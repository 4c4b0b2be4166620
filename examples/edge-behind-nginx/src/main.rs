//! A shop behind nginx: it mints references and asks for verdicts, and knows nothing of the edge. `octet-edge` stands
//! beside it and has the path `/octet/`; `nginx.conf` in this folder joins them.

use std::time::Duration;

use axum::extract::{Form, State};
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
    Router::new().route("/", get(page)).route("/checkout", post(checkout)).with_state(octet)
}

async fn page() -> impl IntoResponse {
    let session = SessionRef::mint();
    let session = session.as_str();
    let page = format!(
        "<!doctype html><title>shop</title>
         <form method=post action=/checkout><input type=hidden name=octet value={session}><button>Buy</button></form>
         <p id=state>measuring</p>
         <script src=/octet/octet-collector.js></script>
         <script>
             octet.verify({{ apiUrl: '/octet', sessionRef: '{session}' }})
                 .then(({{ completed }}) => {{ state.textContent = completed ? 'completed' : 'not completed'; }})
         </script>"
    );
    ([(CACHE_CONTROL, "no-store")], Html(page))
}

#[derive(serde::Deserialize)]
struct Order {
    octet: SessionRef,
}

async fn checkout(State(octet): State<OctetClient>, Form(order): Form<Order>) -> &'static str {
    match octet.verdict(&order.octet).wait(Duration::from_secs(2)).await {
        Ok(Lookup::Ready(verdict)) if verdict.alarm < Alarm::Medium => "bought\n",
        Ok(_) => "one more step, please\n",
        Err(_) => "try again\n",
    }
}
