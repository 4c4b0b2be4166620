//! The world as the shop's page shows it: an SVG drawn from the borders table, and a verdict drawn over it. No
//! tile server, no third party. Equirectangular: a quarter of a degree is one unit.

use std::fmt::Write;

use octet::Verdict;
use octet_engine::World;
use octet_engine::world::{Country, map};
use octet_geometry::Disc;

const UNITS_PER_DEGREE: u8 = 4;
/// From 85° north to 65° south; a unit more of height is a quarter of a degree.
const VIEW_BOX: &str = "0 20 1440 600";
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
    if let Some(country) = verdict.country.and_then(|code| world.country(code)) {
        let _ = write!(shapes, "<path class='country' d='{}'/>", land(country));
    }
    if let Some(region) = &verdict.feasible_region {
        let ring = region.vertices().iter().map(|vertex| project(vertex.lat(), vertex.lon()));
        let _ = write!(shapes, "<path class='region' d='{}'/>", path(ring));
    }
    if let Some(place) = verdict.estimated_location {
        let radius_km = verdict.confidence_radius_km.map_or(0.0, |radius| f64::from(radius.get()));
        if let Some(rim) = Disc::new(place, radius_km).outline(64) {
            let _ = write!(
                shapes,
                "<path class='radius' d='{}'/>",
                path(rim.vertices().iter().map(|&(lat, lon)| project(lat, lon)))
            );
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
    map::outlines(country, UNITS_PER_DEGREE).into_iter().map(path).collect()
}

/// A closed path through points of the map.
fn path(points: impl IntoIterator<Item = (i32, i32)>) -> String {
    let mut path = String::new();
    let mut last = None;
    for (x, y) in points {
        let _ = match last.replace((x, y)) {
            Some((from_x, from_y)) => write!(path, "l{} {}", x - from_x, y - from_y),
            None => write!(path, "M{x} {y}"),
        };
    }
    path.push('z');
    path
}

/// Where a place stands on the map.
fn project(lat: f64, lon: f64) -> (i32, i32) {
    // Degrees are at most a turn and a half: far inside an i32.
    #[expect(clippy::cast_possible_truncation)]
    let units = |degrees: f64| (degrees * f64::from(UNITS_PER_DEGREE)).round() as i32;
    (units(lon + 180.0), units(90.0 - lat))
}
