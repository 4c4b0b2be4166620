//! What CLDR says of each territory as a whole: its people and what they make in a year. It knows no land.

use std::collections::BTreeMap;

use anyhow::Result;
use octet::CountryCode;
use serde::Deserialize;

use super::Inputs;

#[derive(Debug, Deserialize)]
struct TerritoryInfo {
    supplemental: Supplemental,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Supplemental {
    territory_info: BTreeMap<String, Territory>,
}

#[derive(Debug, Deserialize)]
struct Territory {
    #[serde(rename = "_population")]
    population: String,
    #[serde(rename = "_gdp")]
    product: Option<String>,
}

/// Each territory's population.
pub(super) fn populations(inputs: &Inputs) -> Result<BTreeMap<CountryCode, u64>> {
    read(inputs, |territory| Some(territory.population))
}

/// Each territory's gross domestic product in dollars, where it is known.
pub(super) fn products(inputs: &Inputs) -> Result<BTreeMap<CountryCode, u64>> {
    read(inputs, |territory| territory.product)
}

fn read(inputs: &Inputs, figure: fn(Territory) -> Option<String>) -> Result<BTreeMap<CountryCode, u64>> {
    let info: TerritoryInfo = inputs.package("cldr-core")?.json("supplemental/territoryInfo.json")?;
    let territories = info.supplemental.territory_info.into_iter();
    territories
        .filter_map(|(code, territory)| Some((code, figure(territory)?)))
        .map(|(code, figure)| Ok((code.parse()?, figure.parse()?)))
        .collect()
}
