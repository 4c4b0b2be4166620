//! Table `cells`: the land of each country in each pixel of the engine's grid, with the people who live there, made
//! of the tables `borders` and `cities`; the product per head comes from CLDR.

use std::collections::BTreeMap;

use anyhow::Result;
use octet::LatLon;
use octet_engine::grid::Healpix;
use octet_engine::world::cells::{Cell, CellCountry, Cells, ORDER};
use octet_engine::world::{Country, borders, cells, cities};

use super::{Inputs, territories};

/// Land is sampled at this many points a degree, along and across.
const SAMPLES_PER_DEGREE: u32 = 20;
/// The share of a country's people outside its listed cities is at least this.
const LEAST_OUTSIDE_CITIES: f64 = 0.15;
/// Of the people outside cities, this share lives spread over the land, the rest near the cities.
const SPREAD_OVER_LAND: f64 = 0.5;

/// What gathers in one country's part of one pixel.
#[derive(Debug, Default, Clone, Copy)]
struct Part {
    land_km2: f64,
    land_at: (f64, f64),
    city: f64,
    city_at: (f64, f64),
}

pub(super) fn build(inputs: &Inputs) -> Result<Vec<u8>> {
    let countries = borders::decode(&inputs.table("borders")?)?;
    let cities = cities::decode(&inputs.table("cities")?)?;
    let products = territories::products(inputs)?;
    let grid = Healpix::new(ORDER);
    let mut parts: BTreeMap<(u32, u16), Part> = BTreeMap::new();
    for (index, country) in countries.iter().enumerate() {
        land(country, |place, km2| {
            let part = parts.entry((grid.pixel(place), index as u16)).or_default();
            part.land_km2 += km2;
            part.land_at.0 += km2 * place.lat();
            part.land_at.1 += km2 * beside(&grid, place);
        });
        // A territory too small for any sample still is somewhere.
        for polygon in country.polygons.iter().take(1) {
            let (low, high) = polygon.bounds();
            let place = LatLon::new((low.lat() + high.lat()) / 2.0, (low.lon() + high.lon()) / 2.0)?;
            let part = parts.entry((grid.pixel(place), index as u16)).or_default();
            if part.land_km2 == 0.0 {
                *part = Part { land_km2: 1.0, land_at: (place.lat(), beside(&grid, place)), ..Part::default() };
            }
        }
    }
    for city in &cities.all {
        let Ok(index) = countries.binary_search_by_key(&city.country, |country| country.code) else { continue };
        let part = parts.entry((grid.pixel(city.place), index as u16)).or_default();
        let people = f64::from(city.population).max(1.0);
        part.city += people;
        part.city_at.0 += people * city.place.lat();
        part.city_at.1 += people * beside(&grid, city.place);
    }
    let mut in_cities = vec![0.0; countries.len()];
    let mut land = vec![0.0; countries.len()];
    for (&(_, country), part) in &parts {
        in_cities[usize::from(country)] += part.city;
        land[usize::from(country)] += part.land_km2;
    }
    let all = parts
        .iter()
        .map(|(&(pixel, country), part)| {
            let index = usize::from(country);
            let people = countries[index].population as f64;
            let outside = (people - in_cities[index]).max(LEAST_OUTSIDE_CITIES * people);
            let by_land = part.land_km2 / land[index].max(1.0);
            let by_city = part.city / in_cities[index].max(1.0);
            let spread = if in_cities[index] > 0.0 { SPREAD_OVER_LAND } else { 1.0 };
            let rural = outside * (spread * by_land + (1.0 - spread) * by_city);
            let urban = part.city * ((people - outside).max(0.0) / in_cities[index].max(1.0)).min(1.0);
            // Where both are, people stand where the cities are, pulled by those around.
            let (city_weight, land_weight) = (part.city, if part.land_km2 > 0.0 { rural.max(1e-3) } else { 0.0 });
            let mean = |city: f64, land: f64| {
                let city = if part.city > 0.0 { city / part.city } else { 0.0 };
                let land = if part.land_km2 > 0.0 { land / part.land_km2 } else { 0.0 };
                (city * city_weight + land * land_weight) / (city_weight + land_weight)
            };
            Ok(Cell {
                pixel,
                country,
                place: LatLon::new(
                    mean(part.city_at.0, part.land_at.0),
                    wrapped(mean(part.city_at.1, part.land_at.1)),
                )?,
                land_km2: (part.land_km2.round() as u32).max(1),
                population: (urban + rural).round() as u32,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let countries = countries
        .iter()
        .map(|country| {
            let population = country.population.max(1);
            let product = products.get(&country.code).copied().unwrap_or(0);
            CellCountry { code: country.code, population, product_per_head: (product / population) as u32 }
        })
        .collect();
    Ok(cells::encode(&Cells { countries, all })?)
}

/// The longitude of the place, unwrapped to lie beside its pixel's centre, so that it can be averaged.
fn beside(grid: &Healpix, place: LatLon) -> f64 {
    let center = grid.center(grid.pixel(place)).lon();
    place.lon() + 360.0 * ((center - place.lon()) / 360.0).round()
}

fn wrapped(lon: f64) -> f64 {
    lon - 360.0 * (lon / 360.0).round()
}

/// Calls `sample` for each sampled place of the country's land, with the km² that it stands for.
fn land(country: &Country, mut sample: impl FnMut(LatLon, f64)) {
    let step = 1.0 / f64::from(SAMPLES_PER_DEGREE);
    let km = octet_geometry::EARTH_RADIUS_KM.to_radians() * step;
    for polygon in &country.polygons {
        let (low, high) = polygon.bounds();
        let rows = ((low.lat() / step).floor() as i64)..=((high.lat() / step).ceil() as i64);
        for lat in rows.map(|row| (row as f64 + 0.5) * step).filter(|lat| lat.abs() < 90.0) {
            let mut crossings: Vec<f64> = polygon
                .rings()
                .flat_map(|ring| ring.iter().zip(ring.iter().cycle().skip(1)))
                .filter(|(a, b)| (a.lat() > lat) != (b.lat() > lat))
                .map(|(a, b)| a.lon() + (lat - a.lat()) / (b.lat() - a.lat()) * (b.lon() - a.lon()))
                .collect();
            crossings.sort_by(f64::total_cmp);
            for stretch in crossings.chunks_exact(2) {
                let columns = ((stretch[0] / step - 0.5).ceil() as i64)..=((stretch[1] / step - 0.5).floor() as i64);
                for lon in columns.map(|column| (column as f64 + 0.5) * step) {
                    if let Ok(place) = LatLon::new(lat, lon) {
                        sample(place, km * km * lat.to_radians().cos());
                    }
                }
            }
        }
    }
}
