//! The map with which questions about countries are answered on the device. It comes from the service or with the app:
//! this crate holds none.

use std::collections::HashMap;

use octet::attestation::BordersFile;
use octet::{CountryCode, LatLon};
use octet_geometry::{Gazetteer, Land};

/// The borders of countries, as `GET /v1/borders` gives them.
#[derive(Debug, Clone, Default)]
pub struct Borders(HashMap<CountryCode, Land>);

/// The text is no map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a map as `GET /v1/borders` gives it")]
pub struct InvalidBorders;

impl Borders {
    /// The longest map that is read, in bytes.
    pub const MAX_LEN: usize = 16 * 1024 * 1024;

    /// The map in this file: what `GET /v1/borders` answers.
    ///
    /// # Errors
    ///
    /// When it is not a map, or longer than [`Self::MAX_LEN`].
    pub fn from_json(json: &[u8]) -> Result<Self, InvalidBorders> {
        if json.len() > Self::MAX_LEN {
            return Err(InvalidBorders);
        }
        let file: BordersFile = serde_json::from_slice(json).map_err(|_| InvalidBorders)?;
        let mut countries = HashMap::new();
        for country in &file.countries {
            let rings: Option<Vec<Vec<LatLon>>> = country.rings.iter().map(|ring| file.decode(ring)).collect();
            let rings = rings.ok_or(InvalidBorders)?;
            let land = Land::new(rings.iter().map(Vec::as_slice), file.precision_km);
            countries.insert(country.code, land);
        }
        Ok(Self(countries))
    }
}

impl Gazetteer for Borders {
    fn country(&self, code: CountryCode) -> Option<&Land> {
        self.0.get(&code)
    }
}
