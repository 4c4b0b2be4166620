//! Proofs against the JSON Schema of their claims that is published.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonschema::Validator;
use octet::LocationProof;
use serde_json::Value;

static SCHEMA: LazyLock<(Value, Validator)> = LazyLock::new(|| {
    let schema = serde_json::from_str(include_str!("../../../../docs/proof-claims.schema.json")).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    (schema, validator)
});

/// The claims of a proof, of which the schema documents every field.
pub(crate) fn documented(proof: &LocationProof) -> Value {
    let claims = proof.as_str().split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let wrong: Vec<_> = SCHEMA.1.iter_errors(&claims).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?} in {claims}");
    for field in claims.as_object().unwrap().keys() {
        assert!(SCHEMA.0["properties"].get(field).is_some(), "{field} is in no schema");
    }
    claims
}

/// Whether the schema takes these claims.
pub(crate) fn is_valid(claims: &Value) -> bool {
    SCHEMA.1.is_valid(claims)
}
