//! A country by two maps that were made apart from one another: no map is right about every islet and exclave. Holds no
//! map itself.

use crate::Land;

/// A country as a map of land has it, and as one that knows less of coasts and more of whose they are.
///
/// Proven to be outside is what neither has inside. Proven to be inside is what the second one has inside, unless the
/// first has it somewhere else altogether.
///
/// ```
/// use octet::LatLon;
/// use octet_geometry::{Disc, Land, Relation, Territory};
/// let square = |south, west, size| {
///     let at = |lat, lon| LatLon::new(lat, lon).unwrap();
///     [at(south, west), at(south, west + size), at(south + size, west + size), at(south + size, west)]
/// };
/// let (coast, sea, exclave) = (square(2.0, 2.0, 4.0), square(0.0, 0.0, 8.0), square(20.0, 20.0, 0.2));
/// let land = Land::new([&coast[..]], 6.0);
/// let domain = Land::new([&sea[..], &exclave[..]], 3.0);
/// let country = Territory::new(&land, &domain);
/// let at = |lat, lon| country.relation_of(&Disc::new(LatLon::new(lat, lon).unwrap(), 0.1));
/// assert_eq!(at(4.0, 4.0), Relation::Inside);
/// assert_eq!(at(4.0, 6.01), Relation::Inside, "on a pier");
/// assert_eq!(at(4.0, 7.0), Relation::Neither, "at sea, or on an islet");
/// assert_eq!(at(20.1, 20.1), Relation::Neither, "an exclave that the map of land lacks");
/// assert_eq!(at(4.0, 9.0), Relation::Disjoint);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Territory<'a> {
    land: &'a Land,
    domain: &'a Land,
}

impl<'a> Territory<'a> {
    /// A country with this land, and with this domain: land, exclaves and islets with the sea around them.
    #[must_use]
    pub const fn new(land: &'a Land, domain: &'a Land) -> Self {
        Self { land, domain }
    }

    /// Its land.
    #[must_use]
    pub const fn land(&self) -> &'a Land {
        self.land
    }

    /// Its land with the sea around it.
    #[must_use]
    pub const fn domain(&self) -> &'a Land {
        self.domain
    }
}

impl<'a> From<&'a Land> for Territory<'a> {
    /// A country of which there is one map.
    fn from(land: &'a Land) -> Self {
        Self { land, domain: land }
    }
}
