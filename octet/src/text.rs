//! Reading a bounded, checked text from JSON without an intermediate allocation.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{Error, Visitor};

/// Reads a JSON string and hands it to `read`, borrowed or not.
pub(crate) fn parse<'de, D, T, F>(deserializer: D, expected: &'static str, read: F) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    F: FnOnce(&str) -> Result<T, D::Error>,
{
    struct Text<F, T, E> {
        expected: &'static str,
        read: F,
        returns: PhantomData<(T, E)>,
    }

    impl<T, E: Error, F: FnOnce(&str) -> Result<T, E>> Visitor<'_> for Text<F, T, E> {
        type Value = Result<T, E>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.expected)
        }

        fn visit_str<E2: Error>(self, text: &str) -> Result<Self::Value, E2> {
            Ok((self.read)(text))
        }
    }

    deserializer.deserialize_str(Text { expected, read, returns: PhantomData })?
}
