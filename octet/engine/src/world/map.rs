//! Countries' outlines for a small map of the world: equirectangular, snapped to a grid so that neighbours keep one
//! common border. It draws nothing and knows no colours.

use octet::LatLon;

use super::Country;

/// A closed outline in grid steps: x east from 180° W, y south from 90° N, the first point not repeated.
pub type Outline = Vec<(i32, i32)>;

/// The outlines of a country on a grid of so many steps a degree; islands and holes smaller than a step vanish, but a
/// country keeps at least a diamond of one step's radius.
///
/// ```
/// use octet_engine::world::{World, map};
/// let world = World::embedded();
/// let monaco = map::outlines(world.country("MC".parse()?).unwrap(), 4);
/// assert_eq!(monaco, [[(750, 186), (749, 185), (750, 184), (751, 185)]]);
/// # Ok::<(), octet::InvalidCountryCode>(())
/// ```
#[must_use]
pub fn outlines(country: &Country, steps_per_degree: u8) -> Vec<Outline> {
    let steps = f64::from(steps_per_degree.max(1));
    let snap = |place: &LatLon| {
        (((place.lon() + 180.0) * steps).round() as i32, ((90.0 - place.lat()) * steps).round() as i32)
    };
    let rings = country.polygons.iter().flat_map(|polygon| polygon.rings());
    let outlines: Vec<_> = rings.filter_map(|ring| simplified(ring.iter().map(snap))).collect();
    let smallest = || {
        let largest = country.polygons.iter().max_by(|a, b| a.square_degrees().total_cmp(&b.square_degrees()))?;
        let (x, y) = snap(&centre(&largest.exterior)?);
        Some(vec![vec![(x, y + 1), (x - 1, y), (x, y - 1), (x + 1, y)]])
    };
    if outlines.is_empty() { smallest().unwrap_or_default() } else { outlines }
}

fn centre(ring: &[LatLon]) -> Option<LatLon> {
    let count = ring.len() as f64;
    let mean = |degrees: fn(LatLon) -> f64| ring.iter().map(|&vertex| degrees(vertex)).sum::<f64>() / count;
    LatLon::new(mean(LatLon::lat), mean(LatLon::lon)).ok()
}

/// The outline without points that repeat, lie on a straight line or lead there and back; none when nothing is left.
fn simplified(points: impl Iterator<Item = (i32, i32)>) -> Option<Outline> {
    let mut outline: Outline = Vec::new();
    for point in points {
        push(&mut outline, point);
    }
    // The corner where the outline closes: each point there that says nothing falls away, until none does.
    while outline.len() >= 3 {
        let last = outline.len() - 1;
        if is_straight(outline[last - 1], outline[last], outline[0]) {
            outline.pop();
        } else if is_straight(outline[last], outline[0], outline[1]) {
            outline.remove(0);
        } else {
            return Some(outline);
        }
    }
    None
}

fn push(outline: &mut Outline, point: (i32, i32)) {
    while let [.., before, last] = outline[..] {
        if !is_straight(before, last, point) {
            break;
        }
        outline.pop();
    }
    if outline.last() != Some(&point) {
        outline.push(point);
    }
}

/// Whether the middle point says nothing: it repeats another, or the three lie on one line.
fn is_straight(a: (i32, i32), b: (i32, i32), c: (i32, i32)) -> bool {
    (b.0 - a.0) * (c.1 - b.1) == (b.1 - a.1) * (c.0 - b.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::World;

    #[test]
    fn the_world_is_a_few_thousand_points_and_every_country_is_on_it() {
        let world = World::embedded();
        let outlines: Vec<_> = world.borders().iter().map(|country| outlines(country, 4)).collect();
        assert!(outlines.iter().all(|outlines| outlines.iter().any(|outline| outline.len() >= 3)));
        let points: usize = outlines.iter().flatten().map(Vec::len).sum();
        println!("all outlines at 4 steps a degree have {points} points");
        assert!(points < 30_000, "{points}");
    }

    #[test]
    fn points_on_a_straight_line_and_ways_there_and_back_fall_away() {
        let square = simplified([(0, 0), (4, 0), (4, 4), (2, 4), (0, 4), (0, 4)].into_iter()).unwrap();
        assert_eq!(square.len(), 4);
        assert_eq!(simplified([(0, 0), (3, 0), (0, 0), (3, 0)].into_iter()), None);
    }

    proptest! {
        #[test]
        fn a_simplified_outline_has_no_point_too_many(points in prop::collection::vec((0..6, 0..6), 0..30)) {
            if let Some(outline) = simplified(points.into_iter()) {
                for at in 0..outline.len() {
                    let next = |ahead: usize| outline[(at + ahead) % outline.len()];
                    prop_assert!(!is_straight(next(0), next(1), next(2)), "{:?}", outline);
                }
            }
        }
    }
}
