//! Table `languages`: CLDR's share of each territory's people who use a language, what tags stand for which language,
//! and which countries a region of a tag names.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use octet::CountryCode;
use octet_engine::world::{Language, LanguageShare, Languages, borders, country_code, languages};
use serde::Deserialize;

use super::Inputs;
use super::archive::Package;

pub(super) fn build(inputs: &Inputs) -> Result<Vec<u8>> {
    let cldr = inputs.package("cldr-core")?;
    let likely: BTreeMap<String, String> =
        cldr.json::<Supplement<Likely>>("supplemental/likelySubtags.json")?.supplemental.tags;
    let shares = shares(&cldr)?;
    let tags: Vec<&String> = shares.keys().collect();
    let index = |tag: &str| tags.binary_search_by(|known| known.as_str().cmp(tag)).ok();
    let mut aliases: BTreeMap<String, u16> = BTreeMap::new();
    for (tag, maximal) in &likely {
        // `zh-TW` is likely `zh-Hant-TW`, and `zh-Hant` is counted apart from `zh`.
        let Some((language, script)) = language_and_script(maximal) else { continue };
        let meant = index(&format!("{language}-{script}")).or_else(|| index(language));
        if let (true, Some(meant), None) = (tag.starts_with(language), meant, index(tag)) {
            aliases.insert(tag.clone(), meant.try_into()?);
        }
    }
    // A script that is written out and is the language's own: `sr-Cyrl` is counted as `sr`.
    for tag in &tags {
        if let (false, Some((_, script))) =
            (tag.contains('-'), likely.get(*tag).and_then(|tag| language_and_script(tag)))
        {
            let meant = index(tag).context("a tag of its own list")?;
            aliases.entry(format!("{tag}-{script}")).or_insert(meant.try_into()?);
        }
    }
    let replaced: Supplement<Metadata> = cldr.json("supplemental/aliases.json")?;
    for (alias, replacement) in replaced.supplemental.metadata.alias.language_alias {
        let tag = replacement.replacement.replace('_', "-");
        let meant = index(&tag).or_else(|| aliases.get(&tag).map(|&index| index.into()));
        if let (Some(meant), None) = (meant, index(&alias)) {
            aliases.insert(alias, meant.try_into()?);
        }
    }
    aliases.insert(BOKMAL.to_owned(), index(NORWEGIAN).context("Norwegian is counted")?.try_into()?);
    let aliases = aliases.into_iter().collect();
    let countries: BTreeSet<CountryCode> =
        borders::decode(&inputs.table("borders")?)?.iter().map(|country| country.code).collect();
    let regions = regions(&cldr, &countries)?;
    let all = shares
        .into_iter()
        .map(|(tag, shares)| {
            let likely_country = likely.get(&tag).and_then(|maximal| country_code(maximal.rsplit('-').next()?));
            Language { tag, likely_country, shares }
        })
        .collect();
    Ok(languages::encode(&Languages { all, aliases, regions })?)
}

#[derive(Debug, Deserialize)]
struct Supplement<T> {
    supplemental: T,
}

#[derive(Debug, Deserialize)]
struct Likely {
    #[serde(rename = "likelySubtags")]
    tags: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    metadata: Aliases,
}

#[derive(Debug, Deserialize)]
struct Aliases {
    alias: LanguageAliases,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LanguageAliases {
    language_alias: BTreeMap<String, Replacement>,
}

#[derive(Debug, Deserialize)]
struct Replacement {
    #[serde(rename = "_replacement")]
    replacement: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Territories {
    territory_info: BTreeMap<String, Territory>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Territory {
    #[serde(default)]
    language_population: BTreeMap<String, Usage>,
}

#[derive(Debug, Deserialize)]
struct Usage {
    #[serde(rename = "_populationPercent")]
    percent: String,
    #[serde(rename = "_officialStatus")]
    official: Option<String>,
}

/// CLDR counts Norwegian both as a whole and as Bokmål, and browsers report either: one language here.
const BOKMAL: &str = "nb";
const NORWEGIAN: &str = "no";

fn shares(cldr: &Package) -> Result<BTreeMap<String, Vec<LanguageShare>>> {
    let territories: Supplement<Territories> = cldr.json("supplemental/territoryInfo.json")?;
    let mut shares: BTreeMap<String, Vec<LanguageShare>> = BTreeMap::new();
    for (code, territory) in territories.supplemental.territory_info {
        // Parts of a country with a code of their own (`IC`) are in their country's figures.
        let Some(country) = country_code(&code).filter(|country| *country == *code) else { continue };
        for (language, usage) in territory.language_population {
            let share = (usage.percent.parse::<f32>()? / 100.0).min(1.0);
            let official = usage.official.is_some();
            if share > 0.0 {
                let share = LanguageShare { country, share, likelihood: 0.0, official };
                let tag = if language == BOKMAL { NORWEGIAN.to_owned() } else { language.replace('_', "-") };
                let of_language: &mut Vec<LanguageShare> = shares.entry(tag).or_default();
                if of_language.last().is_none_or(|last| last.country != country) {
                    of_language.push(share);
                }
            }
        }
    }
    Ok(shares)
}

/// `zh-Hant-TW` is in `zh`, in `Hant`.
fn language_and_script(maximal: &str) -> Option<(&str, &str)> {
    let mut subtags = maximal.split('-');
    Some((subtags.next()?, subtags.next()?))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Containment {
    territory_containment: BTreeMap<String, Container>,
}

#[derive(Debug, Deserialize)]
struct Container {
    #[serde(rename = "_contains", default)]
    contains: Vec<String>,
}

/// Each country under its own code, and the countries of each region of the world but the whole.
fn regions(cldr: &Package, all: &BTreeSet<CountryCode>) -> Result<Vec<(String, Vec<CountryCode>)>> {
    let containment: Supplement<Containment> = cldr.json("supplemental/territoryContainment.json")?;
    let tree = containment.supplemental.territory_containment;
    let mut regions: BTreeMap<String, Vec<CountryCode>> =
        all.iter().map(|country| (country.to_string(), vec![*country])).collect();
    for region in tree.keys().filter(|region| region.bytes().all(|byte| byte.is_ascii_digit()) && *region != "001") {
        let mut countries = BTreeSet::new();
        let mut open = vec![region.as_str()];
        while let Some(part) = open.pop() {
            match tree.get(part) {
                Some(container) => open.extend(container.contains.iter().map(String::as_str)),
                None => countries.extend(country_code(part).filter(|country| all.contains(country))),
            }
        }
        regions.insert(region.clone(), countries.into_iter().collect());
    }
    Ok(regions.into_iter().collect())
}
