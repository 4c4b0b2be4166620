//! Serves the collector's files: the right encoding, cacheable for ever under the hashed name. Knows nothing of
//! what is in them.

use std::borrow::Cow;

use bytes::Bytes;
use octet_collector_assets::Asset;

use crate::{Answer, Observation};

/// By which of its names a file was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// The stable name: to be revalidated.
    Stable,
    /// The name with the content's hash: never changes.
    Hashed,
    /// The name with the hash of another release's file: a page that was open while the edge was renewed loads its late
    /// parts so. It gets today's, which nobody may keep under that name.
    Elsewhen,
}

/// The file whose name ends so, behind what the names of all files begin with.
pub(crate) fn find(ending: &str) -> Option<(&'static Asset, Naming)> {
    octet_collector_assets::assets().iter().find_map(|asset| match ending {
        _ if ending == extension(asset.name) => Some((asset, Naming::Stable)),
        _ if ending == extension(asset.hashed_name) => Some((asset, Naming::Hashed)),
        _ if without_hash(ending) == Some(extension(asset.name)) => Some((asset, Naming::Elsewhen)),
        _ => None,
    })
}

/// The ending without the hash that it begins with: 16 hexadecimal digits behind a dot.
fn without_hash(ending: &str) -> Option<&str> {
    let (hash, rest) = ending.strip_prefix('.')?.split_at_checked(16)?;
    hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).then_some(rest)
}

/// What tells this file's name from those of the others.
pub(crate) fn extension(name: &str) -> &str {
    name.strip_prefix(octet_collector_assets::BASE_NAME).unwrap_or(name)
}

/// The answer to a `GET` or `HEAD`; `cross_origin` where pages of other origins may load it.
pub(crate) fn answer(asset: &'static Asset, naming: Naming, cross_origin: bool, seen: &Observation<'_>) -> Answer {
    let encoding = choose(seen.values("accept-encoding"), |encoding| !encoding.content(asset).is_empty());
    let etag = encoding.etag(asset);
    let cache = match naming {
        Naming::Hashed => "public, max-age=31536000, immutable",
        Naming::Stable => "no-cache",
        Naming::Elsewhen => "no-store",
    };
    let unchanged = is_unchanged(seen, &etag);
    let mut answer = Answer::new(if unchanged { 304 } else { 200 })
        .header("cache-control", cache)
        .header("etag", etag)
        .header("vary", if cross_origin { "accept-encoding, origin" } else { "accept-encoding" })
        .header("cross-origin-resource-policy", if cross_origin { "cross-origin" } else { "same-origin" })
        .header("x-content-type-options", "nosniff");
    if unchanged {
        return answer;
    }
    let content = encoding.content(asset);
    answer = answer.header("content-type", asset.media_type).header("content-length", content.len().to_string());
    if let Some(name) = encoding.name() {
        answer = answer.header("content-encoding", name);
    }
    if seen.method != "HEAD" {
        answer.body = Bytes::from_static(content);
    }
    answer
}

/// Whether the browser holds the file already (RFC 9110, section 13.1.2).
fn is_unchanged(seen: &Observation<'_>, etag: &str) -> bool {
    seen.values("if-none-match").flat_map(|value| value.split(|byte| *byte == b',')).any(|known| {
        let known = known.trim_ascii();
        known == b"*" || known.strip_prefix(b"W/").unwrap_or(known) == etag.as_bytes()
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    const fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    const fn content(self, asset: &'static Asset) -> &'static [u8] {
        match self {
            Self::Brotli => asset.brotli,
            Self::Gzip => asset.gzip,
            Self::Identity => asset.plain,
        }
    }

    /// A strong validator names one encoding only.
    fn etag(self, asset: &'static Asset) -> Cow<'static, str> {
        match (self.name(), asset.etag.strip_suffix('"')) {
            (Some(name), Some(open)) => format!("{open}-{name}\"").into(),
            _ => asset.etag.into(),
        }
    }
}

/// The encoding that the browser likes best, and of two that it likes alike the smaller (RFC 9110, section
/// 12.5.3). A browser that refuses all is sent the plain file: better than none.
fn choose<'a>(accepted: impl Iterator<Item = &'a [u8]>, has: impl Fn(Encoding) -> bool) -> Encoding {
    let mut named = [None; 3];
    let mut other = None;
    for item in accepted.flat_map(|value| value.split(|byte| *byte == b',')) {
        let mut parts = item.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let coding = parts.next().unwrap_or_default();
        let quality = parts.find_map(quality).unwrap_or(1000);
        if coding.eq_ignore_ascii_case(b"br") {
            named[0] = Some(quality);
        } else if coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip") {
            named[1] = Some(quality);
        } else if coding.eq_ignore_ascii_case(b"identity") {
            named[2] = Some(quality);
        } else if coding == b"*" {
            other = Some(quality);
        }
    }
    // Unless named, a coding is not accepted, but for the plain file.
    let quality = |index: usize, default| named[index].or(other).unwrap_or(default);
    [(Encoding::Brotli, quality(0, 0)), (Encoding::Gzip, quality(1, 0)), (Encoding::Identity, named[2].unwrap_or(1))]
        .into_iter()
        .filter(|(encoding, quality)| *quality > 0 && has(*encoding))
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
        .map_or(Encoding::Identity, |(encoding, _)| encoding)
}

/// The value of `q`, in thousandths; anything else is not a quality.
fn quality(parameter: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(parameter).ok()?;
    let value = text.strip_prefix(['q', 'Q'])?.trim_start().strip_prefix('=')?.trim_start();
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths = format!("{fraction:0<3}").parse::<u16>().ok().filter(|_| digits)?;
    match whole {
        "0" => Some(thousandths),
        "1" => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    static FILE: Asset = Asset {
        name: "octet-collector.js",
        hashed_name: "octet-collector.0123.js",
        media_type: "text/javascript; charset=utf-8",
        etag: "\"0123\"",
        integrity: "sha384-x",
        plain: b"plain text",
        brotli: b"br",
        gzip: b"gzip",
    };

    fn get(headers: &[(&'static str, &'static str)]) -> Answer {
        let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        answer(&FILE, Naming::Hashed, false, &Observation { method: "GET", headers, ..Default::default() })
    }

    fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
        answer.headers.iter().find(|(other, _)| *other == name).map(|(_, value)| &**value)
    }

    #[test]
    fn the_encoding_that_the_browser_likes_best_is_served() {
        for (accepts, expected) in [
            ("gzip, deflate, br, zstd", Some("br")),
            ("gzip;q=1.0, br;q=0.5", Some("gzip")),
            ("GZIP", Some("gzip")),
            ("br;q=0, gzip;q=0.001", Some("gzip")),
            ("*", Some("br")),
            ("*;q=0.5, br;q=0", Some("gzip")),
            ("identity, br;q=0.5", None),
            ("deflate", None),
            ("identity;q=0", None),
            ("br;q=garbage", Some("br")),
            ("", None),
        ] {
            let answer = get(&[("accept-encoding", accepts)]);
            assert_eq!(header(&answer, "content-encoding"), expected, "{accepts}");
        }
        assert_eq!(header(&get(&[]), "content-encoding"), None);
    }

    #[test]
    fn what_the_browser_holds_is_not_sent_again_and_each_encoding_has_its_own_validator() {
        let first = get(&[("accept-encoding", "br")]);
        assert_eq!(header(&first, "etag"), Some("\"0123-br\""));
        for known in ["\"0123-br\"", "W/\"0123-br\"", "\"x\", \"0123-br\"", "*"] {
            let again = get(&[("accept-encoding", "br"), ("if-none-match", known)]);
            assert_eq!((again.status, again.body.len()), (304, 0), "{known}");
            assert_eq!(header(&again, "etag"), Some("\"0123-br\""));
        }
        assert_eq!(get(&[("accept-encoding", "gzip"), ("if-none-match", "\"0123-br\"")]).status, 200);
    }

    #[test]
    fn a_head_has_the_headers_and_no_body() {
        let answer = answer(&FILE, Naming::Stable, true, &Observation { method: "HEAD", ..Default::default() });
        assert_eq!(header(&answer, "content-length"), Some("10"));
        assert_eq!(header(&answer, "cache-control"), Some("no-cache"));
        assert_eq!(header(&answer, "cross-origin-resource-policy"), Some("cross-origin"));
        assert!(answer.body.is_empty());
    }

    #[test]
    fn every_file_is_found_by_both_names_and_no_other() {
        for asset in octet_collector_assets::assets() {
            assert_eq!(find(extension(asset.name)), Some((asset, Naming::Stable)));
            assert_eq!(find(extension(asset.hashed_name)), Some((asset, Naming::Hashed)));
        }
        for other in [".js.map", ".0123456789abcdef.map", ".0123456789abcdeg.js", ".0123.js", ".0123456789abcdeé.js"] {
            assert_eq!(find(other), None, "{other}");
        }
    }

    #[test]
    fn a_late_part_of_another_release_is_todays_and_nobody_keeps_it() {
        let (asset, naming) = find(".0123456789abcdef.assess.mjs").unwrap();
        assert_eq!((asset.name, naming), ("octet-collector.assess.mjs", Naming::Elsewhen));
        let answer = answer(asset, naming, false, &Observation { method: "GET", ..Default::default() });
        assert_eq!((answer.status, header(&answer, "cache-control")), (200, Some("no-store")));
    }

    proptest! {
        #[test]
        fn no_header_makes_the_choice_fail(value: Vec<u8>) {
            choose(std::iter::once(&*value), |_| true);
        }
    }
}
