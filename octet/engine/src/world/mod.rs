//! Reference data as an argument: addresses, zones, languages, borders, cities. It knows no evidence and no rule.

/// The reference data that an assessment reads.
#[derive(Debug, Default)]
pub struct World {}
