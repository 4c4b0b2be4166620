//! A partner's shop on axum, in three steps: the layer, the page with its session, the verdict at the checkout.
//! Configured by the environment: `OCTET_URL`, `LICENSE` and `OCTET_PARTNER_KEY`; `cargo run -p axum-shop`.

use axum::{Form, Router, extract::State, response::Html, routing::get, routing::post};
use octet_client::{Alarm, Lookup, OctetClient, SessionRef};
use octet_tower::{Listener, OctetEdgeLayer, axum::OctetSession, axum::VisitorIp};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let octet = OctetClient::from_env()?; // OCTET_URL, OCTET_PARTNER_KEY
    let app = Router::new().route("/", get(page)).route("/checkout", post(checkout)).with_state(octet);
    let app = OctetEdgeLayer::from_env()?.layer(app); // OCTET_URL, LICENSE, …
    let addr = std::env::args().nth(1).unwrap_or_else(|| "[::]:3000".to_owned());
    octet_tower::axum::serve(Listener::bind(addr).await?, app).await?;
    Ok(())
}

async fn page(session: OctetSession) -> Html<String> {
    let (field, script) = (session.hidden_input(), session.script_tag());
    Html(format!("<form method=post action=/checkout>{field}<button>Order</button></form>{script}"))
}

async fn checkout(State(octet): State<OctetClient>, visitor: VisitorIp, Form(order): Form<Order>) -> Decision {
    match octet.verdict(&order.octet).visitor_ip(visitor.0).wait(SECOND * 2).await {
        Ok(Lookup::Ready(v)) if v.alarm >= Alarm::Medium => Decision::StepUp,
        Ok(Lookup::Ready(v)) if v.confidence >= 0.8 && v.country_in(["DE", "FR"]) => Decision::Allow,
        Ok(Lookup::Ready(_) | Lookup::Pending) => Decision::StepUp,
        Err(e) if e.is_outage() => Decision::Log,
        Err(e) => Decision::Fail(e),
    }
}

const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

#[derive(serde::Deserialize)]
struct Order {
    octet: SessionRef,
}

/// The shop's own policy: what it does with a verdict.
enum Decision {
    Allow,
    StepUp,
    Log,
    Fail(octet_client::Error),
}

impl axum::response::IntoResponse for Decision {
    fn into_response(self) -> axum::response::Response {
        match self {
            Self::Allow => "Thank you for your order.".into_response(),
            Self::StepUp => "One more step: we have sent you a code.".into_response(),
            Self::Log => {
                eprintln!("Octet is out of reach; the order goes through unseen");
                "Thank you for your order.".into_response()
            }
            Self::Fail(error) => {
                eprintln!("no verdict: {error}");
                axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}
