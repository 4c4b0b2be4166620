//! What simpler methods make of the same round trips: the nearest edge, and the intersection of discs (CBG).
//!
//! Source: Gueye et al., "Constraint-based geolocation of Internet hosts", IEEE/ACM ToN 14 (2006), with the plain
//! bound of light in fibre.

use std::path::Path;

use octet_engine::grid::Healpix;
use octet_geometry::{Disc, UnitVector, distance_km};

use super::data::Target;
use super::metrics::quantile;

/// One baseline's errors.
pub(crate) struct Baseline {
    pub(crate) name: &'static str,
    pub(crate) n: usize,
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) rest: String,
}

/// Pixels of this order stand for places: 102 km wide.
const ORDER: u8 = 6;

pub(crate) fn all(targets: &[&Target]) -> Vec<Baseline> {
    vec![shortest_ping(targets), cbg(targets)]
}

/// What others made of this test, by the table of baselines in the directory's `README.md`, where it has one: the method,
/// and what is written of it. A row is of the test whose name it begins with, or that and its number of edges.
pub(crate) fn published(directory: &Path, test: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(directory.join("README.md")).unwrap_or_default();
    let cells = |line: &str| line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    let table = text.lines().skip_while(|line| !line.starts_with("| test |")).take_while(|line| line.starts_with('|'));
    let mut rows = table.map(cells);
    let methods: Vec<String> = rows.next().unwrap_or_default();
    let is_own = |row: &Vec<String>| {
        let (name, edges) = row.first().and_then(|cell| cell.split_once(',')).unwrap_or_default();
        let edges: String = edges.trim().chars().take_while(char::is_ascii_digit).collect();
        test == name || test == format!("{name}-{edges}")
    };
    let own = rows.find(is_own).unwrap_or_default();
    methods.into_iter().zip(own).skip(1).collect()
}

fn shortest_ping(targets: &[&Target]) -> Baseline {
    let errors: Vec<f64> = targets
        .iter()
        .filter_map(|target| {
            let nearest = target.sightings.iter().min_by(|a, b| a.rtt_ms.total_cmp(&b.rtt_ms))?;
            Some(distance_km(nearest.edge, target.place))
        })
        .collect();
    baseline("  (shortest ping)", &errors, String::new())
}

fn cbg(targets: &[&Target]) -> Baseline {
    let grid = Healpix::new(ORDER);
    let places: Vec<UnitVector> = (0..grid.len()).map(|pixel| grid.center(pixel).into()).collect();
    let mut errors = Vec::new();
    let mut held = 0;
    let mut areas = Vec::new();
    for target in targets {
        let discs: Vec<Disc> = target.sightings.iter().map(|s| Disc::new(s.edge, 100.0 * s.rtt_ms)).collect();
        let rims: Vec<(UnitVector, f64)> = discs
            .iter()
            .map(|disc| (disc.center().into(), (disc.radius_km() / octet_geometry::EARTH_RADIUS_KM).cos()))
            .collect();
        let within = |place: &&UnitVector| rims.iter().all(|(center, least)| place.dot(*center) >= *least);
        let inside: Vec<&UnitVector> = places.iter().filter(within).collect();
        let sum = inside.iter().fold(UnitVector { x: 0.0, y: 0.0, z: 0.0 }, |sum, place| UnitVector {
            x: sum.x + place.x,
            y: sum.y + place.y,
            z: sum.z + place.z,
        });
        let smallest = discs.iter().min_by(|a, b| a.radius_km().total_cmp(&b.radius_km())).map(Disc::center);
        if let Some(answer) = sum.to_place().or(smallest) {
            errors.push(distance_km(answer, target.place));
            held += usize::from(discs.iter().all(|disc| disc.contains(target.place)));
            areas.push(inside.len() as f64 * grid.pixel_area_km2());
        }
    }
    let rest = format!(
        "holds the truth {:.2}, median {:.1} M km² with seas",
        held as f64 / errors.len().max(1) as f64,
        quantile(&areas, 0.5) / 1e6
    );
    baseline("  (CBG, 100 km/ms)", &errors, rest)
}

fn baseline(name: &'static str, errors: &[f64], rest: String) -> Baseline {
    Baseline { name, n: errors.len(), p50: quantile(errors, 0.5), p90: quantile(errors, 0.9), rest }
}

#[cfg(test)]
mod tests {
    use super::published;

    #[test]
    fn baselines_of_a_directory_are_read_where_it_has_a_table_of_them() {
        let directory = tempfile::tempdir().unwrap();
        let of = |test: &str| published(directory.path(), test);
        assert!(of("near-8").is_empty());
        let table = "| test | CBG |\n| --- | --- |\n| near, 8 edges | 1/2 |\n| far, all | 3/4; .3 |\n\n| x | y |\n";
        std::fs::write(directory.path().join("README.md"), format!("Text\n\n{table}")).unwrap();
        assert_eq!(of("near-8"), [("CBG".to_owned(), "1/2".to_owned())]);
        assert_eq!(of("far"), [("CBG".to_owned(), "3/4; .3".to_owned())]);
        assert!(of("near-3").is_empty());
    }
}
