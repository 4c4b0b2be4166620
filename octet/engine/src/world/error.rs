//! What can be wrong with reference data that comes as bytes. A message never carries what the bytes hold.

use super::codec::FORMAT;

/// Why bytes are not the reference data that they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The compressed frame is damaged.
    #[error("the table's compressed frame is damaged: generate or download it again")]
    Compression,
    /// The data is more than any that we know.
    #[error("the data holds more than {limit}, which none of its kind does: generate or download it again")]
    TooLarge {
        /// The most that it may hold.
        limit: &'static str,
    },
    /// The bytes hold another table, or another version of it.
    #[error("expected the table `{expected}` in format {FORMAT}: generate it with this version of Octet")]
    WrongTable {
        /// The table that was asked for.
        expected: &'static str,
    },
    /// The bytes hold no table that a world has.
    #[error("not a table of Octet's reference data: take one that `cargo xtask data` made")]
    UnknownTable,
    /// The bytes end within the table.
    #[error("the table ends too early: generate or download it again")]
    Truncated,
    /// A field holds what it may not.
    #[error("the table holds an impossible {what}: generate or download it again")]
    Malformed {
        /// What the field should have been.
        what: &'static str,
    },
    /// The bytes are no database in MaxMind's format, or a damaged one.
    #[error("not a readable database in MaxMind's format (mmdb): download it again")]
    Mmdb,
    /// The database can be read, and has nothing of what was looked for.
    #[error("the database has no {field}: another kind of database than this setting takes")]
    MmdbWithout {
        /// The fields that were looked for.
        field: &'static str,
    },
    /// A line of a text list is not what it should be.
    #[error("line {line} is not {expected}")]
    Line {
        /// The number of the line, from 1.
        line: usize,
        /// What a line should be.
        expected: &'static str,
    },
}
