//! What one verdict costs by its edges: `cargo bench -p octet-engine --bench by_edges` times whole assessments with 1, 3
//! and 6 edges, and the same edges by plain constraint-based geolocation over the same cells, in the same run.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use octet::LatLon;
use octet_engine::world::cells::{self, Cell};
use octet_engine::{EdgeEvidence, Evidence, LocaleEvidence, TcpRoundTrip, UnixTime, World, assess};
use octet_geometry::distance_km;

const NOW: UnixTime = UnixTime(1_795_000_000);
/// Constraint-based geolocation reaches this far in a millisecond of round trip: two thirds of light's speed.
const FIBRE_KM_PER_MS: f64 = 100.0;
/// Edges around a browser in Berlin: place, and its round trip in ms.
const EDGES: [(f64, f64, f64); 6] = [
    (50.11, 8.68, 17.0),
    (51.51, -0.13, 29.0),
    (59.33, 18.07, 31.0),
    (40.71, -74.01, 99.0),
    (1.35, 103.82, 178.0),
    (-23.55, -46.63, 214.0),
];

fn edge(&(lat, lon, rtt_ms): &(f64, f64, f64)) -> EdgeEvidence {
    EdgeEvidence {
        position: LatLon::new(lat, lon).ok(),
        round_trips_ms: (0..12).map(|round| rtt_ms + f64::from(round * 5 % 7)).collect(),
        tcp: Some(TcpRoundTrip { min_ms: rtt_ms - 0.5, smoothed_ms: rtt_ms + 2.0, variance_ms: 1.5 }),
        ..EdgeEvidence::default()
    }
}

/// A line of a German university, a German browser, and the first `count` edges.
fn session(count: usize) -> Evidence {
    let tags = |tags: &[&str]| tags.iter().map(|&tag| tag.to_owned()).collect();
    Evidence {
        address: "141.20.1.1".parse().ok(),
        visitor_address: "141.20.1.1".parse().ok(),
        edges: EDGES[..count].iter().map(edge).collect(),
        locale: LocaleEvidence {
            time_zone: Some("Europe/Berlin".into()),
            offset_now_min: Some(60),
            offset_january_min: Some(60),
            offset_july_min: Some(120),
            languages: tags(&["de-DE", "de", "en-US", "en"]),
            locale: Some("de-DE".into()),
            header_languages: tags(&["de-DE", "de", "en-US", "en"]),
        },
        ..Evidence::default()
    }
}

/// How many cells are within reach of every edge, and their middle: Gueye et al., "Constraint-based geolocation of
/// Internet hosts" (2004), with the fibre's own line in place of a fitted one.
fn intersection(cells: &[Cell], edges: &[(f64, f64, f64)]) -> (u32, f64, f64) {
    let discs: Vec<(LatLon, f64)> = edges
        .iter()
        .filter_map(|&(lat, lon, rtt_ms)| Some((LatLon::new(lat, lon).ok()?, FIBRE_KM_PER_MS * rtt_ms)))
        .collect();
    let (mut count, mut lat, mut lon) = (0, 0.0, 0.0);
    for cell in cells {
        if discs.iter().all(|&(edge, km)| distance_km(edge, cell.place) <= km) {
            count += 1;
            lat += cell.place.lat();
            lon += cell.place.lon();
        }
    }
    let all = f64::from(count).max(1.0);
    (count, lat / all, lon / all)
}

fn by_edges(criterion: &mut Criterion) {
    let world = World::embedded();
    let Ok(cells) = cells::decode(include_bytes!("../data/cells.bin.zst")) else { return };
    for count in [1, 3, 6] {
        let evidence = session(count);
        criterion.bench_function(&format!("assess, full evidence, edges/{count}"), |b| {
            b.iter(|| assess(black_box(&evidence), &world, NOW));
        });
        criterion.bench_function(&format!("plain CBG intersection, edges/{count}"), |b| {
            b.iter(|| intersection(black_box(&cells.all), black_box(&EDGES[..count])));
        });
    }
    let mut unnamed = session(6);
    unnamed.locale.time_zone = None;
    criterion.bench_function("assess, offsets without a zone's name, edges/6", |b| {
        b.iter(|| assess(black_box(&unnamed), &world, NOW));
    });
    // A data centre's address, each answer as late as from a tunnel's far end: explained twice.
    let mut hidden = session(6);
    hidden.address = "88.198.1.1".parse().ok();
    hidden.visitor_address = hidden.address;
    hidden.edges.iter_mut().flat_map(|edge| &mut edge.round_trips_ms).for_each(|ms| *ms += 40.0);
    hidden.edges.iter_mut().for_each(|edge| edge.tcp = None);
    criterion.bench_function("assess, behind a tunnel, edges/6", |b| {
        b.iter(|| assess(black_box(&hidden), &world, NOW));
    });
}

criterion_group!(benches, by_edges);
criterion_main!(benches);
