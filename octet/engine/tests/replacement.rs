//! Newer data in the place of a world's tables: databases in MaxMind's format as MaxMind and others lay them out, made
//! by hand here, and lists as their makers publish them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use octet_engine::World;
use octet_engine::world::{CountryDatabase, TableError};
use proptest::prelude::*;

/// A value of MaxMind's format (MaxMind DB specification 2.0, "Output data section").
#[derive(Clone)]
enum Field {
    Text(&'static str),
    Double(f64),
    Short(u16),
    Number(u32),
    Long(u64),
    Map(Vec<(&'static str, Field)>),
    EmptyArray,
}

fn control(kind: u8, size: usize) -> Vec<u8> {
    assert!(size < 29 + 256);
    let (short, extra) = if size < 29 { (size as u8, None) } else { (29, Some((size - 29) as u8)) };
    let mut bytes = if kind <= 7 { vec![kind << 5 | short] } else { vec![short, kind - 7] };
    bytes.extend(extra);
    bytes
}

fn write(field: &Field, into: &mut Vec<u8>) {
    match field {
        Field::Text(text) => {
            into.extend(control(2, text.len()));
            into.extend(text.as_bytes());
        }
        Field::Double(value) => {
            into.extend(control(3, 8));
            into.extend(value.to_be_bytes());
        }
        Field::Short(value) => {
            into.extend(control(5, 2));
            into.extend(value.to_be_bytes());
        }
        Field::Long(value) => {
            into.extend(control(9, 8));
            into.extend(value.to_be_bytes());
        }
        Field::Number(value) => {
            into.extend(control(6, 4));
            into.extend(value.to_be_bytes());
        }
        Field::EmptyArray => into.extend(control(11, 0)),
        Field::Map(entries) => {
            into.extend(control(7, entries.len()));
            for (key, value) in entries {
                write(&Field::Text(key), into);
                write(value, into);
            }
        }
    }
}

/// A database of IPv6 networks (IPv4 ones in `::/96`) with a record each.
fn database(networks: &[(Ipv6Addr, u8, Field)]) -> Vec<u8> {
    const EMPTY: u32 = u32::MAX;
    const RECORD: u32 = 1 << 31;
    let mut nodes = vec![[EMPTY; 2]];
    let mut records = Vec::new();
    for (address, prefix, field) in networks {
        let offset = records.len() as u32;
        write(field, &mut records);
        let bit = |index: u8| (u128::from(*address) >> (127 - index) & 1) as usize;
        let mut node = 0;
        for index in 0..prefix - 1 {
            if nodes[node][bit(index)] & RECORD != 0 {
                nodes[node][bit(index)] = nodes.len() as u32;
                nodes.push([EMPTY; 2]);
            }
            node = nodes[node][bit(index)] as usize;
        }
        nodes[node][bit(prefix - 1)] = RECORD | offset;
    }
    let count = nodes.len() as u32;
    let mut bytes = Vec::new();
    for record in nodes.into_iter().flatten() {
        let value = match record {
            EMPTY => count,
            record if record & RECORD != 0 => count + 16 + (record & !RECORD),
            node => node,
        };
        bytes.extend(value.to_be_bytes());
    }
    bytes.extend([0; 16]);
    bytes.extend(records);
    bytes.extend(b"\xab\xcd\xefMaxMind.com");
    let metadata = [
        ("binary_format_major_version", Field::Short(2)),
        ("binary_format_minor_version", Field::Short(0)),
        ("build_epoch", Field::Long(1_790_000_000)),
        ("database_type", Field::Text("Test")),
        ("description", Field::Map(Vec::new())),
        ("ip_version", Field::Short(6)),
        ("languages", Field::EmptyArray),
        ("node_count", Field::Number(count)),
        ("record_size", Field::Short(32)),
    ];
    write(&Field::Map(metadata.to_vec()), &mut bytes);
    bytes
}

fn network(text: &str, prefix: u8) -> (Ipv6Addr, u8) {
    match text.parse().expect("the tests write addresses") {
        IpAddr::V4(address) => (Ipv6Addr::from(u128::from(u32::from(address))), prefix + 96),
        IpAddr::V6(address) => (address, prefix),
    }
}

fn of(networks: &[(&str, u8, Field)]) -> Vec<u8> {
    let networks: Vec<_> = networks
        .iter()
        .map(|(text, prefix, field)| {
            let (address, prefix) = network(text, *prefix);
            (address, prefix, field.clone())
        })
        .collect();
    database(&networks)
}

fn nested(code: &'static str) -> Field {
    Field::Map(vec![("country", Field::Map(vec![("iso_code", Field::Text(code))]))])
}

fn flat(code: &'static str) -> Field {
    Field::Map(vec![("country_code", Field::Text(code))])
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("the tests write addresses")
}

#[test]
fn nested_and_flat_country_databases_are_read_alike() {
    for layout in [nested, flat] {
        let bytes = of(&[("81.0.0.0", 8, layout("DE")), ("2a02::", 16, layout("UK")), ("82.0.0.0", 8, layout("EU"))]);
        let world = World::default().with_country_mmdb(CountryDatabase::Dbip, &bytes).unwrap();
        assert_eq!(world.address(address("81.200.3.4")).dbip.unwrap(), "DE");
        assert_eq!(world.address(address("2a02:1::9")).dbip.unwrap(), "GB");
        assert_eq!(world.address(address("82.1.1.1")).dbip, None);
        assert_eq!(world.address(address("83.1.1.1")).dbip, None);
    }
}

#[test]
fn a_replacement_takes_the_place_of_one_table_and_leaves_the_others() {
    let bytes = of(&[("2003::", 16, flat("FR"))]);
    let embedded = World::embedded();
    let world = World::clone(&embedded).with_country_mmdb(CountryDatabase::GeoWhois, &bytes).unwrap();
    let facts = world.address(address("2003:e1::1"));
    assert_eq!(facts.geo_whois.unwrap(), "FR");
    assert_eq!((facts.dbip.unwrap().as_str(), facts.asn), ("DE", Some(3320)));
    assert_eq!(embedded.address(address("2003:e1::1")).geo_whois.unwrap(), "DE");
}

#[test]
fn a_database_of_something_else_is_refused_by_name() {
    let bytes = of(&[("81.0.0.0", 8, Field::Map(vec![("connection_type", Field::Text("Cable/DSL"))]))]);
    let world = World::default();
    let refused = [
        world.clone().with_country_mmdb(CountryDatabase::Dbip, &bytes).unwrap_err(),
        world.clone().with_asn_mmdb(&bytes).unwrap_err(),
        world.with_city_mmdb(bytes).unwrap_err(),
    ];
    assert!(refused.iter().all(|error| matches!(error, TableError::MmdbWithout { .. })), "{refused:?}");
}

#[test]
fn systems_come_from_their_own_database() {
    let bytes = of(&[("81.0.0.0", 8, Field::Map(vec![("autonomous_system_number", Field::Number(64_500))]))]);
    let world = World::default().with_asn_mmdb(&bytes).unwrap();
    assert_eq!(world.address(address("81.0.0.1")).asn, Some(64_500));
    assert_eq!(world.address(address("82.0.0.1")).asn, None);
}

#[test]
fn a_city_database_gives_place_radius_and_country() {
    let position = |lat, lon| vec![("latitude", Field::Double(lat)), ("longitude", Field::Double(lon))];
    let mut nested = position(52.5, 13.4);
    nested.push(("accuracy_radius", Field::Short(20)));
    let nested = Field::Map(vec![
        ("country", Field::Map(vec![("iso_code", Field::Text("DE"))])),
        ("location", Field::Map(nested)),
    ]);
    let flat = Field::Map([position(48.8, 2.3), vec![("country_code", Field::Text("FR"))]].concat());
    let impossible = Field::Map(position(95.0, 13.4));
    let bytes = of(&[("81.0.0.0", 8, nested), ("82.0.0.0", 8, flat), ("83.0.0.0", 8, impossible)]);
    let world = World::default().with_city_mmdb(bytes).unwrap();
    let city = |text| world.address(address(text)).city;
    let berlin = city("81.1.1.1").unwrap();
    assert_eq!((berlin.place.lat(), berlin.radius_km, berlin.country.unwrap().as_str()), (52.5, Some(20.0), "DE"));
    assert_eq!(city("::ffff:82.1.1.1").unwrap().country.unwrap(), "FR");
    assert_eq!((city("83.1.1.1"), city("84.1.1.1")), (None, None));
}

#[test]
fn a_city_database_of_one_small_network_or_of_ipv6_alone_is_one_too() {
    let position = Field::Map(vec![("latitude", Field::Double(52.5)), ("longitude", Field::Double(13.4))]);
    for (network, prefix, inside) in [("81.2.69.0", 24, "81.2.69.7"), ("2a02:8100::", 32, "2a02:8100::7")] {
        let world = World::default().with_city_mmdb(of(&[(network, prefix, position.clone())])).unwrap();
        assert_eq!(world.address(address(inside)).city.unwrap().place.lat(), 52.5);
    }
}

#[test]
fn bytes_that_are_no_database_or_table_are_refused() {
    for bytes in [&b""[..], b"not a database", b"\xab\xcd\xefMaxMind.com"] {
        let world = World::default();
        assert_eq!(world.clone().with_country_mmdb(CountryDatabase::Dbip, bytes).unwrap_err(), TableError::Mmdb);
        assert_eq!(world.clone().with_asn_mmdb(bytes).unwrap_err(), TableError::Mmdb);
        assert_eq!(world.clone().with_city_mmdb(bytes.to_vec()).unwrap_err(), TableError::Mmdb);
        assert!(world.with_table(bytes).is_err());
    }
}

#[test]
fn lists_of_exits_vpns_and_relays_are_believed_as_given() {
    let world = World::embedded();
    let world = World::clone(&world)
        .with_tor_exits(b"# exits of today\n2003:e1::1\n87.123.1.1\n")
        .and_then(|world| world.with_vpn_networks(b"95.90.0.0/16\n"))
        .and_then(|world| {
            world.with_private_relay(b"172.224.226.0/27,GB,GB-EN,London,\n2a02:26f7::/45,DE,DE-BE,Berlin\n")
        })
        .unwrap();
    assert!(world.address(address("2003:e1::1")).tor && world.address(address("87.123.1.1")).tor);
    let vpn = world.address(address("95.90.1.1"));
    assert!(vpn.vpn && vpn.hosting && !vpn.tor);
    let relay = world.address(address("172.224.226.5"));
    assert_eq!(relay.private_relay.unwrap(), "GB");
    assert!(!relay.vpn, "a delivery network's exit is a relay, not a VPN");
}

#[test]
fn of_a_relays_networks_that_overlap_the_narrower_tells_the_country_in_whatever_order_they_stand() {
    for list in ["172.224.0.0/16,US,,\n172.224.226.0/27,GB,,\n", "172.224.226.0/27,GB,,\n172.224.0.0/16,US,,\n"] {
        let world = World::default().with_private_relay(list.as_bytes()).unwrap();
        let country = |text| world.address(address(text)).private_relay.unwrap();
        assert!(country("172.224.226.5") == *"GB" && country("172.224.1.1") == *"US", "{list}");
    }
}

proptest! {
    #[test]
    fn any_database_says_of_each_network_what_it_holds(
        prefixes in prop::collection::btree_map(0x2400..0x2c00_u16, prop_oneof![Just("DE"), Just("FR"), Just("JP")], 1..40),
    ) {
        let prefixes: BTreeMap<u16, &'static str> = prefixes;
        let networks: Vec<_> = prefixes
            .iter()
            .map(|(&start, &code)| (Ipv6Addr::from(u128::from(start) << 112), 16, flat(code)))
            .collect();
        let world = World::default().with_country_mmdb(CountryDatabase::Allocation, &database(&networks)).unwrap();
        for start in 0x2400..0x2c00_u16 {
            let facts = world.address(Ipv6Addr::from(u128::from(start) << 112 | 77).into());
            let code = facts.allocation.map(|code| code.to_string());
            prop_assert_eq!(code.as_deref(), prefixes.get(&start).copied());
        }
    }

    #[test]
    fn a_damaged_database_is_refused_or_read_without_panic(at in 0..2000_usize, byte: u8, cut in 0..2000_usize) {
        let mut bytes = of(&[("81.0.0.0", 8, nested("DE")), ("2a02::", 16, nested("GB"))]);
        let length = bytes.len();
        bytes[at % length] = byte;
        for damaged in [&bytes[..], &bytes[cut % length..], &bytes[..cut % length]] {
            let _ = World::default().with_country_mmdb(CountryDatabase::Dbip, damaged);
            let _ = World::default().with_asn_mmdb(damaged);
            if let Ok(world) = World::default().with_city_mmdb(damaged.to_vec()) {
                let _ = world.address(address("81.1.1.1"));
            }
        }
    }
}
