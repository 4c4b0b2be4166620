//! A polygon on the sphere, its edges great circles: containment that holds at the poles and the antimeridian.

use octet::LatLon;

use crate::{EARTH_RADIUS_KM, UnitVector};

/// A simple polygon on the sphere. Its inside is the smaller of the two parts that its ring makes.
///
/// ```
/// use octet::LatLon;
/// use octet_geometry::Polygon;
/// let ring = [0.0, 90.0, 180.0, -90.0].map(|lon| LatLon::new(70.0, lon).unwrap());
/// let arctic = Polygon::new(&ring)?;
/// assert!(arctic.contains(LatLon::new(88.0, 45.0).unwrap()));
/// assert!(!arctic.contains(LatLon::new(-88.0, 45.0).unwrap()));
/// # Ok::<(), octet_geometry::InvalidPolygon>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon {
    ring: Vec<UnitVector>,
    /// The vertices' mean direction: the side of it is the inside.
    middle: UnitVector,
}

/// The ring makes no polygon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidPolygon;

impl std::fmt::Display for InvalidPolygon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a polygon on the sphere has at least three vertices that do not balance around Earth's centre")
    }
}

impl std::error::Error for InvalidPolygon {}

impl Polygon {
    /// The polygon through these vertices in order, in either sense, the first not repeated.
    ///
    /// # Errors
    ///
    /// With fewer than three vertices, or vertices so spread that neither side is the smaller.
    pub fn new(vertices: &[LatLon]) -> Result<Self, InvalidPolygon> {
        if vertices.len() < 3 {
            return Err(InvalidPolygon);
        }
        let ring: Vec<UnitVector> = vertices.iter().map(|&vertex| vertex.into()).collect();
        let sum = ring.iter().fold((0.0, 0.0, 0.0), |sum, v| (sum.0 + v.x, sum.1 + v.y, sum.2 + v.z));
        let middle = UnitVector { x: sum.0, y: sum.1, z: sum.2 }.to_place().ok_or(InvalidPolygon)?.into();
        Ok(Self { ring, middle })
    }

    /// The vertices' middle.
    pub(crate) fn middle(&self) -> Option<LatLon> {
        self.middle.to_place()
    }

    /// Whether the place is inside: the ring's angles around it add up to a full turn, and it lies on the
    /// hemisphere of the polygon's middle.
    #[must_use]
    pub fn contains(&self, place: LatLon) -> bool {
        let place = UnitVector::from(place);
        if place.dot(self.middle) <= 0.0 {
            return false;
        }
        let mut turned = 0.0;
        let mut previous = self.ring[self.ring.len() - 1];
        for &vertex in &self.ring {
            let (a, b) = (place.cross(previous), place.cross(vertex));
            turned += a.cross(b).dot(place).atan2(a.dot(b));
            previous = vertex;
        }
        turned.abs() > std::f64::consts::PI
    }

    /// The distance from the place to the ring, in kilometres.
    #[must_use]
    pub fn ring_distance_km(&self, place: LatLon) -> f64 {
        let place = UnitVector::from(place);
        let previous = self.ring.iter().cycle().skip(self.ring.len() - 1);
        self.ring.iter().zip(previous).map(|(&b, &a)| edge_distance_km(place, a, b)).fold(f64::MAX, f64::min)
    }
}

pub(crate) fn edge_distance_km(place: UnitVector, a: UnitVector, b: UnitVector) -> f64 {
    let ends = place.distance_km(a).min(place.distance_km(b));
    let Some(normal) = a.cross(b).to_place().map(UnitVector::from) else { return ends };
    let between = normal.cross(a).dot(place) >= 0.0 && b.cross(normal).dot(place) >= 0.0;
    if between { EARTH_RADIUS_KM * normal.dot(place).clamp(-1.0, 1.0).asin().abs() } else { ends }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Disc, destination, distance_km};

    #[test]
    fn the_distance_to_a_ring_is_that_to_its_nearest_edge() {
        let square =
            [(0.0, 179.0), (0.0, -179.0), (2.0, -179.0), (2.0, 179.0)].map(|(a, o)| LatLon::new(a, o).unwrap());
        let polygon = Polygon::new(&square).unwrap();
        let inside = LatLon::new(1.0, 179.9).unwrap();
        assert!(polygon.contains(inside));
        let expected = distance_km(inside, LatLon::new(1.0, 179.0).unwrap());
        assert!((polygon.ring_distance_km(inside) - expected).abs() < 1.0);
    }

    proptest! {
        #[test]
        fn a_polygon_around_a_disc_contains_what_is_well_inside_anywhere_on_earth(
            lat in -90.0..=90.0_f64, lon in -180.0..=180.0_f64, radius in 50.0..4000.0_f64,
            bearing in 0.0..360.0_f64, share in 0.0..2.0_f64,
        ) {
            let center = LatLon::new(lat, lon).unwrap();
            let ring: Vec<_> = (0..24).map(|i| destination(center, f64::from(i) * 15.0, radius)).collect();
            let polygon = Polygon::new(&ring).unwrap();
            let place = destination(center, bearing, radius * share);
            let disc = Disc::new(center, radius);
            if share < 0.97 {
                prop_assert!(polygon.contains(place));
            }
            if !disc.contains(place) {
                prop_assert!(!polygon.contains(place));
            }
        }
    }
}
