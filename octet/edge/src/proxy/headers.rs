//! Which headers belong to one hop, and which tell the app whom the edge serves. A browser's own forwarding headers
//! never reach the app.

use http::header::{self, Entry};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::options::Scheme;

static FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Takes off what was meant for the hop to this edge, and every forwarding header that a browser or a proxy wrote: the
/// known ones, and those that this edge was told to believe. An `upgrade` is asked of the app as it was asked of the
/// edge.
pub(crate) fn forwarded(headers: &mut HeaderMap, believed: &[HeaderName], upgrade: bool) {
    let trailers = accepts_trailers(headers);
    take_off(headers, |name| is_hop(name.as_str()) || claims_to_forward(name, believed) || *name == header::EXPECT);
    if trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
    }
    if upgrade {
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    }
    join_cookies(headers);
}

/// Writes what the edge itself knows of the visitor.
pub(crate) fn write(headers: &mut HeaderMap, visitor: Option<HeaderValue>, scheme: Scheme, host: HeaderValue) {
    if let Some(visitor) = visitor {
        headers.insert(&FOR, visitor);
    }
    headers.insert(
        &PROTO,
        HeaderValue::from_static(match scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }),
    );
    headers.insert(&HOST, host.clone());
    headers.insert(header::HOST, host);
}

/// Takes what claims to be forwarded off the end of a body too: an app may read it as a header.
pub(crate) fn trailers(trailers: &mut HeaderMap, believed: &[HeaderName]) {
    take_off(trailers, |name| is_hop(name.as_str()) || claims_to_forward(name, believed));
}

/// Takes off what was meant for the hop from the app.
pub(crate) fn answered(headers: &mut HeaderMap, switched: bool) {
    // Chunks count, and a length beside them does not (RFC 9112, section 6.3): it would cut the body off.
    if headers.contains_key(header::TRANSFER_ENCODING) {
        headers.remove(header::CONTENT_LENGTH);
    }
    take_off(headers, |name| is_hop(name.as_str()));
    if switched {
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    }
}

/// Removes every header whose name is one of these, or is named by `Connection`.
fn take_off(headers: &mut HeaderMap, one_of_these: impl Fn(&HeaderName) -> bool) {
    let mut off: Vec<HeaderName> = Vec::new();
    for value in headers.get_all(header::CONNECTION) {
        let names = value.as_bytes().split(|byte| *byte == b',');
        // A header that the app needs is not to be named away by a browser.
        let kept = |name: &HeaderName| *name == header::HOST || *name == header::CONTENT_LENGTH;
        off.extend(
            names.take(16).filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()).filter(|name| !kept(name)),
        );
    }
    off.extend(headers.keys().filter(|name| one_of_these(name)).cloned());
    for name in off {
        headers.remove(name);
    }
}

/// The headers of one hop (RFC 9110, section 7.6.1, and those that are treated so of old).
fn is_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-connection"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "te"
            | "transfer-encoding"
            | "upgrade"
            | "http2-settings"
    )
}

/// Whether an app could take this for a forwarding header: to CGI, WSGI and their like `_` is as good as `-`.
fn claims_to_forward(name: &HeaderName, believed: &[HeaderName]) -> bool {
    if !name.as_str().contains('_') {
        return is_forwarding(name.as_str()) || believed.contains(name);
    }
    let hyphened = name.as_str().replace('_', "-");
    is_forwarding(&hyphened) || believed.iter().any(|believed| believed.as_str().replace('_', "-") == hyphened)
}

/// Every header in which some proxy says for whom it forwards.
fn is_forwarding(name: &str) -> bool {
    name.starts_with("x-forwarded")
        || matches!(
            name,
            "forwarded"
                | "x-real-ip"
                | "x-client-ip"
                | "x-cluster-client-ip"
                | "x-original-forwarded-for"
                | "x-original-host"
                | "x-envoy-external-address"
                | "x-azure-clientip"
                | "x-azure-socketip"
                | "true-client-ip"
                | "cf-connecting-ip"
                | "cf-connecting-ipv6"
                | "cf-pseudo-ipv4"
                | "fastly-client-ip"
                | "fly-client-ip"
                | "via"
        )
}

/// Whether a body comes in another coding than chunks: taken off here with its name, the app could not read it.
pub(crate) fn is_coded(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::TRANSFER_ENCODING).iter();
    values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .any(|coding| !coding.trim_ascii().eq_ignore_ascii_case(b"chunked"))
}

/// Whether the text can be the authority that a request is for (RFC 9110, section 7.2): to an app, what stands behind
/// one of these could be another host, or a path.
pub(crate) fn is_authority(host: &[u8]) -> bool {
    host.iter().all(|byte| !byte.is_ascii_whitespace() && !b"/?#@\\".contains(byte))
}

/// Whether the browser says that it takes trailers.
fn accepts_trailers(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::TE).iter();
    values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .any(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"trailers"))
}

/// HTTP/2 may split `Cookie`; HTTP/1.1 may not (RFC 9113, section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let Entry::Occupied(mut cookies) = headers.entry(header::COOKIE) else { return };
    if cookies.iter().nth(1).is_none() {
        return;
    }
    let joined = cookies.iter().map(HeaderValue::as_bytes).collect::<Vec<_>>().join(&b"; "[..]);
    if let Ok(joined) = HeaderValue::from_bytes(&joined) {
        cookies.insert(joined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn what_belongs_to_one_hop_or_claims_to_be_forwarded_does_not_reach_the_app() {
        let mut headers = map(&[
            ("accept", "*/*"),
            ("connection", "keep-alive, X-Private, host"),
            ("x-private", "1"),
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-anything", "1"),
            ("forwarded", "for=6.6.6.6"),
            ("x-real-ip", "6.6.6.6"),
            ("cf-connecting-ip", "6.6.6.6"),
            ("x-own-balancer", "6.6.6.6"),
            ("x_forwarded_for", "6.6.6.6"),
            ("x-real_ip", "6.6.6.6"),
            ("x_own-balancer", "6.6.6.6"),
            ("keep-alive", "5"),
            ("te", "trailers, gzip"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAMAAABkAAQAAP__"),
            ("proxy-authorization", "Basic eA=="),
            ("cookie", "a=1"),
            ("cookie", "b=2"),
        ]);
        forwarded(&mut headers, &[HeaderName::from_static("x-own-balancer")], false);
        write(
            &mut headers,
            Some(HeaderValue::from_static("192.0.2.1")),
            Scheme::Https,
            HeaderValue::from_static("shop"),
        );
        let expected = map(&[
            ("accept", "*/*"),
            ("te", "trailers"),
            ("connection", "te"),
            ("cookie", "a=1; b=2"),
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "shop"),
            ("host", "shop"),
        ]);
        assert_eq!(headers, expected);
    }

    #[test]
    fn an_upgrade_is_asked_again_and_nothing_but_a_websocket_is() {
        let mut headers = map(&[("connection", "Upgrade"), ("upgrade", "WebSocket"), ("sec-websocket-key", "x")]);
        forwarded(&mut headers, &[], true);
        assert_eq!(headers, map(&[("sec-websocket-key", "x"), ("upgrade", "websocket"), ("connection", "upgrade")]));
        answered(&mut headers, false);
        assert_eq!(headers, map(&[("sec-websocket-key", "x")]));
    }
}
