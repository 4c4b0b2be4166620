//! Land: pieces with holes, their edges straight in longitude and latitude, as maps have them. Holds no map itself, and
//! never learns whose land it is.

use std::f64::consts::{FRAC_PI_2, PI};

use octet::LatLon;

use crate::polygon::edge_distance_km;
use crate::{EARTH_RADIUS_KM, UnitVector};

/// An edge of a map is cut into pieces of at most so many degrees, which are as good as great circles: at 1/2° and any
/// latitude the two are less than 50 m apart.
const PIECE_DEGREES: f64 = 0.5;
/// A tenth of a millimetre.
const HAIR_DEGREES: f64 = 1e-9;

/// The land of a country or of a part of one, and how far its map may be off.
///
/// No piece crosses the antimeridian: land that does stands on both sides of it, and an edge along the antimeridian or
/// along a pole is no border.
#[derive(Debug, Clone, Default)]
pub struct Land {
    rings: Vec<Ring>,
    precision_km: f64,
}

#[derive(Debug, Clone)]
struct Ring {
    vertices: Vec<LatLon>,
    south: f64,
    north: f64,
}

/// An edge of land near a place; the same whichever of two neighbours it is taken from.
pub(crate) type Edge = [(u64, u64); 2];

impl Land {
    /// Land between these rings, outlines and holes alike, in any order and sense, the first vertex not repeated; the
    /// true border is at most `precision_km` from the map's.
    #[must_use]
    pub fn new<'a>(rings: impl IntoIterator<Item = &'a [LatLon]>, precision_km: f64) -> Self {
        let ring = |vertices: &[LatLon]| Ring {
            south: vertices.iter().map(|vertex| vertex.lat()).fold(f64::MAX, f64::min),
            north: vertices.iter().map(|vertex| vertex.lat()).fold(f64::MIN, f64::max),
            vertices: vertices.to_vec(),
        };
        Self { rings: rings.into_iter().map(ring).collect(), precision_km: precision_km.max(0.0) }
    }

    /// How far the true border may be from the map's, in kilometres.
    #[must_use]
    pub const fn precision_km(&self) -> f64 {
        self.precision_km
    }

    /// The outlines and holes, as they were given.
    pub fn rings(&self) -> impl Iterator<Item = &[LatLon]> {
        self.rings.iter().map(|ring| ring.vertices.as_slice())
    }

    /// Whether the place is on this land, by the map: even-odd over all rings, along the parallel.
    #[must_use]
    pub fn contains(&self, place: LatLon) -> bool {
        // The rim of the map is inside of it: a hair from a pole, and from the antimeridian on either side.
        let lat = place.lat().clamp(HAIR_DEGREES - 90.0, 90.0 - HAIR_DEGREES);
        if place.lon().abs() == 180.0 {
            self.contains_flat(lat, 180.0 - HAIR_DEGREES) || self.contains_flat(lat, HAIR_DEGREES - 180.0)
        } else {
            self.contains_flat(lat, place.lon())
        }
    }

    fn contains_flat(&self, lat: f64, lon: f64) -> bool {
        let rings = self.rings.iter().filter(|ring| (ring.south..=ring.north).contains(&lat));
        let crossed = rings.flat_map(Ring::edges).filter(|(a, b)| {
            (a.lat() > lat) != (b.lat() > lat)
                && lon < a.lon() + (lat - a.lat()) / (b.lat() - a.lat()) * (b.lon() - a.lon())
        });
        crossed.count() % 2 == 1
    }

    /// The edges of the border that come within `distance_km` of the place.
    pub(crate) fn edges_within(&self, place: LatLon, distance_km: f64) -> impl Iterator<Item = Edge> {
        let reach = Reach::new(place, distance_km);
        let rings = self.rings.iter().filter(move |ring| reach.meets_parallels(ring.south, ring.north));
        let near = move |&(a, b): &(LatLon, LatLon)| reach.may_meet(a, b) && !is_seam(a, b) && reach.meets(a, b);
        rings.flat_map(Ring::edges).filter(near).map(|(a, b)| key(a, b))
    }
}

impl Ring {
    fn edges(&self) -> impl Iterator<Item = (LatLon, LatLon)> {
        let vertices = self.vertices.iter().copied();
        vertices.clone().zip(vertices.cycle().skip(1)).take(self.vertices.len())
    }
}

/// Whether an edge only closes a map at its rim: along the antimeridian, or along a pole.
fn is_seam(a: LatLon, b: LatLon) -> bool {
    let is_rim = |place: LatLon| place.lon().abs() == 180.0;
    let is_pole = |place: LatLon| place.lat().abs() == 90.0;
    (is_rim(a) && is_rim(b)) || (is_pole(a) && is_pole(b)) || (is_pole(a) && is_rim(b)) || (is_rim(a) && is_pole(b))
}

/// The places within a distance of one: first by a box of degrees that holds them all, which is cheap to ask.
#[derive(Debug, Clone, Copy)]
struct Reach {
    here: UnitVector,
    distance_km: f64,
    south: f64,
    north: f64,
    lon: f64,
    half_width: f64,
    /// The cosine of the distance, and of one that is farther by half of the longest piece.
    near: f64,
    far: f64,
}

impl Reach {
    /// An arc bulges over its ends' parallel by less.
    const BULGE_DEGREES: f64 = 0.001;
    /// No place of a piece is farther from the nearer of its ends.
    const HALF_PIECE_KM: f64 = 40.0;
    /// Rounding moves a cosine by less.
    const ROUNDING: f64 = 1e-12;

    fn new(place: LatLon, distance_km: f64) -> Self {
        let angle = distance_km / EARTH_RADIUS_KM;
        let height = angle.to_degrees() + Self::BULGE_DEGREES;
        let sine = angle.sin() / place.lat().to_radians().cos();
        let holds_no_pole = angle < FRAC_PI_2 && sine < 1.0;
        let cosine = |km: f64| (km / EARTH_RADIUS_KM).min(PI).cos();
        Self {
            here: place.into(),
            distance_km,
            south: place.lat() - height,
            north: place.lat() + height,
            lon: place.lon(),
            half_width: if holds_no_pole { sine.asin().to_degrees() + Self::BULGE_DEGREES } else { 180.0 },
            near: cosine(distance_km) + Self::ROUNDING,
            far: cosine(distance_km + Self::HALF_PIECE_KM) - Self::ROUNDING,
        }
    }

    fn meets_parallels(&self, south: f64, north: f64) -> bool {
        north >= self.south && south <= self.north
    }

    /// Whether an edge may come so near; of none that does is it said that it does not.
    fn may_meet(&self, a: LatLon, b: LatLon) -> bool {
        let (west, east) = (a.lon().min(b.lon()) - self.lon, a.lon().max(b.lon()) - self.lon);
        let meets = |turn: f64| west + turn <= self.half_width && east + turn >= -self.half_width;
        self.meets_parallels(a.lat().min(b.lat()), a.lat().max(b.lat())) && [0.0, 360.0, -360.0].into_iter().any(meets)
    }

    /// Whether an edge comes so near.
    fn meets(&self, a: LatLon, b: LatLon) -> bool {
        pieces(a, b).any(|(from, to)| self.meets_piece(from, to))
    }

    fn meets_piece(&self, from: UnitVector, to: UnitVector) -> bool {
        let nearer_end = self.here.dot(from).max(self.here.dot(to));
        nearer_end >= self.near || (nearer_end >= self.far && edge_distance_km(self.here, from, to) <= self.distance_km)
    }
}

/// An edge that is straight in longitude and latitude, in pieces that are as good as great circles.
fn pieces(a: LatLon, b: LatLon) -> impl Iterator<Item = (UnitVector, UnitVector)> {
    let (lat, lon) = (b.lat() - a.lat(), b.lon() - a.lon());
    let pieces = (lat.abs().max(lon.abs()) / PIECE_DEGREES).ceil().max(1.0) as u32;
    let at = move |index: u32| {
        let share = f64::from(index) / f64::from(pieces);
        UnitVector::from(LatLon::new(a.lat() + share * lat, a.lon() + share * lon).unwrap_or(b))
    };
    let mut from = at(0);
    (1..=pieces).map(at).map(move |to| (std::mem::replace(&mut from, to), to))
}

fn key(a: LatLon, b: LatLon) -> Edge {
    let bits = |place: LatLon| (place.lat().to_bits(), place.lon().to_bits());
    let mut ends = [bits(a), bits(b)];
    ends.sort_unstable();
    ends
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place() -> impl Strategy<Value = LatLon> {
        let lat = prop_oneof![-90.0..=90.0_f64, 88.0..=90.0_f64, Just(-90.0)];
        let lon = prop_oneof![-180.0..=180.0_f64, 179.0..=180.0_f64, -180.0..=-179.0_f64];
        (lat, lon).prop_map(|(lat, lon)| LatLon::new(lat, lon).unwrap())
    }

    proptest! {
        #[test]
        fn an_edge_comes_near_exactly_when_its_distance_says_so(
            here in place(), a in place(), north in -5.0..5.0_f64, east in -5.0..5.0_f64,
            distance_km in prop_oneof![0.0..50.0_f64, 0.0..1_000.0, 0.0..20_100.0],
        ) {
            let b = LatLon::new((a.lat() + north).clamp(-90.0, 90.0), (a.lon() + east).clamp(-180.0, 180.0)).unwrap();
            for here in [here, a, LatLon::new(-a.lat(), a.lon()).unwrap()] {
                let distances = pieces(a, b).map(|(from, to)| edge_distance_km(here.into(), from, to));
                let truth = distances.fold(f64::MAX, f64::min);
                let reach = Reach::new(here, distance_km);
                if (truth - distance_km).abs() > 0.001 {
                    prop_assert_eq!(reach.may_meet(a, b) && reach.meets(a, b), truth < distance_km, "{} km", truth);
                }
            }
        }
    }
}
