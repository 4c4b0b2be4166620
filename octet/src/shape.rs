//! Regions of any shape: discs and polygons, within their bounds. Whether a place is in one is not known here.

use crate::LatLon;
use crate::region::InvalidRegion;

/// A centre and a radius in metres: above 0, at most half of Earth's circumference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DiscRegion {
    center: LatLon,
    radius_meters: f64,
}

impl DiscRegion {
    /// The largest radius: the antipode is this far away.
    pub const MAX_RADIUS_METERS: f64 = 20_015_115.0;

    /// The disc.
    ///
    /// # Errors
    ///
    /// When the radius is out of range.
    pub fn new(center: LatLon, radius_meters: f64) -> Result<Self, InvalidRegion> {
        if radius_meters > 0.0 && radius_meters <= Self::MAX_RADIUS_METERS {
            Ok(Self { center, radius_meters })
        } else {
            Err(InvalidRegion::Disc)
        }
    }

    /// Its centre.
    #[must_use]
    pub const fn center(&self) -> LatLon {
        self.center
    }

    /// Its radius in metres.
    #[must_use]
    pub const fn radius_meters(&self) -> f64 {
        self.radius_meters
    }
}

/// A ring of 3 to 64 vertices on one half of Earth; its edges are great circles. Inside is what the ring goes around,
/// in whichever sense it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct PolygonRegion(Vec<LatLon>);

impl PolygonRegion {
    /// The most vertices.
    pub const MAX_VERTICES: usize = 64;

    /// The polygon through these vertices in order, the first not repeated.
    ///
    /// # Errors
    ///
    /// With fewer than 3 or more than 64 vertices, or when they are not on one half of Earth.
    pub fn new(vertices: Vec<LatLon>) -> Result<Self, InvalidRegion> {
        let bounded = (3..=Self::MAX_VERTICES).contains(&vertices.len());
        if bounded && are_on_one_half(&vertices) { Ok(Self(vertices)) } else { Err(InvalidRegion::Polygon) }
    }

    /// The vertices in order.
    #[must_use]
    pub fn vertices(&self) -> &[LatLon] {
        &self.0
    }
}

/// Whether all places are less than a quarter turn from their middle: only then is it clear which side is inside.
fn are_on_one_half(places: &[LatLon]) -> bool {
    let direction = |place: &LatLon| {
        let ((sin_lat, cos_lat), (sin_lon, cos_lon)) =
            (place.lat().to_radians().sin_cos(), place.lon().to_radians().sin_cos());
        [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat]
    };
    let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    let middle = places.iter().map(direction).fold([0.0; 3], |sum, one| [0, 1, 2].map(|axis| sum[axis] + one[axis]));
    let length = dot(middle, middle).sqrt();
    // A middle of hardly any length has no direction.
    length > 1e-9 && places.iter().all(|place| dot(middle, direction(place)) > 1e-6 * length)
}
