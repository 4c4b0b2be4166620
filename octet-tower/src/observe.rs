//! A request of an http 1.x host as the relay sees it. What the host does not tell stays unsaid.

use http::{Extensions, Version, request};
use octet_relay::Observation;

use crate::Connection;

/// The request as borrowed bytes. The kernel is asked for its view of the connection only if `with_tcp`.
pub(crate) fn observe(parts: &request::Parts, with_tcp: bool) -> Observation<'_> {
    let connection = connection(&parts.extensions);
    Observation {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query(),
        authority: parts.uri.authority().map(http::uri::Authority::as_str),
        http_version: match parts.version {
            Version::HTTP_10 => "1.0",
            Version::HTTP_2 => "2",
            Version::HTTP_3 => "3",
            _ => "1.1",
        },
        headers: parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect(),
        // A header map that nothing was removed from iterates as it was filled: a test holds it.
        headers_in_order: true,
        peer: connection.as_ref().map(|connection| connection.peer_addr().ip()),
        tcp: connection.filter(|_| with_tcp).and_then(|connection| connection.tcp_info()),
    }
}

/// What the host tells of the connection.
pub(crate) fn connection(extensions: &Extensions) -> Option<Connection> {
    #[cfg(feature = "axum")]
    {
        use axum::extract::ConnectInfo;
        if let Some(ConnectInfo(connection)) = extensions.get::<ConnectInfo<Connection>>() {
            return Some(connection.clone());
        }
        if let Some(ConnectInfo(peer)) = extensions.get::<ConnectInfo<std::net::SocketAddr>>() {
            return Some(Connection::new(*peer));
        }
    }
    extensions.get::<Connection>().cloned()
}
