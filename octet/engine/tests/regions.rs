//! Questions about countries, their parts and cities against the maps that come with this crate: enclaves, exclaves, what
//! lies across the antimeridian. A device is asked the same with maps of its own.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::{Arc, OnceLock};

use octet::region::SubdivisionCode;
use octet::{Claim, CountryCode, LatLon, Region, Unproven};
use octet_engine::World;
use octet_geometry::{Disc, Gazetteer, Relation, Territory, destination, judge, relate};
use proptest::prelude::*;

fn map() -> &'static World {
    static MAP: OnceLock<Arc<World>> = OnceLock::new();
    MAP.get_or_init(World::embedded)
}

fn country(code: CountryCode) -> Option<Territory<'static>> {
    Gazetteer::country(map(), code)
}

#[test]
fn every_member_of_a_union_is_on_the_map() {
    for set in [octet::region::CountrySet::EU, octet::region::CountrySet::EEA] {
        let missing: Vec<_> = set.codes(now()).into_iter().filter(|code| country(*code).is_none()).collect();
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
        ("Ceuta, in Africa", 35.89, -5.31, 0.5, "ES", unknown),
        ("Ceuta, in Africa", 35.89, -5.31, 0.5, "MA", unknown),
        ("Ceuta, in Africa", 35.89, -5.31, 0.5, "PT", Ok(false)),
        ("a pier in Barcelona", 41.37, 2.185, 0.1, "ES", Ok(true)),
        ("Helgoland", 54.18, 7.89, 0.5, "DE", unknown),
        ("Helgoland", 54.18, 7.89, 0.5, "DK", Ok(false)),
        ("Fernando de Noronha", -3.84, -32.41, 0.5, "BR", unknown),
        ("Fernando de Noronha", -3.84, -32.41, 0.5, "PT", Ok(false)),
        ("Yalta, which two claim", 44.5, 34.17, 1.0, "UA", unknown),
        ("Yalta, which two claim", 44.5, 34.17, 1.0, "RU", unknown),
        ("Laayoune, which two claim", 27.15, -13.2, 1.0, "EH", unknown),
        ("Laayoune, which two claim", 27.15, -13.2, 1.0, "MA", unknown),
        ("Agadir", 30.42, -9.6, 1.0, "EH", Ok(false)),
        ("Chukotka across the antimeridian", 67.6, 179.9, 60.0, "RU", Ok(true)),
        ("Chukotka across the antimeridian", 67.6, -179.9, 60.0, "RU", Ok(true)),
        ("Chukotka across the antimeridian", 67.0, 179.9, 150.0, "US", Ok(false)),
        ("the North Pole", 90.0, 0.0, 300.0, "RU", Ok(false)),
        ("Alaska", 65.0, -152.0, 100.0, "US", Ok(true)),
        ("Hawaii's sea", 20.5, -157.5, 2.0, "US", unknown),
        ("on the 49th parallel", 49.0, -110.0, 20.0, "CA", unknown),
        ("north of the 49th parallel", 49.5, -110.0, 20.0, "CA", Ok(true)),
        ("south of the 49th parallel", 48.5, -110.0, 20.0, "CA", Ok(false)),
        ("Réunion", -21.1, 55.5, 5.0, "EU", Ok(true)),
        ("Northern Ireland", 54.6, -6.2, 10.0, "EU", Ok(false)),
    ] {
        let region = if country == "EU" { Region::eu() } else { Region::country(country).unwrap() };
        let known = Region::disc(LatLon::new(lat, lon).unwrap(), km * 1000.0).unwrap();
        let judged = judge(&Claim::Within(region.clone()), &known, now(), map);
        assert_eq!(judged, expected, "{what}: within {country}");
        assert_eq!(
            judge(&Claim::Outside(region), &known, now(), map),
            expected.map(|yes| !yes),
            "{what}: outside {country}"
        );
    }
}

/// Cities that GeoNames counts to a country and both maps to another: Ariel, in the West Bank.
const ELSEWHERE: [u32; 1] = [8_199_394];

#[test]
fn no_city_is_denied_to_be_in_its_country_and_few_cannot_be_told() {
    let mut denied = Vec::new();
    let mut unknown = 0;
    for city in map().cities() {
        match country(city.country).unwrap().relation_of(&Disc::new(city.place, 0.05)) {
            Relation::Inside => {}
            Relation::Disjoint => denied.push(city.id.get()),
            Relation::Neither => unknown += 1,
        }
    }
    assert_eq!(denied, ELSEWHERE);
    let all = map().cities().len();
    println!("of {all} cities {unknown} cannot be told to be in their country");
    assert!(unknown * 50 < all, "{unknown} of {all}");
}

/// Each question with its opposite: `expected` of within, the negation of outside.
fn expect(what: &str, (lat, lon, km): (f64, f64, f64), region: &Region, expected: Result<bool, Unproven>) {
    let known = Region::disc(LatLon::new(lat, lon).unwrap(), km * 1000.0).unwrap();
    let ask = |claim| judge(&claim, &known, now(), map());
    assert_eq!(ask(Claim::Within(region.clone())), expected, "{what}: within {region:?}");
    assert_eq!(ask(Claim::Outside(region.clone())), expected.map(|yes| !yes), "{what}: outside {region:?}");
}

#[test]
fn parts_of_countries_are_where_they_are() {
    let unknown = Err(Unproven::NoProofAtResolution);
    for (what, place, code, expected) in [
        ("Munich", (48.14, 11.58, 20.0), "DE-BY", Ok(true)),
        ("Munich", (48.14, 11.58, 20.0), "DE-BW", Ok(false)),
        ("Ulm, on the border of two", (48.40, 9.99, 5.0), "DE-BY", unknown),
        ("Ulm, on the border of two", (48.40, 9.99, 5.0), "DE-BW", unknown),
        ("Büsingen, among the Swiss", (47.697, 8.69, 1.0), "DE-BW", unknown),
        ("Büsingen, among the Swiss", (47.697, 8.69, 1.0), "DE-BY", Ok(false)),
        ("Berlin, all around it Brandenburg", (52.52, 13.40, 5.0), "DE-BE", Ok(true)),
        ("Berlin, all around it Brandenburg", (52.52, 13.40, 5.0), "DE-BB", Ok(false)),
        ("Berlin and what is around it", (52.52, 13.40, 40.0), "DE-BB", unknown),
        ("Cottbus", (51.76, 14.33, 10.0), "DE-BB", Ok(true)),
        ("Cottbus", (51.76, 14.33, 10.0), "DE-BE", Ok(false)),
        ("Austin", (30.27, -97.74, 20.0), "US-TX", Ok(true)),
        ("Austin", (30.27, -97.74, 20.0), "US-OK", Ok(false)),
        ("Fairbanks", (64.84, -147.72, 50.0), "US-AK", Ok(true)),
        ("Attu, Alaska's across the antimeridian", (52.90, 173.0, 1.0), "US-AK", Ok(true)),
        ("Attu, Alaska's across the antimeridian", (52.90, 173.0, 1.0), "RU-KAM", Ok(false)),
        ("Mauna Kea", (19.82, -155.47, 20.0), "US-HI", Ok(true)),
        ("Hawaii's sea", (20.5, -157.5, 2.0), "US-HI", unknown),
        ("Petworth in Washington", (38.93, -77.02, 1.0), "US-DC", Ok(true)),
        ("Petworth in Washington", (38.93, -77.02, 1.0), "US-VA", Ok(false)),
        ("the White House, near the river", (38.8977, -77.0365, 0.5), "US-DC", unknown),
        ("the Vatican", (41.902, 12.453, 0.3), "IT-62", unknown),
        ("Tivoli", (41.96, 12.80, 5.0), "IT-RM", Ok(true)),
        ("Tivoli", (41.96, 12.80, 5.0), "IT-62", Ok(true)),
        ("Tivoli", (41.96, 12.80, 5.0), "IT-25", Ok(false)),
        ("Ceuta, smaller than its map is exact", (35.89, -5.31, 0.5), "ES-CE", unknown),
        ("Ceuta", (35.89, -5.31, 0.5), "ES-AN", unknown),
        ("Ceuta", (35.89, -5.31, 0.5), "PT-08", Ok(false)),
        ("Helgoland, which the map of land lacks", (54.18, 7.89, 0.5), "DE-SH", unknown),
        ("Helgoland, which the map of land lacks", (54.18, 7.89, 0.5), "US-HI", Ok(false)),
        ("deep in Lesotho", (-29.6, 28.3, 20.0), "ZA-KZN", Ok(false)),
        ("deep in Lesotho", (-29.6, 28.3, 20.0), "ZA-FS", Ok(false)),
        ("Chernyakhovsk", (54.63, 21.81, 10.0), "RU-KGD", Ok(true)),
        ("Chernyakhovsk", (54.63, 21.81, 10.0), "PL-28", Ok(false)),
        ("Chukotka, on the antimeridian", (67.5, 180.0, 40.0), "RU-CHU", Ok(true)),
        ("London", (51.51, -0.12, 15.0), "GB-ENG", Ok(true)),
        ("London", (51.51, -0.12, 15.0), "GB-WLS", Ok(false)),
        ("Paris", (48.86, 2.35, 10.0), "FR-IDF", Ok(true)),
        ("a part that is no longer one", (60.0, 11.0, 5.0), "NO-01", Err(Unproven::NotYetReleased)),
    ] {
        expect(what, place, &Region::subdivision(code).unwrap(), expected);
    }
}

#[test]
fn cities_are_proven_from_their_middle_and_denied_from_afar() {
    let unknown = Err(Unproven::NoProofAtResolution);
    let (berlin, paris, rome, ulm) = (2_950_159, 2_988_507, 3_169_070, 2_820_256);
    for (what, place, city, expected) in [
        ("the Reichstag", (52.5186, 13.3762, 0.05), berlin, Ok(true)),
        ("the Reichstag", (52.5186, 13.3762, 0.05), paris, Ok(false)),
        ("somewhere in Berlin", (52.5186, 13.3762, 20.0), berlin, unknown),
        ("Potsdam", (52.39, 13.06, 0.05), berlin, unknown),
        ("Hamburg", (53.55, 10.0, 0.05), berlin, Ok(false)),
        ("Notre-Dame", (48.853, 2.35, 0.05), paris, Ok(true)),
        ("beyond the ring road", (48.81, 2.36, 0.05), paris, unknown),
        ("the Colosseum", (41.8902, 12.4922, 0.05), rome, Ok(true)),
        ("the Vatican", (41.902, 12.453, 0.05), rome, unknown),
        ("Ulm's minster", (48.3984, 9.9916, 0.05), ulm, Ok(true)),
        ("Neu-Ulm across the river", (48.39, 10.01, 0.05), ulm, unknown),
        ("a village that is not listed", (48.39, 10.01, 0.05), 1, Err(Unproven::NotYetReleased)),
    ] {
        expect(what, place, &Region::city(city).unwrap(), expected);
    }
}

/// A subdivision, and a disc somewhere about it.
fn about_a_subdivision() -> impl Strategy<Value = (SubdivisionCode, Disc)> {
    let all = map().subdivisions().len();
    (0..all, any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0.0..1.0_f64, 0.1..30.0_f64).prop_map(
        |(index, from, to, share, radius)| {
            let subdivision = &map().subdivisions()[index];
            let longest = subdivision.land.rings().max_by_key(|ring| ring.len()).unwrap();
            let (a, b) = (from.get(longest), to.get(longest));
            let between = |a: f64, b: f64| a + share * (b - a);
            let center = LatLon::new(between(a.lat(), b.lat()), between(a.lon(), b.lon())).unwrap();
            (subdivision.code, Disc::new(center, radius))
        },
    )
}

proptest! {
    #[test]
    fn what_is_in_a_part_of_a_country_is_never_denied_of_the_country((code, disc) in about_a_subdivision()) {
        let land = map().subdivision(code).unwrap();
        let country = country(code.country()).unwrap();
        let relations = (land.relation_of(&disc), country.relation_of(&disc));
        prop_assert!(relations != (Relation::Inside, Relation::Disjoint), "{} {:?}", code, disc);
        let known = Region::subdivision(&code.to_string()).unwrap();
        let country = Region::Country(code.country());
        prop_assert_eq!(relate(&known, &country, now(), map()), Ok(Relation::Inside));
    }

    #[test]
    fn no_place_is_proven_to_be_in_two_parts_that_lie_beside_each_other((code, disc) in about_a_subdivision()) {
        let holding = |other: &&octet_engine::world::Subdivision| {
            other.code.country() == code.country() && other.land.relation_of(&disc) == Relation::Inside
        };
        // A province and the region that it is part of.
        let holding: Vec<_> = map().subdivisions().iter().filter(holding).map(|other| other.code).collect();
        prop_assert!(holding.len() <= 2, "{:?} {:?}", holding, disc);
    }

    #[test]
    fn what_is_proven_of_a_part_holds_for_every_place_of_the_disc(
        (code, disc) in about_a_subdivision(), bearing in 0.0..360.0_f64, share in 0.0..1.0_f64,
    ) {
        let land = map().subdivision(code).unwrap();
        let place = destination(disc.center(), bearing, disc.radius_km() * share);
        match land.relation_of(&disc) {
            Relation::Inside => prop_assert!(land.contains(place)),
            Relation::Disjoint => prop_assert!(!land.contains(place)),
            Relation::Neither => {}
        }
    }

    #[test]
    fn a_citys_core_lies_within_its_reach(index: prop::sample::Index) {
        let city = index.get(map().cities());
        let town = city.town();
        prop_assert!(town.reach().covers(&town.core()));
        prop_assert!(town.reach().radius_km() >= 10.0);
    }
}
