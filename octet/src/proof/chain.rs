//! The daily hash chain: what Octet signed on which day, proofs and bindings of devices, so that it counts after its key
//! has ended. Knows digests, never what they say.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::sha256;

/// A SHA-256.
type Digest = [u8; 32];

/// One day of the chain; on the wire one line of JSON.
///
/// `head` is the SHA-256 of the previous day's head (32 zero bytes before the first), the date as `2026-11-21`, and
/// the proofs' digests in order, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// The day in UTC.
    pub date: Date,
    /// The previous day's head.
    #[serde(with = "hexadecimal")]
    pub previous: Digest,
    /// The SHA-256 of each proof and each device's binding of the day, as its token's ASCII characters; in order, each once.
    pub proofs: Vec<Hex>,
    /// This day's head.
    #[serde(with = "hexadecimal")]
    pub head: Digest,
}

/// A SHA-256 in lower-case hexadecimal on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hex(#[serde(with = "hexadecimal")] Digest);

impl From<Digest> for Hex {
    fn from(digest: Digest) -> Self {
        Self(digest)
    }
}

impl Day {
    /// The day after `previous` with these proofs.
    #[must_use]
    pub fn after(previous: Digest, date: Date, mut proofs: Vec<Hex>) -> Self {
        proofs.sort_unstable();
        proofs.dedup();
        let head = head(&previous, date, &proofs);
        Self { date, previous, proofs, head }
    }
}

fn head(previous: &Digest, date: Date, proofs: &[Hex]) -> Digest {
    let mut bytes = previous.to_vec();
    bytes.extend_from_slice(date.to_string().as_bytes());
    proofs.iter().for_each(|proof| bytes.extend_from_slice(&proof.0));
    sha256(&bytes)
}

/// The digest under which a proof stands in the chain.
#[must_use]
pub fn digest(token: impl AsRef<str>) -> Hex {
    Hex(sha256(token.as_ref().as_bytes()))
}

/// A chain that was checked up to a head that the verifier knows from elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    proofs: HashMap<Hex, Date>,
}

/// The text is no chain, or does not lead to the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line} breaks the chain, or no day of it has the head that was pinned")]
pub struct InvalidChain {
    /// The first line that is wrong, or one past the last.
    pub line: usize,
}

impl Chain {
    /// The chain of these lines, up to the day whose head is `pinned` (64 hexadecimal digits): the head is what was
    /// noted in its time, where the issuer could not change it. Days after it do not count.
    ///
    /// # Errors
    ///
    /// When a day does not follow from the one before it, or none has that head.
    pub fn read(lines: &str, pinned: &str) -> Result<Self, InvalidChain> {
        let pinned = super::from_hex(pinned).ok_or(InvalidChain { line: 0 })?;
        let mut chain = Self::default();
        let (mut previous, mut last, mut line) = ([0; 32], None, 0);
        for text in lines.lines() {
            line += 1;
            let broken = InvalidChain { line };
            let day: Day = serde_json::from_str(text).map_err(|_| broken)?;
            let ordered = last.is_none_or(|last| day.date > last) && day.proofs.is_sorted_by(|a, b| a < b);
            if !ordered || day.previous != previous || day.head != head(&day.previous, day.date, &day.proofs) {
                return Err(broken);
            }
            (previous, last) = (day.head, Some(day.date));
            chain.proofs.extend(day.proofs.into_iter().map(|proof| (proof, day.date)));
            if day.head == pinned {
                return Ok(chain);
            }
        }
        Err(InvalidChain { line: line + 1 })
    }

    /// The day on which the chain has this proof.
    #[must_use]
    pub fn day_of(&self, token: impl AsRef<str>) -> Option<Date> {
        self.proofs.get(&digest(token)).copied()
    }

    /// Whether it has this proof on a day that was over before `end`.
    pub(super) fn has_before(&self, token: &str, end: Timestamp) -> bool {
        self.day_of(token).is_some_and(|day| day < end.to_zoned(TimeZone::UTC).date())
    }
}

mod hexadecimal {
    use serde::{Deserializer, Serializer, de};

    use super::Digest;
    use crate::proof::{SessionDigest, from_hex};

    pub(super) fn serialize<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&SessionDigest::from_bytes(*digest))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        crate::text::parse(deserializer, "a SHA-256 in hexadecimal", |text| {
            from_hex(text).ok_or_else(|| de::Error::custom("a SHA-256 is 64 of 0-9 and a-f"))
        })
    }
}
