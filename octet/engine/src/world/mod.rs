//! Reference data as an argument: addresses, zones, languages, borders, subdivisions, cities. It knows no evidence, no rule, no
//! file and no clock: tables are bytes, and a replacement comes as bytes too.

use std::sync::{Arc, OnceLock};

use octet::CountryCode;
use octet::region::CityId;
use octet_geometry::Land;

mod address;
pub mod borders;
pub mod carriers;
pub mod cells;
pub mod cities;
mod codec;
mod codes;
pub mod domains;
mod error;
mod gazetteer;
pub mod languages;
mod lists;
pub mod map;
mod mmdb;
pub mod networks;
mod ranges;
mod replace;
mod sources;
pub mod subdivisions;
pub mod zones;

pub use address::{AddressFacts, Scope};
pub use borders::{Country, Polygon};
pub use cities::{Cities, City};
pub use codes::country_code;
pub use domains::Domain;
pub use error::TableError;
pub use languages::{Language, LanguageFacts, LanguageShare, Languages};
pub use mmdb::CityFix;
pub use ranges::Span;
pub use replace::CountryDatabase;
pub use sources::{ATTRIBUTION, Registry, Source};
pub use subdivisions::Subdivision;
pub use zones::{Zone, ZoneOffsets, Zones};

use mmdb::CityDatabase;
use ranges::AddressMap;

/// The reference data that an assessment reads. Cheap to clone, as clones share their tables; a default world has
/// no tables and knows nothing.
#[derive(Debug, Clone, Default)]
pub struct World {
    borders: Arc<[Country]>,
    /// The land of each of `borders`.
    lands: Arc<[Land]>,
    domains: Arc<[Domain]>,
    cities: Arc<Cities>,
    subdivisions: Arc<[Subdivision]>,
    dbip: Arc<AddressMap<u16>>,
    geo_whois: Arc<AddressMap<u16>>,
    allocation: Arc<AddressMap<u16>>,
    systems: Arc<AddressMap<u32>>,
    carriers: Arc<[u32]>,
    networks: Arc<AddressMap<u8>>,
    vpn: Arc<AddressMap<u8>>,
    tor: Arc<AddressMap<u8>>,
    private_relay: Arc<AddressMap<u16>>,
    city: Option<Arc<CityDatabase>>,
    zones: Arc<Zones>,
    languages: Arc<Languages>,
}

/// The tables that come with this crate.
const EMBEDDED: [&[u8]; 12] = [
    include_bytes!("../../data/borders.bin.zst"),
    include_bytes!("../../data/domains.bin.zst"),
    include_bytes!("../../data/cities.bin.zst"),
    include_bytes!("../../data/subdivisions.bin.zst"),
    include_bytes!("../../data/dbip.bin.zst"),
    include_bytes!("../../data/geo-whois.bin.zst"),
    include_bytes!("../../data/allocation.bin.zst"),
    include_bytes!("../../data/asn.bin.zst"),
    include_bytes!("../../data/carriers.bin.zst"),
    include_bytes!("../../data/networks.bin.zst"),
    include_bytes!("../../data/zones.bin.zst"),
    include_bytes!("../../data/languages.bin.zst"),
];

impl World {
    /// The tables that come with this crate, unpacked once for the whole process.
    ///
    /// ```
    /// let world = octet_engine::World::embedded();
    /// assert!(world.cities().len() > 30_000);
    /// ```
    #[must_use]
    pub fn embedded() -> Arc<Self> {
        static WORLD: OnceLock<Arc<World>> = OnceLock::new();
        let world = WORLD.get_or_init(|| {
            let tables = EMBEDDED.into_iter().try_fold(Self::default(), World::with_table);
            Arc::new(tables.expect("a test holds that the tables of this crate can be read"))
        });
        Arc::clone(world)
    }

    /// Every country and territory with its land and population, in the order of their codes.
    #[must_use]
    pub fn borders(&self) -> &[Country] {
        &self.borders
    }

    /// The country of this code.
    #[must_use]
    pub fn country(&self, code: CountryCode) -> Option<&Country> {
        let index = self.borders.binary_search_by_key(&code, |country| country.code).ok()?;
        self.borders.get(index)
    }

    /// Every city of at least 15,000 people, in the order of their countries.
    #[must_use]
    pub fn cities(&self) -> &[City] {
        &self.cities.all
    }

    /// The city with this id, of at least 15,000 people.
    #[must_use]
    pub fn city(&self, id: CityId) -> Option<&City> {
        self.cities.by_id(id)
    }

    /// Every country's land once more, with its exclaves, islets and the sea around it, in the order of their codes.
    #[must_use]
    pub fn domains(&self) -> &[Domain] {
        &self.domains
    }

    /// Every part of a country that is known well enough to be asked about, in the order of their codes.
    #[must_use]
    pub fn subdivisions(&self) -> &[Subdivision] {
        &self.subdivisions
    }

    /// How many bytes this world's tables hold on the heap, a city database's included.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let countries = [&self.dbip, &self.geo_whois, &self.allocation, &self.private_relay];
        let flags = [&self.networks, &self.vpn, &self.tor];
        borders::heap_bytes(&self.borders)
            + self.cities.heap_bytes()
            + subdivisions::heap_bytes(self.lands.iter())
            + subdivisions::heap_bytes(self.domains.iter().map(|domain| &domain.land))
            + subdivisions::heap_bytes(self.subdivisions.iter().map(|subdivision| &subdivision.land))
            + countries.iter().map(|map| map.heap_bytes()).sum::<usize>()
            + flags.iter().map(|map| map.heap_bytes()).sum::<usize>()
            + self.systems.heap_bytes()
            + size_of_val(&*self.carriers)
            + self.zones.heap_bytes()
            + self.languages.heap_bytes()
            + self.city.as_ref().map_or(0, |database| database.heap_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_table_can_be_read() {
        for table in EMBEDDED {
            World::default().with_table(table).unwrap();
        }
    }

    #[test]
    fn the_embedded_world_is_small_enough_to_be_held_twice_while_one_replaces_the_other() {
        let bytes = World::embedded().heap_bytes();
        println!("the embedded world holds {} KiB", bytes >> 10);
        assert!(bytes < 32 << 20, "{bytes}");
    }

    #[test]
    fn territories_that_maps_count_to_others_are_countries_of_their_own() {
        let world = World::embedded();
        for code in ["BQ", "BV", "CC", "CX", "GF", "GI", "GP", "MQ", "RE", "SJ", "TK", "TV", "UM", "XK", "YT"] {
            let country = world.country(code.parse().unwrap()).expect(code);
            assert!(!country.polygons.is_empty(), "{code} has no land");
        }
        let cayenne = octet::LatLon::new(4.85, -52.33).unwrap();
        let owners = world.borders().iter().filter(|country| country.contains(cayenne));
        assert_eq!(owners.map(|country| country.code.to_string()).collect::<Vec<_>>(), ["GF"]);
        let world_population: u64 = world.borders().iter().map(|country| country.population).sum();
        assert!((7_500_000_000..9_500_000_000).contains(&world_population), "{world_population}");
    }

    #[test]
    fn land_at_the_antimeridian_stands_on_both_sides_and_no_edge_runs_around_the_earth() {
        let world = World::embedded();
        for country in world.borders() {
            for ring in country.polygons.iter().flat_map(|polygon| polygon.rings()) {
                let long = ring.windows(2).any(|edge| (edge[0].lon() - edge[1].lon()).abs() > 180.0);
                // Only Antarctica reaches around, along the pole.
                assert!(!long || country.code == *"AQ", "{}", country.code);
            }
        }
        let russia = world.country("RU".parse().unwrap()).unwrap();
        for (lat, lon) in [(67.0, -175.0), (66.0, 178.0), (55.7, 37.6)] {
            assert!(russia.contains(octet::LatLon::new(lat, lon).unwrap()), "{lat} {lon}");
        }
        assert!(!russia.contains(octet::LatLon::new(67.0, 0.0).unwrap()));
    }

    #[test]
    fn addresses_of_well_known_networks_are_where_they_are() {
        let world = World::embedded();
        let facts = |text: &str| world.address(text.parse().unwrap());
        let telekom = facts("2003:e1::1");
        assert_eq!([telekom.dbip, telekom.geo_whois, telekom.allocation].map(Option::unwrap), ["DE"; 3]);
        assert_eq!(telekom.asn, Some(3320));
        assert!(!telekom.hosting && !telekom.vpn);
        let frankfurt = facts("52.29.1.1");
        assert_eq!((frankfurt.dbip.unwrap().as_str(), frankfurt.allocation.unwrap().as_str()), ("DE", "US"));
        assert!(frankfurt.hosting && !frankfurt.vpn, "a public cloud is not a VPN");
        // T-Mobile US, and Telekom's lines.
        assert!(facts("172.56.1.1").mobile && !telekom.mobile);
        assert!(facts("185.220.101.1").vpn);
        assert!(facts("165.225.72.1").gateway);
        assert_eq!(facts("::ffff:41.90.64.1"), facts("41.90.64.1"));
        assert_eq!(facts("41.90.64.1").geo_whois.unwrap(), "KE");
    }
}
