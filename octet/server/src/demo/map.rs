//! The world as the shop's page shows it: an SVG drawn from the borders table, and a verdict drawn over it. No
//! tile server, no third party. Equirectangular: a quarter of a degree is one unit.

use std::fmt::Write;

use octet::{LatLon, Verdict};
use octet_engine::World;
use octet_engine::world::Country;
use octet_geometry::Disc;

const UNITS_PER_DEGREE: f64 = 4.0;
/// The map's northern edge, in degrees; its southern one follows from the height.
const NORTH: f64 = 85.0;
const VIEW_BOX: &str = "0 0 1440 600";
const TURN: i32 = 1440;

/// Every country's land as one SVG file.
pub(super) fn world(world: &World) -> String {
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='{VIEW_BOX}'>\
         <style>path{{fill:#dfe6ec;stroke:#fbfcfd}}\
         @media (prefers-color-scheme:dark){{path{{fill:#2a333d;stroke:#12171d}}}}</style>"
    );
    for country in world.borders() {
        let _ = write!(svg, "<path d='{}'/>", land(country));
    }
    svg.push_str("</svg>");
    svg
}

/// The verdict's country, region, circle and point, as an SVG to lay over [`world`].
pub(super) fn overlay(world: &World, verdict: &Verdict) -> String {
    let mut shapes = String::new();
    if let Some(country) = world.borders().iter().find(|country| Some(country.code) == verdict.country) {
        let _ = write!(shapes, "<path class='country' d='{}'/>", land(country));
    }
    if let Some(region) = &verdict.feasible_region {
        let ring = region.vertices().iter().map(|vertex| (vertex.lat(), vertex.lon()));
        let _ = write!(shapes, "<path class='region' d='{}'/>", path(ring));
    }
    if let Some(place) = verdict.estimated_location {
        let radius_km = verdict.confidence_radius_km.map_or(0.0, |radius| f64::from(radius.get()));
        if let Some(rim) = Disc::new(place, radius_km).outline(64) {
            let _ = write!(shapes, "<path class='radius' d='{}'/>", path(rim.vertices().iter().copied()));
        }
        let (x, y) = project(place.lat(), place.lon());
        let _ = write!(shapes, "<circle class='point' cx='{x}' cy='{y}' r='5'/>");
    }
    // What crosses the map's edge shows again at the other side.
    format!(
        "<svg viewBox='{VIEW_BOX}' role='img' aria-label='The verdict on a map of the world'>\
         <g id='verdict-shapes'>{shapes}</g><use href='#verdict-shapes' x='{TURN}'/>\
         <use href='#verdict-shapes' x='-{TURN}'/></svg>"
    )
}

fn land(country: &Country) -> String {
    let rings = country.polygons.iter().flat_map(|polygon| polygon.holes.iter().chain([&polygon.exterior]));
    rings.map(|ring| path(ring.iter().map(|&place: &LatLon| (place.lat(), place.lon())))).collect()
}

/// A closed path through `(lat, lon)` places; steps below the map's resolution are left out.
fn path(ring: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    let mut last = None;
    for (lat, lon) in ring {
        let (x, y) = project(lat, lon);
        match last {
            Some(previous) if previous == (x, y) => continue,
            Some((from_x, from_y)) => {
                let _ = write!(path, "l{} {}", x - from_x, y - from_y);
            }
            None => {
                let _ = write!(path, "M{x} {y}");
            }
        }
        last = Some((x, y));
    }
    path.push('z');
    path
}

fn project(lat: f64, lon: f64) -> (i32, i32) {
    // Degrees are at most a turn and a half: far inside an i32.
    #[expect(clippy::cast_possible_truncation)]
    let units = |degrees: f64| (degrees * UNITS_PER_DEGREE).round() as i32;
    (units(lon + 180.0), units(NORTH - lat))
}
