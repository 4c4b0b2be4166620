//! A request for one of the edge's own routes: the relay decides, this file moves the bytes.

use std::sync::Once;

use actix_web::HttpResponse;
use actix_web::body::SizedStream;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use bytes::{Bytes, BytesMut};
use futures_util::future::LocalBoxFuture;
use futures_util::{StreamExt, stream};
use octet_relay::{Answer, BODY_TIMEOUT, BodyError, MAX_BODY, Opening, Relay, Route, Step};
use octet_tower::Connection;
use tokio::time::timeout;

use crate::connection::observe;
use crate::tunnel;

/// Says once what a server that tells of no connection lacks.
static UNTOLD: Once = Once::new();

/// The edge's reply to `request`, to be awaited. Made apart from the call of the middleware: this future is large, and
/// inlined there it would have every request that passes through make room for it on the stack.
#[inline(never)]
pub(crate) fn boxed(relay: Relay, route: Route, request: ServiceRequest) -> LocalBoxFuture<'static, ServiceResponse> {
    Box::pin(respond(relay, route, request))
}

async fn respond(relay: Relay, route: Route, request: ServiceRequest) -> ServiceResponse {
    let (request, payload) = request.into_parts();
    // Ends the borrow of the request before anything is waited for.
    let step = relay.begin(route, &observe(&request, true));
    let response = match step {
        Step::Answer(answer) => response(answer),
        Step::Signals(signals) => {
            let body = timeout(BODY_TIMEOUT, read(payload)).await.unwrap_or(Err(BodyError::Incomplete));
            response(signals.finish(body).await)
        }
        Step::Channel(opening) => {
            let connection = request.conn_data::<Connection>().cloned();
            if connection.is_none() {
                UNTOLD.call_once(|| {
                    tracing::warn!(
                        "connections are not observed: add .on_connect(octet_actix::on_connect) to the HttpServer before \
                         .bind, and serve HTTPS by octet_actix::listen_https"
                    );
                });
            }
            switch(*opening, payload, move || connection.as_ref().and_then(Connection::tcp_info))
        }
    };
    ServiceResponse::new(request, response)
}

fn response(answer: Answer) -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::from_u16(answer.status).unwrap_or_default());
    let mut length = None;
    for (name, value) in &answer.headers {
        match *name {
            "content-length" => length = value.parse().ok(),
            name => {
                response.append_header((name, &**value));
            }
        }
    }
    match length {
        // A HEAD: actix-web takes the length from the body, and sends none of it.
        Some(length) if answer.body.is_empty() => {
            response.body(SizedStream::new(length, stream::empty::<Result<Bytes, actix_web::Error>>()))
        }
        _ => response.body(answer.body),
    }
}

/// Switches protocols, and runs the latency channel on what the connection becomes.
fn switch(
    opening: Opening,
    payload: Payload,
    tcp: impl Fn() -> Option<octet::observations::TcpInfo> + 'static,
) -> HttpResponse {
    let mut response = HttpResponse::SwitchingProtocols();
    for (name, value) in &opening.switch().headers {
        match *name {
            "upgrade" => response.upgrade(&**value),
            name => response.insert_header((name, &**value)),
        };
    }
    let (io, body) = tunnel::open(payload);
    actix_web::rt::spawn(opening.run(io, tcp));
    response.body(body)
}

/// The whole body, if it is small enough.
async fn read(mut payload: Payload) -> Result<Bytes, BodyError> {
    let mut whole = BytesMut::new();
    while let Some(data) = payload.next().await {
        let data = data.map_err(|_| BodyError::Incomplete)?;
        if whole.len().saturating_add(data.len()) > MAX_BODY {
            return Err(BodyError::TooLarge);
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}
