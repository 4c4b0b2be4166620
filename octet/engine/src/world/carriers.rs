//! Autonomous systems of mobile carriers. It knows no address and no rule of what a carrier's address is worth.

use super::codec::{Unpacked, Writer};
use super::error::TableError;

/// The name of the table of mobile carriers' systems.
pub const TABLE: &str = "carriers";

/// The table of these systems.
///
/// # Errors
///
/// When the compressor fails.
pub fn encode(systems: impl IntoIterator<Item = u32>) -> std::io::Result<Vec<u8>> {
    let mut systems: Vec<u32> = systems.into_iter().collect();
    systems.sort_unstable();
    systems.dedup();
    let mut writer = Writer::new(TABLE);
    writer.count(systems.len());
    for system in systems {
        writer.unsigned(system.into());
    }
    writer.finish()
}

/// In order.
pub(crate) fn read(unpacked: &Unpacked) -> Result<Vec<u32>, TableError> {
    let mut reader = unpacked.reader(TABLE)?;
    let systems = reader.list(|reader| reader.number("system"))?;
    reader.finish()?;
    if !systems.is_sorted() {
        return Err(TableError::Malformed { what: "order of systems" });
    }
    Ok(systems)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_table_gives_back_its_systems_in_order(systems in prop::collection::btree_set(any::<u32>(), 0..40)) {
            let backwards = systems.iter().rev().copied();
            let table = encode(backwards).unwrap();
            let read = read(&Unpacked::new(&table).unwrap()).unwrap();
            prop_assert!(read.iter().eq(systems.iter()));
        }
    }
}
