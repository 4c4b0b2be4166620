//! What actix-web tells of a request and of its connection. What it does not tell stays unsaid.

use std::any::Any;
use std::sync::Once;

use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use actix_web::http::Version;
use actix_web::rt::net::TcpStream;
use octet_relay::Observation;
use octet_tower::Connection;

use crate::Unavailable;
use crate::edge::AROUND_APP;

/// Says once that no edge is around an application.
static FORGOTTEN: Once = Once::new();

/// Lets the edge ask the kernel for its view of each connection: `HttpServer::new(…).on_connect(octet_actix::on_connect)`.
///
/// It sets `TCP_NODELAY`, without which the round trips of the latency channel would measure the kernel's patience. An
/// application that has a callback of its own calls this one in it. actix-web takes it before `bind`, and not after. Where
/// no edge is around the application, the first connection makes it say in the log what to add.
pub fn on_connect(connection: &dyn Any, data: &mut Extensions) {
    let Some(tcp) = connection.downcast_ref::<TcpStream>() else { return };
    if !AROUND_APP.get() {
        FORGOTTEN.call_once(|| tracing::error!("{}", Unavailable::NoEdge));
    }
    // Without it the connection is slower, not wrong.
    let _ = tcp.set_nodelay(true);
    if let Ok(peer) = tcp.peer_addr() {
        data.insert(Connection::of(tcp, peer));
    }
}

/// The request as borrowed bytes. The kernel is asked for its view of the connection only if `with_tcp`.
pub(crate) fn observe(request: &HttpRequest, with_tcp: bool) -> Observation<'_> {
    let head = request.head();
    let connection = request.conn_data::<Connection>();
    Observation {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query(),
        authority: head.uri.authority().map(|authority| authority.as_str()),
        http_version: match head.version {
            Version::HTTP_10 => "1.0",
            Version::HTTP_2 => "2",
            Version::HTTP_3 => "3",
            _ => "1.1",
        },
        headers: head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect(),
        // actix-web's map of headers is unordered.
        headers_in_order: false,
        can_upgrade: head.version == Version::HTTP_11,
        peer: request.peer_addr().map(|peer| peer.ip()),
        tls: connection.and_then(Connection::tls),
        http2: connection.and_then(Connection::http2),
        tcp: connection.filter(|_| with_tcp).and_then(Connection::tcp_info),
        ..Observation::default()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpStream};
    use std::sync::Mutex;

    use actix_web::{App, HttpServer, web};
    use http::Response;
    use http_body_util::Full;

    use super::*;
    use crate::OctetEdge;

    fn ask(shop: SocketAddr) {
        let mut browser = TcpStream::connect(shop).unwrap();
        browser.write_all(b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        browser.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("hello"), "{answer}");
    }

    #[actix_web::test]
    async fn the_first_connection_to_an_app_without_an_edge_says_once_what_to_add() {
        let log = tempfile::NamedTempFile::new().unwrap();
        tracing_subscriber::fmt().with_writer(Mutex::new(log.reopen().unwrap())).init();
        let edge = OctetEdge::over(tower::service_fn(|_: http::Request<Full<bytes::Bytes>>| async {
            Ok::<_, std::convert::Infallible>(Response::new(Full::<bytes::Bytes>::default()))
        }));
        let hello = || web::get().to(|| async { "hello" });
        let with = HttpServer::new(move || App::new().wrap(edge.clone()).route("/", hello()));
        let without = HttpServer::new(move || App::new().route("/", hello()));
        let (with, without) = (with.on_connect(on_connect), without.on_connect(on_connect));
        let with = with.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let without = without.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let (shop, bare) = (with.addrs()[0], without.addrs()[0]);
        actix_web::rt::spawn(with.run());
        actix_web::rt::spawn(without.run());
        let said = async |shop| {
            actix_web::rt::task::spawn_blocking(move || ask(shop)).await.unwrap();
            std::fs::read_to_string(log.path()).unwrap().matches("add .wrap(edge.clone())").count()
        };
        assert_eq!([said(shop).await, said(bare).await, said(bare).await], [0, 1, 1]);
    }
}
