//! How a table stands in bytes: a zstd frame around a short header, then variable-length integers. It knows no
//! table's meaning, and nothing that it reads may make it panic or allocate without bound.

use std::io::Read;

use octet::{CountryCode, LatLon};

pub(super) use super::error::TableError;

/// The version of every table's layout, raised when any changes.
pub(super) const FORMAT: u8 = 1;
const MAGIC: &[u8; 4] = b"OCTT";
/// Four times the largest table of ours.
const MAX_UNPACKED: usize = 64 << 20;
/// Steps of a coordinate in a table: 1/500 of a degree, 220 m.
const STEPS_PER_DEGREE: f64 = 500.0;

const COMPRESSION_LEVEL: i32 = 22;

/// Writes one table.
#[derive(Debug)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    at: (i64, i64),
}

impl Writer {
    /// Begins the table of this name.
    pub(crate) fn new(table: &'static str) -> Self {
        let mut writer = Self { bytes: MAGIC.to_vec(), at: (0, 0) };
        writer.bytes.push(FORMAT);
        writer.text(table);
        writer
    }

    /// Seven bits a byte, the lowest first (LEB128).
    pub(crate) fn unsigned(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push((value as u8) | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// As [`Writer::unsigned`], small magnitudes of either sign short (zigzag).
    pub(crate) fn signed(&mut self, value: i64) {
        self.unsigned(((value << 1) ^ (value >> 63)) as u64);
    }

    /// A count, to be read with [`Reader::count`].
    pub(crate) fn count(&mut self, count: usize) {
        self.unsigned(count as u64);
    }

    /// Single bytes as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// A length, then UTF-8.
    pub(crate) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.raw(text.as_bytes());
    }

    /// The two letters of a country.
    pub(crate) fn country(&mut self, country: CountryCode) {
        self.raw(&country.to_bytes());
    }

    /// A place to 1/500 of a degree, as steps from the one before.
    pub(crate) fn place(&mut self, place: LatLon) {
        let at = steps(place);
        self.signed(at.0 - self.at.0);
        self.signed(at.1 - self.at.1);
        self.at = at;
    }

    /// The table, compressed. The same content gives the same bytes.
    /// Fails only for lack of memory.
    pub(crate) fn finish(self) -> std::io::Result<Vec<u8>> {
        zstd::bulk::compress(&self.bytes, COMPRESSION_LEVEL)
    }
}

/// The place as a table holds it, in steps of 1/500 of a degree.
fn steps(place: LatLon) -> (i64, i64) {
    let step = |degrees: f64| (degrees * STEPS_PER_DEGREE).round() as i64;
    (step(place.lat()), step(place.lon()))
}

/// The unpacked bytes of one table.
#[derive(Debug)]
pub(crate) struct Unpacked(Vec<u8>);

impl Unpacked {
    /// Unpacks a frame of at most 64 MiB.
    pub(crate) fn new(frame: &[u8]) -> Result<Self, TableError> {
        let decoder = zstd::stream::read::Decoder::with_buffer(frame).map_err(|_| TableError::Compression)?;
        let mut bytes = Vec::new();
        let limit = MAX_UNPACKED as u64 + 1;
        decoder.take(limit).read_to_end(&mut bytes).map_err(|_| TableError::Compression)?;
        if bytes.len() > MAX_UNPACKED {
            return Err(TableError::TooLarge { limit: "64 MiB" });
        }
        Ok(Self(bytes))
    }

    /// The name of the table that these bytes begin with, if they are a table at all.
    pub(crate) fn table(&self) -> Option<&str> {
        let mut reader = Reader { bytes: &self.0, at: (0, 0) };
        reader.raw(MAGIC.len() + 1).ok()?;
        reader.text().ok()
    }

    /// A reader behind the header of the table of this name.
    pub(crate) fn reader(&self, table: &'static str) -> Result<Reader<'_>, TableError> {
        let mut reader = Reader { bytes: &self.0, at: (0, 0) };
        let wrong = TableError::WrongTable { expected: table };
        if reader.raw(MAGIC.len()).ok() != Some(MAGIC)
            || reader.raw(1).ok() != Some(&[FORMAT])
            || reader.text().ok() != Some(table)
        {
            return Err(wrong);
        }
        Ok(reader)
    }
}

/// Reads one table; each verb mirrors the [`Writer`]'s.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: (i64, i64),
}

impl<'a> Reader<'a> {
    pub(crate) fn raw(&mut self, length: usize) -> Result<&'a [u8], TableError> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(TableError::Truncated)?;
        self.bytes = rest;
        Ok(taken)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, TableError> {
        let (&byte, rest) = self.bytes.split_first().ok_or(TableError::Truncated)?;
        self.bytes = rest;
        Ok(byte)
    }

    pub(crate) fn unsigned(&mut self) -> Result<u64, TableError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(TableError::Malformed { what: "number" })
    }

    pub(crate) fn signed(&mut self) -> Result<i64, TableError> {
        let value = self.unsigned()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A number that fits the type asked for.
    pub(crate) fn number<T: TryFrom<u64>>(&mut self, what: &'static str) -> Result<T, TableError> {
        T::try_from(self.unsigned()?).map_err(|_| TableError::Malformed { what })
    }

    /// A count of items that take at least one byte each, so that it can be trusted to reserve memory.
    pub(crate) fn count(&mut self) -> Result<usize, TableError> {
        let count = self.number("count")?;
        if count > self.bytes.len() { Err(TableError::Truncated) } else { Ok(count) }
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, TableError> {
        let length = self.count()?;
        std::str::from_utf8(self.raw(length)?).map_err(|_| TableError::Malformed { what: "text" })
    }

    pub(crate) fn country(&mut self) -> Result<CountryCode, TableError> {
        let malformed = TableError::Malformed { what: "country" };
        let bytes = self.raw(2)?.try_into().map_err(|_| malformed.clone())?;
        CountryCode::from_bytes(bytes).map_err(|_| malformed)
    }

    pub(crate) fn place(&mut self) -> Result<LatLon, TableError> {
        let lat = self.at.0.checked_add(self.signed()?);
        let lon = self.at.1.checked_add(self.signed()?);
        let malformed = TableError::Malformed { what: "place" };
        let (Some(lat), Some(lon)) = (lat, lon) else { return Err(malformed) };
        self.at = (lat, lon);
        LatLon::new(lat as f64 / STEPS_PER_DEGREE, lon as f64 / STEPS_PER_DEGREE).map_err(|_| malformed)
    }

    /// Items one after another, after their count.
    pub(crate) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, TableError>,
    ) -> Result<Vec<T>, TableError> {
        let count = self.count()?;
        (0..count).map(|_| item(self)).collect()
    }

    /// The end of the table; more bytes than it has are an error.
    pub(crate) fn finish(self) -> Result<(), TableError> {
        if self.bytes.is_empty() { Ok(()) } else { Err(TableError::Malformed { what: "end" }) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back_as_they_were_written(unsigned: u64, signed: i64, text: String) {
            let mut writer = Writer::new("numbers");
            writer.unsigned(unsigned);
            writer.signed(signed);
            writer.text(&text);
            let unpacked = Unpacked::new(&writer.finish().unwrap()).unwrap();
            let mut reader = unpacked.reader("numbers").unwrap();
            prop_assert_eq!(reader.unsigned().unwrap(), unsigned);
            prop_assert_eq!(reader.signed().unwrap(), signed);
            prop_assert_eq!(reader.text().unwrap(), text);
            prop_assert!(reader.finish().is_ok());
        }

        #[test]
        fn places_come_back_within_half_a_step(places in prop::collection::vec((-90.0..=90.0, -180.0..=180.0), 0..50)) {
            let mut writer = Writer::new("places");
            writer.count(places.len());
            for &(lat, lon) in &places {
                writer.place(LatLon::new(lat, lon).unwrap());
            }
            let unpacked = Unpacked::new(&writer.finish().unwrap()).unwrap();
            let read = unpacked.reader("places").unwrap().list(Reader::place).unwrap();
            prop_assert_eq!(read.len(), places.len());
            for (place, (lat, lon)) in read.iter().zip(places) {
                prop_assert!((place.lat() - lat).abs() <= 0.001_000_1 && (place.lon() - lon).abs() <= 0.001_000_1);
            }
        }

        #[test]
        fn any_bytes_whatsoever_are_refused_or_read_without_panic(bytes: Vec<u8>) {
            let _ = Unpacked::new(&bytes);
            let unpacked = Unpacked(bytes);
            if let Ok(mut reader) = unpacked.reader("table") {
                let _ = reader.list(Reader::place);
            }
            let mut reader = Reader { bytes: &unpacked.0, at: (i64::MAX, i64::MIN) };
            let _ = reader.place();
            let _ = reader.text();
            let _ = reader.list(Reader::country);
        }
    }

    #[test]
    fn another_table_and_a_damaged_frame_are_told_apart() {
        let frame = Writer::new("cities").finish().unwrap();
        let unpacked = Unpacked::new(&frame).unwrap();
        assert_eq!(unpacked.reader("borders").unwrap_err(), TableError::WrongTable { expected: "borders" });
        assert_eq!(Unpacked::new(&frame[..frame.len() - 3]).unwrap_err(), TableError::Compression);
    }
}
