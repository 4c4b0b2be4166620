//! Which paths are the edge's own. Everything else is the partner's.

use octet_collector_assets::Asset;

use crate::assets::{self, Naming};

/// The path under which the edge's routes stand; empty, or starting with a slash and not ending with one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prefix(Box<str>);

/// The text cannot be a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the prefix is a path such as /octet, of letters, digits and / . _ ~ -, at most 128 characters")]
pub(crate) struct InvalidPrefix;

impl Default for Prefix {
    fn default() -> Self {
        Self("/octet".into())
    }
}

impl Prefix {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn parse(text: &str) -> Result<Self, InvalidPrefix> {
        let path = text.strip_suffix('/').unwrap_or(text);
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/._~-".contains(&byte);
        let sound = path.is_empty() || (path.starts_with('/') && !path.contains("//"));
        let up = path.split('/').any(|segment| segment == "." || segment == "..");
        if sound && !up && path.len() <= 128 && path.bytes().all(allowed) {
            Ok(Self(path.into()))
        } else {
            Err(InvalidPrefix)
        }
    }
}

/// A path of the edge itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route(pub(crate) Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Signals,
    Channel,
    Health,
    Asset(&'static Asset, Naming),
}

impl Kind {
    /// The route at this path behind the prefix.
    pub(crate) fn at(tail: &str) -> Option<Self> {
        match tail {
            "/v1/signals" => Some(Self::Signals),
            "/v1/ws" => Some(Self::Channel),
            "/healthz" => Some(Self::Health),
            _ => assets::find(tail.strip_prefix('/')?).map(|(asset, naming)| Self::Asset(asset, naming)),
        }
    }

    /// The methods that it takes, besides `OPTIONS`.
    pub(crate) const fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Signals => &["POST"],
            Self::Channel => &["GET"],
            Self::Health | Self::Asset(..) => &["GET", "HEAD"],
        }
    }

    /// The value of `Allow`.
    pub(crate) const fn allow(self) -> &'static str {
        match self {
            Self::Signals => "POST, OPTIONS",
            Self::Channel => "GET, OPTIONS",
            Self::Health | Self::Asset(..) => "GET, HEAD, OPTIONS",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_plain_path() {
        for (text, expected) in
            [("/octet", "/octet"), ("/a/b/", "/a/b"), ("/", ""), ("", ""), ("/.well-known", "/.well-known")]
        {
            assert_eq!(Prefix::parse(text).map(|prefix| prefix.as_str().to_owned()), Ok(expected.to_owned()));
        }
        for bad in ["octet", "/a b", "//x", "/a//b", "/../x", "/a\"b", "/a?b", "https://x"] {
            assert!(Prefix::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_not_the_edges_is_the_partners() {
        assert_eq!(Kind::at("/v1/signals"), Some(Kind::Signals));
        for other in ["", "/", "/v1", "/v1/signals/", "/v1/other", "/healthz/x", "/octet-collector.unknown.js"] {
            assert_eq!(Kind::at(other), None, "{other}");
        }
    }
}
