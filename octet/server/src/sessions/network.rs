//! The network of an address: /24 of IPv4, /48 of IPv6. Coarse on purpose: an address itself is never kept.

use std::fmt;
use std::net::IpAddr;

/// A network, in which a visitor's requests are taken to come from one place.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Network {
    V4([u8; 3]),
    V6([u8; 6]),
}

impl Network {
    /// The network of `address`; an IPv4 address in IPv6 form counts as IPv4.
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                Self::V4([a, b, c])
            }
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, ..] = address.octets();
                Self::V6([a, b, c, d, e, f])
            }
        }
    }

    /// Its bytes, with its family in front: for a MAC.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::V4(network) => [&[4][..], &network].concat(),
            Self::V6(network) => [&[6][..], &network].concat(),
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_a_24_or_a_48() {
        let network = |text: &str| Network::of(text.parse().unwrap());
        assert_eq!(network("192.0.2.1"), network("192.0.2.254"));
        assert_ne!(network("192.0.2.1"), network("192.0.3.1"));
        assert_eq!(network("192.0.2.1"), network("::ffff:192.0.2.9"));
        assert_eq!(network("2001:db8:1:2::3"), network("2001:db8:1:9::"));
        assert_ne!(network("2001:db8:1::"), network("2001:db8:2::"));
    }
}
