//! The session reference: the opaque token that ties a page view to its verdict. Knows its grammar and
//! nothing of what is behind it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An opaque session reference: 1 to 128 of `A-Z a-z 0-9 _ -`.
///
/// It names one page view of one partner, and whoever holds it can ask for nothing without the partner's
/// key. Its `Debug` prints no part of it, so that it does not end up in a log.
///
/// ```
/// use octet::SessionRef;
/// let session: SessionRef = "sess_9f2c".parse()?;
/// assert_eq!(session.as_str(), "sess_9f2c");
/// assert!("a b".parse::<SessionRef>().is_err());
/// # Ok::<(), octet::InvalidSessionRef>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionRef(Box<str>);

/// The text is no session reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a session reference is 1 to 128 characters, each one of A-Z, a-z, 0-9, _ and -")]
pub struct InvalidSessionRef;

impl SessionRef {
    /// The longest reference, in characters.
    pub const MAX_LEN: usize = 128;

    /// A new reference with 128 random bits from the operating system.
    ///
    /// # Panics
    ///
    /// When the operating system has no randomness to give: nothing secure can run there.
    #[cfg(feature = "mint")]
    #[must_use]
    pub fn mint() -> Self {
        Self(random_token("sess_").into())
    }

    /// The reference as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `prefix` and 128 random bits in hexadecimal.
#[cfg(feature = "mint")]
fn random_token(prefix: &str) -> String {
    use std::fmt::Write;

    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).expect("the operating system provides randomness");
    random.iter().fold(String::from(prefix), |mut token, byte| {
        // Writing to a String cannot fail.
        let _ = write!(token, "{byte:02x}");
        token
    })
}

impl FromStr for SessionRef {
    type Err = InvalidSessionRef;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (1..=Self::MAX_LEN).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidSessionRef)
        }
    }
}

impl AsRef<SessionRef> for SessionRef {
    fn as_ref(&self) -> &SessionRef {
        self
    }
}

impl fmt::Debug for SessionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionRef(…)")
    }
}

impl Serialize for SessionRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for SessionRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::parse(deserializer, "a session reference", |text| text.parse().map_err(de::Error::custom))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_never_shown_by_debug() {
        let session: SessionRef = "sess_secret".parse().unwrap();
        assert!(!format!("{session:?}").contains("secret"));
    }

    #[test]
    fn the_grammar_is_one_to_128_url_safe_characters() {
        assert!("".parse::<SessionRef>().is_err());
        assert!("a".repeat(128).parse::<SessionRef>().is_ok());
        assert!("a".repeat(129).parse::<SessionRef>().is_err());
        for bad in ["a/b", "ä", "a\n", "a.b", "a%20"] {
            assert!(bad.parse::<SessionRef>().is_err(), "{bad:?}");
        }
    }

    #[cfg(feature = "mint")]
    #[test]
    fn minted_references_are_well_formed_and_differ() {
        let (a, b) = (SessionRef::mint(), SessionRef::mint());
        assert_ne!(a, b);
        assert!(a.as_str().parse::<SessionRef>().is_ok());
    }
}
