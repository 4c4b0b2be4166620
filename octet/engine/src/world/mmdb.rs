//! Databases in MaxMind's format, from bytes in memory: the nested fields of MaxMind's own and the flat ones of
//! others. Countries and systems are unrolled into address maps; a city database is read where it lies.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::IpAddr;

use maxminddb::{LookupResult, PathElement, Reader, WithinOptions, path};
use octet::{CountryCode, LatLon};

use super::codes;
use super::error::TableError;
use super::ranges::{AddressMap, Span, Value};

/// Several times the networks of the largest country database. A hostile tree can name its nodes again and again;
/// this is where unrolling it ends.
const MAX_NETWORKS: usize = 1 << 24;

type Record<'a> = LookupResult<'a, &'a [u8]>;

/// Country of each address, from `country.iso_code`, `country_code` or `country`.
pub(crate) fn countries(bytes: &[u8]) -> Result<AddressMap<u16>, TableError> {
    unroll(bytes, "country.iso_code, country_code or country", |record| codes::to_number(country(record)))
}

/// Autonomous system of each address, from `autonomous_system_number` or `asn`.
pub(crate) fn systems(bytes: &[u8]) -> Result<AddressMap<u32>, TableError> {
    unroll(bytes, "autonomous_system_number or asn", |record| {
        let number = |path: &[PathElement<'_>]| record.decode_path::<u32>(path).ok().flatten();
        let named = || {
            let name: &str = record.decode_path(&path!["asn"]).ok().flatten()?;
            name.trim_start_matches("AS").parse().ok()
        };
        number(&path!["autonomous_system_number"]).or_else(|| number(&path!["asn"])).or_else(named).unwrap_or_default()
    })
}

fn unroll<V: Value>(
    bytes: &[u8],
    field: &'static str,
    value: impl Fn(&Record<'_>) -> V,
) -> Result<AddressMap<V>, TableError> {
    let reader = Reader::from_source(bytes).map_err(|_| TableError::Mmdb)?;
    // With the empty networks too, so that each step of the iterator is bounded.
    let options = WithinOptions::default().include_networks_without_data();
    let mut values = HashMap::new();
    let mut spans = Vec::new();
    for (count, record) in reader.networks(options).map_err(|_| TableError::Mmdb)?.enumerate() {
        if count >= MAX_NETWORKS {
            return Err(TableError::TooLarge { limit: "16 million networks" });
        }
        let record = record.map_err(|_| TableError::Mmdb)?;
        let Some(offset) = record.offset() else { continue };
        let value = *values.entry(offset).or_insert_with(|| value(&record));
        if value != V::default() {
            spans.extend(span(&record).map(|span| (span, value)));
        }
    }
    if spans.is_empty() {
        return Err(TableError::MmdbWithout { field });
    }
    Ok(AddressMap::new(spans, |_, narrower| narrower))
}

/// The record's network; none where it lies across the two families.
fn span(record: &Record<'_>) -> Option<Span> {
    let network = record.network().ok()?;
    Span::network(network.ip(), network.prefix())
}

fn country<S: AsRef<[u8]>>(record: &LookupResult<'_, S>) -> Option<CountryCode> {
    let text = |path: &[PathElement<'_>]| record.decode_path::<&str>(path).ok().flatten();
    let code = text(&path!["country", "iso_code"])
        .or_else(|| text(&path!["country_code"]))
        .or_else(|| text(&path!["country"]))
        .or_else(|| text(&path!["registered_country", "iso_code"]))?;
    codes::country_code(code)
}

/// Where a city database puts an address.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CityFix {
    /// The position it gives.
    pub place: LatLon,
    /// The radius in km around it that it vouches for, where it says one.
    pub radius_km: Option<f64>,
    /// The country it gives.
    pub country: Option<CountryCode>,
}

/// A city database.
pub(crate) struct CityDatabase {
    reader: Reader<Vec<u8>>,
    bytes: usize,
}

impl fmt::Debug for CityDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CityDatabase").finish_non_exhaustive()
    }
}

impl CityDatabase {
    /// Takes a database over, when it has positions: some network must have one.
    pub(crate) fn new(bytes: Vec<u8>) -> Result<Self, TableError> {
        let held = bytes.len();
        let reader = Reader::from_source(bytes).map_err(|_| TableError::Mmdb)?;
        // With the empty networks too, so that each step of the iterator is bounded.
        let options = WithinOptions::default().include_networks_without_data();
        let mut seen = HashSet::new();
        for record in reader.networks(options).map_err(|_| TableError::Mmdb)?.take(MAX_NETWORKS) {
            let record = record.map_err(|_| TableError::Mmdb)?;
            if record.offset().is_some_and(|offset| seen.insert(offset)) && city(&record).is_some() {
                return Ok(Self { reader, bytes: held });
            }
        }
        Err(TableError::MmdbWithout { field: "location.latitude or latitude" })
    }

    /// How many bytes it holds on the heap.
    pub(crate) const fn heap_bytes(&self) -> usize {
        self.bytes
    }

    /// Where the database puts this address, if anywhere.
    pub(crate) fn get(&self, address: IpAddr) -> Option<CityFix> {
        city(&self.reader.lookup(address).ok().filter(LookupResult::has_data)?)
    }
}

/// Where a record puts its network, if anywhere.
fn city<S: AsRef<[u8]>>(record: &LookupResult<'_, S>) -> Option<CityFix> {
    let number = |path: &[PathElement<'_>]| {
        let wide = record.decode_path::<f64>(path).ok().flatten();
        wide.or_else(|| record.decode_path::<f32>(path).ok().flatten().map(f64::from))
    };
    let nested_or_flat = |nested: &[PathElement<'_>], flat: &[PathElement<'_>]| number(nested).or_else(|| number(flat));
    let lat = nested_or_flat(&path!["location", "latitude"], &path!["latitude"])?;
    let lon = nested_or_flat(&path!["location", "longitude"], &path!["longitude"])?;
    let radius_km = record.decode_path::<u16>(&path!["location", "accuracy_radius"]).ok().flatten().map(f64::from);
    Some(CityFix { place: LatLon::new(lat, lon).ok()?, radius_km, country: country(record) })
}
