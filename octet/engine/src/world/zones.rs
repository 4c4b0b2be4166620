//! Time zones: every name that a browser may report, the country that it is of, and its offsets. It knows no visitor
//! and no clock: the instant is an argument.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use octet::{CountryCode, LatLon};

use super::codec::{Unpacked, Writer};
use super::error::TableError;
use super::{City, World};
use crate::UnixTime;

pub(crate) const TABLE: &str = "zones";

/// One zone, whatever name it goes by.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    /// The name that IANA prefers, such as `Europe/Kyiv`.
    pub name: String,
    /// The country that it is of; none for zones that say nothing of a place (`UTC`, `Etc/GMT+5`, `CET`).
    pub country: Option<CountryCode>,
    /// Other countries that a system has the same clock for: Windows knows one for Berlin and Vienna, and browsers tell them
    /// apart by the region that it is set to. Where that is a country with other clocks, they show this zone.
    pub also: Vec<CountryCode>,
    /// Its principal place.
    pub place: Option<LatLon>,
}

impl Zone {
    /// Whether it says nothing of a place: `UTC`, `GMT`, `Etc/…`, `CET` and the like.
    #[must_use]
    pub const fn is_neutral(&self) -> bool {
        self.country.is_none()
    }
}

/// All zones and the names that they go by.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Zones {
    /// In the order of their names.
    pub all: Vec<Zone>,
    /// Every name, in order, with the index of its zone.
    pub names: Vec<(String, u16)>,
}

/// Minutes east of UTC that a zone's clocks show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneOffsets {
    /// At the instant asked for.
    pub now_min: i32,
    /// At the beginning of 1 January of that year, on the zone's own calendar.
    pub january_min: i32,
    /// At the beginning of 1 July of that year, on the zone's own calendar.
    pub july_min: i32,
}

impl World {
    /// Every zone, in the order of their names.
    #[must_use]
    pub fn zones(&self) -> &[Zone] {
        &self.zones.all
    }

    /// The zone of this name: IANA's, present or former, or CLDR's.
    ///
    /// ```
    /// let world = octet_engine::World::embedded();
    /// let zone = world.zone("Europe/Kiev").unwrap();
    /// assert_eq!(zone.name, "Europe/Kyiv");
    /// assert_eq!(zone.country.unwrap(), "UA");
    /// assert!(world.zone("UTC").unwrap().is_neutral());
    /// assert!(world.zone("Europe/Nowhere").is_none());
    /// ```
    #[must_use]
    pub fn zone(&self, name: &str) -> Option<&Zone> {
        let names = &self.zones.names;
        let index = names.binary_search_by(|(known, _)| known.as_str().cmp(name)).ok()?;
        self.zones.all.get(usize::from(names.get(index)?.1))
    }

    /// The zone that this city's clocks follow.
    #[must_use]
    pub fn city_zone(&self, city: &City) -> Option<&Zone> {
        self.zone(self.cities.zone_names.get(usize::from(city.zone))?)
    }

    /// The cities whose clocks follow the zone of this name, under whichever of its names.
    ///
    /// ```
    /// let world = octet_engine::World::embedded();
    /// assert!(world.zone_cities("Asia/Calcutta").any(|city| city.population > 10_000_000));
    /// ```
    pub fn zone_cities(&self, name: &str) -> impl Iterator<Item = &City> {
        let zone = self.zone(name);
        let same = |known: &String| zone.is_some() && self.zone(known) == zone;
        let indices: Vec<bool> = self.cities.zone_names.iter().map(same).collect();
        self.cities().iter().filter(move |city| indices.get(usize::from(city.zone)) == Some(&true))
    }

    /// The offsets of the zone of this name; none when the world does not know the name, or its rules.
    ///
    /// ```
    /// use octet_engine::{UnixTime, World};
    /// let offsets = World::embedded().zone_offsets("America/New_York", UnixTime(1_790_000_000)).unwrap();
    /// assert_eq!((offsets.now_min, offsets.january_min, offsets.july_min), (-240, -300, -240));
    /// ```
    #[must_use]
    pub fn zone_offsets(&self, name: &str, at: UnixTime) -> Option<ZoneOffsets> {
        let zone = self.zone(name)?;
        let rules = RULES.get(name).or_else(|_| RULES.get(&zone.name)).ok()?;
        let at = Timestamp::from_second(at.0).ok()?;
        let year = rules.to_datetime(at).year();
        Some(ZoneOffsets {
            now_min: rules.to_offset(at).seconds() / 60,
            january_min: beginning_of_month(&rules, year, 1)?,
            july_min: beginning_of_month(&rules, year, 7)?,
        })
    }
}

/// The rules of the zones, compiled into the binary: the system's own are never read.
static RULES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

fn beginning_of_month(rules: &TimeZone, year: i16, month: i8) -> Option<i32> {
    let midnight = date(year, month, 1).at(0, 0, 0, 0);
    let instant = rules.to_ambiguous_timestamp(midnight).compatible().ok()?;
    Some(rules.to_offset(instant).seconds() / 60)
}

impl Zones {
    /// How many bytes they hold on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        let zone = |zone: &Zone| size_of::<Zone>() + zone.name.len() + size_of_val(zone.also.as_slice());
        let name = |(name, _): &(String, u16)| size_of::<(String, u16)>() + name.len();
        self.all.iter().map(zone).sum::<usize>() + self.names.iter().map(name).sum::<usize>()
    }
}

/// The table of these zones.
///
/// # Errors
///
/// When the compressor fails.
pub fn encode(zones: &Zones) -> std::io::Result<Vec<u8>> {
    let mut writer = Writer::new(TABLE);
    writer.count(zones.all.len());
    for zone in &zones.all {
        writer.text(&zone.name);
        let countries: Vec<_> = zone.country.iter().chain(&zone.also).collect();
        writer.count(countries.len());
        for country in countries {
            writer.country(*country);
        }
        writer.count(usize::from(zone.place.is_some()));
        if let Some(place) = zone.place {
            writer.place(place);
        }
    }
    writer.count(zones.names.len());
    for (name, zone) in &zones.names {
        writer.text(name);
        writer.unsigned((*zone).into());
    }
    writer.finish()
}

pub(crate) fn read(unpacked: &Unpacked) -> Result<Zones, TableError> {
    let mut reader = unpacked.reader(TABLE)?;
    let all = reader.list(|reader| {
        let name = reader.text()?.to_owned();
        let mut countries = reader.list(|reader| reader.country())?.into_iter();
        let place = reader.list(|reader| reader.place())?.pop();
        Ok(Zone { name, country: countries.next(), also: countries.collect(), place })
    })?;
    let names = reader.list(|reader| Ok((reader.text()?.to_owned(), reader.number("zone")?)))?;
    reader.finish()?;
    if !names.is_sorted() || names.iter().any(|&(_, zone)| usize::from(zone) >= all.len()) {
        return Err(TableError::Malformed { what: "name of a zone" });
    }
    Ok(Zones { all, names })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_table_gives_back_its_zones(
            names in prop::collection::btree_set("[A-Z][a-z]{1,8}/[A-Z][a-z]{1,8}", 0..12),
            countries in prop::collection::vec("[A-Z]{2}", 0..4),
            place in prop::option::of((-180..=180_i32, -360..=360_i32)),
        ) {
            let mut countries = countries.iter().map(|code| code.parse().unwrap());
            let country = countries.next();
            let also: Vec<CountryCode> = countries.collect();
            let place = place.map(|(lat, lon)| LatLon::new(f64::from(lat) / 2.0, f64::from(lon) / 2.0).unwrap());
            let zone = |name: &String| Zone { name: name.clone(), country, also: also.clone(), place };
            let zones = Zones { all: names.iter().map(zone).collect(), names: names.iter().cloned().zip(0..).collect() };
            let table = encode(&zones).unwrap();
            prop_assert_eq!(read(&Unpacked::new(&table).unwrap()).unwrap(), zones);
        }

        #[test]
        fn any_content_is_refused_or_read_without_panic(content: Vec<u8>) {
            let mut writer = Writer::new(TABLE);
            writer.raw(&content);
            let _ = read(&Unpacked::new(&writer.finish().unwrap()).unwrap());
        }

        #[test]
        fn any_name_at_any_time_is_answered_without_panic(name: String, at: i64) {
            let world = World::embedded();
            let _ = world.zone_offsets(&name, UnixTime(at));
            for zone in world.zones().iter().step_by(50) {
                let _ = world.zone_offsets(&zone.name, UnixTime(at));
            }
        }
    }

    /// 21 November 2026.
    const NOVEMBER: UnixTime = UnixTime(1_795_219_200);

    #[test]
    fn the_names_that_browsers_report_are_of_the_country_that_they_are_in() {
        let world = World::embedded();
        let expected = [
            ("Asia/Calcutta", "Asia/Kolkata", "IN"),
            ("America/Godthab", "America/Nuuk", "GL"),
            ("America/Coral_Harbour", "America/Atikokan", "CA"),
            ("America/Atikokan", "America/Atikokan", "CA"),
            ("Europe/Oslo", "Europe/Oslo", "NO"),
            ("Arctic/Longyearbyen", "Arctic/Longyearbyen", "SJ"),
            ("US/Pacific", "America/Los_Angeles", "US"),
            ("Israel", "Asia/Jerusalem", "IL"),
            ("Africa/El_Aaiun", "Africa/El_Aaiun", "EH"),
        ];
        for (name, canonical, country) in expected {
            let zone = world.zone(name).expect(name);
            assert_eq!((zone.name.as_str(), zone.country.unwrap().as_str()), (canonical, country), "{name}");
        }
    }

    #[test]
    fn zones_without_a_place_are_neutral() {
        let world = World::embedded();
        for name in ["UTC", "GMT", "Etc/UTC", "Etc/GMT+5", "Etc/Unknown", "Factory", "Zulu", "CET", "EST5EDT"] {
            assert!(world.zone(name).expect(name).is_neutral(), "{name}");
        }
    }

    #[test]
    fn every_zone_has_rules() {
        let world = World::embedded();
        for zone in world.zones() {
            assert!(world.zone_offsets(&zone.name, NOVEMBER).is_some(), "{}", zone.name);
        }
        assert!(world.zones().len() > 420);
    }

    #[test]
    fn summer_time_shows_in_the_hemisphere_that_it_is_kept_in() {
        let world = World::embedded();
        let offsets = |name| world.zone_offsets(name, NOVEMBER).unwrap();
        let (berlin, sydney) = (offsets("Europe/Berlin"), offsets("Australia/Sydney"));
        assert_eq!((berlin.now_min, berlin.january_min, berlin.july_min), (60, 60, 120));
        assert_eq!((sydney.now_min, sydney.january_min, sydney.july_min), (660, 660, 600));
        assert_eq!(offsets("Asia/Kathmandu").now_min, 345);
        assert_eq!(offsets("Etc/GMT+5").july_min, -300);
        assert_eq!(world.zone_offsets("Europe/Berlin", UnixTime(i64::MAX)), None);
    }

    #[test]
    fn windows_lends_a_zone_to_neighbours() {
        let world = World::embedded();
        let berlin = world.zone("Europe/Berlin").unwrap();
        assert!(berlin.also.iter().any(|country| *country == *"AT"));
        assert!(!berlin.also.contains(&berlin.country.unwrap()));
    }

    #[test]
    fn every_city_has_a_zone() {
        let world = World::embedded();
        let without = world.cities().iter().filter(|city| world.city_zone(city).is_none()).count();
        assert_eq!(without, 0);
    }
}
