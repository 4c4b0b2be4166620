//! What counts as one network: the /24 or /48 that a reference is bound to, the /32 or /64 that a limit counts.

use std::net::IpAddr;

/// The address itself, an IPv4-mapped IPv6 address as the IPv4 address that it is.
#[must_use]
pub(crate) fn plain(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

/// The bytes of the first bits of an address, with its family in front.
fn prefix(ip: IpAddr, v4_bytes: usize, v6_bytes: usize) -> [u8; 17] {
    let mut bytes = [0; 17];
    let (family, keep) = match plain(ip) {
        IpAddr::V4(v4) => {
            bytes[1..5].copy_from_slice(&v4.octets());
            (4, v4_bytes)
        }
        IpAddr::V6(v6) => {
            bytes[1..].copy_from_slice(&v6.octets());
            (6, v6_bytes)
        }
    };
    bytes[0] = family;
    bytes[1 + keep..].fill(0);
    bytes
}

/// The /24 or /48 of an address, to which a signed reference is bound.
pub(crate) fn neighbourhood(ip: IpAddr) -> [u8; 17] {
    prefix(ip, 3, 6)
}

/// The /32 or /64 of an address, to which a limit applies.
pub(crate) fn subscriber(ip: IpAddr) -> [u8; 17] {
    prefix(ip, 4, 8)
}

/// The whole address.
pub(crate) fn address(ip: IpAddr) -> [u8; 17] {
    prefix(ip, 4, 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn neighbours_share_a_network_and_mapped_addresses_are_their_own_selves() {
        assert_eq!(neighbourhood(ip("192.0.2.1")), neighbourhood(ip("192.0.2.200")));
        assert_ne!(neighbourhood(ip("192.0.2.1")), neighbourhood(ip("192.0.3.1")));
        assert_eq!(neighbourhood(ip("2001:db8:1:2::3")), neighbourhood(ip("2001:db8:1:ffff::")));
        assert_eq!(subscriber(ip("::ffff:192.0.2.1")), subscriber(ip("192.0.2.1")));
        assert_ne!(subscriber(ip("192.0.2.1")), subscriber(ip("192.0.2.2")));
        assert_eq!(subscriber(ip("2001:db8::1")), subscriber(ip("2001:db8::2")));
        assert_ne!(address(ip("2001:db8::1")), address(ip("2001:db8::2")));
    }
}
