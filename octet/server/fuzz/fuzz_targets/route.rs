//! See `properties::route`: `cargo +nightly fuzz run route -- -max_total_time=60` in `octet/server/fuzz`.

#![no_main]

#[path = "../src/properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| drop(properties::route(bytes)));
