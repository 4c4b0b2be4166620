//! Table `borders`: Natural Earth's land at 1:50 million (small territories at 1:10 million), overseas parts given to the territories that they are,
//! and what it lacks filled from country-coder; populations from CLDR.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use anyhow::Result;
use octet::{CountryCode, LatLon};
use octet_engine::world::{Country, Polygon, borders};

use super::country_coder::CountryCoder;
use super::topojson::{Rings, Topology};
use super::{Inputs, territories};

pub(super) fn build(inputs: &Inputs) -> Result<Vec<u8>> {
    let atlas = inputs.package("world-atlas")?;
    let coder: CountryCoder = inputs.package("@rapideditor/country-coder")?.json("src/data/borders.json")?;
    let populations = territories::populations(inputs)?;
    let mut lands = lands(&atlas.json("countries-50m.json")?, &coder)?;
    for (code, polygons) in self::lands(&atlas.json("countries-10m.json")?, &coder)? {
        let coarse: f64 = lands.get(&code).into_iter().flatten().map(Polygon::square_degrees).sum();
        if coarse < SMALL_SQUARE_DEGREES {
            lands.insert(code, polygons);
        }
    }
    for code in coder.codes() {
        let code: CountryCode = code.parse()?;
        if let Entry::Vacant(gap) = lands.entry(code) {
            gap.insert(coder.polygons(code.as_str())?.iter().filter_map(polygon).collect());
        }
    }
    let countries: Vec<_> = lands
        .into_iter()
        .map(|(code, polygons)| {
            let population = populations.get(&code).copied().unwrap_or(0);
            Country { code, population, polygons }
        })
        .collect();
    Ok(borders::encode(&countries)?)
}

/// Territories of less land than this (about 60 km by 60 km) are drawn from the map at 1:10 million.
const SMALL_SQUARE_DEGREES: f64 = 0.3;

type Lands = BTreeMap<CountryCode, Vec<Polygon>>;

/// The land of each code on one map.
fn lands(atlas: &Topology, coder: &CountryCoder) -> Result<Lands> {
    let mut lands = Lands::new();
    for feature in atlas.features() {
        let by_name = UNCODED.iter().find(|(name, _)| *name == feature.properties.name).map(|(_, code)| *code);
        let declared = feature.id.as_deref().and_then(|id| coder.alpha2(id)).or(by_name);
        for polygon in atlas.polygons(feature)?.iter().flat_map(at_the_antimeridian).filter_map(|rings| polygon(&rings))
        {
            let code = match declared {
                Some(code) if !HAS_OVERSEAS_PARTS.contains(&code) => Some(code),
                _ => coder.territory_at(inside(&polygon))?.or(declared),
            };
            // What neither source gives to anyone is a disputed reef or an uninhabited strip.
            if let Some(code) = code {
                lands.entry(code.parse()?).or_default().push(polygon);
            }
        }
    }
    Ok(lands)
}

/// Natural Earth counts other territories' land to these.
const HAS_OVERSEAS_PARTS: [&str; 5] = ["AU", "FR", "NL", "NO", "NZ"];

/// Land without an ISO code that the other source gives to nobody.
const UNCODED: [(&str, &str); 1] = [("N. Cyprus", "CY")];

/// The map joins what Natural Earth had cut at the antimeridian: this cuts it there again, so that no edge runs
/// once around Earth. A ring around a pole is closed along it.
pub(super) fn at_the_antimeridian(rings: &Rings) -> Vec<Rings> {
    let unwrapped: Vec<_> = rings.iter().map(|ring| unwrap(ring)).collect();
    [-1.0, 0.0, 1.0]
        .into_iter()
        .map(|turn| unwrapped.iter().map(|ring| window(ring, turn * 360.0)).collect::<Rings>())
        .filter(|rings| rings.first().is_some_and(|outline| outline.len() >= 3))
        .collect()
}

/// `(lat, lon)` vertices whose longitudes go on beyond ±180 instead of jumping.
fn unwrap(ring: &[LatLon]) -> Vec<(f64, f64)> {
    let mut vertices: Vec<(f64, f64)> = Vec::with_capacity(ring.len() + 2);
    for place in ring {
        let last = vertices.last().map_or(place.lon(), |vertex| vertex.1);
        vertices.push((place.lat(), place.lon() + 360.0 * ((last - place.lon()) / 360.0).round()));
    }
    if let (Some(&(lat, first)), Some(&(_, last))) = (vertices.first(), vertices.last())
        && (first - last).abs() > 180.0
    {
        let pole = 90.0_f64.copysign(lat);
        // On to where the ring began, one turn further, and back along the pole.
        let end = first + 360.0_f64.copysign(last - first);
        vertices.extend([(lat, end), (pole, end), (pole, first)]);
    }
    vertices
}

/// The part of the ring between `shift - 180` and `shift + 180` degrees, shifted back.
fn window(ring: &[(f64, f64)], shift: f64) -> Vec<LatLon> {
    let east = half(ring, |vertex| vertex.1 - (shift - 180.0));
    let back = |(lat, lon): (f64, f64)| LatLon::new(lat, (lon - shift).clamp(-180.0, 180.0)).ok();
    half(&east, |vertex| shift + 180.0 - vertex.1).into_iter().filter_map(back).collect()
}

/// The part of the ring where `height`, which is linear, is not below 0 (Sutherland and Hodgman).
pub(super) fn half(ring: &[(f64, f64)], height: impl Fn((f64, f64)) -> f64) -> Vec<(f64, f64)> {
    let mut kept = Vec::with_capacity(ring.len() + 2);
    for (index, &vertex) in ring.iter().enumerate() {
        let previous = ring[(index + ring.len() - 1) % ring.len()];
        let (from, to) = (height(previous), height(vertex));
        if (from < 0.0) != (to < 0.0) {
            let part = from / (from - to);
            kept.push((previous.0 + part * (vertex.0 - previous.0), previous.1 + part * (vertex.1 - previous.1)));
        }
        if to >= 0.0 {
            kept.push(vertex);
        }
    }
    kept
}

/// The polygon as the table will hold it, or none when it is smaller than the table's step.
pub(super) fn polygon(rings: &Rings) -> Option<Polygon> {
    let mut rings: Vec<_> = rings.iter().map(|ring| distinct(ring)).collect();
    let outline = rings.remove(0);
    rings.retain(|hole| hole.len() >= 3);
    (outline.len() >= 3).then(|| Polygon::new(outline, rings))
}

/// The ring without vertices that fall on their neighbour in the table's steps.
fn distinct(ring: &[LatLon]) -> Vec<LatLon> {
    let steps = |place: &LatLon| ((place.lat() * 500.0).round() as i32, (place.lon() * 500.0).round() as i32);
    let mut ring = ring.to_vec();
    ring.dedup_by_key(|place| steps(place));
    while ring.len() > 1 && ring.first().map(steps) == ring.last().map(steps) {
        ring.pop();
    }
    ring
}

/// A place inside the polygon: in the middle of its widest stretch along one of a few parallels.
fn inside(polygon: &Polygon) -> LatLon {
    let (south_west, north_east) = polygon.bounds();
    let mut best = (0.0, polygon.exterior[0]);
    for part in 1..16 {
        let lat = south_west.lat() + (north_east.lat() - south_west.lat()) * f64::from(part) / 16.0;
        let mut crossings: Vec<f64> = polygon
            .rings()
            .flat_map(|ring| ring.iter().zip(ring.iter().cycle().skip(1)))
            .filter(|(a, b)| (a.lat() > lat) != (b.lat() > lat))
            .map(|(a, b)| a.lon() + (lat - a.lat()) / (b.lat() - a.lat()) * (b.lon() - a.lon()))
            .collect();
        crossings.sort_by(f64::total_cmp);
        for stretch in crossings.chunks_exact(2) {
            let width = stretch[1] - stretch[0];
            if let (true, Ok(middle)) = (width > best.0, LatLon::new(lat, stretch[0] + width / 2.0)) {
                best = (width, middle);
            }
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn land_across_the_antimeridian_stands_on_both_sides_of_it() {
        let place = |lat, lon| LatLon::new(lat, lon).unwrap();
        let outline = vec![place(60.0, 170.0), place(60.0, -170.0), place(70.0, -170.0), place(70.0, 170.0)];
        let pieces: Vec<_> = at_the_antimeridian(&vec![outline]).iter().filter_map(polygon).collect();
        assert_eq!(pieces.len(), 2);
        let on_land = |lat, lon| pieces.iter().any(|piece| piece.contains(place(lat, lon)));
        assert!(on_land(65.0, 175.0) && on_land(65.0, -175.0));
        assert!(!on_land(65.0, 0.0) && !on_land(65.0, 165.0) && !on_land(65.0, -165.0));
    }

    #[test]
    fn land_around_a_pole_holds_the_pole() {
        let place = |lat, lon| LatLon::new(lat, lon).unwrap();
        let outline: Vec<_> = (-3..3).map(|sixth| place(-70.0, f64::from(sixth) * 60.0)).collect();
        let pieces: Vec<_> = at_the_antimeridian(&vec![outline]).iter().filter_map(polygon).collect();
        let on_land = |lat, lon| pieces.iter().any(|piece| piece.contains(place(lat, lon)));
        assert!(on_land(-89.0, 10.0) && on_land(-75.0, 179.0) && on_land(-75.0, -179.0));
        assert!(!on_land(-65.0, 10.0));
    }

    #[test]
    fn the_place_inside_a_horseshoe_is_on_its_land() {
        let vertices = [(0.0, 0.0), (0.0, 9.0), (9.0, 9.0), (9.0, 8.0), (1.0, 8.0), (1.0, 1.0), (9.0, 1.0), (9.0, 0.0)];
        let outline = vertices.iter().map(|&(lat, lon)| LatLon::new(lat, lon).unwrap()).collect();
        let horseshoe = Polygon::new(outline, Vec::new());
        assert!(horseshoe.contains(inside(&horseshoe)));
    }
}
