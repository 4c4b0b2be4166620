//! Which pages may talk to the edge. Compares origins; knows nothing of what they send.

use std::borrow::Cow;

/// The origins from which a POST or an upgrade is taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum OriginRule {
    /// The edge's own: the one whose authority is the request's `Host`.
    #[default]
    SameHost,
    /// These, as browsers write them.
    List(Box<[Box<str>]>),
    /// Every page. Not with a live licence.
    Any,
}

/// The text is no list of origins.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no origin; write scheme and host such as https://shop.example, comma-separated, without a path")]
pub(crate) struct InvalidOrigin(String);

/// What the rule says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission<'a> {
    /// The page is the edge's own.
    Same,
    /// The page's origin is another, and configured: answers name it.
    Cross(&'a str),
    /// Foreign, missing or `null`.
    Refused,
}

impl OriginRule {
    /// Reads `ALLOWED_ORIGIN`.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidOrigin> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let mut list = Vec::new();
        for entry in entries {
            if entry == "*" {
                return Ok(Self::Any);
            }
            let entry = entry.strip_suffix('/').unwrap_or(entry).to_ascii_lowercase();
            let Some((scheme, authority)) = split(&entry) else { return Err(InvalidOrigin(entry)) };
            let port = default_port(scheme);
            let shown = authority.strip_suffix(port).unwrap_or(authority);
            list.push(format!("{scheme}://{shown}").into());
        }
        if list.is_empty() { Ok(Self::SameHost) } else { Ok(Self::List(list.into())) }
    }

    /// Whether pages of other origins than the edge's own can be admitted, so that answers depend on `Origin`.
    pub(crate) const fn names_others(&self) -> bool {
        !matches!(self, Self::SameHost)
    }

    /// What the rule says of a request with this `Origin`, to this `Host`.
    pub(crate) fn admit<'a>(&self, origin: Option<&'a [u8]>, host: Option<&[u8]>) -> Admission<'a> {
        let Some(origin) = origin.and_then(|bytes| std::str::from_utf8(bytes).ok()) else { return Admission::Refused };
        let Some((scheme, authority)) = split(origin) else { return Admission::Refused };
        let listed = match self {
            Self::SameHost => false,
            Self::List(list) => list.iter().any(|entry| **entry == *origin),
            Self::Any => true,
        };
        let same = host.is_some_and(|host| same_authority(scheme, authority, host));
        match (self, same, listed) {
            (Self::SameHost, true, _) | (_, true, true) => Admission::Same,
            (_, _, true) => Admission::Cross(origin),
            _ => Admission::Refused,
        }
    }

    /// What a refused page's developer is told.
    pub(crate) const fn refusal(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::SameHost => {
                "the request's Origin must be the edge's own host; pages elsewhere, or a proxy that rewrites Host, \
                 need ALLOWED_ORIGIN"
            }
            Self::List(_) | Self::Any => "the request's Origin is none of those in ALLOWED_ORIGIN",
        })
    }
}

/// Scheme and authority of an origin; `None` for `null`, another scheme, or anything with a path.
fn split(origin: &str) -> Option<(&'static str, &str)> {
    let (scheme, authority) = ["https", "http"].into_iter().find_map(|scheme| {
        origin.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://")).map(|authority| (scheme, authority))
    })?;
    let plausible = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    (!authority.is_empty() && authority.len() <= 255 && authority.bytes().all(plausible)).then_some((scheme, authority))
}

fn default_port(scheme: &str) -> &'static str {
    if scheme == "https" { ":443" } else { ":80" }
}

/// Whether `host`, a `Host` header, is the origin's authority; the scheme's own port may be written or not.
fn same_authority(scheme: &str, authority: &str, host: &[u8]) -> bool {
    let port = default_port(scheme);
    let host = host.strip_suffix(port.as_bytes()).unwrap_or(host);
    authority.strip_suffix(port).unwrap_or(authority).as_bytes().eq_ignore_ascii_case(host)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn admit<'a>(rule: &str, origin: &'a str, host: &str) -> Admission<'a> {
        OriginRule::parse(rule).unwrap().admit(Some(origin.as_bytes()), Some(host.as_bytes()))
    }

    #[test]
    fn by_default_a_page_of_the_same_host_is_admitted_and_no_other() {
        for (origin, host) in [
            ("https://shop.example", "shop.example"),
            ("https://shop.example", "Shop.Example:443"),
            ("http://localhost:3000", "localhost:3000"),
            ("http://[::1]:3000", "[::1]:3000"),
        ] {
            assert_eq!(admit("", origin, host), Admission::Same, "{origin}");
        }
        for origin in
            ["null", "https://shop.example:8443", "https://evil.example", "file://", "https://", "shop.example"]
        {
            assert_eq!(admit("", origin, "shop.example"), Admission::Refused, "{origin}");
        }
    }

    #[test]
    fn a_missing_origin_or_host_is_refused() {
        let rule = OriginRule::default();
        assert_eq!(rule.admit(None, Some(b"shop.example")), Admission::Refused);
        assert_eq!(rule.admit(Some(b"https://shop.example"), None), Admission::Refused);
        assert_eq!(OriginRule::Any.admit(None, Some(b"shop.example")), Admission::Refused);
        assert_eq!(OriginRule::Any.admit(Some(b"null"), Some(b"shop.example")), Admission::Refused);
    }

    #[test]
    fn a_list_admits_what_is_on_it_only() {
        let rule = "https://Shop.example/, https://www.shop.example:443";
        assert_eq!(admit(rule, "https://shop.example", "edge.shop.example"), Admission::Cross("https://shop.example"));
        assert_eq!(admit(rule, "https://www.shop.example", "www.shop.example"), Admission::Same);
        assert_eq!(admit(rule, "http://shop.example", "shop.example"), Admission::Refused);
        assert_eq!(admit(rule, "https://edge.shop.example", "edge.shop.example"), Admission::Refused);
    }

    #[test]
    fn what_is_no_origin_cannot_be_configured() {
        for bad in
            ["shop.example", "https://shop.example/path", "ftp://shop.example", "https://", "null", "https://a b"]
        {
            assert!(OriginRule::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(OriginRule::parse("https://a.example, *"), Ok(OriginRule::Any));
        assert_eq!(OriginRule::parse(" , "), Ok(OriginRule::SameHost));
    }

    proptest! {
        #[test]
        fn no_two_hosts_are_one(a in "[a-z]{1,8}\\.example", b in "[a-z]{1,8}\\.example") {
            let origin = format!("https://{a}");
            prop_assert_eq!(admit("", &origin, &b) == Admission::Same, a == b);
        }

        #[test]
        fn no_origin_or_host_makes_the_rule_fail(origin: Vec<u8>, host: Vec<u8>) {
            OriginRule::default().admit(Some(&origin), Some(&host));
        }
    }
}
