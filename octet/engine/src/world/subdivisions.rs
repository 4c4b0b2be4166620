//! Parts of countries with codes of their own: states, provinces, and what these are parts of. Only where they lie; it
//! knows no names and no evidence.

use octet::LatLon;
use octet::region::SubdivisionCode;
use octet_geometry::Land;

use super::codec::{Reader, Unpacked, Writer};
use super::error::TableError;

pub(crate) const TABLE: &str = "subdivisions";

/// Parts of a kilometre in the table's figure of how far a map may be off.
const PRECISION_STEPS: f64 = 10.0;

/// One part of a country.
#[derive(Debug, Clone)]
pub struct Subdivision {
    /// Its ISO 3166-2 code.
    pub code: SubdivisionCode,
    /// Where it is.
    pub land: Land,
}

/// How many bytes these lands hold on the heap.
pub(crate) fn heap_bytes<'a>(lands: impl Iterator<Item = &'a Land>) -> usize {
    let ring = |ring: &[LatLon]| size_of_val(ring) + size_of::<Vec<LatLon>>() + 2 * size_of::<f64>();
    lands.map(|land| size_of::<Subdivision>() + land.rings().map(ring).sum::<usize>()).sum()
}

/// The table of these subdivisions, which stand in the order of their codes.
///
/// # Errors
///
/// When the compressor fails.
pub fn encode(subdivisions: &[Subdivision]) -> std::io::Result<Vec<u8>> {
    let mut writer = Writer::new(TABLE);
    writer.count(subdivisions.len());
    for Subdivision { code, land } in subdivisions {
        writer.text(&code.to_string());
        write_land(&mut writer, land);
    }
    writer.finish()
}

pub(crate) fn write_land(writer: &mut Writer, land: &Land) {
    writer.unsigned((land.precision_km() * PRECISION_STEPS).ceil() as u64);
    writer.count(land.rings().count());
    for ring in land.rings() {
        writer.count(ring.len());
        for &vertex in ring {
            writer.place(vertex);
        }
    }
}

/// The subdivisions of a table, in the order of their codes.
///
/// # Errors
///
/// When the bytes are no such table.
pub fn decode(table: &[u8]) -> Result<Vec<Subdivision>, TableError> {
    read(&Unpacked::new(table)?)
}

pub(crate) fn read(unpacked: &Unpacked) -> Result<Vec<Subdivision>, TableError> {
    let mut reader = unpacked.reader(TABLE)?;
    let subdivisions = reader.list(subdivision)?;
    reader.finish()?;
    if !subdivisions.is_sorted_by(|a, b| a.code < b.code) {
        return Err(TableError::Malformed { what: "order of subdivisions" });
    }
    Ok(subdivisions)
}

fn subdivision(reader: &mut Reader<'_>) -> Result<Subdivision, TableError> {
    let code = reader.text()?.parse().map_err(|_| TableError::Malformed { what: "subdivision" })?;
    Ok(Subdivision { code, land: read_land(reader)? })
}

pub(crate) fn read_land(reader: &mut Reader<'_>) -> Result<Land, TableError> {
    let precision_km = f64::from(reader.number::<u16>("precision")?) / PRECISION_STEPS;
    let rings = reader.list(|reader| reader.list(Reader::place))?;
    if rings.is_empty() || rings.iter().any(|ring| ring.len() < 3) {
        return Err(TableError::Malformed { what: "ring" });
    }
    Ok(Land::new(rings.iter().map(Vec::as_slice), precision_km))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_table_gives_back_its_subdivisions(
            rings in prop::collection::vec(prop::collection::vec((-180..=180_i32, -360..=360_i32), 3..20), 1..5),
            tenths: u16,
        ) {
            let vertex = |&(lat, lon): &(i32, i32)| LatLon::new(f64::from(lat) / 2.0, f64::from(lon) / 2.0).unwrap();
            let rings: Vec<Vec<LatLon>> = rings.iter().map(|ring| ring.iter().map(vertex).collect()).collect();
            let land = Land::new(rings.iter().map(Vec::as_slice), f64::from(tenths) / 10.0);
            let subdivisions = [Subdivision { code: "DE-BY".parse().unwrap(), land }];
            let read = decode(&encode(&subdivisions).unwrap()).unwrap();
            prop_assert_eq!(read.len(), 1);
            prop_assert_eq!(read[0].code, subdivisions[0].code);
            prop_assert!((read[0].land.precision_km() - f64::from(tenths) / 10.0).abs() < 0.11);
            prop_assert_eq!(read[0].land.rings().map(<[_]>::to_vec).collect::<Vec<_>>(), rings);
        }
    }
}
