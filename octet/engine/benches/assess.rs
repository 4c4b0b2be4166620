//! `cargo bench -p octet-engine`: a whole assessment with six edges and full evidence, beside a dense grid and beside
//! a plain intersection of discs on the same grid; and how long loading takes.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use octet::LatLon;
use octet_engine::grid::Healpix;
use octet_engine::locate::{Access, OtherSources, sightings};
use octet_engine::model::{Model, Parameters};
use octet_engine::{EdgeEvidence, Evidence, LocaleEvidence, TcpRoundTrip, UnixTime, World, assess};
use octet_geometry::Disc;

/// A person near Munich, seen from Frankfurt, Washington, São Paulo, Singapore, Tokyo and Johannesburg.
fn evidence() -> Evidence {
    let edges = [
        (50.11, 8.68, 14.0),
        (38.9, -77.0, 104.0),
        (-23.55, -46.63, 214.0),
        (1.35, 103.8, 172.0),
        (35.7, 139.7, 238.0),
        (-26.2, 28.0, 168.0),
    ];
    Evidence {
        address: "141.20.1.1".parse().ok(),
        edges: edges
            .into_iter()
            .map(|(lat, lon, ms)| EdgeEvidence {
                position: LatLon::new(lat, lon).ok(),
                round_trips_ms: vec![ms, ms + 1.2, ms + 0.4, ms + 3.1, ms + 0.9, ms + 2.2],
                tcp: Some(TcpRoundTrip { min_ms: ms - 0.5, smoothed_ms: ms + 0.5, variance_ms: 1.0 }),
                ..EdgeEvidence::default()
            })
            .collect(),
        locale: LocaleEvidence {
            time_zone: Some("Europe/Berlin".into()),
            offset_now_min: Some(60),
            offset_january_min: Some(60),
            offset_july_min: Some(120),
            languages: ["de-DE", "de", "en"].map(String::from).to_vec(),
            ..LocaleEvidence::default()
        },
        ..Evidence::default()
    }
}

fn assessments(criterion: &mut Criterion) {
    let evidence = evidence();
    let world = World::embedded();
    let now = UnixTime(1_795_219_200);
    let model = Model::embedded();
    let seen = sightings(&evidence.edges);
    let nothing = OtherSources::default();
    criterion.bench_function("assess, 6 edges, full evidence", |bencher| {
        bencher.iter(|| black_box(assess(black_box(&evidence), &world, now)));
    });
    criterion.bench_function("locate, 6 edges alone", |bencher| {
        bencher.iter(|| black_box(model.locate(black_box(&seen), Access::Consumer, &nothing)));
    });
    criterion.bench_function("locate, 6 edges alone, dense grid", |bencher| {
        bencher.iter(|| black_box(model.locate_densely(black_box(&seen), Access::Consumer, &nothing)));
    });
    let grid = Healpix::new(6);
    let places: Vec<LatLon> = (0..grid.len()).map(|pixel| grid.center(pixel)).collect();
    criterion.bench_function("plain CBG intersection, 6 edges", |bencher| {
        bencher.iter(|| {
            let discs: Vec<Disc> = seen.iter().map(|s| Disc::new(s.edge, 100.0 * s.rtt_ms)).collect();
            black_box(places.iter().filter(|place| discs.iter().all(|disc| disc.contains(**place))).count())
        });
    });
}

fn loading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("loading");
    group.sample_size(10);
    let tables = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/data")).expect("the tables are checked in");
    let tables: Vec<Vec<u8>> = tables
        .map(|table| std::fs::read(table.expect("an entry").path()).expect("a table can be read"))
        .filter(|table| World::default().with_table(table).is_ok())
        .collect();
    let world = || tables.iter().fold(World::default(), |world, table| world.with_table(table).expect("read before"));
    println!("world: {} tables, {:.1} MB on the heap", tables.len(), world().heap_bytes() as f64 / 1e6);
    group.bench_function("world from its tables", |bencher| bencher.iter(|| black_box(world())));
    group.bench_function("model from its parameters", |bencher| {
        bencher.iter(|| black_box(Model::new(Arc::clone(&Parameters::embedded()))));
    });
    group.finish();
}

criterion_group!(benches, assessments, loading);
criterion_main!(benches);
