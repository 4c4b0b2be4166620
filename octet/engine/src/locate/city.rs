//! What a city database's position says of a place: much nearby, when it is right, and nothing otherwise. It knows no
//! address.

use octet::LatLon;
use octet_geometry::UnitVector;

use crate::grid::{Grid, Node};

/// A position that may be right, and how near to the truth it is then.
#[derive(Debug, Clone)]
pub struct CityHint {
    at: UnitVector,
    scale_km: f64,
    /// How much likelier such a position is right at the truth than anywhere else in a country.
    gain: f64,
    /// What it says of each country as a whole, as a natural logarithm.
    ln_countries: Vec<f64>,
}

/// Where the position is wrong it lies anywhere in an area of this size, in km².
const ELSEWHERE_KM2: f64 = 1e6;
/// Positions are hardly ever nearer than this, in km.
const LEAST_SCALE_KM: f64 = 12.0;
/// A node within which the ln likelihood varies by less is one place to a country's sum.
const ALIKE: f64 = 0.05;

impl CityHint {
    /// A position that is right so often, and then within `radius_km` of the truth in half of the cases.
    pub(crate) fn new(grid: &Grid, place: LatLon, radius_km: f64, right: f64) -> Self {
        // Half of the density below lies within √3 scales.
        let scale_km = (radius_km / 3.0_f64.sqrt()).clamp(LEAST_SCALE_KM, 2000.0);
        let right = right.clamp(0.0, 0.99);
        let gain = right / (1.0 - right) * ELSEWHERE_KM2 / std::f64::consts::TAU;
        let mut hint = Self { at: place.into(), scale_km, gain, ln_countries: vec![0.0; grid.countries.len()] };
        let mut sums = vec![0.0; grid.countries.len()];
        let mut ahead: Vec<usize> = (0..grid.roots).collect();
        while let Some(node) = ahead.pop().map(|index| &grid.nodes[index]) {
            let (ln, higher) = hint.ln_at(node);
            if higher > ALIKE {
                ahead.extend(node.child_range());
            } else {
                sums[usize::from(node.country)] += (f64::from(node.ln_share) + ln).exp();
            }
        }
        hint.ln_countries = sums.into_iter().map(f64::ln).collect();
        hint
    }

    /// Its ln likelihood for a client at this node beside its country's other places, and how much higher that may be
    /// somewhere within. Its country as a whole gets nothing from it: who sits behind an address that databases give a
    /// country is not surer to be there for a position in it, which often is the same database's.
    pub(crate) fn ln_at(&self, node: &Node) -> (f64, f64) {
        let radius = f64::from(node.radius_km);
        let km = self.at.distance_km(node.vector());
        let here = self.ln(km, self.scale_km.hypot(0.5 * radius));
        let nearest = self.ln((km - radius).max(0.0), self.scale_km);
        let country = self.ln_countries[usize::from(node.country)];
        (here - country, if node.children > 0 { nearest - here } else { 0.0 })
    }

    /// A density with heavy tails in the plane, beside an even one.
    fn ln(&self, km: f64, scale_km: f64) -> f64 {
        let near = (1.0 + (km / scale_km).powi(2)).powf(-1.5) / (scale_km * scale_km);
        (self.gain * near).ln_1p()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use octet::LatLon;

    use super::CityHint;
    use crate::locate::{Access, OtherSources};
    use crate::model::Model;

    #[test]
    fn a_city_moves_the_answer_there_unless_it_is_never_right() {
        let model = Model::embedded();
        let porto = LatLon::new(41.15, -8.61).unwrap();
        let one = |code: octet::CountryCode| if code == *"PT" { 0.0 } else { -40.0 };
        let off_km = |right: f64| {
            let city = Some(CityHint::new(&model.grid, porto, 20.0, right));
            let others = OtherSources { by_country: model.countries().map(one).collect(), city, zone: None };
            let posterior = model.locate(&[], Access::Consumer, &others);
            octet_geometry::distance_km(posterior.place().unwrap(), porto)
        };
        assert!(off_km(0.99) < 30.0, "{}", off_km(0.99));
        assert!(off_km(0.0) > 60.0, "{}", off_km(0.0));
    }

    #[test]
    fn what_a_city_says_within_a_country_gives_the_country_nothing_and_takes_nothing() {
        let model = Model::embedded();
        let masses = |city: Option<CityHint>| {
            let others = OtherSources { city, ..OtherSources::default() };
            [model.locate(&[], Access::Consumer, &others), model.locate_densely(&[], Access::Consumer, &others)]
                .map(|posterior| posterior.countries().into_iter().collect::<BTreeMap<_, _>>())
        };
        let without = masses(None);
        for (lat, lon, radius_km) in [
            (52.52, 13.40, 5.0),
            (40.71, -74.01, 20.0),
            (1.35, 103.8, 1.0),
            (48.58, 7.75, 1000.0),
            (-17.8, 180.0, 50.0),
        ] {
            let place = LatLon::new(lat, lon).unwrap();
            let with = masses(Some(CityHint::new(&model.grid, place, radius_km, 0.75)));
            for (with, without) in with.iter().zip(&without) {
                for (code, mass) in without {
                    let off = (with.get(code).copied().unwrap_or_default() - mass).abs();
                    assert!(off < 0.01, "{lat} {lon} {radius_km}: {code} {mass} {off}");
                }
            }
        }
    }
}
