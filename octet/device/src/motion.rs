//! Whether a device can have moved as its fixes say. Nothing but distances and times.

use std::time::Duration;

use octet_geometry::distance_km;

use crate::fix::Fix;

/// No passenger moves faster over ground: an airliner's record is about 360 m/s.
const FASTEST_METERS_PER_SECOND: f64 = 400.0;
/// Fixes come with their time rounded, and late.
const GRACE: Duration = Duration::from_secs(2);

/// Whether something can have gone from one fix to the next in this time, with what both may be off.
pub(crate) fn is_plausible(earlier: &Fix, later: &Fix, between: Duration) -> bool {
    let apart_meters = 1000.0 * distance_km(earlier.position, later.position);
    // Twice the accuracy is off in one case of a hundred.
    let off_meters = 2.0 * (earlier.accuracy_meters + later.accuracy_meters);
    apart_meters - off_meters <= FASTEST_METERS_PER_SECOND * (between + GRACE).as_secs_f64()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use octet::LatLon;

    use super::*;

    fn at(lat: f64, lon: f64) -> Fix {
        Fix::new(LatLon::new(lat, lon).unwrap(), 10.0)
    }

    #[test]
    fn an_airliner_is_plausible_and_a_jump_over_the_sea_is_not() {
        let (frankfurt, new_york) = (at(50.03, 8.57), at(40.64, -73.78));
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        assert!(is_plausible(&frankfurt, &new_york, hours(8)));
        assert!(!is_plausible(&frankfurt, &new_york, hours(1)));
        assert!(is_plausible(&frankfurt, &frankfurt, Duration::ZERO));
        assert!(is_plausible(&frankfurt, &at(50.031, 8.57), Duration::ZERO), "a step between two readings");
    }
}
