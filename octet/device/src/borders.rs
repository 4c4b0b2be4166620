//! The maps with which questions are answered on the device. They come from the service or with the app: this crate holds
//! none.

use std::collections::HashMap;

use octet::attestation::BordersFile;
use octet::region::{CityId, SubdivisionCode};
use octet::{CountryCode, LatLon};
use octet_geometry::{Gazetteer, Land, Territory, Town};

/// Maps of countries, of their parts and of cities, as `GET /v1/borders` and what is below it give them.
#[derive(Debug, Clone, Default)]
pub struct Borders {
    countries: HashMap<CountryCode, Country>,
    subdivisions: HashMap<SubdivisionCode, Land>,
    cities: HashMap<CityId, Town>,
}

/// A country's land, and its domain where the file has one.
#[derive(Debug, Clone)]
struct Country {
    land: Land,
    domain: Option<Land>,
}

/// The text is no map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a map as `GET /v1/borders` gives it")]
pub struct InvalidBorders;

impl Borders {
    /// The longest map that is read, in bytes.
    pub const MAX_LEN: usize = 16 * 1024 * 1024;

    /// The map in this file: what `GET /v1/borders`, or an address below it, answers.
    ///
    /// # Errors
    ///
    /// When it is not a map, or longer than [`Self::MAX_LEN`].
    pub fn from_json(json: &[u8]) -> Result<Self, InvalidBorders> {
        if json.len() > Self::MAX_LEN {
            return Err(InvalidBorders);
        }
        let file: BordersFile = serde_json::from_slice(json).map_err(|_| InvalidBorders)?;
        let land = |rings: &[Vec<i32>], precision_km| {
            let rings: Option<Vec<Vec<LatLon>>> = rings.iter().map(|ring| file.decode(ring)).collect();
            Some(Land::new(rings?.iter().map(Vec::as_slice), precision_km))
        };
        let mut borders = Self::default();
        for country in &file.countries {
            let domain = file.domain_precision_km.filter(|_| !country.domain.is_empty());
            let domain = domain.map(|precision_km| land(&country.domain, precision_km).ok_or(InvalidBorders));
            let land = land(&country.rings, file.precision_km).ok_or(InvalidBorders)?;
            borders.countries.insert(country.code, Country { land, domain: domain.transpose()? });
        }
        for part in &file.subdivisions {
            let land = land(&part.rings, part.precision_km).ok_or(InvalidBorders)?;
            borders.subdivisions.insert(part.code, land);
        }
        for city in &file.cities {
            let id = CityId::new(city.geoname_id).map_err(|_| InvalidBorders)?;
            borders.cities.insert(id, Town::new(city.country, city.center, city.core_km, city.reach_km));
        }
        Ok(borders)
    }

    /// These maps and others, which go before where both have something.
    #[must_use]
    pub fn with(mut self, others: Self) -> Self {
        self.countries.extend(others.countries);
        self.subdivisions.extend(others.subdivisions);
        self.cities.extend(others.cities);
        self
    }
}

impl Gazetteer for Borders {
    fn country(&self, code: CountryCode) -> Option<Territory<'_>> {
        let Country { land, domain } = self.countries.get(&code)?;
        Some(Territory::new(land, domain.as_ref().unwrap_or(land)))
    }

    fn subdivision(&self, code: SubdivisionCode) -> Option<&Land> {
        self.subdivisions.get(&code)
    }

    fn city(&self, city: CityId) -> Option<Town> {
        self.cities.get(&city).copied()
    }
}
