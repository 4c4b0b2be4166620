//! What actix-web tells of a request and of its connection. What it does not tell stays unsaid.

use std::any::Any;

use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use actix_web::http::Version;
use actix_web::rt::net::TcpStream;
use octet_relay::Observation;
use octet_tower::Connection;

/// Lets the edge ask the kernel for its view of each connection: `HttpServer::new(…).on_connect(octet_actix::on_connect)`.
///
/// It sets `TCP_NODELAY`, without which the round trips of the latency channel would measure the kernel's patience. An
/// application that has a callback of its own calls this one in it. actix-web takes it before `bind`, and not after.
pub fn on_connect(connection: &dyn Any, data: &mut Extensions) {
    let Some(tcp) = connection.downcast_ref::<TcpStream>() else { return };
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
