//! The challenge that a device's statement must be made over: unpredictable, good for five minutes and for one partner.
//!
//! Nothing is stored for it: it carries its own end and a MAC. A statement that comes twice within its time is for the
//! same session and key both times, and gets the same answer.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use ring::rand::{SystemRandom, generate};

use super::Refusal;
use crate::PartnerName;

/// How long a challenge is good: an app asks its platform at once, which asks its maker.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(5);

/// Makes and recognises challenges.
#[derive(Debug)]
pub(crate) struct Challenges(hmac::Key);

impl Challenges {
    /// With a key of its own; `None` where the operating system has no randomness to give.
    pub(crate) fn new() -> Option<Self> {
        hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).ok().map(Self)
    }

    /// A challenge for `partner`, and until when it is good.
    pub(crate) fn make(&self, partner: &PartnerName, now: Timestamp) -> Option<(String, Timestamp)> {
        let nonce: [u8; 16] = generate(&SystemRandom::new()).ok()?.expose();
        let end = now.checked_add(GOOD_FOR).ok()?;
        let head = [&nonce[..], &end.as_second().to_be_bytes()].concat();
        let tag = hmac::sign(&self.0, &message(&head, partner));
        Some((URL_SAFE_NO_PAD.encode([&head, tag.as_ref()].concat()), end))
    }

    /// The bytes of a challenge that is this service's, for `partner`, and good at `now`.
    pub(crate) fn check(&self, challenge: &str, partner: &PartnerName, now: Timestamp) -> Result<Vec<u8>, Refusal> {
        let bytes = URL_SAFE_NO_PAD.decode(challenge).map_err(|_| Refusal::Malformed)?;
        let (head, tag) = bytes.split_at_checked(24).ok_or(Refusal::Malformed)?;
        hmac::verify(&self.0, &message(head, partner), tag).map_err(|_| Refusal::Binding)?;
        let end = head[16..].try_into().map(i64::from_be_bytes).map_err(|_| Refusal::Malformed)?;
        if now.as_second() < end { Ok(bytes) } else { Err(Refusal::Time) }
    }
}

/// What the MAC is over. The head has one length, so that nothing can be moved between it and the name.
fn message(head: &[u8], partner: &PartnerName) -> Vec<u8> {
    [b"octet-attest-challenge-v1", head, partner.as_str().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_good_for_its_partner_and_its_time() {
        let challenges = Challenges::new().unwrap();
        let (shop, other): (PartnerName, PartnerName) = ("shop".parse().unwrap(), "other".parse().unwrap());
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let (challenge, end) = challenges.make(&shop, now).unwrap();
        assert!(challenges.check(&challenge, &shop, now).is_ok());
        assert_eq!(challenges.check(&challenge, &shop, end), Err(Refusal::Time));
        assert_eq!(challenges.check(&challenge, &other, now), Err(Refusal::Binding));
        assert_eq!(Challenges::new().unwrap().check(&challenge, &shop, now), Err(Refusal::Binding));
        assert_eq!(challenges.check("AAAA", &shop, now), Err(Refusal::Malformed));
        assert_eq!(challenges.check("?", &shop, now), Err(Refusal::Malformed));
        assert_ne!(challenges.make(&shop, now).unwrap().0, challenge);
    }
}
