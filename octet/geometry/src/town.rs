//! A city: a core that lies in it, and a reach that it does not leave. Two discs, because no map says where a city ends;
//! it never learns which city it is.

use octet::{CountryCode, LatLon};

use crate::{Disc, Relation};

/// A city, known from the inside and from the outside.
///
/// ```
/// use octet::LatLon;
/// use octet_geometry::{Disc, Relation, Town};
/// let berlin = Town::new("DE".parse().unwrap(), LatLon::new(52.52, 13.41)?, 4.0, 90.0);
/// let at = |lat, lon| berlin.relation_of(&Disc::new(LatLon::new(lat, lon).unwrap(), 0.02));
/// assert_eq!(at(52.516, 13.378), Relation::Inside);
/// assert_eq!(at(52.39, 13.06), Relation::Neither, "Potsdam");
/// assert_eq!(at(53.55, 10.0), Relation::Disjoint, "Hamburg");
/// # Ok::<(), octet::InvalidLatLon>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Town {
    country: CountryCode,
    core: Disc,
    reach: Disc,
}

impl Town {
    /// A city of this country around `center`: all of it within `reach_km`, and all within `core_km` in it. A core of 0
    /// holds nothing, and none is wider than the reach.
    #[must_use]
    pub fn new(country: CountryCode, center: LatLon, core_km: f64, reach_km: f64) -> Self {
        let reach = Disc::new(center, reach_km);
        Self { country, core: Disc::new(center, core_km.min(reach.radius_km())), reach }
    }

    /// The country that it belongs to.
    #[must_use]
    pub const fn country(&self) -> CountryCode {
        self.country
    }

    /// What certainly lies in it.
    #[must_use]
    pub const fn core(&self) -> Disc {
        self.core
    }

    /// What it certainly does not leave.
    #[must_use]
    pub const fn reach(&self) -> Disc {
        self.reach
    }

    /// How a disc lies to it, as far as that is certain.
    #[must_use]
    pub fn relation_of(&self, known: &Disc) -> Relation {
        if self.core.covers(known) {
            Relation::Inside
        } else if self.reach.meets(known) {
            Relation::Neither
        } else {
            Relation::Disjoint
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::destination;

    proptest! {
        #[test]
        fn what_is_said_of_a_city_holds_for_any_extent_between_core_and_reach(
            lat in -80.0..80.0_f64, lon in -180.0..=180.0_f64, core in 0.0..20.0_f64, beyond in 0.0..80.0_f64,
            extent in 0.0..=1.0_f64, away in 0.0..200.0_f64, bearing in 0.0..360.0_f64, radius in 0.01..60.0_f64,
        ) {
            let center = LatLon::new(lat, lon).unwrap();
            let town = Town::new("DE".parse().unwrap(), center, core, core + beyond);
            let truly = Disc::new(center, core + extent * beyond);
            let known = Disc::new(destination(center, bearing, away), radius);
            match town.relation_of(&known) {
                Relation::Inside => prop_assert!(truly.covers(&known)),
                Relation::Disjoint => prop_assert!(!truly.meets(&known)),
                Relation::Neither => {}
            }
        }
    }
}
