//! How a question about a place in time is answered: YES, NO or INDETERMINATE. Holds the invariants of an answer; how it
//! comes about is not known here.

use std::borrow::Cow;
use std::ops::Deref;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Confidence;
pub use crate::claim::{At, Claim, PredicateRequest};
use crate::proof::LocationProof;
pub use crate::reason::{Outcome, ReasonCode, Unproven};
use crate::region::Level;

/// From when until when a proof holds, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawValidity")]
pub struct Validity {
    from: Timestamp,
    to: Timestamp,
}

#[derive(Deserialize)]
struct RawValidity {
    from: Timestamp,
    to: Timestamp,
}

impl Validity {
    /// From `from` to `to`.
    ///
    /// # Errors
    ///
    /// When it would end before it begins.
    pub fn new(from: Timestamp, to: Timestamp) -> Result<Self, InvalidPredicate> {
        if from <= to { Ok(Self { from, to }) } else { Err(InvalidPredicate("a validity that ends before it begins")) }
    }

    /// The validity of a proof that discloses `level`, around the time of its fix: country 5 minutes either way,
    /// subdivision 3, city 1, disc and polygon 30 seconds.
    #[must_use]
    pub fn around(fix_time: Timestamp, level: Level) -> Self {
        let either_way = SignedDuration::from_secs(match level {
            Level::Country => 300,
            Level::Subdivision => 180,
            Level::City => 60,
            Level::Shape => 30,
        });
        // At the very ends of time there is less of it.
        Self {
            from: fix_time.checked_sub(either_way).unwrap_or(Timestamp::MIN),
            to: fix_time.checked_add(either_way).unwrap_or(Timestamp::MAX),
        }
    }

    /// Its first moment.
    #[must_use]
    pub const fn from(&self) -> Timestamp {
        self.from
    }

    /// Its last moment.
    #[must_use]
    pub const fn to(&self) -> Timestamp {
        self.to
    }

    /// Whether `time` is in it.
    #[must_use]
    pub fn covers(&self, time: Timestamp) -> bool {
        (self.from..=self.to).contains(&time)
    }
}

impl TryFrom<RawValidity> for Validity {
    type Error = InvalidPredicate;

    fn try_from(raw: RawValidity) -> Result<Self, InvalidPredicate> {
        Self::new(raw.from, raw.to)
    }
}

/// How sure an answer is; all zero when there is none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ConfidenceSummary {
    /// How probable it is that the answer is right, 0 to 1; 0 when there is none.
    #[serde(default = "zero")]
    pub overall_score: Confidence,
}

const fn zero() -> Confidence {
    Confidence::ZERO
}

impl ConfidenceSummary {
    /// Of no answer.
    pub const EMPTY: Self = Self { overall_score: Confidence::ZERO };

    /// Of an answer that is right with this probability.
    #[must_use]
    pub const fn new(overall_score: Confidence) -> Self {
        Self { overall_score }
    }
}

/// A value that breaks the rules of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no predicate verdict: {0}")]
pub struct InvalidPredicate(&'static str);

/// The answer to a question about a place: YES and NO with a proof, INDETERMINATE with a reason.
///
/// It reads as a [`PredicateAnswer`], and cannot be made or changed so that the rules break: proof, validity and
/// reason `OK` exactly with YES and NO, a validity that covers `queried_at`, an empty confidence when INDETERMINATE.
/// There is no conversion to a `bool`, since no is not "don't know":
///
/// ```
/// use octet::Outcome::Yes;
/// # let verdict = octet::PredicateVerdict::indeterminate(octet::Unproven::NoFix, jiff::Timestamp::UNIX_EPOCH);
/// let let_in = verdict.result == Yes && verdict.confidence.overall_score > 0.8;
/// # assert!(!let_in);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PredicateVerdict(PredicateAnswer);

/// What a [`PredicateVerdict`] holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PredicateAnswer {
    /// YES, NO or INDETERMINATE.
    pub result: Outcome,
    /// Why.
    pub reason: ReasonCode,
    /// The same in one plain sentence.
    pub message: Cow<'static, str>,
    /// The evidence that outlives the session; there exactly when the result is YES or NO.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<LocationProof>,
    /// When the proof holds; there exactly when `proof` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validity: Option<Validity>,
    /// The time that was asked about.
    pub queried_at: Timestamp,
    /// How sure the answer is; empty when INDETERMINATE.
    pub confidence: ConfidenceSummary,
}

impl PredicateVerdict {
    /// The longest message, in bytes.
    pub const MAX_MESSAGE: usize = 300;

    /// YES, by this proof.
    ///
    /// # Errors
    ///
    /// When the validity does not cover `queried_at`.
    pub fn yes(
        proof: LocationProof,
        validity: Validity,
        confidence: ConfidenceSummary,
        queried_at: Timestamp,
    ) -> Result<Self, InvalidPredicate> {
        let message = "A proof covers this time, and it says yes.";
        Self::proven(Outcome::Yes, message, proof, validity, confidence, queried_at)
    }

    /// NO, by this proof of the negative.
    ///
    /// # Errors
    ///
    /// When the validity does not cover `queried_at`.
    pub fn no(
        proof: LocationProof,
        validity: Validity,
        confidence: ConfidenceSummary,
        queried_at: Timestamp,
    ) -> Result<Self, InvalidPredicate> {
        let message = "A proof covers this time, and it says no.";
        Self::proven(Outcome::No, message, proof, validity, confidence, queried_at)
    }

    fn proven(
        result: Outcome,
        message: &'static str,
        proof: LocationProof,
        validity: Validity,
        confidence: ConfidenceSummary,
        queried_at: Timestamp,
    ) -> Result<Self, InvalidPredicate> {
        Self::checked(PredicateAnswer {
            result,
            reason: ReasonCode::Ok,
            message: message.into(),
            proof: Some(proof),
            validity: Some(validity),
            queried_at,
            confidence,
        })
    }

    /// INDETERMINATE, for this reason.
    #[must_use]
    pub fn indeterminate(why: Unproven, queried_at: Timestamp) -> Self {
        Self(PredicateAnswer {
            result: Outcome::Indeterminate,
            reason: why.code(),
            message: why.message().into(),
            proof: None,
            validity: None,
            queried_at,
            confidence: ConfidenceSummary::EMPTY,
        })
    }

    fn checked(answer: PredicateAnswer) -> Result<Self, InvalidPredicate> {
        let proven = answer.result != Outcome::Indeterminate;
        if proven != (answer.reason == ReasonCode::Ok) {
            return Err(InvalidPredicate("the reason is OK exactly with YES and NO"));
        }
        if proven != answer.proof.is_some() || proven != answer.validity.is_some() {
            return Err(InvalidPredicate("there is a proof and its validity exactly with YES and NO"));
        }
        if answer.validity.is_some_and(|validity| !validity.covers(answer.queried_at)) {
            return Err(InvalidPredicate("the validity does not cover the time that was asked about"));
        }
        if !proven && answer.confidence != ConfidenceSummary::EMPTY {
            return Err(InvalidPredicate("the confidence is empty when INDETERMINATE"));
        }
        if answer.message.len() > Self::MAX_MESSAGE {
            return Err(InvalidPredicate("the message is longer than 300 bytes"));
        }
        Ok(Self(answer))
    }
}

impl Deref for PredicateVerdict {
    type Target = PredicateAnswer;

    fn deref(&self) -> &PredicateAnswer {
        &self.0
    }
}

impl Serialize for PredicateVerdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PredicateVerdict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Raw {
            result: Outcome,
            reason: ReasonCode,
            message: String,
            proof: Option<LocationProof>,
            validity: Option<Validity>,
            queried_at: Timestamp,
            confidence: ConfidenceSummary,
        }

        let Raw { result, reason, message, proof, validity, queried_at, confidence } = Raw::deserialize(deserializer)?;
        let message = message.into();
        Self::checked(PredicateAnswer { result, reason, message, proof, validity, queried_at, confidence })
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn proof() -> LocationProof {
        "e30.e30.c2ln".parse().unwrap()
    }

    fn time(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_yes_whose_validity_does_not_cover_the_time_cannot_be_made() {
        let validity = Validity::around(time(1000), Level::City);
        let sure = ConfidenceSummary::new(Confidence::new(0.9).unwrap());
        assert!(PredicateVerdict::yes(proof(), validity, sure, time(1060)).is_ok());
        assert!(PredicateVerdict::no(proof(), validity, sure, time(1061)).is_err());
        assert!(Validity::new(time(2), time(1)).is_err());
    }

    proptest! {
        #[test]
        fn what_reads_as_a_predicate_verdict_keeps_every_rule_and_reads_back(
            result in prop::sample::select(vec!["YES", "NO", "INDETERMINATE", "MAYBE"]),
            reason in prop::sample::select(vec!["OK", "NO_FIX", "STALE_FIX", "SOMETHING_NEW"]),
            proof in prop::option::of(prop::sample::select(vec!["e30.e30.c2ln", "none"])),
            validity in prop::option::of((0..100_i64, 0..100_i64)),
            at in 0..100_i64,
            // Eighths, which decimal digits write exactly.
            score in prop::option::of((-2..=10).prop_map(|eighths| f64::from(eighths) / 8.0)),
        ) {
            let mut json = serde_json::json!({
                "result": result, "reason": reason, "message": "A sentence.", "queriedAt": time(at),
                "confidence": score.map_or_else(|| serde_json::json!({}), |score| serde_json::json!({ "overallScore": score })),
            });
            if let Some(proof) = proof {
                json["proof"] = proof.into();
            }
            if let Some((from, to)) = validity {
                json["validity"] = serde_json::json!({ "from": time(from), "to": time(to) });
            }
            let proven = result == "YES" || result == "NO";
            let covers = validity.is_some_and(|(from, to)| (from..=to).contains(&at));
            let well_formed = result != "MAYBE" && proof != Some("none") && validity.is_none_or(|(from, to)| from <= to)
                && score.is_none_or(|score| (0.0..=1.0).contains(&score));
            let allowed = well_formed && if proven {
                reason == "OK" && proof.is_some() && covers
            } else {
                reason != "OK" && proof.is_none() && validity.is_none() && score.is_none_or(|score| score == 0.0)
            };
            let read = serde_json::from_value::<PredicateVerdict>(json.clone());
            prop_assert_eq!(read.is_ok(), allowed, "{}", json);
            if let Ok(verdict) = read && verdict.reason != ReasonCode::Unknown {
                let again = serde_json::to_string(&verdict).unwrap();
                prop_assert_eq!(serde_json::from_str::<PredicateVerdict>(&again).unwrap(), verdict);
            }
        }
    }
}
