//! The codes of subdivisions that are in use, and what each is a part of, as CLDR has them. It knows no land.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use octet::region::SubdivisionCode;
use serde::Deserialize;

use crate::data::Inputs;

/// Which codes there are.
#[derive(Debug)]
pub(super) struct Codes {
    /// Each code, with the country (`DE`) or the code (`gbeng`) that contains it.
    containers: BTreeMap<SubdivisionCode, String>,
    children: BTreeMap<String, BTreeSet<SubdivisionCode>>,
    replacements: BTreeMap<String, String>,
}

/// Codes that maps still have for what changed its code and nothing else, and CLDR has no alias for.
const RENAMED: [(&str, &str); 4] = [("fr75", "fr75c"), ("mxdif", "mxcmx"), ("zagt", "zagp"), ("zanl", "zakzn")];

#[derive(Debug, Deserialize)]
struct Containment {
    supplemental: ContainmentOf,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainmentOf {
    subdivision_containment: BTreeMap<String, Contains>,
}

#[derive(Debug, Deserialize)]
struct Contains {
    #[serde(rename = "_contains")]
    contains: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Aliases {
    supplemental: AliasesMetadata,
}

#[derive(Debug, Deserialize)]
struct AliasesMetadata {
    metadata: AliasesAlias,
}

#[derive(Debug, Deserialize)]
struct AliasesAlias {
    alias: AliasesOf,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AliasesOf {
    subdivision_alias: BTreeMap<String, Replacement>,
}

#[derive(Debug, Deserialize)]
struct Replacement {
    #[serde(rename = "_replacement")]
    replacement: String,
}

impl Codes {
    pub(super) fn read(inputs: &Inputs) -> Result<Self> {
        let cldr = inputs.package("cldr-core")?;
        let containment: Containment = cldr.json("supplemental/subdivisionContainment.json")?;
        let aliases: Aliases = cldr.json("supplemental/aliases.json")?;
        let mut codes = Self { containers: BTreeMap::new(), children: BTreeMap::new(), replacements: BTreeMap::new() };
        for (container, Contains { contains }) in containment.supplemental.subdivision_containment {
            for code in contains.iter().filter_map(|code| parse(code)) {
                codes.containers.insert(code, container.clone());
                codes.children.entry(container.clone()).or_default().insert(code);
            }
        }
        let aliases = aliases.supplemental.metadata.alias.subdivision_alias.into_iter();
        codes.replacements = aliases.map(|(code, replacement)| (code, replacement.replacement)).collect();
        codes.replacements.extend(RENAMED.map(|(old, new)| (old.to_owned(), new.to_owned())));
        Ok(codes)
    }

    /// The code in use for what a map has as `DE-BY`, if it is one thing still.
    pub(super) fn in_use(&self, on_map: &str) -> Option<SubdivisionCode> {
        let short = on_map.trim().replace('-', "").to_ascii_lowercase();
        let known = |short: &str| parse(short).filter(|code| self.containers.contains_key(code));
        known(&short).or_else(|| known(self.replacements.get(&short)?))
    }

    /// All codes directly beside this one, itself among them: parts of the same country, or of the same part of it.
    pub(super) fn beside(&self, code: SubdivisionCode) -> Option<&BTreeSet<SubdivisionCode>> {
        self.children.get(self.containers.get(&code)?)
    }

    /// The subdivision that this one is a part of, unless it is part of the country directly.
    pub(super) fn container(&self, code: SubdivisionCode) -> Option<SubdivisionCode> {
        self.containers.get(&code).and_then(|container| parse(container))
    }
}

/// The code that CLDR writes as `deby`.
fn parse(short: &str) -> Option<SubdivisionCode> {
    let (country, part) = short.split_at_checked(2)?;
    format!("{country}-{part}").to_ascii_uppercase().parse().ok()
}
