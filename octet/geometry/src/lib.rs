//! Geometry on the sphere: distances, discs, polygons, containment
