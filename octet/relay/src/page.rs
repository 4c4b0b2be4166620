//! What goes into a page: the session reference, and the tags that carry it. Renders HTML that is safe to put
//! into any page, and no inline script.

use std::fmt;
use std::sync::Arc;

use octet::{Profile, SessionRef};

use crate::routes::Mount;

/// One page view: its session reference and where its collector is served.
#[derive(Debug, Clone)]
pub struct PageSession {
    pub(crate) session: SessionRef,
    pub(crate) mount: Arc<Mount>,
    pub(crate) profile: Profile,
    pub(crate) assess_profile: Profile,
}

impl PageSession {
    /// The reference, to be kept until the backend asks for the verdict.
    #[must_use]
    pub const fn session_ref(&self) -> &SessionRef {
        &self.session
    }

    /// The tag that loads and starts the collector; it holds no inline code, so a strict policy can stand.
    #[must_use]
    pub const fn script_tag(&self) -> ScriptTag<'_> {
        ScriptTag { page: self, nonce: None }
    }

    /// `<input type="hidden" name="octet" value="…">`, which brings the reference back with a form.
    #[must_use]
    pub const fn hidden_input(&self) -> HiddenInput<'_> {
        HiddenInput { page: self }
    }
}

/// The collector's tag, rendered by `Display`.
///
/// ```
/// # fn tag(page: &octet_relay::PageSession) -> String {
/// format!("<body>…{}</body>", page.script_tag().nonce("2726c7f26c"))
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ScriptTag<'a> {
    page: &'a PageSession,
    nonce: Option<&'a str>,
}

impl<'a> ScriptTag<'a> {
    /// The same with the nonce of the page's Content-Security-Policy.
    #[must_use]
    pub const fn nonce(mut self, nonce: &'a str) -> Self {
        self.nonce = Some(nonce);
        self
    }
}

impl fmt::Display for ScriptTag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(script) = octet_collector_assets::asset("octet-collector.js") else { return Ok(()) };
        let PageSession { session, mount, profile, assess_profile } = self.page;
        let (prefix, file, integrity) = (mount.prefix(), mount.file_name(script.hashed_name), script.integrity);
        write!(f, r#"<script async src="{prefix}/{file}" integrity="{integrity}" crossorigin="anonymous""#)?;
        if let Some(nonce) = self.nonce {
            write!(f, r#" nonce="{}""#, Escaped(nonce))?;
        }
        let session = session.as_str();
        // At the root the prefix is empty, and an empty URL is the page's own.
        let api = if prefix.is_empty() { "/" } else { prefix };
        write!(f, r#" data-octet-ref="{session}" data-octet-api="{api}" data-octet-profile="{profile}""#)?;
        write!(f, r#" data-assess-profile="{assess_profile}"></script>"#)
    }
}

/// The hidden field of a form, rendered by `Display`.
#[derive(Debug, Clone, Copy)]
pub struct HiddenInput<'a> {
    page: &'a PageSession,
}

impl fmt::Display for HiddenInput<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"<input type="hidden" name="octet" value="{}">"#, self.page.session.as_str())
    }
}

/// A text inside a quoted attribute.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '"' => f.write_str("&quot;"),
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            _ => write!(f, "{character}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> PageSession {
        PageSession {
            session: "os1_abc".parse().unwrap(),
            mount: Arc::default(),
            profile: Profile::Standard,
            assess_profile: Profile::Full,
        }
    }

    #[test]
    fn the_tag_carries_reference_integrity_and_profile_and_no_inline_code() {
        let tag = page().script_tag().to_string();
        for part in [r#"src="/octet/octet-collector."#, r#"integrity="sha384-"#, r#"crossorigin="anonymous""#] {
            assert!(tag.contains(part), "{tag}");
        }
        let data = r#" data-octet-ref="os1_abc" data-octet-api="/octet" data-octet-profile="standard" data-assess-profile="full"></script>"#;
        assert!(tag.ends_with(data), "{tag}");
        assert!(!tag.contains("nonce"));
    }

    #[test]
    fn at_the_root_the_tag_leads_to_the_root() {
        let mount = Arc::new(crate::routes::Mount::default().at("/").unwrap());
        let tag = PageSession { mount, ..page() }.script_tag().to_string();
        assert!(tag.contains(r#"src="/octet-collector."#) && tag.contains(r#" data-octet-api="/" "#), "{tag}");
    }

    #[test]
    fn a_nonce_cannot_break_out_of_its_attribute() {
        let tag = page().script_tag().nonce(r#""><script>"#).to_string();
        assert!(tag.contains(r#" nonce="&quot;&gt;&lt;script&gt;""#), "{tag}");
    }

    #[test]
    fn a_form_brings_the_reference_back() {
        assert_eq!(page().hidden_input().to_string(), r#"<input type="hidden" name="octet" value="os1_abc">"#);
    }
}
