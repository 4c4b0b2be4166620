//! Any bytes as a question about a place: what reads back is what was read, and can be judged.
#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use octet::predicate::PredicateRequest;
use octet::{LatLon, PredicateVerdict, Region};
use octet_geometry::{NoGazetteer, judge};

fuzz_target!(|text: &str| {
    let _ = serde_json::from_str::<PredicateVerdict>(text);
    let Ok(asked) = serde_json::from_str::<PredicateRequest>(text) else { return };
    let again = serde_json::to_string(&asked).expect("what was read can be written");
    serde_json::from_str::<PredicateRequest>(&again).expect("what was written can be read");
    let berlin = LatLon::new(52.52, 13.4).and_then(|place| Ok(Region::disc(place, 20_000.0)));
    let known = berlin.expect("a place").expect("a disc");
    let _ = judge(&asked.claim, &known, Timestamp::UNIX_EPOCH, &NoGazetteer);
});
