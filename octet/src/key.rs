//! Credentials as types that do not print themselves: the partner key and the licence key. How they are
//! checked is the service's business.

use std::fmt;
use std::str::FromStr;

/// A partner key: what a backend sends as `x-octet-partner-key`. Its `Debug` prints nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct PartnerKey(Box<str>);

/// A licence key: what an edge sends as `x-octet-license`, `octet_live_v4.public.…` or `octet_test_…`.
/// Its `Debug` prints nothing of it but the environment.
#[derive(Clone, PartialEq, Eq)]
pub struct LicenseKey(Box<str>);

/// Whether a key is for real traffic or for trying things out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Environment {
    /// Real traffic: `octet_live_…`.
    Live,
    /// Trials and tests: `octet_test_…`.
    Test,
}

/// The text cannot be a key of the kind that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// Not a partner key.
    #[error("a partner key is 16 to 256 visible ASCII characters; `octet partner add` prints one")]
    Partner,
    /// Not a licence key.
    #[error(
        "a licence key starts with octet_live_v4.public. or octet_test_v4.public. and has at most 4096 \
         characters; `octet license issue` prints one"
    )]
    License,
}

impl PartnerKey {
    /// The key, for the request that carries it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl LicenseKey {
    /// The key, for the request that carries it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The PASETO token behind the prefix.
    #[must_use]
    pub fn token(&self) -> &str {
        self.0.get(Environment::Live.prefix().len()..).unwrap_or_default()
    }

    /// Whether this is a live or a test key.
    #[must_use]
    pub fn environment(&self) -> Environment {
        if self.0.starts_with(Environment::Live.prefix()) { Environment::Live } else { Environment::Test }
    }
}

impl Environment {
    /// What a licence key of this environment starts with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Live => "octet_live_",
            Self::Test => "octet_test_",
        }
    }
}

impl FromStr for PartnerKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if (16..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidKey::Partner)
        }
    }
}

impl FromStr for LicenseKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let token = [Environment::Live, Environment::Test].iter().find_map(|kind| text.strip_prefix(kind.prefix()));
        match token {
            Some(token)
                if token.starts_with("v4.public.")
                    && text.len() <= 4096
                    && text.bytes().all(|byte| byte.is_ascii_graphic()) =>
            {
                Ok(Self(text.into()))
            }
            _ => Err(InvalidKey::License),
        }
    }
}

impl fmt::Debug for PartnerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PartnerKey(…)")
    }
}

impl fmt::Debug for LicenseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LicenseKey({:?}, …)", self.environment())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_not_print_themselves() {
        let partner: PartnerKey = "opk_0123456789abcdef".parse().unwrap();
        let license: LicenseKey = "octet_test_v4.public.secret".parse().unwrap();
        let shown = format!("{partner:?} {license:?}");
        assert!(!shown.contains("0123") && !shown.contains("secret"), "{shown}");
        assert_eq!(license.token(), "v4.public.secret");
    }
}
