//! The trusted-proxy walk: whose address a request came from, given which proxies are believed. Reads exactly
//! one header; every other forwarding header changes nothing.
//!
//! From the right, each hop that a trusted proxy wrote is taken off; the first hop that is not itself trusted
//! is the visitor. What stands left of it came from the visitor and means nothing. For `forwarded` the hops
//! are the `for` parameters of RFC 7239; for any other name the header is a comma-separated list of addresses,
//! as `X-Forwarded-For` is, or one address, as `X-Real-IP` is.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::network::plain;

/// How many hops are walked at most.
const MAX_HOPS: usize = 32;

/// Which proxies are believed, and which header they write.
#[derive(Debug, Clone)]
pub(crate) struct TrustedProxies {
    ranges: Box<[IpNet]>,
    header: Box<str>,
}

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client {
    /// The visitor's address; `None` where a trusted proxy hid it.
    pub(crate) ip: Option<IpAddr>,
    /// Whether the connection is a trusted proxy's and not the visitor's.
    pub(crate) forwarded: bool,
}

impl Default for TrustedProxies {
    /// Nobody is believed.
    fn default() -> Self {
        Self::new(Vec::new(), "x-forwarded-for")
    }
}

impl TrustedProxies {
    /// Believes the header `header`, a lower-case name, from peers in `ranges`.
    pub(crate) fn new(ranges: Vec<IpNet>, header: &str) -> Self {
        Self { ranges: ranges.into(), header: header.into() }
    }

    /// The name of the one header, in lower case.
    pub(crate) fn header(&self) -> &str {
        &self.header
    }

    /// Where a request of `peer` came from; `values` are the header's values in the order in which they came.
    pub(crate) fn client<'a>(&self, peer: IpAddr, values: impl DoubleEndedIterator<Item = &'a [u8]>) -> Client {
        let peer = plain(peer);
        if !self.trusts(peer) {
            return Client { ip: Some(peer), forwarded: false };
        }
        let mut last = Client { ip: Some(peer), forwarded: false };
        let mut left = MAX_HOPS;
        for value in values.rev() {
            for hop in self.hops(&String::from_utf8_lossy(value)).into_iter().rev() {
                match hop {
                    Some(ip) if self.trusts(ip) && left > 0 => last = Client { ip: Some(ip), forwarded: true },
                    ip => return Client { ip: ip.filter(|_| left > 0), forwarded: true },
                }
                left -= 1;
            }
        }
        last
    }

    pub(crate) fn trusts(&self, ip: IpAddr) -> bool {
        self.ranges.iter().any(|range| range.contains(&ip))
    }

    /// The hops of one value, from left to right; `None` for an element that names no address.
    fn hops(&self, value: &str) -> Vec<Option<IpAddr>> {
        let standard = &*self.header == "forwarded";
        let elements = if standard { split_unquoted(value, ',') } else { value.split(',').collect() };
        let elements = elements.into_iter().map(str::trim).filter(|element| !element.is_empty());
        elements
            .map(|element| if standard { for_parameter(element).and_then(node) } else { address(element) })
            .collect()
    }
}

/// The value of the `for` parameter of one element of RFC 7239, without its quotes.
fn for_parameter(element: &str) -> Option<&str> {
    let (_, value) = split_unquoted(element, ';')
        .into_iter()
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    let value = value.trim();
    // No address needs an escaped character inside its quotes; an element with one names no address.
    match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"').filter(|inner| !inner.contains(['"', '\\'])),
        None => Some(value),
    }
}

/// Splits at `separator` where it stands outside of quoted strings, as read from the right: what the last proxy wrote
/// is whole, and no string that a visitor opens and never closes changes where it begins.
fn split_unquoted(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut end, mut quoted) = (Vec::new(), text.len(), false);
    for (at, character) in text.char_indices().rev() {
        match character {
            '"' if !(quoted && is_escaped(&text[..at])) => quoted = !quoted,
            _ if character == separator && !quoted => {
                parts.push(&text[at + character.len_utf8()..end]);
                end = at;
            }
            _ => {}
        }
    }
    parts.push(&text[..end]);
    parts.reverse();
    parts
}

/// Whether the character that follows is part of a quoted string: an odd number of backslashes stands before it.
fn is_escaped(before: &str) -> bool {
    before.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// The address of a node, whose port may have a name in its place (RFC 7239, section 6).
fn node(text: &str) -> Option<IpAddr> {
    address(text.rsplit_once(":_").map_or(text, |(address, _)| address))
}

/// An address with or without a port, an IPv6 address with or without brackets.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = || hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop).parse().ok();
    let ip = bare().or_else(|| hop.parse::<SocketAddr>().ok().map(|with_port| with_port.ip()));
    ip.map(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trusting(ranges: &[&str], header: &str) -> TrustedProxies {
        TrustedProxies::new(ranges.iter().map(|range| range.parse().unwrap()).collect(), header)
    }

    fn walk(proxies: &TrustedProxies, peer: &str, values: &[&str]) -> (Option<String>, bool) {
        let client = proxies.client(peer.parse().unwrap(), values.iter().map(|value| value.as_bytes()));
        (client.ip.map(|ip| ip.to_string()), client.forwarded)
    }

    fn visitor(ip: &str, forwarded: bool) -> (Option<String>, bool) {
        (Some(ip.to_owned()), forwarded)
    }

    #[test]
    fn a_peer_that_is_not_trusted_is_the_visitor_whatever_it_says() {
        let none = TrustedProxies::default();
        assert_eq!(walk(&none, "192.0.2.1", &["198.51.100.9"]), visitor("192.0.2.1", false));
        let some = trusting(&["10.0.0.0/8"], "x-forwarded-for");
        assert_eq!(walk(&some, "192.0.2.1", &["10.0.0.1"]), visitor("192.0.2.1", false));
    }

    #[test]
    fn the_rightmost_untrusted_hop_is_the_visitor() {
        let proxies = trusting(&["10.0.0.0/8", "2001:db8::/32"], "x-forwarded-for");
        for (values, expected) in [
            (&["6.6.6.6, 198.51.100.9, 10.0.0.7"][..], "198.51.100.9"),
            (&["6.6.6.6", "198.51.100.9", "10.0.0.7, 2001:db8::1"], "198.51.100.9"),
            (&["198.51.100.9:4711, [2001:db8::1]:80"], "198.51.100.9"),
            (&["[2001:dead::9]"], "2001:dead::9"),
            (&["::ffff:198.51.100.9, ::ffff:10.0.0.7"], "198.51.100.9"),
        ] {
            assert_eq!(walk(&proxies, "::ffff:10.0.0.1", values), visitor(expected, true), "{values:?}");
        }
    }

    #[test]
    fn a_visitor_inside_the_trusted_ranges_is_the_leftmost_hop() {
        let proxies = trusting(&["10.0.0.0/8"], "x-forwarded-for");
        assert_eq!(walk(&proxies, "10.0.0.1", &["10.0.0.9, 10.0.0.7"]), visitor("10.0.0.9", true));
        assert_eq!(walk(&proxies, "10.0.0.1", &[]), visitor("10.0.0.1", false));
        assert_eq!(walk(&proxies, "10.0.0.1", &["", " , "]), visitor("10.0.0.1", false));
    }

    #[test]
    fn a_hop_that_names_no_address_leaves_the_visitor_unknown() {
        let proxies = trusting(&["10.0.0.0/8"], "x-forwarded-for");
        for garbage in ["unknown", "198.51.100.9, unknown", "198.51.100.9, _hidden, 10.0.0.7", "999.1.1.1"] {
            assert_eq!(walk(&proxies, "10.0.0.1", &[garbage]), (None, true), "{garbage}");
        }
        let many = vec!["10.0.0.7"; 100].join(",");
        assert_eq!(walk(&proxies, "10.0.0.1", &[&many]), (None, true));
    }

    #[test]
    fn the_standard_header_is_read_with_its_quotes_and_parameters() {
        let proxies = trusting(&["10.0.0.0/8"], "forwarded");
        for (value, expected) in [
            ("for=198.51.100.9;proto=https;by=10.0.0.1", Some("198.51.100.9")),
            (r#"For="[2001:db8:cafe::17]:4711""#, Some("2001:db8:cafe::17")),
            (r#"for=6.6.6.6, for="198.51.100.9:80";host="a,b;c", for=10.0.0.2"#, Some("198.51.100.9")),
            (r#"for="198.51.100.9:_hidden""#, Some("198.51.100.9")),
            (r#"for="[2001:db8:cafe::17]:_a.b-c""#, Some("2001:db8:cafe::17")),
            (r#"x=", for=198.51.100.9;host="a, for=6.6.6.6;b""#, Some("198.51.100.9")),
            (r#"for=6.6.6.6, host="\", for=6.6.6.6;\\";for=198.51.100.9"#, Some("198.51.100.9")),
            ("for=unknown", None),
            (r#"for="198.51.100.9:_a:_b""#, None),
            ("by=10.0.0.1", None),
            (r#"for="198.51.100.9"#, None),
            (r#"for="198.51\.100.9""#, None),
        ] {
            let expected = (expected.map(str::to_owned), true);
            assert_eq!(walk(&proxies, "10.0.0.1", &[value]), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_the_walk_fail(header in "forwarded|x-forwarded-for", values in prop::collection::vec(any::<Vec<u8>>(), 0..4)) {
            let proxies = trusting(&["10.0.0.0/8"], &header);
            proxies.client("10.0.0.1".parse().unwrap(), values.iter().map(Vec::as_slice));
        }

        #[test]
        fn what_stands_left_of_the_visitor_means_nothing(
            left in r#"([ -~]|for=|["\\;,]){0,60}"#,
            visitor_hop in r#"198\.51\.100\.9|"198\.51\.100\.9:(80|_a)"(;host="([ -!#-\[\]-~]|\\["\\]){0,20}")?"#,
            one_value: bool,
        ) {
            for header in ["forwarded", "x-forwarded-for"] {
                let proxies = trusting(&["10.0.0.0/8"], header);
                let written = if header == "forwarded" { format!("for={visitor_hop}") } else { "198.51.100.9".into() };
                let joined = format!("{left}, {written}");
                let values = if one_value { vec![&*joined] } else { vec![&*left, &*written] };
                prop_assert_eq!(walk(&proxies, "10.0.0.1", &values), visitor("198.51.100.9", true));
            }
        }
    }
}
