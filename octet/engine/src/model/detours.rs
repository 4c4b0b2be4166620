//! How far cables leave the great circle: what each pair of places adds to a path's inflation, and how well that is known.
//! Known between knots, and read for any two places from the knots around each. It knows no client and no last mile.

use octet::LatLon;
use octet_geometry::UnitVector;
use serde::{Deserialize, Serialize};

use super::ParameterError;

/// What pairs of places add to the inflation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detours {
    /// The knots' latitudes and longitudes, in whole degrees.
    pub knots: Vec<[i16; 2]>,
    /// How many places, a degree wide, told of each knot.
    pub places: Vec<u16>,
    /// A path's spread falls with this power of how many places around each of its ends were told of.
    pub doubt: f64,
    /// What each knot and those before it, then itself, add to a path between them, in hundredths.
    pub between: Vec<Vec<i16>>,
}

/// Detours made ready to be asked for.
#[derive(Debug)]
pub(crate) struct DetourMap {
    knots: Vec<UnitVector>,
    places: Vec<f64>,
    doubt: f64,
    /// By row of the one knot and column of the other.
    between: Vec<f32>,
}

/// The knots around a place, and how much each says of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Around {
    knots: [u8; NEAREST],
    shares: [f32; NEAREST],
    /// Natural logarithm of how much wider paths are that end here, as too little was told of it.
    pub(crate) ln_wider: f32,
    /// How much narrower they are: the inverse, without the logarithm.
    pub(crate) narrower: f32,
}

/// So many knots around a place speak for it.
const NEAREST: usize = 4;
/// A knot at this distance speaks a quarter as loud as one at the place…
const LOUD_KM: f64 = 250.0;
/// …and one at this distance as loud as the silence of places that no knot is near to.
const SILENT_KM: f64 = 1500.0;
/// A place at this distance counts by e⁻¹ among those around…
const AROUND_KM: f64 = 500.0;
/// …as many as this make a path no wider and no narrower…
const ENOUGH_AROUND: f64 = 10.0;
/// …and none counts as this.
const NONE_AROUND: f64 = 0.2;
/// The most knots: a byte tells one of them, so that what is said of each is found without a check.
const MAX_KNOTS: usize = 256;

/// What a path adds, by the knot at one end.
pub(crate) type ByKnot = [f32; MAX_KNOTS];

impl Detours {
    pub(super) fn check(&self) -> Result<(), ParameterError> {
        let square = self.knots.len() == self.between.len() && (1..=MAX_KNOTS).contains(&self.knots.len());
        let triangle = self.between.iter().enumerate().all(|(at, row)| row.len() == at + 1);
        let small = self.between.iter().flatten().all(|hundredths| (-300..=300).contains(hundredths));
        let places = self.knots.iter().all(|knot| place(*knot).is_some()) && self.places.len() == self.knots.len();
        if square && triangle && small && places && (0.0..=0.5).contains(&self.doubt) {
            Ok(())
        } else {
            Err(ParameterError::Range("detour"))
        }
    }
}

fn place([lat, lon]: [i16; 2]) -> Option<LatLon> {
    LatLon::new(lat.into(), lon.into()).ok()
}

impl DetourMap {
    pub(super) fn new(detours: &Detours) -> Self {
        let knots: Vec<UnitVector> = detours.knots.iter().filter_map(|&knot| Some(place(knot)?.into())).collect();
        let count = knots.len();
        let mut between = vec![0.0; count * count];
        for (one, row) in detours.between.iter().enumerate() {
            for (other, &hundredths) in row.iter().enumerate() {
                between[one * count + other] = f32::from(hundredths) / 100.0;
                between[other * count + one] = f32::from(hundredths) / 100.0;
            }
        }
        let places = detours.places.iter().map(|&places| places.into()).collect();
        Self { knots, places, doubt: detours.doubt, between }
    }

    /// The knots around a place.
    pub(crate) fn around(&self, at: UnitVector) -> Around {
        let loud = |km: f64| (1.0 + (km / LOUD_KM).powi(2)).powi(-2);
        let angle = |cosine: f64| cosine.clamp(-1.0, 1.0).acos() * octet_geometry::EARTH_RADIUS_KM;
        let mut nearest = [(-2.0, 0); NEAREST];
        let mut told = NONE_AROUND;
        for (index, (knot, places)) in self.knots.iter().zip(&self.places).enumerate() {
            let cosine = at.dot(*knot);
            told += places * (-angle(cosine) / AROUND_KM).exp();
            if cosine > nearest[NEAREST - 1].0 {
                let behind = nearest.partition_point(|other| other.0 >= cosine);
                nearest[behind..].rotate_right(1);
                nearest[behind] = (cosine, index as u8);
            }
        }
        let voices = nearest.map(|(cosine, _)| if cosine < -1.5 { 0.0 } else { loud(angle(cosine)) });
        let all = voices.iter().sum::<f64>() + loud(SILENT_KM);
        let ln_wider = -self.doubt * (told / ENOUGH_AROUND).ln();
        Around {
            knots: nearest.map(|knot| knot.1),
            shares: voices.map(|voice| (voice / all) as f32),
            ln_wider: ln_wider as f32,
            narrower: (-ln_wider).exp() as f32,
        }
    }

    /// What a path from the place with these knots around adds, by the knot at its other end.
    pub(crate) fn from(&self, around: &Around) -> Box<ByKnot> {
        let count = self.knots.len();
        let mut sum = Box::new([0.0; MAX_KNOTS]);
        for (knot, share) in around.knots.into_iter().zip(around.shares) {
            let row = &self.between[usize::from(knot) * count..][..count];
            sum.iter_mut().zip(row).for_each(|(sum, detour)| *sum += share * detour);
        }
        sum
    }
}

impl Around {
    /// What a path adds that ends here, given what it adds by knot.
    pub(crate) fn of(&self, by_knot: &ByKnot) -> f32 {
        self.knots.iter().zip(self.shares).map(|(&knot, share)| share * by_knot[usize::from(knot)]).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat: f64, lon: f64) -> LatLon {
        LatLon::new(lat, lon).unwrap()
    }

    fn two_knots() -> Detours {
        let between = vec![vec![10], vec![80, 5]];
        let detours = Detours { knots: vec![[50, 9], [19, 73]], places: vec![30, 2], doubt: 0.2, between };
        detours.check().unwrap();
        detours
    }

    #[test]
    fn a_detour_is_the_same_both_ways_and_fades_where_no_knot_is_near() {
        let map = DetourMap::new(&two_knots());
        let between = |one: LatLon, other: LatLon| map.around(other.into()).of(&map.from(&map.around(one.into())));
        let (frankfurt, mumbai) = (at(50.1, 8.7), at(19.1, 72.9));
        assert!((between(frankfurt, mumbai) - 0.8).abs() < 0.01);
        assert!((between(frankfurt, mumbai) - between(mumbai, frankfurt)).abs() < 1e-6);
        assert!(between(frankfurt, at(-33.9, 151.2)).abs() < 0.01);
    }

    #[test]
    fn paths_are_the_wider_the_fewer_places_were_told_of_around_their_end() {
        let map = DetourMap::new(&two_knots());
        let wider = |place: LatLon| map.around(place.into()).ln_wider;
        let (frankfurt, mumbai, sydney) = (at(50.1, 8.7), at(19.1, 72.9), at(-33.9, 151.2));
        assert!(wider(frankfurt) < 0.0 && wider(frankfurt) < wider(mumbai) && wider(mumbai) < wider(sydney));
        assert!(wider(sydney) < 1.0);
    }

    #[test]
    fn detours_without_their_triangle_or_beyond_the_earth_are_refused() {
        let of = |knots: Vec<[i16; 2]>, between: Vec<Vec<i16>>| {
            Detours { places: vec![1; knots.len()], knots, doubt: 0.1, between }.check()
        };
        assert!(of(vec![[0, 0], [1, 1]], vec![vec![0], vec![0, 0]]).is_ok());
        assert!(of(vec![[0, 0], [1, 1]], vec![vec![0], vec![0]]).is_err());
        assert!(of(vec![[91, 0]], vec![vec![0]]).is_err());
        assert!(of(vec![[0, 0]], vec![vec![301]]).is_err());
        assert!(of(vec![], vec![]).is_err());
    }
}
