//! The tables of the address space: their names, and how they are made of spans. It knows no package's format but
//! MaxMind's, which replacements come in too.

use octet::CountryCode;

use super::codes;
use super::error::TableError;
use super::mmdb;
use super::ranges::{AddressMap, Span};

/// The name of the table of countries after DB-IP.
pub const DBIP: &str = "dbip";
/// The name of the table of countries after the registries' whois data.
pub const GEO_WHOIS: &str = "geo-whois";
/// The name of the table of countries that the registries allocated addresses to.
pub const ALLOCATION: &str = "allocation";
/// The name of the table of autonomous systems.
pub const ASN: &str = "asn";
/// The name of the table of what networks are known for.
pub const NETWORKS: &str = "networks";

/// What a network is known for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A public cloud.
    Cloud = 1,
    /// A VPN provider, or a data centre that VPN exits use.
    HostingOrVpn = 2,
    /// A content delivery network.
    Delivery = 4,
    /// A company's security gateway.
    Gateway = 8,
}

impl Kind {
    /// Whether these kinds, joined in one number, hold this one.
    pub(crate) const fn is_in(self, kinds: u8) -> bool {
        kinds & self as u8 != 0
    }
}

/// The table of these countries.
///
/// # Errors
///
/// When the compressor fails.
pub fn encode_countries(
    table: &'static str,
    spans: impl IntoIterator<Item = (Span, CountryCode)>,
) -> std::io::Result<Vec<u8>> {
    let numbers = spans.into_iter().map(|(span, code)| (span, codes::to_number(Some(code))));
    AddressMap::new(numbers, |_, narrower| narrower).encode(table)
}

/// The table of the countries in a database of MaxMind's format.
///
/// # Errors
///
/// When the bytes are no such database.
pub fn encode_country_mmdb(table: &'static str, database: &[u8]) -> Result<Vec<u8>, TableError> {
    mmdb::countries(database)?.encode(table).map_err(|_| TableError::Compression)
}

/// The table of these systems.
///
/// # Errors
///
/// When the compressor fails.
pub fn encode_systems(spans: impl IntoIterator<Item = (Span, u32)>) -> std::io::Result<Vec<u8>> {
    AddressMap::new(spans, |_, narrower| narrower).encode(ASN)
}

/// The table of what these networks are known for; where they overlap, for both.
///
/// # Errors
///
/// When the compressor fails.
pub fn encode_networks(spans: impl IntoIterator<Item = (Span, Kind)>) -> std::io::Result<Vec<u8>> {
    AddressMap::new(spans.into_iter().map(|(span, kind)| (span, kind as u8)), |a, b| a | b).encode(NETWORKS)
}
