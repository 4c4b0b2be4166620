//! Any bytes as a token, as a key set and as a chain: refused, never a panic, and never accepted.
#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use octet::proof::{Chain, Expect, KeySet, verify};

const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"prk_1","nbf":0,"exp":9999999999,
    "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

fuzz_target!(|text: &str| {
    let keys = KeySet::from_json(KEYS).expect("a key set");
    let expect = Expect::audience("shop").at(Timestamp::UNIX_EPOCH);
    assert!(verify(text, &keys, expect).is_err());
    if let Ok(others) = KeySet::from_json(text) {
        assert_eq!(KeySet::from_json(&others.to_json().to_string()), Ok(others));
    }
    let _ = Chain::read(text, &"0".repeat(64));
});
