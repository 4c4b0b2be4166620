//! Countries once more, by a second map: exclaves and islets with the sea around them, few vertices, and whose each is.
//! Only for questions about places; it knows no population and no evidence.

use octet::CountryCode;
use octet_geometry::Land;

use super::codec::{Unpacked, Writer};
use super::error::TableError;
use super::subdivisions::{read_land, write_land};

pub(crate) const TABLE: &str = "domains";

/// What one country has land in.
#[derive(Debug, Clone)]
pub struct Domain {
    /// Whose it is.
    pub code: CountryCode,
    /// Its land, and the sea around it.
    pub land: Land,
}

/// The table of these domains, which stand in the order of their codes.
///
/// # Errors
///
/// When the compressor fails.
pub fn encode(domains: &[Domain]) -> std::io::Result<Vec<u8>> {
    let mut writer = Writer::new(TABLE);
    writer.count(domains.len());
    for Domain { code, land } in domains {
        writer.country(*code);
        write_land(&mut writer, land);
    }
    writer.finish()
}

/// The domains of a table, in the order of their codes.
///
/// # Errors
///
/// When the bytes are no such table.
pub fn decode(table: &[u8]) -> Result<Vec<Domain>, TableError> {
    read(&Unpacked::new(table)?)
}

pub(crate) fn read(unpacked: &Unpacked) -> Result<Vec<Domain>, TableError> {
    let mut reader = unpacked.reader(TABLE)?;
    let domains = reader.list(|reader| Ok(Domain { code: reader.country()?, land: read_land(reader)? }))?;
    reader.finish()?;
    if !domains.is_sorted_by(|a, b| a.code < b.code) {
        return Err(TableError::Malformed { what: "order of domains" });
    }
    Ok(domains)
}

#[cfg(test)]
mod tests {
    use octet::LatLon;

    use super::*;

    #[test]
    fn a_table_gives_back_its_domains_in_their_order_alone() {
        let domain = |code: &str, lat| {
            let ring = [(0.0, 0.0), (0.0, 2.0), (2.0, 2.0)].map(|(north, lon)| LatLon::new(lat + north, lon).unwrap());
            Domain { code: code.parse().unwrap(), land: Land::new([&ring[..]], 3.0) }
        };
        let read = decode(&encode(&[domain("DE", 50.0), domain("FR", 46.5)]).unwrap()).unwrap();
        assert_eq!(read.iter().map(|domain| domain.code.to_string()).collect::<Vec<_>>(), ["DE", "FR"]);
        assert_eq!(read[1].land.rings().next(), domain("FR", 46.5).land.rings().next());
        assert!((read[0].land.precision_km() - 3.0).abs() < 1e-9);
        assert!(decode(&encode(&[domain("FR", 46.5), domain("DE", 50.0)]).unwrap()).is_err());
    }
}
