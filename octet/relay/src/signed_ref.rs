//! Session references that the edge signs itself: they expire, and are bound to the network and the user agent
//! of the page's request. Knows nothing of what a reference leads to.
//!
//! `os1_` and the unpadded base64url of: nonce (16) ‖ expiry in seconds (4, big-endian) ‖ network tag (6) ‖
//! user-agent tag (6) ‖ MAC (16). The tags are keyed digests that include the nonce, so that two references
//! of one visitor have nothing in common.

use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use octet::SessionRef;
use octet::observations::SessionObservation;
use subtle::ConstantTimeEq;

use crate::mac::{self, MacKey, NoRandomness};
use crate::network;

const PREFIX: &str = "os1_";
const BODY: usize = 16 + 4 + 6 + 6;
const MAC: usize = 16;

/// Signs session references and reads what it signed.
#[derive(Debug, Clone)]
pub(crate) struct SignedRefs {
    key: MacKey,
    lifetime: Duration,
}

/// What a reference turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inspection {
    /// Signed here, and not expired.
    Signed(SessionObservation),
    /// Minted elsewhere, altered, signed with another key, or expired.
    Unsigned,
}

impl Inspection {
    /// As Octet is told.
    pub(crate) fn observation(self) -> SessionObservation {
        match self {
            Self::Signed(session) => session,
            Self::Unsigned => SessionObservation::default(),
        }
    }
}

impl SignedRefs {
    pub(crate) fn new(secret: &[u8], lifetime: Duration) -> Self {
        Self { key: MacKey::derive(secret, "octet signed reference 1"), lifetime }
    }

    /// A new reference for the page that goes to `ip` and `user_agent`.
    pub(crate) fn mint(
        &self,
        now: SystemTime,
        ip: Option<IpAddr>,
        user_agent: &[u8],
    ) -> Result<SessionRef, NoRandomness> {
        let nonce = mac::random::<16>()?;
        let expiry = now.checked_add(self.lifetime).map_or(u32::MAX, seconds);
        let mut bytes = [0; BODY + MAC];
        bytes[..16].copy_from_slice(&nonce);
        bytes[16..20].copy_from_slice(&expiry.to_be_bytes());
        bytes[20..26].copy_from_slice(&self.network_tag(&nonce, ip));
        bytes[26..32].copy_from_slice(&self.user_agent_tag(&nonce, user_agent));
        let mac = self.key.tag::<MAC>(&[b"reference", &bytes[..BODY]]);
        bytes[BODY..].copy_from_slice(&mac);
        let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        // Prefix and base64url are of the grammar, so only a lack of randomness is left to report.
        text.parse().map_err(|_| NoRandomness)
    }

    /// What `session` is, as it comes back from `ip` and `user_agent`.
    pub(crate) fn inspect(
        &self,
        session: &SessionRef,
        now: SystemTime,
        ip: Option<IpAddr>,
        user_agent: &[u8],
    ) -> Inspection {
        let Some((body, mac)) = decode(session) else { return Inspection::Unsigned };
        let (nonce, rest) = body.split_at(16);
        let (expiry, tags) = rest.split_at(4);
        let alive = expiry.try_into().is_ok_and(|bytes| seconds(now) < u32::from_be_bytes(bytes));
        if !self.key.verify(&[b"reference", &body], &mac) || !alive {
            return Inspection::Unsigned;
        }
        let (network, agent) = tags.split_at(6);
        let is = |tag: [u8; 6], found: &[u8]| bool::from(tag.as_slice().ct_eq(found));
        let bound = !is(self.network_tag(nonce, None), network);
        Inspection::Signed(SessionObservation {
            signed: true,
            same_network: ip.filter(|_| bound).map(|ip| is(self.network_tag(nonce, Some(ip)), network)),
            same_user_agent: Some(is(self.user_agent_tag(nonce, user_agent), agent)),
        })
    }

    fn network_tag(&self, nonce: &[u8], ip: Option<IpAddr>) -> [u8; 6] {
        match ip {
            Some(ip) => self.key.tag(&[b"network", nonce, &network::neighbourhood(ip)]),
            None => self.key.tag(&[b"no network", nonce]),
        }
    }

    fn user_agent_tag(&self, nonce: &[u8], user_agent: &[u8]) -> [u8; 6] {
        self.key.tag(&[b"user agent", nonce, user_agent])
    }
}

fn decode(session: &SessionRef) -> Option<([u8; BODY], [u8; MAC])> {
    let text = session.as_str().strip_prefix(PREFIX)?;
    let mut bytes = [0; BODY + MAC];
    let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
    let (body, mac) = bytes.split_at(BODY);
    (length == bytes.len()).then_some((body.try_into().ok()?, mac.try_into().ok()?))
}

fn seconds(time: SystemTime) -> u32 {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn refs() -> SignedRefs {
        SignedRefs::new(b"secret", HOUR)
    }

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn a_reference_says_whether_it_comes_back_from_where_it_went() {
        let session = refs().mint(now(), ip("192.0.2.7"), b"Agent").unwrap();
        let seen = |from, agent: &[u8]| match refs().inspect(&session, now(), from, agent) {
            Inspection::Signed(seen) => (seen.same_network, seen.same_user_agent),
            Inspection::Unsigned => panic!("refused"),
        };
        assert_eq!(seen(ip("192.0.2.99"), b"Agent"), (Some(true), Some(true)));
        assert_eq!(seen(ip("198.51.100.1"), b"Agent"), (Some(false), Some(true)));
        assert_eq!(seen(ip("::ffff:192.0.2.1"), b"Other"), (Some(true), Some(false)));
        assert_eq!(seen(None, b"Agent").0, None);
    }

    #[test]
    fn a_page_whose_address_was_unknown_binds_to_no_network() {
        let session = refs().mint(now(), None, b"Agent").unwrap();
        let seen = refs().inspect(&session, now(), ip("192.0.2.7"), b"Agent");
        assert!(matches!(seen, Inspection::Signed(seen) if seen.same_network.is_none()));
    }

    #[test]
    fn a_reference_expires() {
        let session = refs().mint(now(), None, b"").unwrap();
        let at = |time| matches!(refs().inspect(&session, time, None, b""), Inspection::Signed(_));
        assert!(at(now() + HOUR - Duration::from_secs(1)));
        assert!(!at(now() + HOUR));
    }

    #[test]
    fn two_references_of_one_visitor_have_nothing_in_common() {
        let decode = |session: SessionRef| decode(&session).unwrap().0;
        let a = decode(refs().mint(now(), ip("192.0.2.7"), b"Agent").unwrap());
        let b = decode(refs().mint(now(), ip("192.0.2.7"), b"Agent").unwrap());
        assert_ne!(a[20..26], b[20..26]);
        assert_ne!(a[26..32], b[26..32]);
    }

    #[test]
    fn another_key_signs_nothing_for_this_one() {
        let session = SignedRefs::new(b"other", HOUR).mint(now(), None, b"").unwrap();
        assert_eq!(refs().inspect(&session, now(), None, b""), Inspection::Unsigned);
    }

    proptest! {
        #[test]
        fn no_altered_reference_passes(place in 0_usize..64, to in "[A-Za-z0-9_-]") {
            let session = refs().mint(now(), None, b"Agent").unwrap();
            let mut text = session.as_str().to_owned();
            text.replace_range(PREFIX.len() + place..=PREFIX.len() + place, &to);
            let altered: SessionRef = text.parse().unwrap();
            prop_assume!(altered != session);
            prop_assert_eq!(refs().inspect(&altered, now(), None, b"Agent"), Inspection::Unsigned);
        }

        #[test]
        fn any_other_reference_is_unsigned(text in "(os1_)?[A-Za-z0-9_-]{1,100}") {
            let session: SessionRef = text.parse().unwrap();
            prop_assert_eq!(refs().inspect(&session, now(), None, b""), Inspection::Unsigned);
        }
    }
}
