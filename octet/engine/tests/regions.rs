//! Questions about countries against the borders that come with this crate: enclaves, exclaves, what lies across the
//! antimeridian. A device is asked the same with maps of its own.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use octet::{Claim, CountryCode, LatLon, Region, Unproven};
use octet_engine::World;
use octet_geometry::{Gazetteer, Land, judge};

/// Borders of 1:50 million are off by a few kilometres, and leave out enclaves that are smaller.
const PRECISION_KM: f64 = 6.0;

struct Map(BTreeMap<CountryCode, Land>);

impl Gazetteer for Map {
    fn country(&self, code: CountryCode) -> Option<&Land> {
        self.0.get(&code)
    }
}

fn map() -> Map {
    let world = World::embedded();
    let land = |country: &octet_engine::world::Country| {
        let rings = country.polygons.iter().flat_map(|polygon| polygon.rings());
        (country.code, Land::new(rings, PRECISION_KM))
    };
    Map(world.borders().iter().map(land).collect())
}

#[test]
fn every_member_of_a_union_is_on_the_map() {
    let map = map();
    for set in [octet::region::CountrySet::EU, octet::region::CountrySet::EEA] {
        let missing: Vec<_> = set.codes(now()).into_iter().filter(|code| map.country(*code).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}

fn now() -> jiff::Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

#[test]
fn enclaves_exclaves_and_far_parts_belong_to_whom_they_belong() {
    let map = map();
    let unknown = Err(Unproven::NoProofAtResolution);
    for (what, lat, lon, km, country, expected) in [
        ("Berlin", 52.52, 13.40, 30.0, "DE", Ok(true)),
        ("Berlin", 52.52, 13.40, 30.0, "PL", Ok(false)),
        ("Berlin", 52.52, 13.40, 30.0, "EU", Ok(true)),
        ("Strasbourg, with Germany across the river", 48.58, 7.75, 30.0, "FR", unknown),
        ("Strasbourg, with Germany across the river", 48.58, 7.75, 30.0, "EU", Ok(true)),
        ("Basel, with Switzerland", 47.56, 7.59, 20.0, "EU", unknown),
        ("deep in Lesotho", -29.6, 28.3, 20.0, "LS", Ok(true)),
        ("deep in Lesotho", -29.6, 28.3, 20.0, "ZA", Ok(false)),
        ("around Lesotho", -29.6, 28.3, 200.0, "ZA", unknown),
        ("the Vatican", 41.902, 12.453, 0.3, "VA", unknown),
        ("the Vatican", 41.902, 12.453, 0.3, "IT", unknown),
        ("Italy away from it", 42.35, 13.4, 20.0, "IT", Ok(true)),
        ("Kaliningrad", 54.71, 20.51, 20.0, "RU", Ok(true)),
        ("Kaliningrad", 54.71, 20.51, 20.0, "EU", Ok(false)),
        ("Büsingen, German and among the Swiss", 47.697, 8.69, 1.0, "CH", unknown),
        ("Büsingen, German and among the Swiss", 47.697, 8.69, 1.0, "DE", unknown),
        ("Chukotka across the antimeridian", 67.6, 179.9, 60.0, "RU", Ok(true)),
        ("Chukotka across the antimeridian", 67.6, -179.9, 60.0, "RU", Ok(true)),
        ("Chukotka across the antimeridian", 67.0, 179.9, 150.0, "US", Ok(false)),
        ("the North Pole", 90.0, 0.0, 300.0, "RU", Ok(false)),
        ("Alaska", 65.0, -152.0, 100.0, "US", Ok(true)),
        ("Hawaii's sea", 20.5, -157.5, 2.0, "US", Ok(false)),
        ("on the 49th parallel", 49.0, -110.0, 20.0, "CA", unknown),
        ("north of the 49th parallel", 49.5, -110.0, 20.0, "CA", Ok(true)),
        ("south of the 49th parallel", 48.5, -110.0, 20.0, "CA", Ok(false)),
        ("Réunion", -21.1, 55.5, 5.0, "EU", Ok(true)),
        ("Northern Ireland", 54.6, -6.2, 10.0, "EU", Ok(false)),
    ] {
        let region = if country == "EU" { Region::eu() } else { Region::country(country).unwrap() };
        let known = Region::disc(LatLon::new(lat, lon).unwrap(), km * 1000.0).unwrap();
        let judged = judge(&Claim::Within(region.clone()), &known, now(), &map);
        assert_eq!(judged, expected, "{what}: within {country}");
        assert_eq!(
            judge(&Claim::Outside(region), &known, now(), &map),
            expected.map(|yes| !yes),
            "{what}: outside {country}"
        );
    }
}
