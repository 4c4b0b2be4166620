//! An outline on a flat map: ordered vertices with unwrapped longitudes, so that one across the antimeridian goes
//! on beyond ±180 instead of jumping. Its edges are straight in longitude and latitude.

use octet::LatLon;

/// The most vertices of an outline that is given away.
pub const MAX_VERTICES: usize = 64;

/// A ring of at least three `(lat, lon)` vertices in degrees, not closed by repetition, longitudes unwrapped.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    vertices: Vec<(f64, f64)>,
}

impl Outline {
    /// The outline through these places in order; each step takes the shorter way round Earth. `None` with fewer
    /// than three, or when the ring goes once round a pole.
    pub fn through(places: impl IntoIterator<Item = LatLon>) -> Option<Self> {
        let mut vertices: Vec<(f64, f64)> = Vec::new();
        for place in places {
            let lon = vertices.last().map_or(place.lon(), |&(_, last)| nearest_turn(place.lon(), last));
            vertices.push((place.lat(), lon));
        }
        let (&first, &last) = (vertices.first()?, vertices.last()?);
        let closes = (nearest_turn(first.1, last.1) - first.1).abs() < 1e-9;
        (vertices.len() >= 3 && closes).then(|| Self { vertices }.centered())
    }

    /// The outline of these unwrapped vertices; `None` with fewer than three, or a number that is not finite.
    #[must_use]
    pub fn from_unwrapped(vertices: Vec<(f64, f64)>) -> Option<Self> {
        let finite = vertices.iter().all(|&(lat, lon)| (-90.0..=90.0).contains(&lat) && lon.is_finite());
        (vertices.len() >= 3 && finite).then(|| Self { vertices }.centered())
    }

    /// Its vertices as `(lat, lon)` degrees.
    #[must_use]
    pub fn vertices(&self) -> &[(f64, f64)] {
        &self.vertices
    }

    /// Whether no two of its edges meet but where one follows the other: a polygon that any map can fill.
    #[must_use]
    pub fn is_simple(&self) -> bool {
        let count = self.vertices.len();
        let edge = |index: usize| (self.vertices[index], self.vertices[(index + 1) % count]);
        (0..count).all(|first| {
            (first + 1..count).all(|second| {
                let follows = second == first + 1 || (first == 0 && second == count - 1);
                follows && edge(first) != edge(second) || !meet(edge(first), edge(second))
            })
        })
    }

    /// Whether the place is inside.
    #[must_use]
    pub fn contains(&self, place: LatLon) -> bool {
        [-360.0, 0.0, 360.0].into_iter().any(|turn| self.contains_unwrapped(place.lat(), place.lon() + turn))
    }

    fn contains_unwrapped(&self, lat: f64, lon: f64) -> bool {
        let mut inside = false;
        let mut previous = self.vertices[self.vertices.len() - 1];
        for &vertex in &self.vertices {
            let ((lat_a, lon_a), (lat_b, lon_b)) = (previous, vertex);
            if (lat_a > lat) != (lat_b > lat) && lon < lon_a + (lat - lat_a) / (lat_b - lat_a) * (lon_b - lon_a) {
                inside = !inside;
            }
            previous = vertex;
        }
        inside
    }

    /// Turned by whole turns so that its middle longitude is within ±180.
    fn centered(mut self) -> Self {
        let (low, high) =
            self.vertices.iter().fold((f64::MAX, f64::MIN), |(low, high), &(_, lon)| (low.min(lon), high.max(lon)));
        let turn = -360.0 * ((low + high) / 2.0 / 360.0).round();
        for vertex in &mut self.vertices {
            vertex.1 += turn;
        }
        self
    }
}

/// `lon` plus the whole turns that bring it nearest to `to`.
fn nearest_turn(lon: f64, to: f64) -> f64 {
    lon + 360.0 * ((to - lon) / 360.0).round()
}

/// Whether two edges have a point in common.
fn meet((a, b): (Point, Point), (c, d): (Point, Point)) -> bool {
    let side = |from: Point, to: Point, point: Point| {
        (to.0 - from.0) * (point.1 - from.1) - (to.1 - from.1) * (point.0 - from.0)
    };
    let between = |from: Point, to: Point, point: Point| {
        let within = |low: f64, high: f64, value: f64| low.min(high) <= value && value <= low.max(high);
        side(from, to, point) == 0.0 && within(from.0, to.0, point.0) && within(from.1, to.1, point.1)
    };
    let crosses = side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0;
    crosses || between(a, b, c) || between(a, b, d) || between(c, d, a) || between(c, d, b)
}

/// A vertex: `(lat, lon)` in degrees.
type Point = (f64, f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_that_crosses_itself_is_not_simple() {
        let outline = |vertices: &[(f64, f64)]| Outline::from_unwrapped(vertices.to_vec()).unwrap();
        assert!(outline(&[(0.0, 0.0), (0.0, 9.0), (9.0, 9.0), (9.0, 0.0)]).is_simple());
        assert!(outline(&[(0.0, 0.0), (0.0, 9.0), (9.0, 4.0)]).is_simple());
        assert!(!outline(&[(0.0, 0.0), (9.0, 9.0), (0.0, 9.0), (9.0, 0.0)]).is_simple());
        assert!(!outline(&[(0.0, 0.0), (0.0, 9.0), (9.0, 9.0), (0.0, 5.0), (9.0, 0.0)]).is_simple());
    }

    #[test]
    fn an_outline_across_the_antimeridian_goes_on_beyond_it() {
        let place = |lat, lon| LatLon::new(lat, lon).unwrap();
        let fiji =
            Outline::through([place(-20.0, 176.0), place(-20.0, -178.0), place(-15.0, -178.0), place(-15.0, 176.0)]);
        let fiji = fiji.unwrap();
        assert!(fiji.contains(place(-17.0, 179.9)) && fiji.contains(place(-17.0, -179.0)));
        assert!(!fiji.contains(place(-17.0, 0.0)));
        let (low, high) = fiji.vertices().iter().fold((999.0_f64, -999.0_f64), |(l, h), v| (l.min(v.1), h.max(v.1)));
        assert!((high - low - 6.0).abs() < 1e-9);
    }

    #[test]
    fn a_ring_around_a_pole_is_no_outline() {
        let ring = [0.0, 90.0, 180.0, -90.0].map(|lon| LatLon::new(80.0, lon).unwrap());
        assert_eq!(Outline::through(ring), None);
    }
}
