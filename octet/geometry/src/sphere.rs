//! Points and distances on the sphere. Exact at the poles and across the antimeridian, because it works with
//! unit vectors and never with differences of degrees.

use octet::LatLon;

/// Mean radius of Earth in kilometres (IUGG R1).
pub const EARTH_RADIUS_KM: f64 = 6371.0088;

/// The distance from any place to its antipode, in kilometres: no distance is larger.
pub const HALF_TURN_KM: f64 = EARTH_RADIUS_KM * std::f64::consts::PI;

/// A place as a unit vector from Earth's centre.
///
/// ```
/// use octet_geometry::UnitVector;
/// let pole: UnitVector = octet::LatLon::new(90.0, 17.0)?.into();
/// let equator: UnitVector = octet::LatLon::new(0.0, -180.0)?.into();
/// assert!((pole.distance_km(equator) - 10_007.5).abs() < 0.1);
/// # Ok::<(), octet::InvalidLatLon>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnitVector {
    /// Towards 0° N 0° E.
    pub x: f64,
    /// Towards 0° N 90° E.
    pub y: f64,
    /// Towards the north pole.
    pub z: f64,
}

impl UnitVector {
    /// The cosine of the angle between two places.
    #[must_use]
    pub fn dot(self, other: Self) -> f64 {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    /// The cross product, whose length is the sine of the angle between the two.
    #[must_use]
    pub fn cross(self, other: Self) -> Self {
        Self {
            x: self.y * other.z - self.z * other.y,
            y: self.z * other.x - self.x * other.z,
            z: self.x * other.y - self.y * other.x,
        }
    }

    /// Great-circle distance in kilometres; exact for near and for antipodal places.
    #[must_use]
    pub fn distance_km(self, other: Self) -> f64 {
        let cross = self.cross(other);
        let sine = (cross.x * cross.x + cross.y * cross.y + cross.z * cross.z).sqrt();
        EARTH_RADIUS_KM * sine.atan2(self.dot(other))
    }

    /// The place in this direction, whatever the vector's length; `None` when it has none.
    #[must_use]
    pub fn to_place(self) -> Option<LatLon> {
        let length = (self.x * self.x + self.y * self.y + self.z * self.z).sqrt();
        if length.is_nan() || length < 1e-12 {
            return None;
        }
        let lat = (self.z / length).clamp(-1.0, 1.0).asin().to_degrees();
        let lon = self.y.atan2(self.x).to_degrees();
        LatLon::new(lat, lon).ok()
    }
}

impl From<LatLon> for UnitVector {
    fn from(place: LatLon) -> Self {
        let (sin_lat, cos_lat) = place.lat().to_radians().sin_cos();
        let (sin_lon, cos_lon) = place.lon().to_radians().sin_cos();
        Self { x: cos_lat * cos_lon, y: cos_lat * sin_lon, z: sin_lat }
    }
}

/// Great-circle distance in kilometres.
///
/// ```
/// use octet::LatLon;
/// let fiji = LatLon::new(-17.7, 179.9)?;
/// let beyond = LatLon::new(-17.7, -179.9)?;
/// assert!(octet_geometry::distance_km(fiji, beyond) < 22.0);
/// # Ok::<(), octet::InvalidLatLon>(())
/// ```
#[must_use]
pub fn distance_km(a: LatLon, b: LatLon) -> f64 {
    UnitVector::from(a).distance_km(b.into())
}

/// The place that is reached from `start` along `bearing_deg` (clockwise from north) after `distance_km`.
#[must_use]
pub fn destination(start: LatLon, bearing_deg: f64, distance_km: f64) -> LatLon {
    let (sin_angle, cos_angle) = (distance_km / EARTH_RADIUS_KM).sin_cos();
    let (sin_lat, cos_lat) = start.lat().to_radians().sin_cos();
    let (sin_lon, cos_lon) = start.lon().to_radians().sin_cos();
    let (sin_bearing, cos_bearing) = bearing_deg.to_radians().sin_cos();
    let north = UnitVector { x: -sin_lat * cos_lon, y: -sin_lat * sin_lon, z: cos_lat };
    let east = UnitVector { x: -sin_lon, y: cos_lon, z: 0.0 };
    let here = UnitVector::from(start);
    let along =
        |here: f64, north: f64, east: f64| cos_angle * here + sin_angle * (cos_bearing * north + sin_bearing * east);
    UnitVector {
        x: along(here.x, north.x, east.x),
        y: along(here.y, north.y, east.y),
        z: along(here.z, north.z, east.z),
    }
    .to_place()
    .unwrap_or(start)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn place() -> impl Strategy<Value = LatLon> {
        (-1.0..=1.0_f64, -180.0..=180.0_f64).prop_map(|(sine, lon)| LatLon::new(sine.asin().to_degrees(), lon).unwrap())
    }

    proptest! {
        #[test]
        fn a_distance_is_symmetric_and_at_most_half_a_turn(a in place(), b in place()) {
            let there = distance_km(a, b);
            prop_assert!((there - distance_km(b, a)).abs() < 1e-9);
            prop_assert!((0.0..=HALF_TURN_KM + 1e-9).contains(&there));
        }

        #[test]
        fn no_way_round_is_shorter(a in place(), b in place(), c in place()) {
            prop_assert!(distance_km(a, c) <= distance_km(a, b) + distance_km(b, c) + 1e-6);
        }

        #[test]
        fn a_destination_is_as_far_away_as_was_gone(a in place(), bearing in 0.0..360.0_f64, km in 0.0..20_000.0_f64) {
            prop_assert!((distance_km(a, destination(a, bearing, km)) - km).abs() < 1e-3);
        }
    }
}
