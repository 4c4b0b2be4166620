//! Lists of networks as text, as their makers publish them: one a line, or CSV. It knows no list's meaning.

use std::net::IpAddr;

use octet::CountryCode;

use super::codes;
use super::error::TableError;
use super::ranges::Span;

/// Ten times the longest list that we know.
const MAX_LINES: usize = 4_000_000;

/// The networks of a list: one address or CIDR a line; empty lines and what follows `#` do not count.
pub(crate) fn networks(list: &[u8]) -> Result<Vec<Span>, TableError> {
    let expected = "an address or a network in CIDR notation, such as 192.0.2.7 or 2001:db8::/32";
    lines(list, expected)?.map(|(line, text)| network(text).ok_or(TableError::Line { line, expected })).collect()
}

/// The networks of a private relay's list of egress networks: `network,country,region,city` a line. A network whose
/// country is not told is left out.
pub(crate) fn relay_networks(list: &[u8]) -> Result<Vec<(Span, CountryCode)>, TableError> {
    let expected = "network,country,region,city, such as 192.0.2.0/31,DE,DE-BE,Berlin";
    let mut networks = Vec::new();
    for (line, text) in lines(list, expected)? {
        let mut fields = text.split(',').map(|field| field.trim().trim_matches('"'));
        let span = fields.next().and_then(network).ok_or(TableError::Line { line, expected })?;
        let country = fields.next().ok_or(TableError::Line { line, expected })?;
        networks.extend(codes::country_code(country).map(|country| (span, country)));
    }
    Ok(networks)
}

/// The lines that say something, with their numbers.
fn lines<'a>(list: &'a [u8], expected: &'static str) -> Result<impl Iterator<Item = (usize, &'a str)>, TableError> {
    let text = std::str::from_utf8(list).map_err(|error| {
        let line = 1 + list[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
        TableError::Line { line, expected }
    })?;
    if text.lines().nth(MAX_LINES).is_some() {
        return Err(TableError::TooLarge { limit: "4 million lines" });
    }
    let said =
        text.trim_start_matches('\u{feff}').lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    Ok((1..).zip(said).filter(|(_, text)| !text.is_empty()))
}

fn network(text: &str) -> Option<Span> {
    let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let address: IpAddr = address.parse().ok()?;
    let prefix = match prefix {
        Some(prefix) => prefix.parse().ok()?,
        None if address.is_ipv4() => 32,
        None => 128,
    };
    // An IPv4 address in an IPv6 one is looked up as itself, and so it is listed.
    match address {
        IpAddr::V6(mapped) if prefix >= 96 => match mapped.to_ipv4_mapped() {
            Some(address) => Span::network(address.into(), prefix - 96),
            None => Span::network(mapped.into(), prefix),
        },
        _ => Span::network(address, prefix),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn comments_empty_lines_and_both_line_ends_are_read_over() {
        let list = "# exits\r\n192.0.2.7\r\n\r\n2001:db8::1 # one\n198.51.100.0/24\n";
        assert_eq!(networks(list.as_bytes()).unwrap().len(), 3);
    }

    #[test]
    fn an_ipv4_network_in_an_ipv6_one_is_the_ipv4_network() {
        let list = |text: &str| networks(text.as_bytes()).unwrap();
        assert_eq!(list("::ffff:192.0.2.7\n::ffff:192.0.2.0/120"), list("192.0.2.7\n192.0.2.0/24"));
        assert!(networks(b"::ffff:192.0.2.7/129").is_err());
    }

    #[test]
    fn a_wrong_line_is_named_by_its_number() {
        for (list, wrong) in [("192.0.2.7\nexit.example\n", 2), ("192.0.2.7/33\n", 1), ("\n\n2001:db8::/129", 3)] {
            let error = networks(list.as_bytes()).unwrap_err();
            assert!(matches!(error, TableError::Line { line, .. } if line == wrong), "{error}");
        }
        assert!(matches!(networks(b"192.0.2.7\n\xff").unwrap_err(), TableError::Line { line: 2, .. }));
    }

    #[test]
    fn a_relay_network_has_the_country_of_its_line() {
        let list = "192.0.2.0/31,DE,DE-BE,Berlin,\n2001:db8::/45,UK,GB-EN,London\n198.51.100.0/24,,,\n";
        let networks = relay_networks(list.as_bytes()).unwrap();
        let countries: Vec<_> = networks.iter().map(|(_, country)| country.to_string()).collect();
        assert_eq!(countries, ["DE", "GB"]);
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_read_without_panic(list: Vec<u8>, text: String) {
            let _ = (networks(&list), relay_networks(&list), networks(text.as_bytes()), relay_networks(text.as_bytes()));
        }
    }
}
