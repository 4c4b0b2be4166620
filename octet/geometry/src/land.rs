//! Land: pieces with holes, their edges straight in longitude and latitude, as maps have them. Holds no map itself, and
//! never learns whose land it is.

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
    pub(crate) fn edges_within(&self, place: LatLon, distance_km: f64) -> Vec<Edge> {
        let here = UnitVector::from(place);
        let degrees = (distance_km / EARTH_RADIUS_KM).to_degrees();
        let (south, north) = (place.lat() - degrees, place.lat() + degrees);
        let near = |&(a, b): &(LatLon, LatLon)| {
            a.lat().max(b.lat()) >= south
                && a.lat().min(b.lat()) <= north
                && !is_seam(a, b)
                && distance_to_edge_km(here, a, b) <= distance_km
        };
        let rings = self.rings.iter().filter(|ring| ring.north >= south && ring.south <= north);
        rings.flat_map(Ring::edges).filter(near).map(|(a, b)| key(a, b)).collect()
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

/// The distance to an edge that is straight in longitude and latitude.
fn distance_to_edge_km(here: UnitVector, a: LatLon, b: LatLon) -> f64 {
    let (lat, lon) = (b.lat() - a.lat(), b.lon() - a.lon());
    let pieces = (lat.abs().max(lon.abs()) / PIECE_DEGREES).ceil().max(1.0);
    let at = |index: f64| {
        let share = index / pieces;
        LatLon::new(a.lat() + share * lat, a.lon() + share * lon).unwrap_or(b).into()
    };
    let mut nearest = f64::MAX;
    let mut from: UnitVector = a.into();
    let mut index = 1.0;
    while index <= pieces {
        let to: UnitVector = at(index);
        nearest = nearest.min(edge_distance_km(here, from, to));
        from = to;
        index += 1.0;
    }
    nearest
}

fn key(a: LatLon, b: LatLon) -> Edge {
    let bits = |place: LatLon| (place.lat().to_bits(), place.lon().to_bits());
    let mut ends = [bits(a), bits(b)];
    ends.sort_unstable();
    ends
}
