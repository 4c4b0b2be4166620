//! Time as an argument: the engine never reads a clock.

/// Seconds since 1 January 1970 UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub i64);
