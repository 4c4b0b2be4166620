//! How much a partner has collected. Set on Octet's side; edges carry it into the page.

use serde::{Deserialize, Deserializer, Serialize};

/// A collection profile; each holds all of the one before. One that this release does not know reads as
/// [`Profile::Essential`]: nothing is collected that may not be wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Address, headers and the latency channel.
    Essential,
    /// And locale, screen and client hints.
    #[default]
    Standard,
    /// And rendering, automation traces and behaviour.
    Full,
}

/// The text names no profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a collection profile is one of essential, standard and full")]
pub struct InvalidProfile;

impl Profile {
    /// The profile as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Essential => "essential",
            Self::Standard => "standard",
            Self::Full => "full",
        }
    }
}

impl std::str::FromStr for Profile {
    type Err = InvalidProfile;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Essential, Self::Standard, Self::Full]
            .into_iter()
            .find(|profile| profile.as_str() == text)
            .ok_or(InvalidProfile)
    }
}

impl std::fmt::Display for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Profile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::parse(deserializer, "a collection profile", |text| Ok(text.parse().unwrap_or(Self::Essential)))
    }
}

/// What Octet tells an edge about its partner: the answer to `GET /v1/edge-settings`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EdgeSettings {
    /// What pages of this partner have collected.
    #[serde(default)]
    pub profile: Profile,
    /// What pages of its apps have collected for a bot verdict: the largest of them. Absent where it has no app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assess_profile: Option<Profile>,
    /// Whether the edge shall tell which pages it served, so that those whose collector never reports are known.
    #[serde(default)]
    pub pages: bool,
}
