//! Table `zones`: IANA's zones under every name that CLDR or IANA gives them, with the country of zone.tab (which keeps
//! countries apart that zone1970.tab merges), and the countries that Windows lends a zone to.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use octet::{CountryCode, LatLon};
use octet_engine::world::{Zone, Zones, country_code, zones};
use serde::Deserialize;
use serde_json::Value;

use super::Inputs;

/// Names for clocks of many countries. CLDR gives each to one city; a browser that reports one says nothing of a place.
const OF_NO_PLACE: [&str; 11] =
    ["CET", "CST6CDT", "EET", "EST", "EST5EDT", "HST", "MET", "MST", "MST7MDT", "PST8PDT", "WET"];

#[derive(Debug, Deserialize)]
struct Bcp47 {
    keyword: Keyword,
}

#[derive(Debug, Deserialize)]
struct Keyword {
    u: Extension,
}

#[derive(Debug, Deserialize)]
struct Extension {
    tz: BTreeMap<String, Value>,
}

#[derive(Debug, Deserialize)]
struct Group {
    #[serde(rename = "_alias", default)]
    alias: String,
    #[serde(rename = "_iana")]
    iana: Option<String>,
}

/// A zone in the making: its names, the preferred first.
struct Names {
    preferred: String,
    all: Vec<String>,
}

pub(super) fn build(inputs: &Inputs) -> Result<Vec<u8>> {
    let tzdata = inputs.package("tzdata")?;
    let places = places(&tzdata.text("tzdata/zoneinfo/zone.tab")?)?;
    let lent = lent_by_windows(inputs)?;
    let mut groups = cldr_groups(inputs)?;
    let known: BTreeSet<String> = groups.iter().flat_map(|group| group.all.iter().cloned()).collect();
    let iana = tzdata.text("tzdata/zones")?;
    for name in iana.lines().map(str::trim).filter(|name| !name.is_empty() && !known.contains(*name)) {
        groups.push(Names { preferred: name.to_owned(), all: vec![name.to_owned()] });
    }
    groups.sort_by(|a, b| a.preferred.cmp(&b.preferred));
    let mut zones = Zones::default();
    for group in groups {
        let index: u16 = zones.all.len().try_into()?;
        let place = group.all.iter().find_map(|name| places.get(name));
        let also: BTreeSet<CountryCode> = group.all.iter().flat_map(|name| lent.get(name)).flatten().copied().collect();
        let country = place.map(|(country, _)| *country);
        let also = also.into_iter().filter(|lent| country.is_some() && Some(*lent) != country).collect();
        zones.all.push(Zone { name: group.preferred, country, also, place: place.map(|(_, place)| *place) });
        zones.names.extend(group.all.into_iter().map(|name| (name, index)));
    }
    zones.names.sort();
    let distinct = zones.names.windows(2).all(|pair| pair[0].0 != pair[1].0);
    ensure!(distinct, "two zones go by the same name");
    Ok(zones::encode(&zones)?)
}

/// CLDR's groups of names for the same zone.
fn cldr_groups(inputs: &Inputs) -> Result<Vec<Names>> {
    let bcp47: Bcp47 = inputs.package("cldr-bcp47")?.json("bcp47/timezone.json")?;
    let mut groups = Vec::new();
    for (code, value) in bcp47.keyword.u.tz.into_iter().filter(|(code, _)| !code.starts_with('_')) {
        let group: Group = serde_json::from_value(value).with_context(|| format!("zone {code}"))?;
        let (apart, all): (Vec<_>, Vec<_>) =
            group.alias.split_whitespace().map(str::to_owned).partition(|name| OF_NO_PLACE.contains(&name.as_str()));
        groups.extend(apart.into_iter().map(|name| Names { preferred: name.clone(), all: vec![name] }));
        if let Some(first) = all.first() {
            groups.push(Names { preferred: group.iana.unwrap_or_else(|| first.clone()), all });
        }
    }
    Ok(groups)
}

/// Country and place of each zone, by its name.
pub(super) type Places = BTreeMap<String, (CountryCode, LatLon)>;

/// Those of zone.tab.
pub(super) fn places(zone_tab: &str) -> Result<Places> {
    let mut places = BTreeMap::new();
    for line in zone_tab.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let mut columns = line.split('\t');
        let mut next = || columns.next().with_context(|| format!("zone.tab lacks a column: {line}"));
        let (country, position, name) = (next()?, next()?, next()?);
        places.insert(name.to_owned(), (country.parse()?, iso_6709(position)?));
    }
    Ok(places)
}

/// Reads `±DDMM±DDDMM` or `±DDMMSS±DDDMMSS`.
fn iso_6709(position: &str) -> Result<LatLon> {
    let split = position[1..].find(['+', '-']).context("a position without longitude")? + 1;
    let (lat, lon) = position.split_at(split);
    Ok(LatLon::new(degrees(lat, 2)?, degrees(lon, 3)?)?)
}

fn degrees(text: &str, width: usize) -> Result<f64> {
    let (sign, digits) = text.split_at(1);
    let (whole, rest) = digits.split_at(width);
    let (minutes, seconds) = rest.split_at(2);
    let seconds = if seconds.is_empty() { 0.0 } else { seconds.parse()? };
    let size = whole.parse::<f64>()? + minutes.parse::<f64>()? / 60.0 + seconds / 3600.0;
    Ok(if sign == "-" { -size } else { size })
}

#[derive(Debug, Deserialize)]
struct WindowsZones {
    supplemental: WindowsSupplemental,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WindowsSupplemental {
    windows_zones: MapTimezones,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MapTimezones {
    map_timezones: Vec<MapZone>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MapZone {
    map_zone: Mapping,
}

#[derive(Debug, Deserialize)]
struct Mapping {
    #[serde(rename = "_other")]
    windows: String,
    #[serde(rename = "_territory")]
    territory: String,
    #[serde(rename = "_type")]
    zones: String,
}

/// For the zone that stands for a Windows zone anywhere, the countries that share the Windows zone: a browser whose
/// system does not know its region reports the former in any of the latter.
fn lent_by_windows(inputs: &Inputs) -> Result<BTreeMap<String, BTreeSet<CountryCode>>> {
    let windows: WindowsZones = inputs.package("cldr-core")?.json("supplemental/windowsZones.json")?;
    let mappings: Vec<_> =
        windows.supplemental.windows_zones.map_timezones.into_iter().map(|entry| entry.map_zone).collect();
    let mut lent: BTreeMap<String, BTreeSet<CountryCode>> = BTreeMap::new();
    for anywhere in mappings.iter().filter(|mapping| mapping.territory == "001") {
        let sharing = mappings.iter().filter(|mapping| mapping.windows == anywhere.windows);
        let countries = sharing.filter_map(|mapping| country_code(&mapping.territory));
        lent.entry(anywhere.zones.clone()).or_default().extend(countries);
    }
    Ok(lent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_with_and_without_seconds() {
        let berlin = iso_6709("+5230+01322").unwrap();
        assert!((berlin.lat() - 52.5).abs() < 1e-9 && (berlin.lon() - 13.366_666).abs() < 1e-5);
        let seconds = iso_6709("-682022-0670833").unwrap();
        assert!((seconds.lat() + 68.339_444).abs() < 1e-5 && (seconds.lon() + 67.1425).abs() < 1e-5);
    }
}
