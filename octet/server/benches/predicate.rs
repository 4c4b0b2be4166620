//! What a question about a country costs: from the request to the answer with its proof, in one process.

#![expect(clippy::unwrap_used, reason = "a bench may panic")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use common::{GERMAN, bundle, service_with};
use criterion::{Criterion, criterion_group, criterion_main};
use octet_server::Limits;
use tower::ServiceExt;

/// A session answers so many.
const QUESTIONS: u64 = 32;

fn predicates(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let limits = Limits { verdicts_per_second: u32::MAX / 8, signals_per_second: u32::MAX / 8, ..Limits::default() };
    let service = runtime.block_on(service_with(limits));
    let mut sessions = 0_u64;
    criterion.bench_function("a country predicate with its proof", |bench| {
        bench.iter_custom(|iterations| {
            runtime.block_on(async {
                let mut spent = Duration::ZERO;
                for first in (0..iterations).step_by(32) {
                    sessions += 1;
                    let session = format!("s{sessions}");
                    service.forward(bundle(&session, GERMAN)).await;
                    let body = format!(
                        r#"{{"ref":"{session}","predicate":"within","region":{{"type":"country","code":"DE"}}}}"#
                    );
                    let asked = (0..QUESTIONS.min(iterations - first)).map(|_| {
                        let request =
                            Request::post("/v1/predicate").header("x-octet-partner-key", service.partner_key.expose());
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

criterion_group!(benches, predicates);
criterion_main!(benches);
