//! Geometry on the sphere: distances, discs, polygons, containment.
//!
//! Neutral ground, for the service and for a device alike: it holds no rule and no table, and never learns what a
//! place means. Earth is a sphere of mean radius; the error against WGS 84 is below 0.6 %.

mod disc;
mod judge;
mod land;
mod outline;
mod polygon;
mod relation;
mod sphere;
mod territory;
mod town;

pub use disc::Disc;
pub use judge::{Gazetteer, NoGazetteer, judge, relate};
pub use land::Land;
pub use outline::{MAX_VERTICES, Outline};
pub use polygon::{InvalidPolygon, Polygon};
pub use relation::Relation;
pub use sphere::{EARTH_RADIUS_KM, HALF_TURN_KM, UnitVector, destination, distance_km};
pub use territory::Territory;
pub use town::Town;
