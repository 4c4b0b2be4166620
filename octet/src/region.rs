//! The regions that a question or a proof is about, as they stand on the wire. Knows the shape and the bounds of each
//! kind; where a country or a city lies is not known here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use crate::country_set::{CountrySet, SetName};
pub use crate::shape::{DiscRegion, PolygonRegion};
use crate::{CountryCode, LatLon};

/// A part of Earth that a question or a proof is about.
///
/// On the wire an object with a `type`:
///
/// | `type` | beside it |
/// | --- | --- |
/// | `country` | `code`, ISO 3166-1 alpha-2 |
/// | `countries` | `codes`, or `set` (`EU`, `EEA`) with an optional `asOf` |
/// | `subdivision` | `code`, ISO 3166-2 |
/// | `city` | `geonameId` |
/// | `disc` | `center`, `radiusMeters` |
/// | `polygon` | `vertices`, 3 to 64, in order, not closed by repetition; edges are great circles |
///
/// ```
/// use octet::{LatLon, Region};
/// let germany = Region::country("DE")?;
/// let harbour = Region::disc(LatLon::new(53.54, 9.98)?, 2_000.0)?;
/// assert_eq!(serde_json::to_string(&germany)?, r#"{"type":"country","code":"DE"}"#);
/// assert!(germany.level() < harbour.level());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Region {
    /// One country.
    Country(CountryCode),
    /// Any of several countries.
    Countries(CountrySet),
    /// A part of a country with a code of its own, such as a state or a province.
    Subdivision(SubdivisionCode),
    /// A city.
    City(CityId),
    /// All places within a distance.
    Disc(DiscRegion),
    /// All places that a ring goes around.
    Polygon(PolygonRegion),
}

/// How finely a region says where something is; coarser levels are smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A country, or a set of them.
    Country,
    /// A part of a country.
    Subdivision,
    /// A city.
    City,
    /// A disc or a polygon.
    Shape,
}

/// What was given is no region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRegion {
    /// No country code.
    #[error(transparent)]
    Country(#[from] crate::InvalidCountryCode),
    /// No set of countries.
    #[error("a set of countries is 1 to 256 different codes, or EU since 1993-11-01, or EEA since 1994-01-01")]
    Countries,
    /// No subdivision code.
    #[error("a subdivision is an ISO 3166-2 code: a country, a hyphen and 1 to 3 of A-Z and 0-9, such as US-CA")]
    Subdivision,
    /// No city.
    #[error("a city is a GeoNames id above 0")]
    City,
    /// No disc.
    #[error("a disc has a radius above 0 m and of at most 20,015,115 m, half of Earth's circumference")]
    Disc,
    /// No polygon.
    #[error("a polygon is 3 to 64 vertices within one half of Earth")]
    Polygon,
}

impl Region {
    /// The country with this ISO 3166-1 alpha-2 code.
    ///
    /// # Errors
    ///
    /// When the text is no such code.
    pub fn country(code: &str) -> Result<Self, InvalidRegion> {
        Ok(Self::Country(code.parse()?))
    }

    /// Any of the countries with these ISO 3166-1 alpha-2 codes.
    ///
    /// # Errors
    ///
    /// When one of them is no code, there is none, or one stands twice.
    pub fn countries<I>(codes: I) -> Result<Self, InvalidRegion>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let codes = codes.into_iter().map(|code| code.as_ref().parse()).collect::<Result<Vec<_>, _>>()?;
        Ok(Self::Countries(CountrySet::of(codes)?))
    }

    /// The European Union, as it is at the time that is asked about.
    #[must_use]
    pub const fn eu() -> Self {
        Self::Countries(CountrySet::EU)
    }

    /// The European Economic Area, as it is at the time that is asked about.
    #[must_use]
    pub const fn eea() -> Self {
        Self::Countries(CountrySet::EEA)
    }

    /// The subdivision with this ISO 3166-2 code.
    ///
    /// # Errors
    ///
    /// When the text is no such code.
    pub fn subdivision(code: &str) -> Result<Self, InvalidRegion> {
        Ok(Self::Subdivision(code.parse()?))
    }

    /// The city with this GeoNames id.
    ///
    /// # Errors
    ///
    /// When the id is 0.
    pub fn city(geoname_id: u32) -> Result<Self, InvalidRegion> {
        Ok(Self::City(CityId::new(geoname_id)?))
    }

    /// All places within `radius_meters` of `center`.
    ///
    /// # Errors
    ///
    /// When the radius is out of range.
    pub fn disc(center: LatLon, radius_meters: f64) -> Result<Self, InvalidRegion> {
        Ok(Self::Disc(DiscRegion::new(center, radius_meters)?))
    }

    /// All places that the ring through these vertices goes around.
    ///
    /// # Errors
    ///
    /// With fewer than 3 or more than 64 vertices, or when they are not on one half of Earth.
    pub fn polygon(vertices: Vec<LatLon>) -> Result<Self, InvalidRegion> {
        Ok(Self::Polygon(PolygonRegion::new(vertices)?))
    }

    /// How finely it says where something is.
    #[must_use]
    pub const fn level(&self) -> Level {
        match self {
            Self::Country(_) | Self::Countries(_) => Level::Country,
            Self::Subdivision(_) => Level::Subdivision,
            Self::City(_) => Level::City,
            Self::Disc(_) | Self::Polygon(_) => Level::Shape,
        }
    }

    /// This region with a set of countries by name fixed to the day of `time`, unless it names a day itself.
    ///
    /// # Errors
    ///
    /// When the set did not exist on that day; or when it names a later day itself, of which nobody knows the members yet.
    pub fn dated(self, time: jiff::Timestamp) -> Result<Self, InvalidRegion> {
        match self {
            Self::Countries(set) => Ok(Self::Countries(set.dated(time)?)),
            region => Ok(region),
        }
    }
}

/// An ISO 3166-2 code: a country, a hyphen, and 1 to 3 letters or digits. Knows the shape, not which exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubdivisionCode {
    country: CountryCode,
    /// Padded with zeros.
    part: [u8; 3],
}

impl SubdivisionCode {
    /// The country that it is a part of.
    #[must_use]
    pub const fn country(self) -> CountryCode {
        self.country
    }
}

impl FromStr for SubdivisionCode {
    type Err = InvalidRegion;

    fn from_str(text: &str) -> Result<Self, InvalidRegion> {
        let (country, part) = text.split_once('-').ok_or(InvalidRegion::Subdivision)?;
        let country = country.parse().map_err(|_| InvalidRegion::Subdivision)?;
        let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        if !(1..=3).contains(&part.len()) || !part.bytes().all(allowed) {
            return Err(InvalidRegion::Subdivision);
        }
        let mut padded = [0; 3];
        padded.iter_mut().zip(part.bytes()).for_each(|(to, from)| *to = from);
        Ok(Self { country, part: padded })
    }
}

impl fmt::Display for SubdivisionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.country, std::str::from_utf8(&self.part).unwrap_or_default().trim_end_matches('\0'))
    }
}

/// A city by its GeoNames id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CityId(u32);

impl CityId {
    /// The city with this GeoNames id.
    ///
    /// # Errors
    ///
    /// When the id is 0.
    pub const fn new(geoname_id: u32) -> Result<Self, InvalidRegion> {
        if geoname_id == 0 { Err(InvalidRegion::City) } else { Ok(Self(geoname_id)) }
    }

    /// The GeoNames id.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// A region as it stands on the wire.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase")]
enum Wire {
    Country { code: CountryCode },
    Countries(CountrySet),
    Subdivision { code: SubdivisionCode },
    City { geoname_id: u32 },
    Disc { center: LatLon, radius_meters: f64 },
    Polygon { vertices: Vec<LatLon> },
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Country(code) => Wire::Country { code: *code },
            Self::Countries(set) => Wire::Countries(set.clone()),
            Self::Subdivision(code) => Wire::Subdivision { code: *code },
            Self::City(city) => Wire::City { geoname_id: city.get() },
            Self::Disc(disc) => Wire::Disc { center: disc.center(), radius_meters: disc.radius_meters() },
            Self::Polygon(polygon) => Wire::Polygon { vertices: polygon.vertices().to_vec() },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Wire::deserialize(deserializer)? {
            Wire::Country { code } => Ok(Self::Country(code)),
            Wire::Countries(set) => Ok(Self::Countries(set)),
            Wire::Subdivision { code } => Ok(Self::Subdivision(code)),
            Wire::City { geoname_id } => Self::city(geoname_id),
            Wire::Disc { center, radius_meters } => Self::disc(center, radius_meters),
            Wire::Polygon { vertices } => Self::polygon(vertices),
        }
        .map_err(de::Error::custom)
    }
}

impl Serialize for SubdivisionCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SubdivisionCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::parse(deserializer, "an ISO 3166-2 code", |text| text.parse().map_err(de::Error::custom))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_region() -> impl Strategy<Value = Region> {
        // Eighths, which decimal digits write exactly.
        let eighth = |number: i32| f64::from(number) / 8.0;
        let place = move || {
            (-720..=720, -1440..=1440).prop_map(move |(lat, lon)| LatLon::new(eighth(lat), eighth(lon)).unwrap())
        };
        prop_oneof![
            "[A-Z]{2}".prop_map(|code| Region::country(&code).unwrap()),
            prop::collection::btree_set("[A-Z]{2}", 1..20).prop_map(|codes| Region::countries(codes).unwrap()),
            Just(Region::eu()),
            (1_000_000_000..2_000_000_000_i64)
                .prop_map(|second| Region::eea().dated(jiff::Timestamp::from_second(second).unwrap()).unwrap()),
            "[A-Z]{2}-[A-Z0-9]{1,3}".prop_map(|code| Region::subdivision(&code).unwrap()),
            (1..u32::MAX).prop_map(|id| Region::city(id).unwrap()),
            (place(), 1..160_000_000).prop_map(move |(center, radius)| Region::disc(center, eighth(radius)).unwrap()),
            (-480..=480, -1280..=1280, prop::collection::vec((-160..=160, -160..=160), 3..=64)).prop_map(
                move |(lat, lon, ring)| {
                    let vertex = |&(north, east): &(i32, i32)| LatLon::new(eighth(lat + north), eighth(lon + east));
                    Region::polygon(ring.iter().map(|offset| vertex(offset).unwrap()).collect()).unwrap()
                }
            ),
        ]
    }

    proptest! {
        #[test]
        fn a_region_reads_back_as_it_was_written(region in any_region()) {
            let json = serde_json::to_string(&region).unwrap();
            prop_assert_eq!(serde_json::from_str::<Region>(&json).unwrap(), region);
        }

        #[test]
        fn no_text_makes_reading_a_region_panic(text in r#"\{"type":"(country|countries|city|disc|polygon)",.{0,60}\}"#) {
            let _ = serde_json::from_str::<Region>(&text);
        }
    }

    #[test]
    fn what_is_out_of_bounds_is_no_region() {
        for bad in [
            r#"{"type":"country","code":"de"}"#,
            r#"{"type":"country"}"#,
            r#"{"type":"planet","code":"DE"}"#,
            r#"{"type":"countries","codes":[]}"#,
            r#"{"type":"countries","codes":["DE","DE"]}"#,
            r#"{"type":"countries"}"#,
            r#"{"type":"countries","set":"NATO"}"#,
            r#"{"type":"countries","set":"EU","asOf":"1990-01-01"}"#,
            r#"{"type":"countries","set":"EU","asOf":"2024-01-01","codes":["US"]}"#,
            r#"{"type":"subdivision","code":"US"}"#,
            r#"{"type":"subdivision","code":"US-CALI"}"#,
            r#"{"type":"city","geonameId":0}"#,
            r#"{"type":"disc","center":{"lat":1,"lon":1},"radiusMeters":0}"#,
            r#"{"type":"disc","center":{"lat":1,"lon":1},"radiusMeters":1e9}"#,
            r#"{"type":"polygon","vertices":[{"lat":1,"lon":1},{"lat":2,"lon":2}]}"#,
            r#"{"type":"polygon","vertices":[{"lat":0,"lon":0},{"lat":0,"lon":120},{"lat":0,"lon":-120}]}"#,
        ] {
            assert!(serde_json::from_str::<Region>(bad).is_err(), "{bad}");
        }
        assert!(Region::polygon(vec![LatLon::new(1.0, 1.0).unwrap(); 65]).is_err());
    }
}
