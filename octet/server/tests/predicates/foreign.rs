//! Libraries that are not ours, PyJWT and npm's jose, read the published key set, accept every proof and refuse what we
//! refuse. They are installed into a temporary folder; where there is no registry the test says so.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use octet::proof::{Algorithm, Expect, KeySet, Point, ProofClaims, PublicKey, Signer, SigningFailed, verify};
use octet_server::clock::{Clock, ManualClock};
use octet_server::{Config, NewLicense, Octet};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use crate::common::{GERMAN, Service, bundle};
use crate::{country, devices, keys, verdict, within};

/// A key of the test's own beside the service's: what it signs is right in all but what a case makes wrong.
struct Own(Ed25519KeyPair);

impl Signer for Own {
    fn key_id(&self) -> &'static str {
        "own"
    }

    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDsa
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

#[tokio::test]
async fn foreign_libraries_accept_every_proof_and_refuse_the_same_hundred_tampered_ones() {
    // Their clock is the machine's.
    let clock = Arc::new(ManualClock::at(Timestamp::now()));
    let octet = Octet::open(Config::in_memory().clock(Arc::clone(&clock) as _)).await.unwrap();
    let partner_key = octet.partners().add("shop").await.unwrap();
    let license = octet.licenses().issue(NewLicense::browser("shop")).await.unwrap().key;
    let service = Service { octet, clock, license, partner_key };
    service.forward(bundle("s1", GERMAN)).await;
    let mut proofs = Vec::new();
    let far = json!({ "type": "polygon", "vertices": [{ "lat": 0, "lon": 100 }, { "lat": 9, "lon": 100 }, { "lat": 0, "lon": 109 }] });
    for region in [country("DE"), country("US"), json!({ "type": "countries", "set": "EU" }), far] {
        let verdict = verdict(&service, &within("s1", &region)).await;
        proofs.push(verdict.proof.as_ref().expect("there is a proof").as_str().to_owned());
    }
    let own = Own(Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap());
    let mut set: Vec<_> = keys(&service).await.iter().cloned().collect();
    let point = Point::ed25519(own.0.public_key().as_ref());
    set.push(PublicKey { kid: "own".into(), point, ..set[0].clone() });
    let set = KeySet::new(set).unwrap();
    let mut claims = verify(&proofs[0], &set, Expect::audience("shop").at(service.clock.now())).unwrap();
    claims.id = "prf_own".to_owned();
    proofs.push(claims.sign(&own).unwrap().as_str().to_owned());

    let mut tampered = tampered(&proofs, &claims, &own, &set);
    assert!(tampered.len() >= 100, "{}", tampered.len());
    let (device, refused) = devices::proofs(&own, &claims);
    proofs.push(device.as_str().to_owned());
    tampered.extend(refused.iter().map(|proof| proof.as_str().to_owned()));
    let tokens: Vec<_> = proofs.iter().chain(&tampered).cloned().collect();
    let expected: Vec<_> = (0..tokens.len()).map(|index| index < proofs.len()).collect();
    let ours = tokens.iter().map(|token| verify(token, &set, Expect::audience("shop").at(service.clock.now())).is_ok());
    assert_eq!(ours.collect::<Vec<_>>(), expected);

    let folder = tempfile::tempdir().unwrap();
    let cases = json!({ "keys": set.to_json(), "tokens": tokens }).to_string();
    for (library, answer) in [("PyJWT", pyjwt(folder.path(), &cases)), ("jose", jose(folder.path(), &cases))] {
        let Some(accepted) = answer else {
            println!("skipped: {library} could not be installed");
            continue;
        };
        for ((accepts, expected), token) in accepted.iter().zip(&expected).zip(&tokens) {
            assert_eq!(accepts, expected, "{library}: {token}");
        }
        assert_eq!(accepted.len(), expected.len());
    }
}

fn tampered(proofs: &[String], claims: &ProofClaims, own: &Own, set: &KeySet) -> Vec<String> {
    let encode = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let signed_by = |key: &Own, header: &Value, payload: &Value| {
        let message = format!("{}.{}", encode(header), encode(payload));
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(key.0.sign(message.as_bytes())))
    };
    let header = json!({ "alg": "EdDSA", "kid": "own", "typ": "octet-proof+jwt" });
    let payload = serde_json::to_value(claims).unwrap();
    let with = |json: &Value, field: &str, value: Value| {
        let mut json = json.clone();
        json[field] = value;
        json
    };
    let mut out = Vec::new();

    // A character changed anywhere, but for a part's last one, of which some bits say nothing.
    for token in &proofs[..2] {
        let length = token.len();
        for step in 0..30 {
            let at = step * (length - 2) / 30;
            let old = token.as_bytes()[at];
            let next = token.as_bytes()[at + 1];
            if old != b'.' && next != b'.' {
                let new = if old == b'A' { "z" } else { "A" };
                out.push(format!("{}{new}{}", &token[..at], &token[at + 1..]));
            }
        }
    }
    // Parts of different proofs, cut, doubled and left out.
    for (one, other) in proofs.iter().zip(proofs.iter().cycle().skip(1)) {
        let (one, other): (Vec<_>, Vec<_>) = (one.split('.').collect(), other.split('.').collect());
        out.push([one[0], other[1], one[2]].join("."));
        out.push([one[0], one[1], other[2]].join("."));
        out.push([one[0], one[1]].join("."));
        out.push([one[0], one[1], ""].join("."));
        out.push([one[0], one[1], one[2], one[2]].join("."));
    }
    // No signature, by any spelling, and other algorithms with the public key as their secret.
    for alg in ["none", "None", "NONE", "HS256", "HS512", "RS256", "ES256", "Ed448", ""] {
        let header = with(&header, "alg", json!(alg));
        out.push(format!("{}.{}.", encode(&header), encode(&payload)));
        out.push(signed_by(own, &header, &payload));
    }
    let Some(PublicKey { point: Point::Ed25519 { x, .. }, .. }) = set.iter().last() else { panic!("an Ed25519 key") };
    for secret in [x.as_bytes().to_vec(), URL_SAFE_NO_PAD.decode(x).unwrap(), set.to_json().to_string().into_bytes()] {
        let message = format!("{}.{}", encode(&with(&header, "alg", json!("HS256"))), encode(&payload));
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
        out.push(format!("{message}.{}", URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, message.as_bytes()))));
    }
    // Another key under a known name, a key that comes with the token, an unknown name.
    let stranger = Own(Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap());
    let jwk = serde_json::to_value(Point::ed25519(stranger.0.public_key().as_ref())).unwrap();
    out.push(signed_by(&stranger, &header, &payload));
    out.push(signed_by(&stranger, &with(&header, "jwk", jwk), &payload));
    out.push(signed_by(own, &with(&header, "kid", json!("unknown")), &payload));
    // Well signed, and for somebody else, of another type, or with what must be understood and is not.
    for aud in [json!("other"), json!(""), json!("Shop"), json!(["other"]), json!(7), Value::Null] {
        out.push(signed_by(own, &header, &with(&payload, "aud", aud)));
    }
    for typ in [json!("JWT"), json!("octet-device+jwt"), Value::Null] {
        out.push(signed_by(own, &with(&header, "typ", typ), &payload));
    }
    for crit in [json!(["exp"]), json!(["urn:unknown"])] {
        out.push(signed_by(own, &with(&header, "crit", crit), &payload));
    }
    out
}

fn pyjwt(folder: &Path, cases: &str) -> Option<Vec<bool>> {
    let python = folder.join("venv/bin/python");
    succeeds(Command::new("python3").args(["-m", "venv"]).arg(folder.join("venv")))?;
    succeeds(Command::new(&python).args(["-m", "pip", "install", "-q", "pyjwt[crypto]==2.10.1"]))?;
    Some(accepted(Command::new(&python).arg(script("check.py")), cases))
}

fn jose(folder: &Path, cases: &str) -> Option<Vec<bool>> {
    let install = ["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "jose@6.1.0", "--prefix"];
    succeeds(Command::new("npm").args(install).arg(folder))?;
    Some(accepted(Command::new("node").arg(script("check.mjs")).arg(folder), cases))
}

fn script(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/predicates").join(name)
}

/// `None` when the command is not there, or fails for want of a registry.
fn succeeds(command: &mut Command) -> Option<()> {
    let output = command.output().ok()?;
    let failed = || println!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        Some(())
    } else {
        failed();
        None
    }
}

fn accepted(command: &mut Command, cases: &str) -> Vec<bool> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(cases.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout).expect("a list of true and false")
}
