//! How a disc lies to a shape: inside of it, outside of it, or neither for certain. Holds no map, and never learns what
//! was asked.

use octet::LatLon;

use crate::{Disc, Land, Polygon, Territory, distance_km};

/// How a known region lies to one that is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// All of it is inside.
    Inside,
    /// None of it is inside.
    Disjoint,
    /// Some of it is, or that cannot be told.
    Neither,
}

/// A disc that no border enters lies on the side of its centre.
fn by_center(border_enters: bool, center_inside: bool) -> Relation {
    match (border_enters, center_inside) {
        (true, _) => Relation::Neither,
        (false, true) => Relation::Inside,
        (false, false) => Relation::Disjoint,
    }
}

pub(crate) fn to_disc(known: &Disc, asked: &Disc) -> Relation {
    if asked.covers(known) {
        Relation::Inside
    } else if asked.meets(known) {
        Relation::Neither
    } else {
        Relation::Disjoint
    }
}

pub(crate) fn to_polygon(known: &Disc, vertices: &[LatLon]) -> Relation {
    let Ok(polygon) = Polygon::new(vertices) else { return Relation::Neither };
    by_center(polygon.ring_distance_km(known.center()) <= known.radius_km(), polygon.contains(known.center()))
}

/// A disc that holds the polygon: within half of Earth, no place of an edge is farther away than one of its ends.
pub(crate) fn around(vertices: &[LatLon]) -> Disc {
    let center = Polygon::new(vertices).ok().and_then(|polygon| polygon.middle()).unwrap_or(vertices[0]);
    Disc::new(center, vertices.iter().map(|&vertex| distance_km(center, vertex)).fold(0.0, f64::max))
}

impl Land {
    /// How a disc lies to this land, as far as its map can tell.
    #[must_use]
    pub fn relation_of(&self, known: &Disc) -> Relation {
        to_lands(known, [self])
    }
}

impl Territory<'_> {
    /// How a disc lies to this country, as far as its two maps can tell.
    #[must_use]
    pub fn relation_of(&self, known: &Disc) -> Relation {
        to_territories(known, &[*self])
    }

    /// Whether the disc may lie in this country, and certainly lies off its land as the map of land has it.
    pub(crate) fn lacks(&self, known: &Disc) -> bool {
        self.land().relation_of(known) == Relation::Disjoint && self.domain().relation_of(known) != Relation::Disjoint
    }
}

/// The relation to the union of countries. Outside is what both maps have outside; inside what the wider map has inside,
/// unless the map of land has it somewhere else altogether.
pub(crate) fn to_territories(known: &Disc, countries: &[Territory<'_>]) -> Relation {
    let domain = to_lands(known, countries.iter().map(|country| country.domain()));
    match (domain, to_lands(known, countries.iter().map(|country| country.land()))) {
        (Relation::Disjoint, Relation::Disjoint) => Relation::Disjoint,
        (Relation::Inside, Relation::Inside | Relation::Neither) => Relation::Inside,
        _ => Relation::Neither,
    }
}

/// The relation to the union of lands, in which an edge that two of them share is no border.
fn to_lands<'a>(known: &Disc, lands: impl IntoIterator<Item = &'a Land>) -> Relation {
    let (mut edges, mut inside) = (Vec::new(), false);
    for land in lands {
        inside |= land.contains(known.center());
        edges.extend(land.edges_within(known.center(), known.radius_km() + land.precision_km()));
    }
    edges.sort_unstable();
    let border_enters = edges.chunk_by(PartialEq::eq).any(|same| same.len() < 2);
    by_center(border_enters, inside)
}
