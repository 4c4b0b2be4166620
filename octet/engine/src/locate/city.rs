//! What a city database's position says of a place: much nearby, when it is right, and nothing otherwise. It knows no
//! address.

use octet::LatLon;
use octet_geometry::UnitVector;

use crate::grid::Node;

/// A position that may be right, and how near to the truth it is then.
#[derive(Debug, Clone, Copy)]
pub struct CityHint {
    at: UnitVector,
    scale_km: f64,
    /// How much likelier such a position is right at the truth than anywhere else in a country.
    gain: f64,
}

/// Where the position is wrong it lies anywhere in an area of this size, in km².
const ELSEWHERE_KM2: f64 = 1e6;
/// Positions are hardly ever nearer than this, in km.
const LEAST_SCALE_KM: f64 = 12.0;

impl CityHint {
    /// A position that is right so often, and then within `radius_km` of the truth in half of the cases.
    #[must_use]
    pub fn new(place: LatLon, radius_km: f64, right: f64) -> Self {
        // Half of the density below lies within √3 scales.
        let scale_km = (radius_km / 3.0_f64.sqrt()).clamp(LEAST_SCALE_KM, 2000.0);
        let right = right.clamp(0.0, 0.99);
        let gain = right / (1.0 - right) * ELSEWHERE_KM2 / std::f64::consts::TAU;
        Self { at: place.into(), scale_km, gain }
    }

    /// Its ln likelihood for a client at this node, and how much higher that may be somewhere within.
    pub(crate) fn ln_at(&self, node: &Node) -> (f64, f64) {
        let radius = f64::from(node.radius_km);
        let km = self.at.distance_km(node.vector());
        let here = self.ln(km, self.scale_km.hypot(0.5 * radius));
        let nearest = self.ln((km - radius).max(0.0), self.scale_km);
        (here, if node.children > 0 { nearest - here } else { 0.0 })
    }

    /// A density with heavy tails in the plane, beside an even one.
    fn ln(&self, km: f64, scale_km: f64) -> f64 {
        let near = (1.0 + (km / scale_km).powi(2)).powf(-1.5) / (scale_km * scale_km);
        (self.gain * near).ln_1p()
    }
}

#[cfg(test)]
mod tests {
    use octet::LatLon;

    use super::CityHint;
    use crate::locate::{Access, OtherSources};
    use crate::model::Model;

    #[test]
    fn a_city_moves_the_answer_there_unless_it_is_never_right() {
        let model = Model::embedded();
        let porto = LatLon::new(41.15, -8.61).unwrap();
        let radius = |right: f64| {
            let hint = CityHint::new(porto, 20.0, right);
            let posterior =
                model.locate(&[], Access::Consumer, &OtherSources { city: Some(hint), ..Default::default() });
            octet_geometry::distance_km(posterior.place().unwrap(), porto)
        };
        assert!(radius(0.99) < 300.0, "{}", radius(0.99));
        assert!(radius(0.0) > 1000.0);
    }
}
