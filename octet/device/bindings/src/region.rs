//! Regions as other languages say them. What is none is found out when it is read.

use octet_device::{LatLon, Region};

/// A place, in degrees.
#[derive(Clone, Copy, uniffi::Record)]
pub struct OctetPlace {
    /// North.
    pub lat: f64,
    /// East.
    pub lon: f64,
}

/// What is asked about.
#[derive(uniffi::Enum)]
pub enum OctetRegion {
    /// A country.
    Country {
        /// ISO 3166-1 alpha-2.
        code: String,
    },
    /// Any of these countries.
    Countries {
        /// ISO 3166-1 alpha-2.
        codes: Vec<String>,
    },
    /// The European Union, as it is at the time that is asked about.
    Eu,
    /// The European Economic Area, as it is at the time that is asked about.
    Eea,
    /// A part of a country.
    Subdivision {
        /// ISO 3166-2.
        code: String,
    },
    /// A city.
    City {
        /// Its GeoNames id.
        geoname_id: u32,
    },
    /// A circle.
    Disc {
        /// Its centre.
        center: OctetPlace,
        /// Its radius.
        radius_meters: f64,
    },
    /// A polygon of 3 to 64 vertices.
    Polygon {
        /// In order, the first not repeated.
        vertices: Vec<OctetPlace>,
    },
}

impl OctetPlace {
    pub(crate) fn read(self) -> Option<LatLon> {
        LatLon::new(self.lat, self.lon).ok()
    }
}

impl OctetRegion {
    pub(crate) fn read(self) -> Option<Region> {
        match self {
            Self::Country { code } => Region::country(&code).ok(),
            Self::Countries { codes } => Region::countries(codes).ok(),
            Self::Eu => Some(Region::eu()),
            Self::Eea => Some(Region::eea()),
            Self::Subdivision { code } => Region::subdivision(&code).ok(),
            Self::City { geoname_id } => Region::city(geoname_id).ok(),
            Self::Disc { center, radius_meters } => Region::disc(center.read()?, radius_meters).ok(),
            Self::Polygon { vertices } => {
                Region::polygon(vertices.into_iter().map(OctetPlace::read).collect::<Option<_>>()?).ok()
            }
        }
    }
}
