//! Whether a claim about a region follows from where something is known to be. Pure: maps come in as an argument, and
//! of time it knows only which members a union had.

use jiff::Timestamp;
use octet::region::{CityId, CountrySet, DiscRegion, Level, SubdivisionCode};
use octet::{Claim, CountryCode, Region, Unproven};

use crate::relation::{around, to_disc, to_polygon, to_territories};
use crate::{Disc, Land, Relation, Territory, Town};

/// Where countries, subdivisions and cities are. What it does not have is answered with `NOT_YET_RELEASED`.
pub trait Gazetteer {
    /// A country, as its maps have it.
    fn country(&self, code: CountryCode) -> Option<Territory<'_>>;

    /// The land of a part of a country.
    fn subdivision(&self, _code: SubdivisionCode) -> Option<&Land> {
        None
    }

    /// A city, as far as it is known where it lies.
    fn city(&self, _city: CityId) -> Option<Town> {
        None
    }
}

/// A gazetteer without any entry: for questions about discs and polygons only.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoGazetteer;

impl Gazetteer for NoGazetteer {
    fn country(&self, _code: CountryCode) -> Option<Territory<'_>> {
        None
    }
}

/// Whether the claim holds of something that is somewhere in `known`, with the unions as they were at `time`.
///
/// A known region answers questions of its own level and of coarser ones: a disc any, a city those about its country and
/// what lies around it, a subdivision those about countries, a country none that is finer, unless it lies elsewhere
/// altogether.
///
/// ```
/// use octet::{Claim, LatLon, Region, Unproven};
/// use octet_geometry::{NoGazetteer, judge};
/// let berlin = LatLon::new(52.52, 13.40)?;
/// let known = Region::disc(berlin, 20_000.0)?;
/// let now = "2026-11-21T12:00:00Z".parse()?;
/// let within = |metres| judge(&Claim::Within(Region::disc(berlin, metres).unwrap()), &known, now, &NoGazetteer);
/// assert_eq!(within(50_000.0), Ok(true));
/// assert_eq!(within(5_000.0), Err(Unproven::NoProofAtResolution));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// When the known region is too coarse for the claim, or the gazetteer lacks what the claim is about.
pub fn judge(claim: &Claim, known: &Region, time: Timestamp, gazetteer: &impl Gazetteer) -> Result<bool, Unproven> {
    match (claim, relate(known, claim.region(), time, gazetteer)?) {
        (Claim::Within(_), Relation::Inside) | (Claim::Outside(_), Relation::Disjoint) => Ok(true),
        (Claim::Within(_), Relation::Disjoint) | (Claim::Outside(_), Relation::Inside) => Ok(false),
        (Claim::Within(_) | Claim::Outside(_), Relation::Neither) => Err(Unproven::NoProofAtResolution),
        _ => Err(Unproven::NotYetReleased),
    }
}

/// How `known` lies to `asked`.
///
/// # Errors
///
/// When the gazetteer lacks what is asked about.
pub fn relate(
    known: &Region,
    asked: &Region,
    time: Timestamp,
    gazetteer: &impl Gazetteer,
) -> Result<Relation, Unproven> {
    match known {
        Region::Country(code) => Ok(by_code(&[*code], asked, time)),
        Region::Countries(set) => Ok(by_code(&set.codes(time), asked, time)),
        Region::Subdivision(_) | Region::City(_) if asked == known => Ok(Relation::Inside),
        Region::Subdivision(code) => Ok(by_code(&[code.country()], asked, time)),
        Region::City(city) => {
            let town = gazetteer.city(*city).ok_or(Unproven::NotYetReleased)?;
            match asked.level() {
                Level::Country => Ok(by_code(&[town.country()], asked, time)),
                _ => disc_to(&town.reach(), asked, time, gazetteer),
            }
        }
        Region::Disc(disc) => disc_to(&of_region(disc), asked, time, gazetteer),
        Region::Polygon(polygon) => disc_to(&around(polygon.vertices()), asked, time, gazetteer),
        _ => Err(Unproven::NotYetReleased),
    }
}

/// What is in one of `countries` against what is asked, by codes alone.
fn by_code(countries: &[CountryCode], asked: &Region, time: Timestamp) -> Relation {
    let asked_countries = match asked {
        Region::Country(code) => vec![*code],
        Region::Countries(set) => set.codes(time),
        // It can be in a part of a country only when it can be in the country.
        Region::Subdivision(code) if !countries.contains(&code.country()) => return Relation::Disjoint,
        _ => return Relation::Neither,
    };
    let inside = countries.iter().filter(|code| asked_countries.contains(code)).count();
    match inside {
        0 => Relation::Disjoint,
        all if all == countries.len() => Relation::Inside,
        _ => Relation::Neither,
    }
}

fn of_region(disc: &DiscRegion) -> Disc {
    Disc::new(disc.center(), disc.radius_meters() / 1000.0)
}

fn disc_to(known: &Disc, asked: &Region, time: Timestamp, gazetteer: &impl Gazetteer) -> Result<Relation, Unproven> {
    match asked {
        Region::Country(code) => released(gazetteer.country(*code), |country| country.relation_of(known)),
        Region::Countries(set) => to_countries(known, set, time, gazetteer),
        Region::Subdivision(code) => to_subdivision(known, *code, gazetteer),
        Region::City(city) => released(gazetteer.city(*city), |town| town.relation_of(known)),
        Region::Disc(disc) => Ok(to_disc(known, &of_region(disc))),
        Region::Polygon(polygon) => Ok(to_polygon(known, polygon.vertices())),
        _ => Err(Unproven::NotYetReleased),
    }
}

/// An islet or an exclave that the maps of land lack can belong to any part of its country.
fn to_subdivision(known: &Disc, code: SubdivisionCode, gazetteer: &impl Gazetteer) -> Result<Relation, Unproven> {
    let relation = released(gazetteer.subdivision(code), |land| land.relation_of(known))?;
    let country = || gazetteer.country(code.country());
    let may_be_there = relation == Relation::Disjoint && country().is_some_and(|country| country.lacks(known));
    Ok(if may_be_there { Relation::Neither } else { relation })
}

/// The relation to what the gazetteer has.
fn released<T>(found: Option<T>, relation: impl FnOnce(T) -> Relation) -> Result<Relation, Unproven> {
    found.map(relation).ok_or(Unproven::NotYetReleased)
}

fn to_countries(
    known: &Disc,
    set: &CountrySet,
    time: Timestamp,
    gazetteer: &impl Gazetteer,
) -> Result<Relation, Unproven> {
    let countries = set.codes(time).into_iter().map(|code| gazetteer.country(code));
    let countries = countries.collect::<Option<Vec<Territory<'_>>>>().filter(|countries| !countries.is_empty());
    released(countries, |countries| to_territories(known, &countries))
}

#[cfg(test)]
mod tests {
    use octet::LatLon;
    use proptest::prelude::*;

    use super::*;
    use crate::{Polygon, destination};

    fn place(lat: f64, lon: f64) -> LatLon {
        LatLon::new(lat, lon).unwrap()
    }

    fn time() -> Timestamp {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    fn ring(corners: &[(f64, f64)]) -> Vec<LatLon> {
        corners.iter().map(|&(lat, lon)| place(lat, lon)).collect()
    }

    fn land(rings: &[&[(f64, f64)]]) -> Land {
        let rings: Vec<_> = rings.iter().map(|corners| ring(corners)).collect();
        Land::new(rings.iter().map(Vec::as_slice), 1.0)
    }

    const HOLE: [(f64, f64); 4] = [(4.0, 4.0), (4.0, 6.0), (6.0, 6.0), (6.0, 4.0)];

    /// `AA` with a hole that is all of `EN`; `BB` east of it; `CC` on both sides of the antimeridian; `QQ` at the pole.
    struct Islands(Vec<(&'static str, Land)>);

    impl Gazetteer for Islands {
        fn country(&self, code: CountryCode) -> Option<Territory<'_>> {
            self.land(code).map(Territory::from)
        }

        /// `AA-EN` is what `EN` is.
        fn subdivision(&self, code: SubdivisionCode) -> Option<&Land> {
            (code.to_string() == "AA-EN").then(|| self.land("EN".parse().unwrap())).flatten()
        }

        /// City 7 of `AA` lies at its rim.
        fn city(&self, city: CityId) -> Option<Town> {
            (city.get() == 7).then(|| Town::new("AA".parse().unwrap(), place(2.0, 9.9), 10.0, 40.0))
        }
    }

    impl Islands {
        fn land(&self, code: CountryCode) -> Option<&Land> {
            self.0.iter().find(|(name, _)| code == *name).map(|(_, land)| land)
        }
    }

    fn islands() -> Islands {
        Islands(vec![
            ("AA", land(&[&[(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)], &HOLE])),
            ("EN", land(&[&HOLE])),
            ("BB", land(&[&[(0.0, 10.0), (10.0, 10.0), (10.0, 20.0), (0.0, 20.0)]])),
            (
                "CC",
                land(&[
                    &[(-10.0, 170.0), (10.0, 170.0), (10.0, 180.0), (-10.0, 180.0)],
                    &[(-10.0, -180.0), (10.0, -180.0), (10.0, -170.0), (-10.0, -170.0)],
                ]),
            ),
            ("QQ", land(&[&[(-70.0, -180.0), (-70.0, 0.0), (-70.0, 180.0), (-90.0, 180.0), (-90.0, -180.0)]])),
        ])
    }

    fn disc(lat: f64, lon: f64, km: f64) -> Region {
        Region::disc(place(lat, lon), km * 1000.0).unwrap()
    }

    fn relation(known: &Region, asked: &str) -> Relation {
        let asked = match asked {
            "EU" => Region::eu(),
            codes if codes.contains('+') => Region::countries(codes.split('+')).unwrap(),
            code if code.contains('-') => Region::subdivision(code).unwrap(),
            code => Region::country(code).unwrap(),
        };
        relate(known, &asked, time(), &islands()).unwrap()
    }

    #[test]
    fn holes_parts_poles_and_the_antimeridian_are_where_they_are() {
        use Relation::{Disjoint, Inside, Neither};

        for (known, asked, expected) in [
            (disc(2.0, 2.0, 100.0), "AA", Inside),
            (disc(2.0, 2.0, 100.0), "BB", Disjoint),
            (disc(2.0, 9.5, 100.0), "AA", Neither),
            (disc(2.0, 9.5, 100.0), "AA+BB", Inside),
            (disc(0.2, 9.5, 100.0), "AA+BB", Neither),
            (disc(5.0, 5.0, 100.0), "AA", Disjoint),
            (disc(5.0, 5.0, 100.0), "EN", Inside),
            (disc(5.0, 5.0, 300.0), "AA", Neither),
            (disc(5.0, 5.0, 300.0), "AA+EN", Inside),
            (disc(2.0, 2.0, 100.0), "EN", Disjoint),
            (disc(0.0, 180.0, 500.0), "CC", Inside),
            (disc(0.0, -179.0, 500.0), "CC", Inside),
            (disc(0.0, 171.0, 500.0), "CC", Neither),
            (disc(0.0, 160.0, 500.0), "CC", Disjoint),
            (disc(-90.0, 0.0, 1000.0), "QQ", Inside),
            (disc(-85.0, 179.0, 1000.0), "QQ", Inside),
            (disc(-71.0, 50.0, 500.0), "QQ", Neither),
            (disc(90.0, 0.0, 1000.0), "QQ", Disjoint),
            (disc(2.0, 2.0, 20_000.0), "AA", Neither),
        ] {
            assert_eq!(relation(&known, asked), expected, "{known:?} {asked}");
        }
    }

    #[test]
    fn a_border_counts_as_far_as_its_map_may_be_off() {
        // One degree of latitude is 111.2 km; the map is off by at most one.
        assert_eq!(relation(&disc(1.0, 2.0, 110.0), "AA"), Relation::Inside);
        assert_eq!(relation(&disc(1.0, 2.0, 110.5), "AA"), Relation::Neither);
        assert_eq!(relation(&disc(-1.0, 2.0, 110.0), "AA"), Relation::Disjoint);
        assert_eq!(relation(&disc(-1.0, 2.0, 110.5), "AA"), Relation::Neither);
    }

    #[test]
    fn a_level_answers_its_own_and_coarser_ones() {
        use Relation::{Disjoint, Inside, Neither};

        let country = Region::country("DE").unwrap();
        let state = Region::subdivision("DE-BE").unwrap();
        let both = Region::countries(["DE", "US"]).unwrap();
        for (known, asked, expected) in [
            (&country, "DE", Inside),
            (&country, "FR", Disjoint),
            (&country, "EU", Inside),
            (&country, "DE-BE", Neither),
            (&country, "FR-75C", Disjoint),
            (&state, "DE", Inside),
            (&state, "EU", Inside),
            (&state, "US", Disjoint),
            (&state, "DE-BE", Inside),
            (&state, "DE-BY", Neither),
            (&state, "US-CA", Disjoint),
            (&both, "DE", Neither),
            (&both, "FR", Disjoint),
            (&both, "DE+US+FR", Inside),
            (&both, "EU", Neither),
        ] {
            assert_eq!(relation(known, asked), expected, "{known:?} {asked}");
        }
        let finer = relate(&country, &disc(52.5, 13.4, 50.0), time(), &islands());
        assert_eq!(finer, Ok(Neither));
    }

    #[test]
    fn a_city_lies_in_its_country_wherever_its_rim_may_be() {
        use Relation::{Disjoint, Inside, Neither};

        let city = Region::city(7).unwrap();
        for (asked, expected) in
            [("AA", Inside), ("BB", Disjoint), ("AA+BB", Inside), ("EN", Disjoint), ("AA-EN", Disjoint)]
        {
            assert_eq!(relation(&city, asked), expected, "{asked}");
        }
        let to = |asked: Region| relate(&city, &asked, time(), &islands());
        assert_eq!(to(city.clone()), Ok(Inside));
        assert_eq!(to(disc(2.0, 9.9, 50.0)), Ok(Inside));
        assert_eq!(to(disc(2.0, 9.9, 30.0)), Ok(Neither));
        assert_eq!(to(disc(2.0, 11.0, 50.0)), Ok(Disjoint));
        let of = |known: Region| relate(&known, &city, time(), &islands());
        assert_eq!(of(disc(2.0, 9.9, 5.0)), Ok(Inside));
        assert_eq!(of(disc(2.0, 9.7, 5.0)), Ok(Neither));
        assert_eq!(of(disc(2.0, 9.0, 5.0)), Ok(Disjoint));
    }

    #[test]
    fn what_the_gazetteer_lacks_is_not_released_yet() {
        for asked in
            [Region::country("ZZ"), Region::subdivision("AA-1"), Region::city(1), Region::countries(["AA", "ZZ"])]
        {
            let claim = Claim::Within(asked.unwrap());
            assert_eq!(judge(&claim, &disc(2.0, 2.0, 1.0), time(), &islands()), Err(Unproven::NotYetReleased));
        }
    }

    fn anywhere() -> impl Strategy<Value = LatLon> {
        (-1.0..=1.0_f64, -180.0..=180.0_f64).prop_map(|(sine, lon)| place(sine.asin().to_degrees(), lon))
    }

    proptest! {
        #[test]
        fn what_is_judged_holds_for_every_place_of_the_known_disc(
            center in anywhere(), km in 1.0..3000.0_f64, near in 0.0..1.5_f64, towards in 0.0..360.0_f64,
            asked_km in 50.0..4000.0_f64, corners in 3..24_i32, kind in 0..3,
            samples in prop::collection::vec((0.0..360.0_f64, 0.0..=1.0_f64), 20),
        ) {
            let known = Region::disc(center, km * 1000.0).unwrap();
            let asked_center = destination(center, towards, near * (km + asked_km));
            let asked = match kind {
                0 => Region::disc(asked_center, asked_km * 1000.0).unwrap(),
                1 => {
                    let corner = |index: i32| destination(asked_center, f64::from(index) * 360.0 / f64::from(corners), asked_km);
                    Region::polygon((0..corners).map(corner).collect()).unwrap()
                }
                _ => Region::country(["AA", "BB", "CC", "EN", "QQ"][corners.unsigned_abs() as usize % 5]).unwrap(),
            };
            let world = islands();
            let relation = relate(&known, &asked, time(), &world).unwrap();
            for (bearing, share) in samples {
                let place = destination(center, bearing, km * share);
                let inside = match &asked {
                    Region::Disc(disc) => of_region(disc).contains(place),
                    Region::Polygon(polygon) => Polygon::new(polygon.vertices()).unwrap().contains(place),
                    Region::Country(code) => world.land(*code).unwrap().contains(place),
                    _ => unreachable!(),
                };
                let rim = share > 0.999_999;
                match relation {
                    Relation::Inside => prop_assert!(inside || rim, "{:?} {:?} {:?}", known, asked, place),
                    Relation::Disjoint => prop_assert!(!inside || rim, "{:?} {:?} {:?}", known, asked, place),
                    Relation::Neither => {}
                }
            }
            let claims = [Claim::Within(asked.clone()), Claim::Outside(asked)];
            let [within, outside] = claims.map(|claim| judge(&claim, &known, time(), &world));
            prop_assert_eq!(within, outside.map(|outside| !outside), "a negative is proven by itself");
        }
    }
}
