//! The challenge that a device's statement must be made over: unpredictable, good for five minutes and for one partner.
//!
//! Nothing is stored for it: it carries its own end and a signature by a key that signs proofs, so that every node with the
//! same records knows it. A statement that comes twice within its time is for the same session and key both times, and
//! gets the same answer.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use octet::proof::Signer;
use ring::rand::{SystemRandom, generate};

use super::Refusal;
use crate::PartnerName;

/// How long a challenge is good: an app asks its platform at once, which asks its maker.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(5);
/// Randomness, end.
const HEAD: usize = 16 + 8;

/// A challenge for `partner`, and until when it is good.
pub(super) fn make(signer: &dyn Signer, partner: &PartnerName, now: Timestamp) -> Option<(String, Timestamp)> {
    let nonce: [u8; 16] = generate(&SystemRandom::new()).ok()?.expose();
    let end = now.checked_add(GOOD_FOR).ok()?;
    let head = [&nonce[..], &end.as_second().to_be_bytes()].concat();
    let signature = signer.sign(&message(&head, partner)).ok()?;
    Some((URL_SAFE_NO_PAD.encode([head, signature].concat()), end))
}

/// The bytes of a challenge that we signed for `partner`, and that is good at `now`.
pub(super) fn check(
    challenge: &str,
    partner: &PartnerName,
    we_signed: impl Fn(&[u8], &[u8]) -> bool,
    now: Timestamp,
) -> Result<Vec<u8>, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(challenge).map_err(|_| Refusal::Malformed)?;
    let (head, signature) = bytes.split_at_checked(HEAD).ok_or(Refusal::Malformed)?;
    if !we_signed(&message(head, partner), signature) {
        return Err(Refusal::Binding);
    }
    let end = head[16..].try_into().map(i64::from_be_bytes).map_err(|_| Refusal::Malformed)?;
    if now.as_second() < end { Ok(bytes) } else { Err(Refusal::Time) }
}

/// What is signed. No other text that these keys sign begins like this; the head has one length, so that nothing can be
/// moved between it and the name.
fn message(head: &[u8], partner: &PartnerName) -> Vec<u8> {
    [b"octet-attest-challenge-v1", head, partner.as_str().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use octet::proof::{Algorithm, SigningFailed};
    use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

    use super::*;

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

    #[test]
    fn a_challenge_is_good_for_its_partner_and_its_time() {
        let key = |seed| Key(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap());
        let (shop, other): (PartnerName, PartnerName) = ("shop".parse().unwrap(), "other".parse().unwrap());
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let (challenge, end) = make(&key(1), &shop, now).unwrap();
        let check = |challenge: &str, partner, seed, now| {
            let public = key(seed).0.public_key().as_ref().to_vec();
            let public = UnparsedPublicKey::new(&ED25519, public);
            super::check(challenge, partner, |message, signature| public.verify(message, signature).is_ok(), now)
        };
        assert!(check(&challenge, &shop, 1, now).is_ok());
        assert_eq!(check(&challenge, &shop, 1, end), Err(Refusal::Time));
        assert_eq!(check(&challenge, &other, 1, now), Err(Refusal::Binding));
        assert_eq!(check(&challenge, &shop, 2, now), Err(Refusal::Binding));
        assert_eq!(check("AAAA", &shop, 1, now), Err(Refusal::Malformed));
        assert_eq!(check("?", &shop, 1, now), Err(Refusal::Malformed));
        assert_ne!(make(&key(1), &shop, now).unwrap().0, challenge);
    }
}
