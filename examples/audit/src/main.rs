//! An archive of location proofs: each a line of JSON with the proof and whatever else is kept beside it. Checks them
//! all again, offline. Knows published keys and no service.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use jiff::Timestamp;
use octet::LocationProof;
use octet::proof::{Chain, Expect, KeySet, verify};
use serde::{Deserialize, Serialize};

#[derive(Debug, Parser)]
#[command(about = "Keeps location proofs, and checks them again")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Adds a proof to the archive
    Keep {
        /// The archive
        archive: PathBuf,
        /// The proof, as a verdict brought it
        proof: LocationProof,
        /// What it belongs to, such as an order's number
        #[arg(long)]
        note: Option<String>,
        /// The moment that it is about; the check asks that the proof covers it
        #[arg(long)]
        moment: Option<Timestamp>,
    },
    /// Checks every proof of the archive
    Check {
        /// The archive
        archive: PathBuf,
        /// The published key set, as a file
        #[arg(long)]
        keys: PathBuf,
        /// For whom the proofs must be
        #[arg(long)]
        audience: String,
        /// As of this time; now, unless given
        #[arg(long)]
        at: Option<Timestamp>,
        /// The published daily chain, as a file: for proofs that are older than their key's end
        #[arg(long, requires = "head")]
        chain: Option<PathBuf>,
        /// The head that was noted in its time
        #[arg(long)]
        head: Option<String>,
    },
}

/// A line of the archive.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    proof: LocationProof,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    moment: Option<Timestamp>,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("audit: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all is well.
fn run(command: Command) -> Result<bool, Box<dyn Error>> {
    match command {
        Command::Keep { archive, proof, note, moment } => {
            let mut archive = File::options().append(true).create(true).open(archive)?;
            writeln!(archive, "{}", serde_json::to_string(&Kept { proof, note, moment })?)?;
            Ok(true)
        }
        Command::Check { archive, keys, audience, at, chain, head } => {
            let keys = KeySet::from_json(&fs::read_to_string(keys)?)?;
            let chain = match chain.zip(head) {
                Some((chain, head)) => Some(Chain::read(&fs::read_to_string(chain)?, &head)?),
                None => None,
            };
            let mut expect = Expect::audience(&audience).at(at.unwrap_or_else(Timestamp::now));
            if let Some(chain) = &chain {
                expect = expect.anchored_in(chain);
            }
            let mut refused = 0_usize;
            for (number, line) in (1..).zip(BufReader::new(File::open(archive)?).lines()) {
                match check(&line?, &keys, expect) {
                    Ok(says) => println!("{number}: {says}"),
                    Err(error) => {
                        refused += 1;
                        println!("{number}: REFUSED: {error}");
                    }
                }
            }
            Ok(refused == 0)
        }
    }
}

/// What the proof of a line says.
fn check(line: &str, keys: &KeySet, expect: Expect<'_>) -> Result<String, Box<dyn Error>> {
    let kept: Kept = serde_json::from_str(line)?;
    let expect = kept.moment.map_or(expect, |moment| expect.covering(moment));
    let proof = verify(&kept.proof, keys, expect)?;
    let (claim, score) = (serde_json::to_string(&proof.claim)?, proof.confidence.overall_score);
    let (from, to) = (proof.validity.from(), proof.validity.to());
    Ok(format!(
        "{claim} from {from} to {to}, score {score}{}",
        kept.note.map_or(String::new(), |note| format!(", {note}"))
    ))
}

#[cfg(test)]
mod tests {
    use octet::proof::{Algorithm, Point, ProofClaims, PublicKey, Signer, SigningFailed};

    use super::*;

    /// A key that anybody could have made: the test of RFC 8032.
    struct Key;

    impl Signer for Key {
        fn key_id(&self) -> &'static str {
            "k"
        }

        fn algorithm(&self) -> Algorithm {
            Algorithm::EdDsa
        }

        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
            Ok(pair().sign(message).as_ref().to_vec())
        }
    }

    fn pair() -> ring::signature::Ed25519KeyPair {
        ring::signature::Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap()
    }

    #[test]
    fn an_archive_is_checked_again_and_a_changed_line_is_found() {
        use ring::signature::KeyPair;

        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let noon: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let days = |days: i64| noon + jiff::SignedDuration::from_hours(24 * days);
        let point = Point::ed25519(pair().public_key().as_ref());
        let keys = KeySet::new(vec![PublicKey { kid: "k".into(), nbf: noon, exp: days(730), point }]).unwrap();
        fs::write(path("keys.json"), keys.to_json().to_string()).unwrap();
        let golden: ProofClaims =
            serde_json::from_str(include_str!("../../../octet/tests/golden/proof-claims.json")).unwrap();
        let proof = golden.sign(&Key).unwrap();
        for moment in [None, Some(noon)] {
            let keep = Command::Keep { archive: path("a"), proof: proof.clone(), note: Some("order 7".into()), moment };
            assert!(run(keep).unwrap());
        }
        let check = |archive: &str, at: Timestamp| {
            run(Command::Check {
                archive: path(archive),
                keys: path("keys.json"),
                audience: "shop".into(),
                at: Some(at),
                chain: None,
                head: None,
            })
            .unwrap()
        };
        assert!(check("a", days(365)));
        assert!(!check("a", days(731)), "the key has ended by then");
        let changed = fs::read_to_string(path("a")).unwrap().replacen("12:00:00Z", "12:06:00Z", 1);
        fs::write(path("b"), changed).unwrap();
        assert!(!check("b", days(365)), "the proof does not cover that moment");
    }
}
