//! What a host tells the relay of one request, as borrowed bytes, so that hosts of any HTTP library can. What a
//! host does not know stays unsaid: "not observed", never a guess.

use std::fmt;
use std::net::IpAddr;

use octet::fact::{AtMost, Text};
use octet::handshake::{Http2Preface, TlsObservation};
use octet::observations::{BrowserHeaders, TcpInfo};

/// How many headers are looked at for their order.
const MAX_NAMES: usize = 128;

/// One request as its host saw it.
///
/// ```
/// let headers = [("host", &b"shop.example"[..]), ("user-agent", b"Agent")];
/// let seen = octet_relay::Observation {
///     method: "GET",
///     path: "/octet/healthz",
///     http_version: "1.1",
///     headers: headers.to_vec(),
///     ..Default::default()
/// };
/// assert_eq!(seen.header("user-agent"), Some(&b"Agent"[..]));
/// ```
#[derive(Clone, Default)]
pub struct Observation<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path, percent-encoded as it came.
    pub path: &'a str,
    /// The query, without its question mark.
    pub query: Option<&'a str>,
    /// The authority of the request's target (`:authority` of HTTP/2), where it has one.
    pub authority: Option<&'a str>,
    /// `1.0`, `1.1`, `2` or `3`.
    pub http_version: &'a str,
    /// Lower-case names with their values, those of one name in the order in which they came.
    pub headers: Vec<(&'a str, &'a [u8])>,
    /// Whether the names, too, stand in the order in which each came first.
    pub headers_in_order: bool,
    /// Whether the host can switch this connection to another protocol.
    pub can_upgrade: bool,
    /// The other end of the connection.
    pub peer: Option<IpAddr>,
    /// Whether that is what a trusted peer said in PROXY protocol, so that the connection is a proxy's.
    pub proxied: bool,
    /// The kernel's view of the connection.
    pub tcp: Option<TcpInfo>,
    /// The TLS ClientHello of the connection.
    pub tls: Option<&'a TlsObservation>,
    /// How the HTTP/2 connection was opened.
    pub http2: Option<&'a Http2Preface>,
}

impl<'a> Observation<'a> {
    /// The first value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.values(name).next()
    }

    /// All values of a header, in the order in which they came.
    pub(crate) fn values(&self, name: &str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        self.headers.iter().filter(move |(other, _)| *other == name).map(|(_, value)| *value)
    }

    /// The host that the request was for.
    pub(crate) fn host(&self) -> Option<&'a [u8]> {
        self.header("host").or(self.authority.map(str::as_bytes))
    }

    /// The user agent; empty where it says nothing.
    pub(crate) fn user_agent(&self) -> &'a [u8] {
        self.header("user-agent").unwrap_or_default()
    }

    /// Whether a comma-separated header has this token, in any case.
    pub(crate) fn has_token(&self, name: &str, token: &str) -> bool {
        self.values(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|found| found.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    }

    pub(crate) fn header_names(&self) -> Option<AtMost<Text, 64>> {
        // A host may put the values of one name together: only where a name came first is known for sure.
        let first =
            |(at, (name, _)): &(usize, &(&str, &[u8]))| !self.headers[..*at].iter().any(|(other, _)| other == name);
        let names = self.headers.iter().enumerate().take(MAX_NAMES).filter(first);
        self.headers_in_order.then(|| AtMost::first(names.filter_map(|(_, (name, _))| Text::try_from(*name).ok())))
    }

    pub(crate) fn browser_headers(&self) -> BrowserHeaders {
        let value = |name| self.header(name).map(text);
        BrowserHeaders {
            user_agent: value("user-agent"),
            accept_language: value("accept-language"),
            sec_ch_ua: value("sec-ch-ua"),
            sec_ch_ua_platform: value("sec-ch-ua-platform"),
            sec_ch_ua_mobile: value("sec-ch-ua-mobile"),
            sec_fetch_site: value("sec-fetch-site"),
            sec_fetch_mode: value("sec-fetch-mode"),
        }
    }
}

impl fmt::Debug for Observation<'_> {
    /// Nothing of the visitor.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observation").field("method", &self.method).finish_non_exhaustive()
    }
}

/// The bytes as a text, cut at its limit.
pub(crate) fn text(bytes: &[u8]) -> Text {
    let lossy = String::from_utf8_lossy(bytes);
    let cut = lossy.floor_char_boundary(Text::MAX_LEN.min(lossy.len()));
    lossy[..cut].try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_of_a_visitor_is_printed() {
        let seen = Observation { method: "GET", path: "/secret", query: Some("secret"), ..Default::default() };
        assert!(!format!("{seen:?}").contains("secret"));
    }

    #[test]
    fn a_name_stands_once_where_it_came_first() {
        let headers = vec![("cookie", &b"a"[..]), ("accept", b"b"), ("cookie", b"c")];
        let mut seen = Observation { headers, headers_in_order: true, ..Default::default() };
        let names = seen.header_names().unwrap();
        assert_eq!(names.as_slice().iter().map(Text::as_str).collect::<Vec<_>>(), ["cookie", "accept"]);
        seen.headers_in_order = false;
        assert!(seen.header_names().is_none());
    }

    #[test]
    fn tokens_are_found_in_any_value_and_case() {
        let headers = vec![("connection", &b"keep-alive"[..]), ("connection", b"foo, Upgrade")];
        let seen = Observation { headers, ..Default::default() };
        assert!(seen.has_token("connection", "upgrade"));
        assert!(!seen.has_token("connection", "grade"));
    }

    proptest! {
        #[test]
        fn any_bytes_become_a_text_within_the_limit(bytes in prop::collection::vec(any::<u8>(), 0..1200)) {
            prop_assert!(text(&bytes).as_str().len() <= Text::MAX_LEN);
        }
    }
}
