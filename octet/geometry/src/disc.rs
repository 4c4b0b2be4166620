//! A disc on the sphere: all places within a distance of its centre.

use octet::LatLon;

use crate::{HALF_TURN_KM, Outline, destination, distance_km};

/// All places within `radius_km` of `center`.
///
/// ```
/// use octet::LatLon;
/// use octet_geometry::Disc;
/// let around_berlin = Disc::new(LatLon::new(52.52, 13.40)?, 300.0);
/// assert!(around_berlin.contains(LatLon::new(53.55, 10.0)?));
/// assert!(!around_berlin.contains(LatLon::new(48.86, 2.35)?));
/// # Ok::<(), octet::InvalidLatLon>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Disc {
    center: LatLon,
    radius_km: f64,
}

impl Disc {
    /// The disc; a radius below 0 or no number counts as 0, one beyond half a turn as half a turn.
    #[must_use]
    pub fn new(center: LatLon, radius_km: f64) -> Self {
        let radius_km = if radius_km.is_nan() { 0.0 } else { radius_km.clamp(0.0, HALF_TURN_KM) };
        Self { center, radius_km }
    }

    /// Its centre.
    #[must_use]
    pub const fn center(&self) -> LatLon {
        self.center
    }

    /// Its radius in kilometres, 0 to [`HALF_TURN_KM`].
    #[must_use]
    pub const fn radius_km(&self) -> f64 {
        self.radius_km
    }

    /// Whether the place is in the disc.
    #[must_use]
    pub fn contains(&self, place: LatLon) -> bool {
        distance_km(self.center, place) <= self.radius_km
    }

    /// Whether any place is in both discs.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        distance_km(self.center, other.center) <= self.radius_km + other.radius_km
    }

    /// Whether every place of `other` is in this disc.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.radius_km >= HALF_TURN_KM || distance_km(self.center, other.center) + other.radius_km <= self.radius_km
    }

    /// The outline through `vertices` places of its rim, counter-clockwise; `None` when that is no polygon on a flat
    /// map: fewer than three vertices, no radius, or a pole inside.
    #[must_use]
    pub fn outline(&self, vertices: usize) -> Option<Outline> {
        let pole_km = distance_km(self.center, LatLon::new(90.0_f64.copysign(self.center.lat()), 0.0).ok()?);
        if self.radius_km <= 0.0 || pole_km <= self.radius_km || HALF_TURN_KM - pole_km <= self.radius_km {
            return None;
        }
        let step = 360.0 / vertices as f64;
        let rim = (0..vertices).map(|index| destination(self.center, -(index as f64) * step, self.radius_km));
        Outline::through(rim)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_disc_that_covers_another_contains_its_centre_and_meets_it(
            lat in -89.0..89.0_f64, lon in -180.0..180.0_f64, radius in 0.0..9000.0_f64, bearing in 0.0..360.0_f64,
            away in 0.0..9000.0_f64, small in 0.0..4000.0_f64,
        ) {
            let large = Disc::new(LatLon::new(lat, lon).unwrap(), radius);
            let other = Disc::new(destination(large.center(), bearing, away), small);
            if large.covers(&other) {
                prop_assert!(large.contains(other.center()) && large.meets(&other));
            }
        }

        #[test]
        fn the_outline_of_a_disc_stays_on_its_rim(lat in -60.0..60.0_f64, lon in -180.0..=180.0_f64, radius in 1.0..2000.0_f64) {
            let disc = Disc::new(LatLon::new(lat, lon).unwrap(), radius);
            let outline = disc.outline(32).unwrap();
            prop_assert_eq!(outline.vertices().len(), 32);
            for &(lat, lon) in outline.vertices() {
                let wrapped = LatLon::new(lat, (lon + 540.0).rem_euclid(360.0) - 180.0).unwrap();
                prop_assert!((distance_km(disc.center(), wrapped) - radius).abs() < 0.01);
            }
            prop_assert!(outline.contains(disc.center()));
        }
    }

    #[test]
    fn a_disc_over_a_pole_has_no_outline_on_a_flat_map() {
        assert_eq!(Disc::new(LatLon::new(89.0, 0.0).unwrap(), 500.0).outline(16), None);
    }
}
