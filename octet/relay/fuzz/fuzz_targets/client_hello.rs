//! See `properties::client_hello`: `cargo +nightly fuzz run client_hello -- -max_total_time=60` in `octet/relay/fuzz`.

#![no_main]

#[path = "../src/properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::client_hello(bytes));
