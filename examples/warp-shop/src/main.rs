//! A partner's shop on warp, in three steps: the layer, the page with its session, the verdict at the checkout.
//! Configured by the environment: `OCTET_URL`, `LICENSE` and `OCTET_PARTNER_KEY`; `cargo run -p warp-shop`.

use octet_client::{Alarm, Lookup, OctetClient, SessionRef};
use octet_tower::warp::{OctetSession, VisitorIp};
use octet_tower::{OctetEdgeLayer, warp as edge};
use warp::Filter;
use warp::http::StatusCode;
use warp::reply::WithStatus;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let octet = OctetClient::from_env()?; // OCTET_URL, OCTET_PARTNER_KEY
    let routes = warp::path::end().and(edge::session()).map(|s: OctetSession| warp::reply::html(page(&s)));
    let checkout = warp::path!("checkout").and(warp::post()).and(edge::visitor_ip()).and(warp::body::form()).then(
        move |visitor: VisitorIp, order: Order| {
            let octet = octet.clone();
            async move { checkout(&octet, visitor, &order).await }
        },
    );
    let addr = std::env::args().nth(1).unwrap_or_else(|| "[::]:3000".to_owned());
    let layer = OctetEdgeLayer::from_env()?; // OCTET_URL, LICENSE, …
    edge::serve(layer.layer(warp::service(routes.or(checkout))), addr).await?;
    Ok(())
}

fn page(session: &OctetSession) -> String {
    let (field, script) = (session.hidden_input(), session.script_tag());
    format!("<form method=post action=/checkout>{field}<button>Order</button></form>{script}")
}

async fn checkout(octet: &OctetClient, visitor: VisitorIp, order: &Order) -> WithStatus<&'static str> {
    let (status, text) = match octet.verdict(&order.octet).visitor_ip(visitor.0).wait(SECOND * 2).await {
        Ok(Lookup::Ready(v)) if v.alarm >= Alarm::Medium => (StatusCode::OK, STEP_UP),
        Ok(Lookup::Ready(v)) if v.confidence >= 0.8 && v.country_in(["DE", "FR"]) => (StatusCode::OK, THANKS),
        Ok(Lookup::Ready(_) | Lookup::Pending) => (StatusCode::OK, STEP_UP),
        Err(e) if e.is_outage() => {
            eprintln!("Octet is out of reach; the order goes through unseen");
            (StatusCode::OK, THANKS)
        }
        Err(e) => {
            eprintln!("no verdict: {e}");
            (StatusCode::INTERNAL_SERVER_ERROR, "")
        }
    };
    warp::reply::with_status(text, status)
}

const SECOND: std::time::Duration = std::time::Duration::from_secs(1);
const THANKS: &str = "Thank you for your order.";
const STEP_UP: &str = "One more step: we have sent you a code.";

#[derive(serde::Deserialize)]
struct Order {
    octet: SessionRef,
}
