//! Countries: where their land is and how many people live there. Plain polygons in longitude and latitude; it
//! knows nothing of addresses, zones or evidence.

use octet::{CountryCode, LatLon};
use octet_geometry::Land;

use super::codec::{Reader, Unpacked, Writer};
use super::error::TableError;

pub(crate) const TABLE: &str = "borders";

/// How far true borders may be from this map's, of 1:50 million.
pub const PRECISION_KM: f64 = 6.0;

/// One country or territory with a code of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Country {
    /// Its code; Kosovo is `XK`.
    pub code: CountryCode,
    /// How many people live there; 0 where nobody does, or nobody counted.
    pub population: u64,
    /// Its land. No polygon crosses the antimeridian; a land that does stands on both sides of it.
    pub polygons: Vec<Polygon>,
}

/// One piece of land: an outline and the holes in it. Edges are straight in longitude and latitude.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon {
    /// The outline, counter-clockwise (north up), the first vertex not repeated; at least three vertices.
    pub exterior: Vec<LatLon>,
    /// The holes, clockwise, as the outline.
    pub holes: Vec<Vec<LatLon>>,
    bounds: Bounds,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Bounds {
    south: f64,
    west: f64,
    north: f64,
    east: f64,
}

impl Country {
    /// Whether the place is on this country's land.
    #[must_use]
    pub fn contains(&self, place: LatLon) -> bool {
        self.polygons.iter().any(|polygon| polygon.contains(place))
    }

    /// All of its land, as far as this map is exact.
    #[must_use]
    pub fn land(&self) -> Land {
        Land::new(self.polygons.iter().flat_map(Polygon::rings), PRECISION_KM)
    }
}

impl Polygon {
    /// A polygon of these rings, which it turns to run as they should.
    #[must_use]
    pub fn new(mut exterior: Vec<LatLon>, mut holes: Vec<Vec<LatLon>>) -> Self {
        if signed_area(&exterior) < 0.0 {
            exterior.reverse();
        }
        for hole in &mut holes {
            if signed_area(hole) > 0.0 {
                hole.reverse();
            }
        }
        let bounds = Bounds::of(&exterior);
        Self { exterior, holes, bounds }
    }

    /// Whether the place is inside the outline and in no hole.
    #[must_use]
    pub fn contains(&self, place: LatLon) -> bool {
        self.bounds.contain(place)
            && ring_contains(&self.exterior, place)
            && !self.holes.iter().any(|hole| ring_contains(hole, place))
    }

    /// South-west and north-east corner of the box around the outline.
    #[must_use]
    pub fn bounds(&self) -> (LatLon, LatLon) {
        let Bounds { south, west, north, east } = self.bounds;
        let corner = |lat, lon| LatLon::new(lat, lon).unwrap_or(self.exterior[0]);
        (corner(south, west), corner(north, east))
    }

    /// The outline and the holes.
    pub fn rings(&self) -> impl Iterator<Item = &[LatLon]> {
        std::iter::once(&self.exterior).chain(&self.holes).map(Vec::as_slice)
    }

    /// Area on the plane of longitude and latitude, in square degrees, holes taken off.
    #[must_use]
    pub fn square_degrees(&self) -> f64 {
        self.rings().map(signed_area).sum()
    }
}

impl Bounds {
    fn of(ring: &[LatLon]) -> Self {
        let start = Self { south: f64::MAX, west: f64::MAX, north: f64::MIN, east: f64::MIN };
        ring.iter().fold(start, |bounds, vertex| Self {
            south: bounds.south.min(vertex.lat()),
            west: bounds.west.min(vertex.lon()),
            north: bounds.north.max(vertex.lat()),
            east: bounds.east.max(vertex.lon()),
        })
    }

    fn contain(&self, place: LatLon) -> bool {
        (self.south..=self.north).contains(&place.lat()) && (self.west..=self.east).contains(&place.lon())
    }
}

/// How many bytes these countries hold on the heap.
pub(crate) fn heap_bytes(countries: &[Country]) -> usize {
    let ring = |ring: &[LatLon]| size_of_val(ring) + size_of::<Vec<LatLon>>();
    let polygon = |polygon: &Polygon| size_of::<Polygon>() + polygon.rings().map(ring).sum::<usize>();
    let country = |country: &Country| size_of::<Country>() + country.polygons.iter().map(polygon).sum::<usize>();
    countries.iter().map(country).sum()
}

/// The edges of a closed ring.
fn edges(ring: &[LatLon]) -> impl Iterator<Item = (LatLon, LatLon)> {
    let from = ring.iter().copied();
    from.clone().zip(from.cycle().skip(1)).take(ring.len())
}

/// Twice the shoelace's sum would be the same sign; positive runs counter-clockwise.
fn signed_area(ring: &[LatLon]) -> f64 {
    edges(ring).map(|(a, b)| a.lon() * b.lat() - b.lon() * a.lat()).sum::<f64>() / 2.0
}

/// Even-odd rule along the parallel.
fn ring_contains(ring: &[LatLon], place: LatLon) -> bool {
    let (lat, lon) = (place.lat(), place.lon());
    edges(ring)
        .filter(|(a, b)| (a.lat() > lat) != (b.lat() > lat))
        .filter(|(a, b)| lon < a.lon() + (lat - a.lat()) / (b.lat() - a.lat()) * (b.lon() - a.lon()))
        .count()
        % 2
        == 1
}

/// The table of these countries.
///
/// # Errors
///
/// When the compressor fails.
pub fn encode(countries: &[Country]) -> std::io::Result<Vec<u8>> {
    let mut writer = Writer::new(TABLE);
    writer.count(countries.len());
    for country in countries {
        writer.country(country.code);
        writer.unsigned(country.population);
        writer.count(country.polygons.len());
        for polygon in &country.polygons {
            writer.count(1 + polygon.holes.len());
            for ring in polygon.rings() {
                writer.count(ring.len());
                for &vertex in ring {
                    writer.place(vertex);
                }
            }
        }
    }
    writer.finish()
}

/// The countries of a table, in the order of their codes.
///
/// # Errors
///
/// When the bytes are no such table.
pub fn decode(table: &[u8]) -> Result<Vec<Country>, TableError> {
    read(&Unpacked::new(table)?)
}

pub(crate) fn read(unpacked: &Unpacked) -> Result<Vec<Country>, TableError> {
    let mut reader = unpacked.reader(TABLE)?;
    let countries = reader.list(|reader| {
        Ok(Country { code: reader.country()?, population: reader.unsigned()?, polygons: reader.list(polygon)? })
    })?;
    reader.finish()?;
    if !countries.is_sorted_by(|a, b| a.code < b.code) {
        return Err(TableError::Malformed { what: "order of countries" });
    }
    Ok(countries)
}

fn polygon(reader: &mut Reader<'_>) -> Result<Polygon, TableError> {
    let mut rings = reader.list(|reader| reader.list(Reader::place))?;
    if rings.is_empty() || rings.iter().any(|ring| ring.len() < 3) {
        return Err(TableError::Malformed { what: "polygon" });
    }
    let exterior = rings.remove(0);
    Ok(Polygon::new(exterior, rings))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ring(vertices: &[(f64, f64)]) -> Vec<LatLon> {
        vertices.iter().map(|&(lat, lon)| LatLon::new(lat, lon).unwrap()).collect()
    }

    fn square_with_a_hole() -> Polygon {
        let outline = ring(&[(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]);
        Polygon::new(outline, vec![ring(&[(4.0, 4.0), (4.0, 6.0), (6.0, 6.0), (6.0, 4.0)])])
    }

    #[test]
    fn a_hole_is_not_part_of_the_land() {
        let land = square_with_a_hole();
        assert!(land.contains(LatLon::new(1.0, 1.0).unwrap()));
        assert!(!land.contains(LatLon::new(5.0, 5.0).unwrap()));
        assert!(!land.contains(LatLon::new(11.0, 5.0).unwrap()));
        assert!((land.square_degrees() - 96.0).abs() < 1e-9);
    }

    #[test]
    fn outlines_run_counter_clockwise_and_holes_clockwise() {
        let land = square_with_a_hole();
        assert!(signed_area(&land.exterior) > 0.0);
        assert!(signed_area(&land.holes[0]) < 0.0);
    }

    proptest! {
        #[test]
        fn a_table_gives_back_its_countries(
            outlines in prop::collection::vec(prop::collection::vec((-180..=180_i32, -360..=360_i32), 3..20), 0..5),
            population: u64,
        ) {
            let polygons = outlines
                .into_iter()
                .map(|outline| {
                    let vertex = |(lat, lon)| LatLon::new(f64::from(lat) / 2.0, f64::from(lon) / 2.0).unwrap();
                    Polygon::new(outline.into_iter().map(vertex).collect(), Vec::new())
                })
                .collect();
            let countries = vec![Country { code: "DE".parse().unwrap(), population, polygons }];
            prop_assert_eq!(decode(&encode(&countries).unwrap()).unwrap(), countries);
        }
    }
}
