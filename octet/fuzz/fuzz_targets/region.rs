//! See `properties::region`: `cargo +nightly fuzz run region -- -max_total_time=60` in `octet/fuzz`.

#![no_main]

#[path = "../src/properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|text: &str| properties::region(text));
