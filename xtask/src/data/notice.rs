//! NOTICE's section about the reference data, from the engine's list of sources.

use anyhow::Result;
use octet_engine::world::{ATTRIBUTION, Registry};

use super::Inputs;

const HEADING: &str = "## Reference data";

/// Packages whose licences ask for their own words to be passed on, and where those stand.
const LICENCES: [(&str, &str); 4] = [
    ("world-atlas", "LICENSE"),
    ("@rapideditor/country-coder", "LICENSE.md"),
    ("us-atlas", "LICENSE"),
    ("cldr-core", "LICENSE"),
];

/// The text with its section about reference data made anew.
pub(super) fn build(inputs: &Inputs, notice: &str) -> Result<String> {
    let mut licences = Vec::new();
    for (package, path) in LICENCES {
        licences.push((package, inputs.package(package)?.text(path)?));
    }
    Ok(with_sources(notice, &licences))
}

/// The text with the section made anew; what stands before and after it stays.
fn with_sources(notice: &str, licences: &[(&str, String)]) -> String {
    let (before, rest) = notice.split_once(HEADING).unwrap_or((notice, ""));
    let after = rest.find("\n## ").map_or("", |start| &rest[start + 1..]);
    let before = if before.trim().is_empty() { INTRODUCTION } else { before };
    let mut text = format!("{}\n\n{HEADING}\n\n{PREAMBLE}\n", before.trim_end());
    text.push_str("| what | package | version | licence | attribution |\n| --- | --- | --- | --- | --- |\n");
    for source in ATTRIBUTION {
        let registry = match source.registry {
            Registry::Npm => "npm",
            Registry::PyPi => "PyPI",
        };
        text.push_str(&format!(
            "| {} | {registry} `{}` | {} | {} | [{}]({}) |\n",
            source.provides, source.package, source.version, source.licence, source.attribution, source.link
        ));
    }
    for (package, licence) in licences {
        text.push_str(&format!("\n### Licence of `{package}`\n\n"));
        for line in licence.trim().lines() {
            text.push_str(&format!("{}\n", format!("    {}", line.trim_end()).trim_end()));
        }
    }
    if !after.is_empty() {
        text.push('\n');
        text.push_str(after);
    }
    text
}

const INTRODUCTION: &str = "# Notice\n\nOctet is licensed under MIT or Apache-2.0, at your choice. It contains \
                            material of others, named here.";

const PREAMBLE: &str = "The tables under `octet/engine/data` are made of these packages by `cargo xtask data`: selected, \
                        merged, rounded and packed, so they differ from what their makers publish. Pages that show \
                        results derived from DB-IP's data link to it, as below. The service answers `GET /attribution` \
                        with the same list. Full texts: CC-BY-4.0 at \
                        <https://creativecommons.org/licenses/by/4.0/legalcode>, CC0-1.0 at \
                        <https://creativecommons.org/publicdomain/zero/1.0/legalcode>, Unicode-3.0 at \
                        <https://www.unicode.org/license.txt>.\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn making_the_section_twice_changes_nothing_and_keeps_the_others() {
        let licences = [("package", "## Terms\n\nAs is.".to_owned())];
        let section = |notice: &str| with_sources(notice, &licences);
        let once = section("# Notice\n\n## Before\n\na\n\n## Reference data\n\nold\n\n## After\n\nb\n");
        assert!(once.contains("## Before") && once.contains("## After\n\nb\n") && !once.contains("old"));
        assert_eq!(section(&once), once);
        let fresh = section("");
        assert_eq!(section(&fresh), fresh);
        assert!(fresh.contains("[IP Geolocation by DB-IP](https://db-ip.com)") && fresh.contains("    As is."));
    }
}
