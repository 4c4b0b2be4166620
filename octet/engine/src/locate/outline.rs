//! The outline of a posterior's credible region around its place. It knows no source of evidence but the physical
//! limits that clip it.

use geo::{LineString, Polygon, unary_union};
use octet::LatLon;
use octet_geometry::{Disc, MAX_VERTICES, Outline, UnitVector, destination, distance_km};

use super::{Posterior, Sighting, VACUUM_KM_PER_MS};

/// Directions in which the outline is drawn.
const BEARINGS: usize = 48;
/// What lies further off than so many radii of the circle with the same mass is no part of it, or one far island would draw
/// it over an ocean.
const PRINCIPAL: f64 = 2.0;
/// The outline never comes nearer to its middle than this, in km.
const LEAST_KM: f64 = 20.0;

impl Posterior<'_> {
    /// The outline of the part of the `share` region that surrounds `center`: star-shaped, of at most 64 vertices,
    /// clipped by how far the answers can have come. `None` around a pole, where it goes half around the Earth, and where
    /// no answer can have come from `center`.
    #[must_use]
    pub fn outline(&self, center: LatLon, share: f64, sightings: &[Sighting]) -> Option<Outline> {
        const { assert!(BEARINGS <= MAX_VERTICES) };
        let mut reach = [LEAST_KM; BEARINGS];
        let farthest_km = PRINCIPAL * self.radius_km(center, share);
        let mut within = 0.0;
        let here = UnitVector::from(center);
        let (north, east) = axes(center);
        for leaf in &self.leaves {
            if within >= share {
                break;
            }
            within += leaf.mass;
            let node = &self.model.grid.nodes[leaf.node as usize];
            let at = node.vector();
            let (km, radius) = (here.distance_km(at), f64::from(node.radius_km));
            if km > farthest_km {
                continue;
            }
            let bearing = at.dot(east).atan2(at.dot(north)).to_degrees().rem_euclid(360.0);
            // A cell covers the directions that it fills, seen from the middle.
            let half_width = if km > radius { (radius / km).asin().to_degrees() } else { 180.0 };
            let to = if half_width >= 180.0 { radius } else { km + radius };
            let step = 360.0 / BEARINGS as f64;
            let half_width = half_width.max(step / 2.0);
            let (from, until) = (((bearing - half_width) / step).ceil(), ((bearing + half_width) / step).floor());
            for index in from as i64..=until as i64 {
                let reach = &mut reach[index.rem_euclid(BEARINGS as i64) as usize];
                *reach = reach.max(to);
            }
        }
        let discs: Vec<Disc> =
            sightings.iter().map(|sighting| Disc::new(sighting.edge, VACUUM_KM_PER_MS * sighting.rtt_ms)).collect();
        if !discs.iter().all(|disc| disc.contains(center)) {
            return None;
        }
        // Counter-clockwise: against the bearings.
        let rim = reach
            .iter()
            .enumerate()
            .rev()
            .map(|(index, &km)| clipped(center, index as f64 * 360.0 / BEARINGS as f64, km, &discs));
        let outline = Outline::through(rim)?;
        if outline.is_simple() {
            // One that goes half around the Earth is on the map the outline of what it leaves out.
            return Some(outline).filter(|outline| outline.contains(center));
        }
        // Where a mended outline crosses itself it has new vertices, on edges that are straight on the map only.
        let allowed = |place| discs.iter().all(|disc| disc.contains(place));
        mended(&outline, center)
            .filter(|outline| outline.vertices().iter().all(|&vertex| place(vertex).is_some_and(allowed)))
    }

    /// Whether so many people live inside this outline around `center`.
    pub(crate) fn people_live_in(&self, outline: &Outline, center: LatLon, people: f64) -> bool {
        let vertices = outline.vertices().iter().copied().filter_map(place);
        let farthest_km = vertices.map(|vertex| distance_km(center, vertex)).fold(0.0, f64::max);
        self.people_within(center, farthest_km, people, |home| outline.contains(home)).is_some()
    }
}

/// The place of a vertex, whose longitude may go on beyond ±180.
fn place((lat, lon): (f64, f64)) -> Option<LatLon> {
    LatLon::new(lat, (lon + 540.0).rem_euclid(360.0) - 180.0).ok()
}

/// The part of an outline that crosses itself on a flat map in which `center` is.
fn mended(outline: &Outline, center: LatLon) -> Option<Outline> {
    let ring: LineString = outline.vertices().iter().map(|&(lat, lon)| (lon, lat)).collect();
    let parts = unary_union([&Polygon::new(ring, Vec::new())]);
    let simple = |part: &Polygon| {
        let mut vertices: Vec<(f64, f64)> = part.exterior().points().map(|point| (point.y(), point.x())).collect();
        vertices.pop();
        Outline::from_unwrapped(vertices).filter(|part| part.vertices().len() <= MAX_VERTICES && part.is_simple())
    };
    parts.iter().filter_map(simple).find(|part| part.contains(center))
}

/// The place at this distance and bearing, or the last on the way that all discs hold.
fn clipped(center: LatLon, bearing: f64, km: f64, discs: &[Disc]) -> LatLon {
    let inside = |km: f64| {
        let place = destination(center, bearing, km);
        discs.iter().all(|disc| disc.contains(place))
    };
    if inside(km) {
        return destination(center, bearing, km);
    }
    let (mut low, mut high) = (0.0, km);
    for _ in 0..20 {
        let middle = f64::midpoint(low, high);
        if inside(middle) { low = middle } else { high = middle }
    }
    destination(center, bearing, low)
}

/// North and east at a place.
fn axes(place: LatLon) -> (UnitVector, UnitVector) {
    let (sin_lat, cos_lat) = place.lat().to_radians().sin_cos();
    let (sin_lon, cos_lon) = place.lon().to_radians().sin_cos();
    let north = UnitVector { x: -sin_lat * cos_lon, y: -sin_lat * sin_lon, z: cos_lat };
    let east = UnitVector { x: -sin_lon, y: cos_lon, z: 0.0 };
    (north, east)
}
