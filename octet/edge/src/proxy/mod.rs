//! Everything that is not the edge's own goes to the app: heads rewritten, bodies streamed, WebSockets tunnelled.
//! Stores nothing and understands no body.

mod headers;
mod pool;
mod tunnel;
mod upload;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::uri::{Authority, PathAndQuery, Scheme as UriScheme};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use octet_relay::Relay;
use octet_tower::Connection;

use self::pool::{Failure, Pool};
use self::upload::Upload;
use crate::Error;
use crate::body::{self, Body};
use crate::edge::Place;
use crate::options::Scheme;

pub(crate) use self::pool::Lease;

/// Where the app is.
#[derive(Debug, Clone)]
pub(crate) struct App {
    authority: Authority,
    host: Box<str>,
    port: u16,
    timeout: Duration,
}

impl App {
    /// The app at `url`, with so long for the head of an answer.
    pub(crate) fn new(url: &str, timeout: Duration) -> Result<Self, Error> {
        let advice = "write the app's base URL with http and without a path, such as http://127.0.0.1:3000";
        let invalid = || Error::setting("UPSTREAM_URL", advice);
        let parts = url.parse::<Uri>().map_err(|_| invalid())?.into_parts();
        let authority = parts.authority.ok_or_else(invalid)?;
        let rooted = parts.path_and_query.as_ref().is_none_or(|path| path.as_str() == "/");
        if parts.scheme != Some(UriScheme::HTTP) || !rooted || authority.as_str().contains('@') {
            return Err(invalid());
        }
        let host = authority.host();
        // What `http` takes for no port, and an operator meant as one.
        let port = match authority.as_str().strip_prefix(host) {
            Some("") => 80,
            _ => authority.port_u16().filter(|port| *port > 0).ok_or_else(invalid)?,
        };
        let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host).into();
        Ok(Self { host, port, authority, timeout })
    }

    /// Whether that is where an edge at `own` listens itself: one request would go round for ever.
    pub(crate) fn is_at(&self, own: SocketAddr) -> bool {
        // An edge at all addresses of IPv4 leaves those of IPv6 to others.
        let any = |ip: IpAddr| {
            own.ip().is_unspecified() && (ip.is_loopback() || ip.is_unspecified()) && (own.is_ipv6() || ip.is_ipv4())
        };
        let localhost = &*self.host == "localhost" && any(Ipv4Addr::LOCALHOST.into());
        let here = |ip: IpAddr| ip == own.ip() || any(ip);
        self.port == own.port() && (localhost || self.host.parse().is_ok_and(here))
    }
}

impl fmt::Display for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

/// What is the same for all requests of one connection of a browser.
#[derive(Debug)]
pub(crate) struct Visit {
    connection: Connection,
    scheme: Scheme,
    /// The peer's address as a header's value.
    peer: HeaderValue,
    place: Arc<Place>,
}

impl Visit {
    pub(crate) fn new(connection: Connection, scheme: Scheme, place: Place) -> Self {
        let peer = address(connection.peer_addr().ip());
        Self { connection, scheme, peer, place: Arc::new(place) }
    }

    pub(crate) const fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// An address as a header's value.
fn address(ip: IpAddr) -> HeaderValue {
    HeaderValue::try_from(ip.to_canonical().to_string()).unwrap_or(HeaderValue::from_static("unknown"))
}

/// The way to the app, of one thread.
#[derive(Debug)]
pub(crate) struct Proxy {
    pool: Arc<Pool>,
    /// The headers in which proxies tell this edge of a visitor.
    believed: Arc<[HeaderName]>,
}

impl Proxy {
    pub(crate) fn new(app: &App, believed: &[HeaderName]) -> Self {
        Self { pool: Arc::new(Pool::new(app.clone())), believed: believed.into() }
    }

    /// The app's answer, or the edge's where the app gives none.
    pub(crate) async fn forward(&self, mut request: Request<Incoming>, relay: &Relay, visit: &Visit) -> Response<Body> {
        if request.method() == Method::CONNECT {
            return body::text(StatusCode::NOT_IMPLEMENTED, "this edge opens no tunnels\n");
        }
        if headers::is_coded(request.headers()) {
            return body::text(
                StatusCode::NOT_IMPLEMENTED,
                "this edge takes bodies in chunks, and in no other coding\n",
            );
        }
        let upgrade = tunnel::wanted(&request).then(|| hyper::upgrade::on(&mut request));
        let Ok(request) = self.prepare(request, relay, visit, upgrade.is_some()) else {
            return body::text(StatusCode::BAD_REQUEST, "the request does not name one host\n");
        };
        let (mut response, lease) = match self.pool.send(request).await {
            Ok(answered) => answered,
            Err(failure) => return failed(&failure),
        };
        let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        headers::answered(response.headers_mut(), switched);
        // Of this hop, whatever the app speaks: an answer of HTTP/1.0 would end at the browser's first chunk.
        *response.version_mut() = Version::HTTP_11;
        if !switched {
            return response.map(|body| Body::app(body, lease));
        }
        let Some(browser) = upgrade else {
            return body::text(StatusCode::BAD_GATEWAY, "the app switched protocols unasked\n");
        };
        tunnel::open(browser, hyper::upgrade::on(&mut response), Arc::clone(&visit.place));
        response.map(|_| Body::none())
    }

    /// The request as the app gets it.
    fn prepare(
        &self,
        request: Request<Incoming>,
        relay: &Relay,
        visit: &Visit,
        upgrade: bool,
    ) -> Result<Request<Upload>, NoHost> {
        let (mut parts, body) = request.into_parts();
        // Which of them counts, this edge and the app could see differently (RFC 9112, section 3.2).
        if parts.headers.get_all(http::header::HOST).iter().nth(1).is_some() {
            return Err(NoHost);
        }
        let peer = visit.connection.peer_addr().ip();
        let visitor = relay.visitor_at(peer, |name| parts.headers.get_all(name).iter().map(HeaderValue::as_bytes));
        let visitor = match visitor {
            Some(visitor) if visitor.forwarded => Some(address(visitor.ip)),
            Some(_) => Some(visit.peer.clone()),
            // A trusted proxy hid it.
            None => None,
        };
        let host = match (parts.headers.remove(http::header::HOST), parts.uri.authority()) {
            // HTTP/2's own name for it, and the one that counts in an absolute URI.
            (_, Some(authority)) => HeaderValue::try_from(authority.as_str()).map_err(|_| NoHost)?,
            (Some(host), None) => host,
            (None, None) if parts.version == Version::HTTP_10 => self.pool.host(),
            (None, None) => return Err(NoHost),
        };
        if !headers::is_authority(host.as_bytes()) {
            return Err(NoHost);
        }
        headers::forwarded(&mut parts.headers, &self.believed, upgrade);
        headers::write(&mut parts.headers, visitor, visit.scheme, host);
        if !body.is_end_stream() && body.size_hint().exact().is_none() {
            // Else hyper takes a GET to have no body, and drops it.
            parts.headers.insert(http::header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        parts.version = Version::HTTP_11;
        if parts.uri.authority().is_some() {
            let path = parts.uri.into_parts().path_and_query.unwrap_or(PathAndQuery::from_static("/"));
            parts.uri = Uri::from(path);
        }
        // What hyper needs to switch protocols stays with the browser's request.
        parts.extensions.clear();
        Ok(Request::from_parts(parts, Upload::new(body, Arc::clone(&self.believed))))
    }
}

struct NoHost;

fn failed(failure: &Failure) -> Response<Body> {
    let (status, line) = match failure {
        Failure::Upload => return body::text(StatusCode::BAD_REQUEST, "the request's body broke off\n"),
        Failure::TimedOut => (StatusCode::GATEWAY_TIMEOUT, "the app behind this edge did not answer in time\n"),
        Failure::Connect(_) => (StatusCode::BAD_GATEWAY, "the app behind this edge cannot be reached\n"),
        Failure::Broke(_) => (StatusCode::BAD_GATEWAY, "the app behind this edge broke off\n"),
    };
    tracing::warn!(%failure, "the app at UPSTREAM_URL did not answer");
    body::text(status, line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_named_by_a_base_url_without_a_path() {
        let app = |url| App::new(url, Duration::from_secs(1)).map(|app| (app.host.to_string(), app.port));
        assert_eq!(app("http://127.0.0.1:3000").ok(), Some(("127.0.0.1".into(), 3000)));
        assert_eq!(app("http://[::1]:3000/").ok(), Some(("::1".into(), 3000)));
        assert_eq!(app("http://app").ok(), Some(("app".into(), 80)));
        for bad in [
            "app:3000",
            "http://app/path",
            "ftp://app",
            "http://u:p@app",
            "http://",
            "",
            "http://app:",
            "http://app:0",
            "http://app:99999",
            "http://app:x",
        ] {
            assert_eq!(app(bad).unwrap_err().variable(), Some("UPSTREAM_URL"), "{bad}");
        }
    }
}
