//! See `properties::preface`: `cargo +nightly fuzz run preface -- -max_total_time=60` in `octet/relay/fuzz`.

#![no_main]

#[path = "../src/properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::preface(bytes));
