//! Any evidence whatsoever gives an assessment that keeps its promises, the same one each time:
//! `cargo +nightly fuzz run assess -- -max_total_time=60 -dict=assess.dict` in `octet/engine/fuzz`.

#![no_main]

#[path = "../src/invariants.rs"]
mod invariants;
#[path = "../src/session.rs"]
mod session;

use libfuzzer_sys::fuzz_target;
use octet_engine::{World, assess};

fuzz_target!(|bytes: &[u8]| {
    let (evidence, now) = session::read(&String::from_utf8_lossy(bytes));
    let world = World::embedded();
    let assessment = assess(&evidence, &world, now);
    if let Err(broken) = invariants::check(&evidence, &assessment) {
        panic!("{broken}");
    }
    assert!(assessment == assess(&evidence, &world, now), "equal evidence, equal assessment: {evidence:?}");
});
