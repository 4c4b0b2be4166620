//! ISO 3166-1 alpha-2 country codes as they stand on the wire. Knows the shape of a code, not which exist.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An ISO 3166-1 alpha-2 country code: two upper-case ASCII letters.
///
/// ```
/// use octet::CountryCode;
/// let code: CountryCode = "DE".parse()?;
/// assert_eq!(code.as_str(), "DE");
/// assert!("de".parse::<CountryCode>().is_err());
/// # Ok::<(), octet::InvalidCountryCode>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountryCode([u8; 2]);

/// The text was not two upper-case ASCII letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a country is an ISO 3166-1 alpha-2 code: two letters from A to Z in upper case, such as DE")]
pub struct InvalidCountryCode;

impl CountryCode {
    /// The code made of these two bytes.
    ///
    /// # Errors
    ///
    /// When a byte is not in `A`–`Z`.
    pub const fn from_bytes(bytes: [u8; 2]) -> Result<Self, InvalidCountryCode> {
        if bytes[0].is_ascii_uppercase() && bytes[1].is_ascii_uppercase() {
            Ok(Self(bytes))
        } else {
            Err(InvalidCountryCode)
        }
    }

    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The two letters as bytes, for tables.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 2] {
        self.0
    }
}

impl FromStr for CountryCode {
    type Err = InvalidCountryCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes: [u8; 2] = text.as_bytes().try_into().map_err(|_| InvalidCountryCode)?;
        Self::from_bytes(bytes)
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CountryCode({})", self.as_str())
    }
}

impl PartialEq<str> for CountryCode {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for CountryCode {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl Serialize for CountryCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for CountryCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::parse(deserializer, "an ISO 3166-1 alpha-2 country code", |text| {
            text.parse().map_err(|error: InvalidCountryCode| de::Error::custom(error))
        })
    }
}
