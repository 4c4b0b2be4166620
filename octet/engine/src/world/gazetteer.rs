//! The tables as maps that questions about places are answered from. It answers none itself.

use octet::CountryCode;
use octet::region::{CityId, SubdivisionCode};
use octet_geometry::{Gazetteer, Land, Territory, Town};

use super::World;

impl Gazetteer for World {
    fn country(&self, code: CountryCode) -> Option<Territory<'_>> {
        let land = self.lands.get(self.borders.binary_search_by_key(&code, |country| country.code).ok()?)?;
        let domain = self.domains.binary_search_by_key(&code, |domain| domain.code);
        Some(domain.map_or_else(|_| land.into(), |index| Territory::new(land, &self.domains[index].land)))
    }

    fn subdivision(&self, code: SubdivisionCode) -> Option<&Land> {
        let index = self.subdivisions.binary_search_by_key(&code, |subdivision| subdivision.code).ok()?;
        self.subdivisions.get(index).map(|subdivision| &subdivision.land)
    }

    fn city(&self, city: CityId) -> Option<Town> {
        self.cities.by_id(city).map(|city| city.town())
    }
}
