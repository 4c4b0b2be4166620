//! See `properties::play_integrity`: `cargo +nightly fuzz run play_integrity -- -max_total_time=60` in `octet/server/fuzz`.

#![no_main]

#[path = "../src/properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::play_integrity(bytes));
