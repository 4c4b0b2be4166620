//! One fact that a browser may give: read, blocked, absent, or not in the bundle at all. Knows how a fact
//! stands on the wire; what it means is known to the engine alone.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{SeqAccessDeserializer, StrDeserializer};
use serde::de::{Error, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A fact of a bundle.
///
/// On the wire: the value itself; `{"blocked": "why"}`; `null` for what this browser does not have; and no
/// field at all for what was not asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Fact<T> {
    /// It is not in the bundle.
    #[default]
    Missing,
    /// This browser does not have it.
    Absent,
    /// It could not be read: a policy, an error, or a time limit, in one word.
    Blocked(Text),
    /// It was read.
    Read(T),
}

impl<T> Fact<T> {
    /// The value, when it was read.
    pub const fn read(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Missing | Self::Absent | Self::Blocked(_) => None,
        }
    }

    /// Whether the bundle says nothing at all about it.
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }
}

impl<T: Serialize> Serialize for Fact<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Missing | Self::Absent => serializer.serialize_unit(),
            Self::Read(value) => value.serialize(serializer),
            Self::Blocked(why) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("blocked", why)?;
                map.end()
            }
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Fact<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FactVisitor(PhantomData))
    }
}

struct FactVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for FactVisitor<T> {
    type Value = Fact<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, null, or {\"blocked\": \"why\"}")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Fact::Absent)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(Fact::Read)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(Fact::Read)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        T::deserialize(value.into_deserializer()).map(Fact::Read)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        T::deserialize(StrDeserializer::new(value)).map(Fact::Read)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<Self::Value, A::Error> {
        T::deserialize(SeqAccessDeserializer::new(sequence)).map(Fact::Read)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut blocked = None;
        while let Some(key) = map.next_key::<Text>()? {
            if key.as_str() == "blocked" {
                blocked = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        blocked.map(Fact::Blocked).ok_or_else(|| Error::missing_field("blocked"))
    }
}

/// A text from a browser, at most [`Text::MAX_LEN`] bytes of UTF-8.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Text(Box<str>);

impl Text {
    /// The longest text, in bytes. The collector cuts what is longer.
    pub const MAX_LEN: usize = 512;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is longer than [`Text::MAX_LEN`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a text is at most 512 bytes long")]
pub struct TextTooLong;

impl TryFrom<&str> for Text {
    type Error = TextTooLong;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        if text.len() <= Self::MAX_LEN { Ok(Self(text.into())) } else { Err(TextTooLong) }
    }
}

impl fmt::Debug for Text {
    /// The length only: what a browser said does not belong in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::parse(deserializer, "a text", |text| text.try_into().map_err(de::Error::custom))
    }
}

/// At most `N` items, checked while they are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtMost<T, const N: usize>(Vec<T>);

/// There are more items than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a list is longer than allowed")]
pub struct TooMany;

impl<T, const N: usize> Default for AtMost<T, N> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const N: usize> AtMost<T, N> {
    /// The first `N` of `items`.
    pub fn first(items: impl IntoIterator<Item = T>) -> Self {
        Self(items.into_iter().take(N).collect())
    }

    /// The items.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }
}

impl<T, const N: usize> TryFrom<Vec<T>> for AtMost<T, N> {
    type Error = TooMany;

    fn try_from(items: Vec<T>) -> Result<Self, Self::Error> {
        if items.len() <= N { Ok(Self(items)) } else { Err(TooMany) }
    }
}

impl<T: Serialize, const N: usize> Serialize for AtMost<T, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>, const N: usize> Deserialize<'de> for AtMost<T, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T, const N: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const N: usize> Visitor<'de> for Items<T, N> {
            type Value = AtMost<T, N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {N}")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = sequence.next_element()? {
                    if items.len() == N {
                        return Err(Error::invalid_length(N + 1, &self));
                    }
                    items.push(item);
                }
                Ok(AtMost(items))
            }
        }

        deserializer.deserialize_seq(Items(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_read_blocked_absent_or_missing() {
        #[derive(Deserialize)]
        struct One {
            #[serde(default)]
            zone: Fact<Text>,
        }
        let read = |json: &str| serde_json::from_str::<One>(json).map(|one| one.zone);
        assert!(matches!(read(r#"{"zone":"UTC"}"#), Ok(Fact::Read(text)) if text.as_str() == "UTC"));
        assert!(matches!(read(r#"{"zone":{"blocked":"policy","more":[]}}"#), Ok(Fact::Blocked(_))));
        assert!(matches!(read(r#"{"zone":null}"#), Ok(Fact::Absent)));
        assert!(matches!(read("{}"), Ok(Fact::Missing)));
        for bad in [r#"{"zone":7}"#, r#"{"zone":{}}"#, r#"{"zone":["a"]}"#, r#"{"zone":true}"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(read(&format!(r#"{{"zone":"{}"}}"#, "x".repeat(513))).is_err());
    }

    #[test]
    fn a_list_over_its_bound_is_refused_while_it_is_read() {
        assert!(serde_json::from_str::<AtMost<u8, 2>>("[1,2]").is_ok());
        assert!(serde_json::from_str::<AtMost<u8, 2>>("[1,2,3]").is_err());
    }
}
