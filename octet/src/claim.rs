//! What is asked about a place in time, and what a proof of the answer claims. Nothing is known here of answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::region::InvalidRegion;
use crate::{Region, SessionRef};

/// A statement about where something is: what is asked, and what a proof proves.
///
/// ```
/// use octet::{Claim, Region};
/// let inside = Claim::Within(Region::country("DE")?);
/// assert_eq!(inside.negated(), Claim::Outside(Region::country("DE")?));
/// # Ok::<(), octet::region::InvalidRegion>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "predicate", content = "region", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Claim {
    /// It is inside of this region.
    Within(Region),
    /// It is outside of this region.
    Outside(Region),
}

impl Claim {
    /// What a proof that this is wrong proves.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Within(region) => Self::Outside(region),
            Self::Outside(region) => Self::Within(region),
        }
    }

    /// What it is about.
    #[must_use]
    pub const fn region(&self) -> &Region {
        match self {
            Self::Within(region) | Self::Outside(region) => region,
        }
    }

    /// The same, with a set of countries by name fixed to its day: see [`Region::dated`]. A proof says nothing less.
    ///
    /// # Errors
    ///
    /// When nobody can know the set as it is on that day.
    pub fn dated(self, time: Timestamp) -> Result<Self, InvalidRegion> {
        Ok(match self {
            Self::Within(region) => Self::Within(region.dated(time)?),
            Self::Outside(region) => Self::Outside(region.dated(time)?),
        })
    }
}

/// The time that a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum At {
    /// Now, by the clock of whoever answers.
    #[default]
    Now,
    /// This time.
    Time(Timestamp),
}

impl From<Timestamp> for At {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

/// The body of `POST /v1/predicate`: a question about a browser session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PredicateRequest {
    /// The session that is asked about.
    #[serde(rename = "ref")]
    pub session: SessionRef,
    /// What is asked.
    #[serde(flatten)]
    pub claim: Claim,
    /// The time that is asked about; absent: now, by Octet's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_time: Option<Timestamp>,
}
