//! The shop on warp.

use std::future::ready;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt, TryStreamExt};
use http::StatusCode;
use octet_tower::OctetEdgeLayer;
use octet_tower::warp::{self as edge, OctetSession, VisitorIp};
use warp::{Filter, Rejection, Reply, path};

use super::{Setup, endless, page};

pub(super) async fn serve(setup: &Setup, made: Arc<AtomicU64>) -> SocketAddr {
    let service = OctetEdgeLayer::from(setup.relay()).layer(warp::service(routes(made)));
    let listener = setup.listener().await;
    let addr = listener.local_addr().unwrap();
    if setup.told {
        tokio::spawn(edge::serve_on(service, listener));
    } else {
        tokio::spawn(super::hyper::accept(listener, service, false));
    }
    addr
}

fn routes(made: Arc<AtomicU64>) -> impl Filter<Extract = (impl Reply,), Error = Rejection> + Clone {
    let get = || warp::get().or(warp::head()).unify();
    let html = |session: OctetSession| {
        warp::reply::with_header(warp::reply::html(page(&session)), "cache-control", "public, max-age=60")
    };
    let error = || {
        let body = warp::reply::with_header("the partner's error", "x-partner", "own");
        warp::reply::with_status(body, StatusCode::IM_A_TEAPOT)
    };
    let options =
        || warp::reply::with_status(warp::reply::with_header("", "allow", "the partner's"), StatusCode::NO_CONTENT);
    let endless = move || warp::reply::stream(endless(made.clone()));
    let pages = path::end().and(edge::session()).map(html);
    let reference = path!("ref").and(edge::session()).map(|session: OctetSession| session.to_string());
    let ip = path!("ip").and(edge::visitor_ip()).map(|visitor: VisitorIp| visitor.0.to_string());
    let late_panic = path!("late-panic").and(edge::session()).map(|_| -> String { panic!("the shop's own") });
    let plain = path!("plain").and(get()).map(|| warp::reply::with_header("plain", "cache-control", "public"));
    let echo = path!("echo").and(warp::post()).and(warp::body::stream()).map(|body| warp::reply::stream(bytes(body)));
    let own_ws = path!("own-ws").or(path!("octet" / "own-ws")).unify();
    let websocket = own_ws.and(warp::ws()).map(|upgrade: warp::ws::Ws| {
        upgrade.on_upgrade(|socket| async {
            let (says, hears) = socket.split();
            let _ = hears.try_filter(|message| ready(message.is_text() || message.is_binary())).forward(says).await;
        })
    });
    pages
        .or(websocket)
        .or(reference)
        .or(ip)
        .or(late_panic)
        .or(plain)
        .or(path!("plain").and(warp::options()).map(options))
        .or(echo)
        .or(path!("error").map(error))
        .or(path!("panic").map(|| -> String { panic!("the shop's own") }))
        .or(path!("endless").map(endless))
        .or(path!("octet" / "partners-own").map(|| "partner"))
}

/// A request's body as a response's.
fn bytes<B: Buf>(
    body: impl Stream<Item = Result<B, warp::Error>> + Send + Sync,
) -> impl Stream<Item = Result<Bytes, warp::Error>> + Send + Sync {
    body.map_ok(|mut data| data.copy_to_bytes(data.remaining()))
}
