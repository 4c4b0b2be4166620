//! Several lands made one. Maps were simplified land by land, so that neighbours overlap and leave gaps along their common
//! border: such slivers are closed. It knows no codes.

use std::collections::{BTreeMap, HashMap};

use octet::LatLon;
use octet_geometry::Land;

/// Steps of a degree in the engine's tables.
const STEPS: f64 = 500.0;
/// A ring between neighbours is a sliver when its area by its length is less than this: four times as wide at most.
const SLIVER_KM: f64 = 0.3;

/// A place in the table's steps: latitude, longitude.
type Step = (i32, i32);

/// The edges that begin at each vertex, each with its end and the land that it is from.
type Edges = BTreeMap<Step, Vec<(Step, usize)>>;

/// The land within these rings, each with the number of the land that it is from; outlines one way round and holes the
/// other.
pub(in crate::data) fn dissolved<'a>(
    rings: impl IntoIterator<Item = (usize, &'a [LatLon])>,
    precision_km: f64,
) -> Land {
    let mut edges = edges(rings);
    let mut outlines = Vec::new();
    let starts: Vec<Step> = edges.keys().copied().collect();
    for start in starts {
        while let Some(first) = edges.get_mut(&start).and_then(Vec::pop) {
            walk(start, first, &mut edges, &mut outlines);
        }
    }
    let place = |&(lat, lon): &Step| LatLon::new(f64::from(lat) / STEPS, f64::from(lon) / STEPS).ok();
    let outlines: Vec<Vec<LatLon>> =
        outlines.iter().map(|outline| outline.iter().filter_map(place).collect()).collect();
    Land::new(outlines.iter().map(Vec::as_slice), precision_km)
}

/// All edges but those that are there in both senses: these are between neighbours.
fn edges<'a>(rings: impl IntoIterator<Item = (usize, &'a [LatLon])>) -> Edges {
    let step = |degrees: f64| (degrees * STEPS).round() as i32;
    let mut edges = Edges::new();
    for (land, ring) in rings {
        let mut ring: Vec<Step> = ring.iter().map(|vertex| (step(vertex.lat()), step(vertex.lon()))).collect();
        ring.dedup();
        for (&from, &to) in ring.iter().zip(ring.iter().cycle().skip(1)).filter(|(from, to)| from != to) {
            let back = edges.get_mut(&to).and_then(|ends| Some((ends.iter().position(|end| end.0 == from)?, ends)));
            match back {
                Some((index, ends)) => drop(ends.swap_remove(index)),
                None => edges.entry(from).or_default().push((to, land)),
            }
        }
    }
    edges
}

/// Follows edges from `start` until there are no more there, and cuts off a ring wherever the way meets itself: as many
/// edges end at a vertex as begin there. Where several begin, another land's is taken: it leads along the outside of all,
/// or back along a sliver.
fn walk(start: Step, first: (Step, usize), edges: &mut Edges, outlines: &mut Vec<Vec<Step>>) {
    let mut way = vec![(start, first.1)];
    let mut reached = HashMap::from([(start, 0)]);
    let (mut at, mut on) = first;
    loop {
        if let Some(&index) = reached.get(&at) {
            let ring: Vec<(Step, usize)> = way.drain(index..).collect();
            for (step, _) in &ring {
                reached.remove(step);
            }
            if ring.len() >= 3 && !is_sliver(&ring) {
                outlines.push(ring.into_iter().map(|(step, _)| step).collect());
            }
        }
        let Some(ends) = edges.get_mut(&at).filter(|ends| !ends.is_empty()) else { return };
        let (next, land) = ends.swap_remove(ends.iter().position(|end| end.1 != on).unwrap_or(0));
        reached.insert(at, way.len());
        way.push((at, land));
        (at, on) = (next, land);
    }
}

/// Whether the ring runs along several lands, and hardly anything is within it.
fn is_sliver(ring: &[(Step, usize)]) -> bool {
    let ((first, _), land) = (ring[0], ring[0].1);
    let km = 111.2 / STEPS;
    let east = f64::from(first.0).to_radians() / STEPS;
    let flat: Vec<(f64, f64)> =
        ring.iter().map(|((lat, lon), _)| (f64::from(*lat) * km, f64::from(*lon) * km * east.cos())).collect();
    let sides = || flat.iter().zip(flat.iter().cycle().skip(1));
    let area: f64 = sides().map(|(a, b)| (a.0 * b.1 - a.1 * b.0) / 2.0).sum();
    let length: f64 = sides().map(|(a, b)| (a.0 - b.0).hypot(a.1 - b.1)).sum();
    ring.iter().any(|(_, other)| *other != land) && area.abs() < SLIVER_KM * length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(corners: &[(f64, f64)]) -> Vec<LatLon> {
        corners.iter().map(|&(lat, lon)| LatLon::new(lat, lon).unwrap()).collect()
    }

    fn vertices(land: &Land) -> Vec<usize> {
        land.rings().map(<[_]>::len).collect()
    }

    #[test]
    fn neighbours_become_one_land_without_the_border_between_them() {
        let west = ring(&[(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0)]);
        let east = ring(&[(0.0, 1.0), (0.0, 2.0), (1.0, 2.0), (1.0, 1.0)]);
        let land = dissolved([(0, &west[..]), (1, &east[..])], 1.0);
        assert_eq!(vertices(&land), [6]);
        assert!(land.contains(LatLon::new(0.5, 0.5).unwrap()) && land.contains(LatLon::new(0.5, 1.5).unwrap()));
    }

    #[test]
    fn a_hole_that_a_neighbour_fills_is_gone_and_another_stays() {
        let around = ring(&[(0.0, 0.0), (0.0, 9.0), (9.0, 9.0), (9.0, 0.0)]);
        let hole = ring(&[(1.0, 1.0), (2.0, 1.0), (2.0, 2.0), (1.0, 2.0)]);
        let other = ring(&[(4.0, 4.0), (5.0, 4.0), (5.0, 5.0), (4.0, 5.0)]);
        let filling = ring(&[(1.0, 2.0), (2.0, 2.0), (2.0, 1.0), (1.0, 1.0)]);
        let land = dissolved([(0, &around[..]), (0, &hole[..]), (0, &other[..]), (1, &filling[..])], 1.0);
        assert_eq!(vertices(&land), [4, 4]);
        assert!(land.contains(LatLon::new(1.5, 1.5).unwrap()) && !land.contains(LatLon::new(4.5, 4.5).unwrap()));
    }

    #[test]
    fn gaps_and_overlaps_between_neighbours_are_closed_and_islands_are_kept() {
        // The western land cuts a corner that the eastern one has, once to either side.
        let west = ring(&[(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (2.0, 1.0), (2.0, 0.0)]);
        let east = ring(&[(0.0, 1.0), (0.0, 2.0), (2.0, 2.0), (2.0, 1.0), (1.5, 0.99), (1.0, 1.0), (0.5, 1.01)]);
        let islet = ring(&[(5.0, 5.0), (5.0, 5.01), (5.01, 5.01), (5.01, 5.0)]);
        let land = dissolved([(0, &west[..]), (1, &east[..]), (1, &islet[..])], 1.0);
        assert_eq!(land.rings().count(), 2);
        for (lat, lon) in [(0.5, 1.005), (1.5, 0.995), (0.5, 0.5), (0.5, 1.5), (5.005, 5.005)] {
            assert!(land.contains(LatLon::new(lat, lon).unwrap()), "{lat} {lon}");
        }
    }
}
