//! Proofs that a device's own key signed, with what vouches for that key: good ones, and ones that are right in all but
//! one thing.

use jiff::{SignedDuration, Timestamp};
use octet::LocationProof;
use octet::proof::{
    Algorithm, Confirmation, DeviceBinding, Holder, Point, ProofClaims, SessionDigest, Signer, SigningFailed,
};
use octet_device::{DeviceKey, SoftwareKey};

/// A key that goes by another's name.
struct Renamed<'a>(&'a str, &'a SoftwareKey);

impl Signer for Renamed<'_> {
    fn key_id(&self) -> &str {
        self.0
    }

    fn algorithm(&self) -> Algorithm {
        self.1.algorithm()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        self.1.sign(message)
    }
}

fn point(key: &SoftwareKey) -> Point {
    Point::p256(&key.public_point()).unwrap()
}

/// A proof that everybody should accept, and proofs that nobody should; `octets` vouches for the device, and a proof of
/// its own says `claims`.
pub(crate) fn proofs(octets: &dyn Signer, claims: &ProofClaims) -> (LocationProof, Vec<LocationProof>) {
    let (device, other) = (SoftwareKey::generate().unwrap(), SoftwareKey::generate().unwrap());
    let later = |seconds: i64| -> Timestamp { claims.issued_at + SignedDuration::from_secs(seconds) };
    let binding = DeviceBinding {
        issuer: claims.issuer.clone(),
        audience: claims.audience.clone(),
        session: claims.session,
        id: "dev_a".into(),
        issued_at: later(-1),
        signs_until: later(86_400),
        cnf: Confirmation { jwk: point(&device) },
        hardware: true,
        attested_by: "appAttest".into(),
    };
    let said = |binding: &LocationProof, holder: &SoftwareKey, hardware| {
        let mut said = claims.clone();
        said.holder = Some(Holder { jkt: holder.key_id().to_owned(), hardware });
        said.attestation = vec![binding.clone()];
        said
    };
    let bound = binding.sign(octets).unwrap();
    let good = said(&bound, &device, true);
    let but = |change: fn(&mut ProofClaims)| {
        let mut changed = good.clone();
        change(&mut changed);
        changed.sign(&device).unwrap()
    };
    let of = |wrong: DeviceBinding| said(&wrong.sign(octets).unwrap(), &device, true).sign(&device).unwrap();
    let session = SessionDigest::from_bytes([0; 32]);
    let mut bad = vec![
        of(DeviceBinding { session, ..binding.clone() }),
        of(DeviceBinding { signs_until: claims.issued_at, ..binding.clone() }),
        of(DeviceBinding { issued_at: later(90), ..binding.clone() }),
        of(DeviceBinding { issued_at: Timestamp::UNIX_EPOCH, ..binding.clone() }),
        of(DeviceBinding { hardware: false, ..binding.clone() }),
        of(DeviceBinding { audience: "other".into(), ..binding.clone() }),
        of(DeviceBinding { issuer: "other".into(), ..binding.clone() }),
        of(DeviceBinding { cnf: Confirmation { jwk: point(&other) }, ..binding.clone() }),
        // Another key, under its own name and under the device's.
        good.sign(&other).unwrap(),
        good.sign(&Renamed(device.key_id(), &other)).unwrap(),
        // Nobody vouches for it, or it does so itself, or with a proof.
        but(|said| said.attestation.clear()),
        said(&binding.sign(&device).unwrap(), &device, true).sign(&device).unwrap(),
        said(&claims.sign(octets).unwrap(), &device, true).sign(&device).unwrap(),
        // A holder that is not the key, none, and a binding that stands for a proof.
        said(&bound, &SoftwareKey::generate().unwrap(), true).sign(&device).unwrap(),
        said(&bound, &device, false).sign(&device).unwrap(),
        but(|said| said.holder = None),
        but(|said| said.session = SessionDigest::from_bytes([0; 32])),
        but(|said| said.audience = "other".to_owned()),
        bound.clone(),
    ];
    let good = good.sign(&device).unwrap();
    let [header, payload, signature] = good.as_str().split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let [_, _, others] = bad[0].as_str().split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    for signature in [others.to_owned(), signature.chars().rev().collect(), "A".repeat(86)] {
        bad.push(format!("{header}.{payload}.{signature}").parse().unwrap());
    }
    (good, bad)
}
