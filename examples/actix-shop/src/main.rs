//! A partner's shop on actix-web, in three steps: the edge, the page with its session, the verdict at the checkout.
//! Configured by the environment: `OCTET_URL`, `LICENSE` and `OCTET_PARTNER_KEY`; `cargo run -p actix-shop`. With
//! `TLS_CHAIN` and `TLS_KEY` (PEM files) it serves HTTPS, and the edge sees how each browser opens its connection.

use std::env;
use std::net::TcpListener;

use actix_web::dev::Server;
use actix_web::web::{Data, Form, Html};
use actix_web::{App, HttpResponse, HttpServer, get, post};
use octet_actix::{OctetEdge, OctetSession, Tls, VisitorIp};
use octet_client::{Alarm, Lookup, OctetClient, SessionRef};

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let octet = Data::new(OctetClient::from_env()?); // OCTET_URL, OCTET_PARTNER_KEY
    let edge = OctetEdge::from_env()?; // OCTET_URL, LICENSE, …
    let addr = env::args().nth(1).unwrap_or_else(|| "[::]:3000".to_owned());
    let app = move || App::new().app_data(octet.clone()).wrap(edge.clone()).service(page).service(checkout);
    let server = if let (Ok(chain), Ok(key)) = (env::var("TLS_CHAIN"), env::var("TLS_KEY")) {
        let (listener, tls) = (TcpListener::bind(addr)?, Tls::from_files(chain, key)?);
        octet_actix::listen_https(Server::build(), listener, tls, app)?.run()
    } else {
        HttpServer::new(app).on_connect(octet_actix::on_connect).bind(addr)?.run()
    };
    server.await?;
    Ok(())
}

#[get("/")]
async fn page(session: OctetSession) -> Html {
    let (field, script) = (session.hidden_input(), session.script_tag());
    Html::new(format!("<form method=post action=/checkout>{field}<button>Order</button></form>{script}"))
}

#[post("/checkout")]
async fn checkout(octet: Data<OctetClient>, visitor: VisitorIp, Form(order): Form<Order>) -> HttpResponse {
    match octet.verdict(&order.octet).visitor_ip(visitor.0).wait(SECOND * 2).await {
        Ok(Lookup::Ready(v)) if v.alarm >= Alarm::Medium => step_up(),
        Ok(Lookup::Ready(v)) if v.confidence >= 0.8 && v.country_in(["DE", "FR"]) => thanks(),
        Ok(Lookup::Ready(_) | Lookup::Pending) => step_up(),
        Err(e) if e.is_outage() => {
            eprintln!("Octet is out of reach; the order goes through unseen");
            thanks()
        }
        Err(e) => {
            eprintln!("no verdict: {e}");
            HttpResponse::InternalServerError().finish()
        }
    }
}

const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

#[derive(serde::Deserialize)]
struct Order {
    octet: SessionRef,
}

fn thanks() -> HttpResponse {
    HttpResponse::Ok().body("Thank you for your order.")
}

fn step_up() -> HttpResponse {
    HttpResponse::Ok().body("One more step: we have sent you a code.")
}
