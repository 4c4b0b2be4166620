//! A place on Earth as it stands on the wire. Knows the range of a coordinate; distances are octet-geometry's.

use serde::{Deserialize, Serialize};

/// A place: latitude −90 to 90 and longitude −180 to 180, in degrees (WGS 84), always finite.
///
/// ```
/// let berlin = octet::LatLon::new(52.52, 13.40)?;
/// assert_eq!(serde_json::to_string(&berlin).unwrap(), r#"{"lat":52.52,"lon":13.4}"#);
/// assert!(octet::LatLon::new(91.0, 0.0).is_err());
/// # Ok::<(), octet::InvalidLatLon>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Coordinates")]
pub struct LatLon {
    lat: f64,
    lon: f64,
}

/// The coordinates were not finite, or outside −90..=90 and −180..=180.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a place is a latitude from -90 to 90 and a longitude from -180 to 180, in degrees, such as 52.52,13.40")]
pub struct InvalidLatLon;

#[derive(Deserialize)]
struct Coordinates {
    lat: f64,
    lon: f64,
}

impl LatLon {
    /// The place at these degrees.
    ///
    /// # Errors
    ///
    /// When a coordinate is not finite or out of range.
    pub fn new(lat: f64, lon: f64) -> Result<Self, InvalidLatLon> {
        if (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon) {
            Ok(Self { lat, lon })
        } else {
            Err(InvalidLatLon)
        }
    }

    /// Latitude in degrees, north positive.
    #[must_use]
    pub const fn lat(self) -> f64 {
        self.lat
    }

    /// Longitude in degrees, east positive.
    #[must_use]
    pub const fn lon(self) -> f64 {
        self.lon
    }
}

impl TryFrom<Coordinates> for LatLon {
    type Error = InvalidLatLon;

    fn try_from(coordinates: Coordinates) -> Result<Self, Self::Error> {
        Self::new(coordinates.lat, coordinates.lon)
    }
}

impl std::str::FromStr for LatLon {
    type Err = InvalidLatLon;

    /// Reads `lat,lon`, as in `EDGE_LOCATION`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (lat, lon) = text.split_once(',').ok_or(InvalidLatLon)?;
        let number = |part: &str| part.trim().parse().map_err(|_| InvalidLatLon);
        Self::new(number(lat)?, number(lon)?)
    }
}
