//! A request of an http 1.x host as the relay sees it. What the host does not tell stays unsaid.

use std::borrow::Cow;

use http::{Extensions, HeaderMap, Method, Request, Uri, Version, request};
use hyper::upgrade::OnUpgrade;
use octet_relay::Observation;

use crate::Connection;

/// A request without its body.
pub(crate) struct Head<'a> {
    method: &'a Method,
    uri: &'a Uri,
    version: Version,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
}

impl<'a> From<&'a request::Parts> for Head<'a> {
    fn from(parts: &'a request::Parts) -> Self {
        let request::Parts { method, uri, version, headers, extensions, .. } = parts;
        Self { method, uri, version: *version, headers, extensions }
    }
}

impl<'a, B> From<&'a Request<B>> for Head<'a> {
    fn from(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }
}

/// The request as borrowed bytes. The kernel is asked for its view of the connection only if `with_tcp`.
pub(crate) fn observe<'a>(head: &Head<'a>, with_tcp: bool) -> Observation<'a> {
    let connection = connection(head.extensions);
    // Of a connection that the host tells no more of than its peer, there is nothing to borrow.
    let told = match connection {
        Some(Cow::Borrowed(told)) => Some(told),
        Some(Cow::Owned(_)) | None => None,
    };
    Observation {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query(),
        authority: head.uri.authority().map(http::uri::Authority::as_str),
        http_version: match head.version {
            Version::HTTP_10 => "1.0",
            Version::HTTP_2 => "2",
            Version::HTTP_3 => "3",
            _ => "1.1",
        },
        headers: head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect(),
        // A header map that nothing was removed from iterates as it was filled, but for a name that came before: a test
        // holds it.
        headers_in_order: true,
        can_upgrade: head.extensions.get::<OnUpgrade>().is_some(),
        peer: connection.as_ref().map(|connection| connection.peer_addr().ip()),
        proxied: told.is_some_and(Connection::is_proxied),
        tls: told.and_then(Connection::tls),
        http2: told.and_then(Connection::http2),
        tcp: connection.filter(|_| with_tcp).and_then(|connection| connection.tcp_info()),
    }
}

/// What the host tells of the connection.
pub(crate) fn connection(extensions: &Extensions) -> Option<Cow<'_, Connection>> {
    #[cfg(feature = "axum")]
    {
        use axum::extract::ConnectInfo;
        if let Some(ConnectInfo(connection)) = extensions.get::<ConnectInfo<Connection>>() {
            return Some(Cow::Borrowed(connection));
        }
        if let Some(ConnectInfo(peer)) = extensions.get::<ConnectInfo<std::net::SocketAddr>>() {
            return Some(Cow::Owned(Connection::new(*peer)));
        }
    }
    extensions.get::<Connection>().map(Cow::Borrowed)
}
