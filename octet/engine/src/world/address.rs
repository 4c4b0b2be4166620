//! What the tables say about one address. Facts only: which of them to believe is another room's business.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use octet::CountryCode;

use super::World;
use super::codes;
use super::mmdb::CityFix;
use super::networks::Kind;

/// What the tables say about one address.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct AddressFacts {
    /// What kind of address it is; all else is known of public ones only.
    pub scope: Scope,
    /// Its country after DB-IP, or after the database that replaces it.
    pub dbip: Option<CountryCode>,
    /// Its country after the registries' whois data and its autonomous system.
    pub geo_whois: Option<CountryCode>,
    /// The country that its registry allocated it to.
    pub allocation: Option<CountryCode>,
    /// The number of the autonomous system that announces it.
    pub asn: Option<u32>,
    /// Announced by a mobile carrier, by its name: many share it, and may roam.
    pub mobile: bool,
    /// In a network where servers stand: a cloud, or a data centre or VPN provider.
    pub hosting: bool,
    /// In a network of a VPN provider or of a data centre that VPN exits use, and in no public cloud's or delivery
    /// network's; the embedded list does not tell the two apart.
    pub vpn: bool,
    /// In a network of a content delivery network; privacy relays leave from these too.
    pub delivery_network: bool,
    /// In a network of a company's security gateway: people sit behind it, elsewhere.
    pub gateway: bool,
    /// A Tor exit, by the list given at run time.
    pub tor: bool,
    /// The country that a private relay vouches for, by the list given at run time.
    pub private_relay: Option<CountryCode>,
    /// Where a city database, given at run time, puts it.
    pub city: Option<CityFix>,
}

/// What kind of address one is, by the special-purpose registries (RFC 6890).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Routed on the Internet.
    Public,
    /// Of a private network (RFC 1918, RFC 4193).
    Private,
    /// Shared between a carrier and its customers (RFC 6598).
    Shared,
    /// The machine itself.
    Loopback,
    /// Of one link only.
    LinkLocal,
    /// For documentation, multicast or the future.
    #[default]
    Reserved,
}

impl Scope {
    /// The scope of this address.
    ///
    /// ```
    /// use octet_engine::world::Scope;
    /// assert_eq!(Scope::of("10.1.2.3".parse()?), Scope::Private);
    /// assert_eq!(Scope::of("::ffff:10.1.2.3".parse()?), Scope::Private);
    /// assert_eq!(Scope::of("9.9.9.9".parse()?), Scope::Public);
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match unwrapped(address) {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        match address.octets() {
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Self::Private,
            [100, 64..=127, ..] => Self::Shared,
            [127, ..] => Self::Loopback,
            [169, 254, ..] => Self::LinkLocal,
            [0, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 18..=19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            | [224..=255, ..] => Self::Reserved,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 1] => Self::Loopback,
            [0xfe80..=0xfebf, ..] => Self::LinkLocal,
            [0xfc00..=0xfdff, ..] => Self::Private,
            [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3ffe, ..] | [0x3fff, 0..=0xfff, ..] => Self::Reserved,
            [0x2000..=0x3fff, ..] => Self::Public,
            _ => Self::Reserved,
        }
    }
}

/// The IPv4 address in an IPv6 one that stands for it: mapped (RFC 4291), translated (RFC 6052) or 6to4 (RFC 3056).
fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let v4 = |high: u16, low: u16| IpAddr::from(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        _ => address,
    }
}

impl World {
    /// What the tables say about this address. An IPv6 address that stands for an IPv4 one is looked up as that one,
    /// any other by its /64.
    ///
    /// ```
    /// let world = octet_engine::World::embedded();
    /// let facts = world.address("141.20.1.1".parse()?);
    /// assert_eq!(facts.dbip.unwrap(), "DE");
    /// assert!(!facts.hosting && !facts.tor);
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    #[must_use]
    pub fn address(&self, address: IpAddr) -> AddressFacts {
        let address = unwrapped(address);
        let scope = Scope::of(address);
        if scope != Scope::Public {
            return AddressFacts { scope, ..AddressFacts::default() };
        }
        let system = self.systems.get(address);
        let kinds = self.networks.get(address);
        let listed = Kind::HostingOrVpn.is_in(kinds);
        let cloud = Kind::Cloud.is_in(kinds);
        let delivery_network = Kind::Delivery.is_in(kinds);
        let vpn = self.vpn.get(address) != 0 || (listed && !cloud && !delivery_network);
        AddressFacts {
            scope,
            dbip: codes::from_number(self.dbip.get(address)),
            geo_whois: codes::from_number(self.geo_whois.get(address)),
            allocation: codes::from_number(self.allocation.get(address)),
            asn: Some(system).filter(|&number| number != 0),
            mobile: self.carriers.binary_search(&system).is_ok(),
            hosting: vpn || listed || cloud,
            vpn,
            delivery_network,
            gateway: Kind::Gateway.is_in(kinds),
            tor: self.tor.get(address) != 0,
            private_relay: codes::from_number(self.private_relay.get(address)),
            city: self.city.as_ref().and_then(|database| database.get(address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_ipv4_address_in_an_ipv6_one_is_looked_up_as_itself() {
        for wrapped in ["::ffff:9.9.9.9", "64:ff9b::9.9.9.9", "2002:909:909::1"] {
            assert_eq!(unwrapped(address(wrapped)), address("9.9.9.9"));
        }
        assert_eq!(unwrapped(address("2001:4860::1")), address("2001:4860::1"));
    }

    #[test]
    fn special_addresses_are_told_from_public_ones() {
        let expected = [
            ("172.31.0.1", Scope::Private),
            ("172.32.0.1", Scope::Public),
            ("100.100.1.1", Scope::Shared),
            ("100.128.0.1", Scope::Public),
            ("169.254.1.1", Scope::LinkLocal),
            ("203.0.113.9", Scope::Reserved),
            ("192.88.99.1", Scope::Reserved),
            ("239.1.1.1", Scope::Reserved),
            ("255.255.255.255", Scope::Reserved),
            ("::1", Scope::Loopback),
            ("::", Scope::Reserved),
            ("fe80::1", Scope::LinkLocal),
            ("fd00::1", Scope::Private),
            ("2001:db8::1", Scope::Reserved),
            ("3ffe::1", Scope::Reserved),
            ("2a00:1450:4001::1", Scope::Public),
            ("ff02::1", Scope::Reserved),
        ];
        for (text, scope) in expected {
            assert_eq!(Scope::of(address(text)), scope, "{text}");
        }
    }

    #[test]
    fn nothing_but_its_scope_is_known_of_an_address_that_is_not_public() {
        let facts = World::embedded().address(address("192.168.1.1"));
        assert_eq!(facts, AddressFacts { scope: Scope::Private, ..AddressFacts::default() });
    }
}
