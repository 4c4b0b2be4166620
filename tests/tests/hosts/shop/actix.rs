//! The shop on actix-web.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use actix_web::dev::Server;
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, CACHE_CONTROL};
use actix_web::web::{self, Html, Payload};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, Responder};
use actix_ws::Message;
use futures_util::StreamExt;
use octet_actix::{OctetEdge, OctetSession, Tls, VisitorIp, listen_https};

use super::{Setup, endless, page};

pub(super) fn serve(setup: &Setup, made: Arc<AtomicU64>) -> SocketAddr {
    let edge = OctetEdge::from(setup.relay());
    let app = move || {
        let made = made.clone();
        App::new().wrap(edge.clone()).configure(|app| routes(app, made))
    };
    if let Some([chain, key]) = setup.tls_files() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (server, tls) = (Server::build().workers(1).disable_signals(), Tls::from_files(chain, key).unwrap());
        tokio::spawn(listen_https(server, listener, tls, app).unwrap().run());
        return addr;
    }
    let server = HttpServer::new(app);
    let server = if setup.told { server.on_connect(octet_actix::on_connect) } else { server };
    let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
    let addr = server.addrs()[0];
    tokio::spawn(server.run());
    addr
}

fn routes(app: &mut web::ServiceConfig, made: Arc<AtomicU64>) {
    let html = |session: OctetSession| async move {
        Html::new(page(&session)).customize().insert_header((CACHE_CONTROL, "public, max-age=60"))
    };
    let plain = || async { HttpResponse::Ok().insert_header((CACHE_CONTROL, "public")).body("plain") };
    let options = || async { HttpResponse::NoContent().insert_header((ALLOW, "the partner's")).finish() };
    let error = || async { HttpResponse::ImATeapot().insert_header(("x-partner", "own")).body("the partner's error") };
    let endless = move || {
        let made = made.clone();
        async move { HttpResponse::Ok().streaming(endless(made)) }
    };
    app.route("/", web::get().to(html))
        .route("/ref", web::get().to(|session: OctetSession| async move { session.to_string() }))
        .route("/ip", web::get().to(|visitor: VisitorIp| async move { visitor.0.to_string() }))
        .route("/late-panic", web::get().to(|_: OctetSession| async { panic!("the shop's own") as &'static str }))
        .route("/plain", web::get().to(plain))
        .route("/plain", web::head().to(plain))
        .route("/plain", web::method(Method::OPTIONS).to(options))
        .route("/echo", web::post().to(|body: Payload| async { HttpResponse::Ok().streaming(body.boxed_local()) }))
        .route("/error", web::get().to(error))
        .route("/panic", web::get().to(|| async { panic!("the shop's own") as &'static str }))
        .route("/endless", web::get().to(endless))
        .route(
            "/scheme",
            web::get().to(|request: HttpRequest| async move { request.connection_info().scheme().to_owned() }),
        )
        .route("/own-ws", web::get().to(websocket))
        .route("/octet/own-ws", web::get().to(websocket))
        .route("/octet/partners-own", web::get().to(|| async { "partner" }));
}

/// A WebSocket of the partner's own, which says everything again.
async fn websocket(request: HttpRequest, body: Payload) -> Result<HttpResponse, actix_web::Error> {
    let (response, mut session, stream) = actix_ws::handle(&request, body)?;
    let mut messages = stream.max_frame_size(1 << 20);
    actix_web::rt::spawn(async move {
        while let Some(Ok(message)) = messages.next().await {
            let said = match message {
                Message::Text(text) => session.text(text).await,
                Message::Binary(data) => session.binary(data).await,
                Message::Ping(data) => session.pong(&data).await,
                Message::Close(reason) => return session.close(reason).await,
                _ => Ok(()),
            };
            said?;
        }
        Ok(())
    });
    Ok(response)
}
