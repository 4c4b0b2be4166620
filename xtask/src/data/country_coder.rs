//! The borders of country-coder: GeoJSON whose territories overlap nothing but stand in a tree (a territory may have
//! no shape of its own and be the sum of its parts). Coarse at sea, right about which land is whose.

use anyhow::{Context, Result};
use octet::LatLon;
use octet_engine::world::Polygon;
use serde::Deserialize;

use super::topojson::Rings;

#[derive(Debug, Deserialize)]
pub(super) struct CountryCoder {
    features: Vec<Feature>,
}

#[derive(Debug, Deserialize)]
struct Feature {
    properties: Properties,
    geometry: Option<Geometry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    #[serde(rename = "iso1A2")]
    alpha2: Option<String>,
    wikidata: String,
    #[serde(rename = "iso1N3")]
    numeric: Option<String>,
    #[serde(default)]
    groups: Vec<String>,
    country: Option<String>,
    iso_status: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Geometry {
    coordinates: Vec<Vec<Vec<[f64; 2]>>>,
}

/// One piece of the world.
#[derive(Debug)]
pub(super) struct Shape<'a> {
    /// What it is, by Wikidata's number.
    pub(super) number: &'a str,
    /// The territory that it belongs to, if to any.
    pub(super) owner: Option<&'a str>,
    geometry: &'a Geometry,
}

impl Shape<'_> {
    pub(super) fn polygons(&self) -> Result<Vec<Rings>> {
        self.geometry.polygons().collect()
    }
}

impl CountryCoder {
    /// The official two letters of a numeric ISO 3166-1 code.
    pub(super) fn alpha2(&self, numeric: &str) -> Option<&str> {
        let mut official = self.features.iter().filter(|feature| feature.is_official());
        official.find(|feature| feature.properties.numeric.as_deref() == Some(numeric))?.code()
    }

    /// All codes of countries and territories.
    pub(super) fn codes(&self) -> impl Iterator<Item = &str> {
        self.features.iter().filter(|feature| feature.is_official()).filter_map(Feature::code)
    }

    /// The shape of a territory: its own, or its parts'.
    pub(super) fn polygons(&self, code: &str) -> Result<Vec<Rings>> {
        let parts = self.shapes().filter(|shape| shape.owner == Some(code));
        Ok(parts.map(|shape| shape.polygons()).collect::<Result<Vec<_>>>()?.concat())
    }

    /// Every shape.
    pub(super) fn shapes(&self) -> impl Iterator<Item = Shape<'_>> {
        self.features.iter().filter_map(|feature| {
            let geometry = feature.geometry.as_ref()?;
            Some(Shape { number: &feature.properties.wikidata, owner: self.owner(feature), geometry })
        })
    }

    /// The territory whose shape holds this place.
    pub(super) fn territory_at(&self, place: LatLon) -> Result<Option<&str>> {
        for feature in &self.features {
            for rings in feature.geometry.iter().flat_map(Geometry::polygons) {
                let mut rings = rings?;
                let outline = rings.remove(0);
                if Polygon::new(outline, rings).contains(place) {
                    return Ok(self.owner(feature));
                }
            }
        }
        Ok(None)
    }

    /// The territory that a shape belongs to: its own code, a group of official code (`SJ` of Svalbard), else its
    /// country.
    fn owner<'a>(&'a self, feature: &'a Feature) -> Option<&'a str> {
        if feature.is_official() {
            return feature.code();
        }
        let groups = feature.properties.groups.iter().map(String::as_str);
        let territory = |group: &str| {
            self.features.iter().any(|other| {
                other.is_official() && other.properties.alpha2.as_deref() == Some(group) && other.geometry.is_none()
            })
        };
        groups.into_iter().find(|group| territory(group)).or(feature.properties.country.as_deref())
    }
}

impl Feature {
    /// Whether it has a code that ISO 3166-1 assigns, or Kosovo's; exceptional reservations such as `FX` are parts.
    fn is_official(&self) -> bool {
        match self.properties.iso_status.as_deref() {
            None | Some("official") => self.properties.alpha2.is_some(),
            Some(_) => self.properties.alpha2.as_deref() == Some("XK"),
        }
    }

    fn code(&self) -> Option<&str> {
        self.properties.alpha2.as_deref()
    }
}

impl Geometry {
    fn polygons(&self) -> impl Iterator<Item = Result<Rings>> {
        self.coordinates.iter().map(|polygon| polygon.iter().map(|ring| places(ring)).collect())
    }
}

fn places(ring: &[[f64; 2]]) -> Result<Vec<LatLon>> {
    let open = ring.split_last().context("an empty ring")?.1;
    open.iter().map(|&[lon, lat]| Ok(LatLon::new(lat, lon)?)).collect()
}
