//! The ticket of a latency channel: proof that the bundle comes from the page that opened it. It carries no
//! measurement, and no key leaves this file.
//!
//! The unpadded base64url of: time in milliseconds (8, big-endian) ‖ nonce (8) ‖ MAC (16), the MAC over
//! reference, edge, peer address, time and nonce.

use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use octet::{EdgeId, SessionRef};

use crate::mac::{self, MacKey, NoRandomness};
use crate::network;

const CLEAR: usize = 16;
const MAC: usize = 16;

/// How long a ticket can be redeemed.
const LIFETIME: Duration = Duration::from_secs(5 * 60);
/// How far two processes' clocks may be apart.
const SKEW: Duration = Duration::from_secs(30);

/// Issues and checks the tickets of one edge.
#[derive(Debug, Clone)]
pub(crate) struct Tickets {
    key: MacKey,
    edge: EdgeId,
}

impl Tickets {
    pub(crate) fn new(secret: &[u8], edge: EdgeId) -> Self {
        Self { key: MacKey::derive(secret, "octet channel ticket 1"), edge }
    }

    /// A ticket for the channel that `session` opens from `ip` now.
    pub(crate) fn issue(
        &self,
        session: &SessionRef,
        ip: Option<IpAddr>,
        now: SystemTime,
    ) -> Result<String, NoRandomness> {
        let mut bytes = [0; CLEAR + MAC];
        bytes[..8].copy_from_slice(&millis(now).to_be_bytes());
        bytes[8..CLEAR].copy_from_slice(&mac::random::<8>()?);
        let mac = self.mac(session, ip, &bytes[..CLEAR]);
        bytes[CLEAR..].copy_from_slice(&mac);
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Whether `ticket` is this edge's, for `session` from `ip`, and not too old.
    pub(crate) fn is_valid(&self, ticket: &str, session: &SessionRef, ip: Option<IpAddr>, now: SystemTime) -> bool {
        let mut bytes = [0; CLEAR + MAC];
        if URL_SAFE_NO_PAD.decode_slice(ticket, &mut bytes) != Ok(CLEAR + MAC) {
            return false;
        }
        let (clear, mac) = bytes.split_at(CLEAR);
        let (Ok(mac), Ok(issued)) = (mac.try_into(), clear[..8].try_into()) else { return false };
        let (issued, now) = (Duration::from_millis(u64::from_be_bytes(issued)), Duration::from_millis(millis(now)));
        let fresh = now <= issued.saturating_add(LIFETIME) && issued <= now.saturating_add(SKEW);
        self.key.verify::<MAC>(&self.fields(session, &peer(ip), clear), mac) && fresh
    }

    fn mac(&self, session: &SessionRef, ip: Option<IpAddr>, clear: &[u8]) -> [u8; MAC] {
        self.key.tag(&self.fields(session, &peer(ip), clear))
    }

    fn fields<'a>(&'a self, session: &'a SessionRef, peer: &'a [u8], clear: &'a [u8]) -> [&'a [u8]; 4] {
        [session.as_str().as_bytes(), self.edge.as_str().as_bytes(), peer, clear]
    }
}

fn peer(ip: Option<IpAddr>) -> [u8; 17] {
    ip.map(network::address).unwrap_or_default()
}

fn millis(time: SystemTime) -> u64 {
    u64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edge(id: &str) -> Tickets {
        Tickets::new(b"secret", id.parse().unwrap())
    }

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    fn session(text: &str) -> SessionRef {
        text.parse().unwrap()
    }

    #[test]
    fn a_ticket_is_for_one_session_edge_address_and_time() {
        let from = ip("192.0.2.1");
        let ticket = edge("a").issue(&session("s"), from, now()).unwrap();
        assert!(ticket.len() <= 512);
        assert!(edge("a").is_valid(&ticket, &session("s"), from, now()));
        assert!(edge("a").is_valid(&ticket, &session("s"), ip("::ffff:192.0.2.1"), now()));
        assert!(!edge("a").is_valid(&ticket, &session("t"), from, now()));
        assert!(!edge("b").is_valid(&ticket, &session("s"), from, now()));
        assert!(!edge("a").is_valid(&ticket, &session("s"), ip("192.0.2.2"), now()));
        assert!(!edge("a").is_valid(&ticket, &session("s"), None, now()));
        assert!(!edge("a").is_valid(&ticket, &session("s"), from, now() + LIFETIME + Duration::from_millis(1)));
        assert!(!edge("a").is_valid(&ticket, &session("s"), from, now() - SKEW - Duration::from_millis(1)));
    }

    proptest! {
        #[test]
        fn no_other_text_is_a_ticket(text in ".{0,600}") {
            prop_assert!(!edge("a").is_valid(&text, &session("s"), None, now()));
        }

        #[test]
        fn no_altered_ticket_passes(place in 0_usize..42, to in "[A-Za-z0-9_-]") {
            let ticket = edge("a").issue(&session("s"), None, now()).unwrap();
            let mut altered = ticket.clone();
            altered.replace_range(place..=place, &to);
            prop_assume!(altered != ticket);
            prop_assert!(!edge("a").is_valid(&altered, &session("s"), None, now()));
        }
    }
}
