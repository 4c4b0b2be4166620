//! Cities of at least 15,000 people: where people live inside a country. It knows nothing of evidence.

use octet::region::CityId;
use octet::{CountryCode, LatLon};
use octet_geometry::Town;

use super::codec::{Reader, Unpacked, Writer};
use super::error::TableError;

pub(crate) const TABLE: &str = "cities";

/// Hardly a city houses more people on a square kilometre of all its land; Manila, Dhaka and Malé come near.
const MOST_PEOPLE_PER_KM2: f64 = 50_000.0;
/// How far the listed place of a city may be from the middle of what it names.
const PLACE_OFF_KM: f64 = 0.5;
/// Few cities house fewer people on a square kilometre of what is governed as one city, wilderness not counted.
const LEAST_PEOPLE_PER_KM2: f64 = 500.0;
/// How far beyond a round city of that density its farthest quarter may lie: its centre at its rim.
const OFF_CENTRE: f64 = 2.0;
/// What every city may reach beyond that.
const BEYOND_KM: f64 = 10.0;

/// The list has cities of so many people and more.
const LEAST_LISTED: u32 = 15_000;

/// One city.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct City {
    /// Its GeoNames id.
    pub id: CityId,
    /// Its centre, to 1/500 of a degree.
    pub place: LatLon,
    /// How many people live in it.
    pub population: u32,
    /// The country that it belongs to.
    pub country: CountryCode,
    /// Which of [`Cities::zone_names`] its clocks follow.
    pub zone: u16,
}

impl City {
    /// Where it lies, from its place and its people: a core as if it were the densest of all cities, none where fewer
    /// than 40,000 live; a reach as if it were among the sparsest.
    #[must_use]
    pub fn town(&self) -> Town {
        let radius_km = |people: u32, per_km2: f64| (f64::from(people) / per_km2 / std::f64::consts::PI).sqrt();
        let core_km = (radius_km(self.population, MOST_PEOPLE_PER_KM2) - PLACE_OFF_KM).max(0.0);
        // Capitals are listed even where nobody was counted.
        let people = self.population.max(LEAST_LISTED);
        let reach_km = OFF_CENTRE * radius_km(people, LEAST_PEOPLE_PER_KM2) + BEYOND_KM;
        Town::new(self.country, self.place, core_km, reach_km)
    }
}

/// All cities, and the names of the zones that their clocks follow.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cities {
    /// In the order of their countries.
    pub all: Vec<City>,
    /// IANA names, in order; [`City::zone`] is an index into them.
    pub zone_names: Vec<String>,
    /// Each city's id and index, in the order of the ids.
    by_id: Vec<(CityId, u32)>,
}

impl Cities {
    /// These cities, which stand in the order of their countries.
    #[must_use]
    pub fn new(all: Vec<City>, zone_names: Vec<String>) -> Self {
        let mut by_id: Vec<_> = (0..).zip(&all).map(|(index, city)| (city.id, index)).collect();
        by_id.sort_unstable();
        Self { all, zone_names, by_id }
    }

    /// The city with this id.
    pub(crate) fn by_id(&self, id: CityId) -> Option<&City> {
        let found = self.by_id.binary_search_by_key(&id, |entry| entry.0).ok()?;
        self.all.get(self.by_id.get(found)?.1 as usize)
    }

    /// How many bytes they hold on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        let name = |name: &String| size_of::<String>() + name.len();
        size_of_val(self.all.as_slice())
            + size_of_val(self.by_id.as_slice())
            + self.zone_names.iter().map(name).sum::<usize>()
    }
}

/// The table of these cities, which stand in the order of their countries.
///
/// # Errors
///
/// When the compressor fails.
pub fn encode(cities: &Cities) -> std::io::Result<Vec<u8>> {
    let mut writer = Writer::new(TABLE);
    writer.count(cities.zone_names.len());
    for name in &cities.zone_names {
        writer.text(name);
    }
    writer.count(cities.all.len());
    for city in &cities.all {
        writer.country(city.country);
    }
    for city in &cities.all {
        writer.place(city.place);
    }
    for city in &cities.all {
        writer.unsigned(city.population.into());
    }
    for city in &cities.all {
        writer.unsigned(city.zone.into());
    }
    for city in &cities.all {
        writer.unsigned(city.id.get().into());
    }
    writer.finish()
}

/// The cities of a table.
///
/// # Errors
///
/// When the bytes are no such table.
pub fn decode(table: &[u8]) -> Result<Cities, TableError> {
    read(&Unpacked::new(table)?)
}

pub(crate) fn read(unpacked: &Unpacked) -> Result<Cities, TableError> {
    let mut reader = unpacked.reader(TABLE)?;
    let zone_names = reader.list(|reader| Ok(reader.text()?.to_owned()))?;
    let countries = reader.list(|reader| reader.country())?;
    let places = countries.iter().map(|_| reader.place()).collect::<Result<Vec<_>, _>>()?;
    let populations = countries.iter().map(|_| reader.number("population")).collect::<Result<Vec<u32>, _>>()?;
    let zones = countries.iter().map(|_| reader.number("zone")).collect::<Result<Vec<u16>, _>>()?;
    let id = |reader: &mut Reader<'_>| {
        CityId::new(reader.number("id")?).map_err(|_| TableError::Malformed { what: "id of a city" })
    };
    let ids = countries.iter().map(|_| id(&mut reader)).collect::<Result<Vec<_>, _>>()?;
    reader.finish()?;
    if zones.iter().any(|&zone| usize::from(zone) >= zone_names.len()) {
        return Err(TableError::Malformed { what: "zone of a city" });
    }
    let all = countries
        .into_iter()
        .zip(places)
        .zip(populations.into_iter().zip(zones).zip(ids))
        .map(|((country, place), ((population, zone), id))| City { id, place, population, country, zone })
        .collect();
    Ok(Cities::new(all, zone_names))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_table_gives_back_its_cities(rows in prop::collection::vec((-180..=180_i32, -360..=360_i32, any::<u32>(), 0..3_u16), 0..40)) {
            let cities = Cities::new(
                (1..)
                    .zip(rows)
                    .map(|(id, (lat, lon, population, zone))| City {
                        id: CityId::new(u32::MAX - id).unwrap(),
                        place: LatLon::new(f64::from(lat) / 2.0, f64::from(lon) / 2.0).unwrap(),
                        population,
                        country: "IN".parse().unwrap(),
                        zone,
                    })
                    .collect(),
                ["Asia/Kolkata", "Asia/Tokyo", "Europe/Kyiv"].map(String::from).to_vec(),
            );
            for city in &cities.all {
                prop_assert_eq!(cities.by_id(city.id), Some(city));
            }
            prop_assert_eq!(cities.by_id(CityId::new(u32::MAX).unwrap()), None);
            prop_assert_eq!(decode(&encode(&cities).unwrap()).unwrap(), cities);
        }
    }
}
