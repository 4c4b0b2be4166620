//! See `properties::proxy_protocol`: `cargo +nightly fuzz run proxy_protocol -- -max_total_time=60` in `octet/relay/fuzz`.

#![no_main]

#[path = "../src/properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::proxy_protocol(bytes));
