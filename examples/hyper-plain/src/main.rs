//! A partner's shop on hyper alone, in three steps: the layer, the page with its session, the verdict at the checkout.
//! Configured by the environment: `OCTET_URL`, `LICENSE` and `OCTET_PARTNER_KEY`; `cargo run -p hyper-plain`.

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use octet_client::{Alarm, Lookup, OctetClient, SessionRef};
use octet_tower::{Listener, OctetEdgeLayer, OctetSession, VisitorIp};
use tower::ServiceExt;

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing_subscriber::fmt().init();
    let octet = OctetClient::from_env()?; // OCTET_URL, OCTET_PARTNER_KEY
    let shop = tower::service_fn(move |request| respond(octet.clone(), request));
    let shop = OctetEdgeLayer::from_env()?.layer(shop); // OCTET_URL, LICENSE, …
    let addr = std::env::args().nth(1).unwrap_or_else(|| "[::]:3000".to_owned());
    let mut listener = Listener::bind(addr).await?;
    loop {
        let (tcp, connection) = listener.accept().await;
        let shop = shop.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(connection.clone()); // what the edge sees of it
            shop.clone().oneshot(request)
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(tcp), service).with_upgrades());
    }
}

async fn respond(octet: OctetClient, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Error> {
    let (status, text) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => (200, page(&OctetSession::open(&request)?)),
        (&Method::POST, "/checkout") => {
            let visitor = VisitorIp::of(&request)?;
            let form = Limited::new(request.into_body(), 4096).collect().await?.to_bytes();
            let session = std::str::from_utf8(&form)?.strip_prefix("octet=").unwrap_or_default().parse()?;
            checkout(&octet, &session, visitor).await
        }
        _ => (404, String::new()),
    };
    Ok(Response::builder().status(status).header("content-type", "text/html").body(text.into())?)
}

fn page(session: &OctetSession) -> String {
    let (field, script) = (session.hidden_input(), session.script_tag());
    format!("<form method=post action=/checkout>{field}<button>Order</button></form>{script}")
}

async fn checkout(octet: &OctetClient, session: &SessionRef, visitor: VisitorIp) -> (u16, String) {
    match octet.verdict(session).visitor_ip(visitor.0).wait(std::time::Duration::from_secs(2)).await {
        Ok(Lookup::Ready(v)) if v.alarm < Alarm::Medium && v.confidence >= 0.8 && v.country_in(["DE", "FR"]) => {
            (200, "Thank you for your order.".to_owned())
        }
        Ok(Lookup::Ready(_) | Lookup::Pending) => (200, "One more step: we have sent you a code.".to_owned()),
        Err(e) if e.is_outage() => (200, "Thank you for your order.".to_owned()),
        Err(e) => {
            eprintln!("no verdict: {e}");
            (500, String::new())
        }
    }
}
