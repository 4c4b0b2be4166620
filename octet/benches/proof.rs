//! What a proof costs: its signature, and its check offline, beside the signature scheme alone.

#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use octet::proof::{Algorithm, Expect, KeySet, Point, ProofClaims, PublicKey, Signer, SigningFailed, verify};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

struct Key(Ed25519KeyPair);

impl Signer for Key {
    fn key_id(&self) -> &'static str {
        "prk_1"
    }

    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDsa
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

fn proofs(criterion: &mut Criterion) {
    let key = Key(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap());
    let claims: ProofClaims = serde_json::from_str(include_str!("../tests/golden/proof-claims.json")).unwrap();
    let point = Point::ed25519(key.0.public_key().as_ref());
    let (nbf, exp) = (jiff::Timestamp::UNIX_EPOCH, jiff::Timestamp::MAX);
    let keys = KeySet::new(vec![PublicKey { kid: "prk_1".into(), nbf, exp, point }]).unwrap();
    let token = claims.sign(&key).unwrap();
    let expect = Expect::audience("shop").at(claims.issued_at);
    criterion.bench_function("a proof signed", |bench| bench.iter(|| black_box(&claims).sign(&key).unwrap()));
    criterion.bench_function("a proof verified", |bench| {
        bench.iter(|| verify(black_box(&token), black_box(&keys), expect).unwrap());
    });
    let (signed, _) = token.as_str().rsplit_once('.').unwrap();
    let signature = key.0.sign(signed.as_bytes());
    criterion.bench_function("Ed25519 alone, signed", |bench| bench.iter(|| key.0.sign(black_box(signed).as_bytes())));
    criterion.bench_function("Ed25519 alone, verified", |bench| {
        let public = UnparsedPublicKey::new(&ED25519, key.0.public_key());
        bench.iter(|| public.verify(black_box(signed).as_bytes(), signature.as_ref()).unwrap());
    });
}

criterion_group!(benches, proofs);
criterion_main!(benches);
