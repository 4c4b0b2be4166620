//! See `properties::app_attest`: `cargo +nightly fuzz run app_attest -- -max_total_time=60` in `octet/server/fuzz`.

#![no_main]

#[path = "../src/properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::app_attest(bytes));
