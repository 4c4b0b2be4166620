//! Cities of at least 15,000 people: where people live inside a country. It knows nothing of evidence.

use octet::{CountryCode, LatLon};

use super::codec::{Unpacked, Writer};
use super::error::TableError;

pub(crate) const TABLE: &str = "cities";

/// One city.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct City {
    /// Its centre, to 1/500 of a degree.
    pub place: LatLon,
    /// How many people live in it.
    pub population: u32,
    /// The country that it belongs to.
    pub country: CountryCode,
    /// Which of [`Cities::zone_names`] its clocks follow.
    pub zone: u16,
}

/// All cities, and the names of the zones that their clocks follow.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cities {
    /// In the order of their countries.
    pub all: Vec<City>,
    /// IANA names, in order; [`City::zone`] is an index into them.
    pub zone_names: Vec<String>,
}

impl Cities {
    /// How many bytes they hold on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        let name = |name: &String| size_of::<String>() + name.len();
        size_of_val(self.all.as_slice()) + self.zone_names.iter().map(name).sum::<usize>()
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
    reader.finish()?;
    if zones.iter().any(|&zone| usize::from(zone) >= zone_names.len()) {
        return Err(TableError::Malformed { what: "zone of a city" });
    }
    let all = countries
        .into_iter()
        .zip(places)
        .zip(populations.into_iter().zip(zones))
        .map(|((country, place), (population, zone))| City { place, population, country, zone })
        .collect();
    Ok(Cities { all, zone_names })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_table_gives_back_its_cities(rows in prop::collection::vec((-180..=180_i32, -360..=360_i32, any::<u32>(), 0..3_u16), 0..40)) {
            let cities = Cities {
                all: rows
                    .into_iter()
                    .map(|(lat, lon, population, zone)| City {
                        place: LatLon::new(f64::from(lat) / 2.0, f64::from(lon) / 2.0).unwrap(),
                        population,
                        country: "IN".parse().unwrap(),
                        zone,
                    })
                    .collect(),
                zone_names: ["Asia/Kolkata", "Asia/Tokyo", "Europe/Kyiv"].map(String::from).to_vec(),
            };
            prop_assert_eq!(decode(&encode(&cities).unwrap()).unwrap(), cities);
        }
    }
}
