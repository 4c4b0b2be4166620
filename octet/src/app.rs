//! An app of a partner as the outside names it: its public key, its secret, and the click token that ties a visit to
//! an advertisement's click. How a secret is checked is the service's business.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The public key of an app: `app_` and 1 to 64 of `A-Z a-z 0-9 _ -`. It names the app and opens nothing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppKey(Box<str>);

/// The secret of an app: what a backend sends as `x-app-secret`. Its `Debug` prints nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct AppSecret(Box<str>);

/// A click token: 1 to 256 of `A-Z a-z 0-9 . _ ~ -`. Its `Debug` prints nothing of it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ClickToken(Box<str>);

/// The text is no app key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an app key starts with app_ and has 1 to 64 more characters, each one of A-Z, a-z, 0-9, _ and -")]
pub struct InvalidAppKey;

/// The text is no app secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an app secret is 16 to 256 visible ASCII characters; `octet app add` prints one")]
pub struct InvalidAppSecret;

/// The text is no click token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a click token is 1 to 256 characters, each one of A-Z, a-z, 0-9, ., _, ~ and -")]
pub struct InvalidClickToken;

impl AppKey {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AppSecret {
    /// The secret, for the request that carries it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl ClickToken {
    /// The token, for the request that carries it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

fn is_made_of(text: &str, longest: usize, punctuation: &[u8]) -> bool {
    (1..=longest).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || punctuation.contains(&byte))
}

impl FromStr for AppKey {
    type Err = InvalidAppKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.strip_prefix("app_").ok_or(InvalidAppKey)?;
        if is_made_of(name, 64, b"_-") { Ok(Self(text.into())) } else { Err(InvalidAppKey) }
    }
}

impl FromStr for AppSecret {
    type Err = InvalidAppSecret;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let visible = (16..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if visible { Ok(Self(text.into())) } else { Err(InvalidAppSecret) }
    }
}

impl FromStr for ClickToken {
    type Err = InvalidClickToken;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_made_of(text, 256, b"._~-") { Ok(Self(text.into())) } else { Err(InvalidClickToken) }
    }
}

impl fmt::Display for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AppKey({})", self.0)
    }
}

impl fmt::Debug for AppSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppSecret(…)")
    }
}

impl fmt::Debug for ClickToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClickToken(…)")
    }
}

macro_rules! as_json_text {
    ($($type:ident, $expected:literal;)*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::text::parse(deserializer, $expected, |text| text.parse().map_err(de::Error::custom))
            }
        }
    )*};
}

as_json_text! {
    AppKey, "an app key";
    ClickToken, "a click token";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_click_tokens_do_not_print_themselves() {
        let secret: AppSecret = "oas_0123456789abcdef".parse().unwrap();
        let click: ClickToken = "click.0123~4".parse().unwrap();
        let shown = format!("{secret:?} {click:?}");
        assert!(!shown.contains("0123"), "{shown}");
    }

    #[test]
    fn each_has_its_grammar() {
        for good in ["app_a", "app_A-9_z"] {
            assert!(good.parse::<AppKey>().is_ok(), "{good}");
        }
        for bad in ["", "app_", "app", "App_a", "app_a b", "app_ä"] {
            assert!(bad.parse::<AppKey>().is_err(), "{bad}");
        }
        for bad in ["", "a b", "a/b", "ä", "a%20", &"a".repeat(257)] {
            assert!(bad.parse::<ClickToken>().is_err(), "{bad}");
        }
        assert!("a".repeat(256).parse::<ClickToken>().is_ok());
        assert!("short".parse::<AppSecret>().is_err());
    }
}
