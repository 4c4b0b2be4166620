//! What a question about a country costs: from the request to the answer with its proof, in one process. And what
//! geometry alone costs, on the map that phones get.

#![expect(clippy::unwrap_used, reason = "a bench may panic")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use common::{GERMAN, answer, bundle, service_with};
use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use octet::license::Product;
use octet::{Claim, LatLon, Region};
use octet_device::Borders;
use octet_geometry::judge;
use octet_server::{Limits, NewLicense};
use tower::ServiceExt;

/// A session answers so many.
const QUESTIONS: u64 = 32;

fn predicates(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let limits = Limits { verdicts_per_second: u32::MAX / 8, signals_per_second: u32::MAX / 8, ..Limits::default() };
    let service = runtime.block_on(service_with(limits));
    let mut sessions = 0_u64;
    for (name, code) in [("with its proof", "DE"), ("denied, with its proof", "US"), ("not answered", "FR")] {
        criterion.bench_function(&format!("a country predicate {name}"), |bench| {
            bench.iter_custom(|iterations| {
                runtime.block_on(async {
                    let mut spent = Duration::ZERO;
                    for first in (0..iterations).step_by(32) {
                        sessions += 1;
                        let session = format!("s{sessions}");
                        service.forward(bundle(&session, GERMAN)).await;
                        let body = format!(
                            r#"{{"ref":"{session}","predicate":"within","region":{{"type":"country","code":"{code}"}}}}"#
                        );
                        let asked = (0..QUESTIONS.min(iterations - first)).map(|_| {
                            let request = Request::post("/v1/predicate")
                                .header("x-octet-partner-key", service.partner_key.expose());
                            request.body(Body::from(body.clone())).unwrap()
                        });
                        let asked: Vec<_> = asked.collect();
                        let begun = Instant::now();
                        for request in asked {
                            assert_eq!(service.octet.clone().oneshot(request).await.unwrap().status(), 200);
                        }
                        spent += begun.elapsed();
                    }
                    spent
                })
            });
        });
    }
}

fn geometry(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let borders = runtime.block_on(async {
        let service = service_with(Limits::default()).await;
        let license = NewLicense::browser("shop").product(Product::Mobile);
        let license = service.octet.licenses().issue(license).await.unwrap().key;
        let request = Request::get("/v1/borders").header("x-octet-license", license.expose());
        let map = answer(service.octet.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()).await.text;
        Borders::from_json(map.as_bytes()).unwrap()
    });
    let place = |lat, lon| LatLon::new(lat, lon).unwrap();
    let disc = |lat, lon, meters| Region::disc(place(lat, lon), meters).unwrap();
    let (berlin, kehl) = (disc(52.52, 13.4, 1_000.0), disc(48.57, 7.82, 1_000.0));
    let ring = (0..64).map(|step| (f64::from(step) / 64.0 * std::f64::consts::TAU).sin_cos());
    let ring = Region::polygon(ring.map(|(sin, cos)| place(52.5 + sin, 13.4 + 1.6 * cos)).collect()).unwrap();
    let country = |code| Region::country(code).unwrap();
    for (name, known, asked) in [
        ("a disc in its country", &berlin, country("DE")),
        ("a disc at the border of its country", &kehl, country("DE")),
        ("a disc in a country far away", &berlin, country("US")),
        ("a disc in the European Union", &berlin, Region::eu()),
        ("a disc in a disc", &berlin, disc(52.5, 13.3, 50_000.0)),
        ("a disc in a polygon of 64 vertices", &berlin, ring),
    ] {
        let claim = Claim::Within(asked);
        let time = Timestamp::from_second(1_795_262_400).unwrap();
        criterion.bench_function(&format!("geometry: {name}"), |bench| {
            bench.iter(|| judge(&claim, known, time, &borders));
        });
    }
}

criterion_group!(benches, predicates, geometry);
criterion_main!(benches);
