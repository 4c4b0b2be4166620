//! Which paths are the edge's own. Everything else is the partner's.

use octet::challenge::ChallengeId;
use octet_collector_assets::Asset;

use crate::assets::{self, Naming};

/// Where the edge stands in the partner's site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Empty, or starting with a slash and not ending with one.
    prefix: Box<str>,
    /// What the names of the collector's files begin with.
    collector: Box<str>,
    /// Whether the routes stand at the root of the site too.
    at_root: bool,
}

/// The text cannot be a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the prefix is a path such as /octet, of letters, digits and / . _ ~ -, at most 128 characters")]
pub(crate) struct InvalidPrefix;

/// The text cannot be the name of the collector's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the collector's files are named by 1 to 64 of A-Z a-z 0-9 _ -, without an extension")]
pub(crate) struct InvalidName;

impl Default for Mount {
    fn default() -> Self {
        Self { prefix: "/octet".into(), collector: octet_collector_assets::BASE_NAME.into(), at_root: false }
    }
}

impl Mount {
    /// The path under which the edge's routes stand.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The name under which this file is served, of those that it has.
    pub(crate) fn file_name(&self, name: &str) -> String {
        format!("{}{}", self.collector, assets::extension(name))
    }

    pub(crate) fn at(self, prefix: &str) -> Result<Self, InvalidPrefix> {
        let path = prefix.strip_suffix('/').unwrap_or(prefix);
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/._~-".contains(&byte);
        let sound = path.is_empty() || (path.starts_with('/') && !path.ends_with('/') && !path.contains("//"));
        let up = path.split('/').any(|segment| segment == "." || segment == "..");
        if sound && !up && path.len() <= 128 && path.bytes().all(allowed) {
            Ok(Self { prefix: path.into(), ..self })
        } else {
            Err(InvalidPrefix)
        }
    }

    pub(crate) fn named(self, collector: &str) -> Result<Self, InvalidName> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (1..=64).contains(&collector.len()) && collector.bytes().all(allowed) {
            Ok(Self { collector: collector.into(), ..self })
        } else {
            Err(InvalidName)
        }
    }

    /// The same with the routes at the root of the site too, where nothing else is served.
    pub(crate) fn also_at_root(self) -> Self {
        Self { at_root: true, ..self }
    }

    /// The edge's own route at this path; one comparison for a path outside the prefix.
    #[inline]
    pub(crate) fn route(&self, path: &str) -> Option<Route> {
        let under_prefix = path.strip_prefix(&*self.prefix).and_then(|tail| self.own(tail));
        under_prefix.or_else(|| if self.at_root { self.own(path) } else { None }).map(Route)
    }

    fn own(&self, tail: &str) -> Option<Kind> {
        match tail {
            "/v1/signals" => Some(Kind::Signals),
            "/v1/assess" => Some(Kind::Assess),
            "/v1/challenge" => Some(Kind::Challenge),
            "/v1/ws" => Some(Kind::Channel),
            "/healthz" => Some(Kind::Health),
            _ if tail.starts_with("/v1/challenge/") && challenge_id(tail).is_some() => Some(Kind::ChallengeAnswer),
            _ => {
                let (asset, naming) = assets::find(tail.strip_prefix('/')?.strip_prefix(&*self.collector)?)?;
                Some(Kind::Asset(asset, naming))
            }
        }
    }
}

/// The challenge that the path names at its end, wherever the routes stand.
pub(crate) fn challenge_id(path: &str) -> Option<ChallengeId> {
    let (_, id) = path.split_once("/v1/challenge/")?;
    id.parse().ok()
}

/// A path of the edge itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route(pub(crate) Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Signals,
    Assess,
    Challenge,
    ChallengeAnswer,
    Channel,
    Health,
    Asset(&'static Asset, Naming),
}

impl Kind {
    /// The methods that it takes, besides `OPTIONS`.
    pub(crate) const fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Signals | Self::Assess | Self::Challenge | Self::ChallengeAnswer => &["POST"],
            // By a stream of HTTP/2.
            Self::Channel => &["GET", "CONNECT"],
            Self::Health | Self::Asset(..) => &["GET", "HEAD"],
        }
    }

    /// The value of `Allow`.
    pub(crate) const fn allow(self) -> &'static str {
        match self {
            Self::Signals | Self::Assess | Self::Challenge | Self::ChallengeAnswer => "POST, OPTIONS",
            Self::Channel => "GET, OPTIONS",
            Self::Health | Self::Asset(..) => "GET, HEAD, OPTIONS",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(mount: &Mount, path: &str) -> Option<Kind> {
        mount.route(path).map(|Route(kind)| kind)
    }

    #[test]
    fn a_prefix_is_a_plain_path() {
        for (text, expected) in
            [("/octet", "/octet"), ("/a/b/", "/a/b"), ("/", ""), ("", ""), ("/.well-known", "/.well-known")]
        {
            assert_eq!(Mount::default().at(text).map(|mount| mount.prefix().to_owned()), Ok(expected.to_owned()));
        }
        for bad in ["octet", "/a b", "//", "//x", "/a//", "/a//b", "/../x", "/a\"b", "/a?b", "https://x"] {
            assert!(Mount::default().at(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_not_the_edges_is_the_partners() {
        let mount = Mount::default();
        assert_eq!(kind(&mount, "/octet/v1/signals"), Some(Kind::Signals));
        assert!(kind(&mount, "/octet/octet-collector.wasm").is_some());
        assert_eq!(kind(&mount, "/octet/v1/challenge/ch_1"), Some(Kind::ChallengeAnswer));
        for other in [
            "",
            "/",
            "/v1",
            "/v1/signals/",
            "/v1/challenge/",
            "/v1/challenge/a/b",
            "/x/v1/challenge/a",
            "/v1/other",
            "/healthz/x",
            "/octet-collector.unknown.js",
            "x/healthz",
        ] {
            assert_eq!(kind(&mount, &format!("/octet{other}")), None, "{other}");
        }
        assert_eq!(kind(&mount, "/healthz"), None);
        assert_eq!(kind(&mount.clone().at("/").unwrap(), "/healthz"), Some(Kind::Health));
        let both = mount.also_at_root();
        assert_eq!(kind(&both, "/healthz"), Some(Kind::Health));
        assert_eq!(kind(&both, "/octet/healthz"), Some(Kind::Health));
    }

    #[test]
    fn the_collectors_files_go_by_the_name_that_they_are_given() {
        let mount = Mount::default().named("app").unwrap();
        for asset in octet_collector_assets::assets() {
            for name in [asset.name, asset.hashed_name] {
                let served = mount.file_name(name);
                assert!(served.starts_with("app.") && kind(&mount, &format!("/octet/{served}")).is_some(), "{served}");
                assert_eq!(kind(&mount, &format!("/octet/{name}")), None);
            }
        }
        for bad in ["", "a.b", "a/b", "a b", "a\"", &"x".repeat(65)] {
            assert!(Mount::default().named(bad).is_err(), "{bad}");
        }
    }
}
