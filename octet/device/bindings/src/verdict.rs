//! Answers as other languages read them; the rules of an answer are kept by the type that they are made from.

use std::time::SystemTime;

use octet_device::{At, Outcome, PredicateVerdict, ReasonCode};

/// YES, NO or INDETERMINATE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum OctetResult {
    /// It is so, and there is a proof of it.
    Yes,
    /// It is not so, and there is a proof of that.
    No,
    /// There is no proof of either.
    Indeterminate,
}

/// Why an answer is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum OctetReason {
    /// A proof covers the time.
    Ok,
    /// There is no usable fix yet.
    NoFix,
    /// The time is more than 2 s ahead.
    FutureTime,
    /// No proof covers the time.
    StaleFix,
    /// What is known is too coarse for the question.
    NoProofAtResolution,
    /// Octet does not vouch for this device.
    AttestationFailed,
    /// The fix was flagged as mocked.
    MockLocationDetected,
    /// The session ended.
    SdkNotRunning,
    /// This build has no map of that region.
    NotYetReleased,
    /// A reason that this release does not know.
    Unknown,
}

/// From when until when a proof holds.
#[derive(uniffi::Record)]
pub struct OctetValidity {
    /// Its first moment.
    pub from: SystemTime,
    /// Its last moment.
    pub to: SystemTime,
}

/// How sure an answer is.
#[derive(uniffi::Record)]
pub struct OctetConfidence {
    /// How probable it is that the answer is right, 0 to 1; 0 when there is none.
    pub overall_score: f64,
}

/// The answer to a question.
#[derive(uniffi::Record)]
pub struct OctetVerdict {
    /// YES, NO or INDETERMINATE.
    pub result: OctetResult,
    /// Why.
    pub reason: OctetReason,
    /// The same in one plain sentence.
    pub message: String,
    /// The proof, a compact JWS; there exactly with YES and NO.
    pub proof: Option<String>,
    /// When it holds; there exactly with the proof.
    pub validity: Option<OctetValidity>,
    /// The time that was asked about.
    pub queried_at: SystemTime,
    /// How sure the answer is.
    pub confidence: OctetConfidence,
}

/// The time that is asked about.
pub(crate) fn at(time: Option<SystemTime>) -> At {
    time.and_then(|time| time.try_into().ok()).map_or(At::Now, At::Time)
}

impl OctetVerdict {
    /// What was said is no region: nothing can be proven about it.
    pub(crate) fn no_such_region(at: At) -> Self {
        let queried_at = match at {
            At::Now => SystemTime::now(),
            At::Time(time) => time.into(),
        };
        Self {
            result: OctetResult::Indeterminate,
            reason: OctetReason::NoProofAtResolution,
            message: "This is no region: see the bounds of its type.".into(),
            proof: None,
            validity: None,
            queried_at,
            confidence: OctetConfidence { overall_score: 0.0 },
        }
    }
}

impl From<PredicateVerdict> for OctetVerdict {
    fn from(verdict: PredicateVerdict) -> Self {
        let validity =
            |validity: octet_device::Validity| OctetValidity { from: validity.from().into(), to: validity.to().into() };
        Self {
            result: match verdict.result {
                Outcome::Yes => OctetResult::Yes,
                Outcome::No => OctetResult::No,
                Outcome::Indeterminate => OctetResult::Indeterminate,
            },
            reason: verdict.reason.into(),
            message: verdict.message.to_string(),
            proof: verdict.proof.as_ref().map(|proof| proof.as_str().to_owned()),
            validity: verdict.validity.map(validity),
            queried_at: verdict.queried_at.into(),
            confidence: OctetConfidence { overall_score: verdict.confidence.overall_score.get() },
        }
    }
}

impl From<ReasonCode> for OctetReason {
    fn from(reason: ReasonCode) -> Self {
        match reason {
            ReasonCode::Ok => Self::Ok,
            ReasonCode::NoFix => Self::NoFix,
            ReasonCode::FutureTime => Self::FutureTime,
            ReasonCode::StaleFix => Self::StaleFix,
            ReasonCode::NoProofAtResolution => Self::NoProofAtResolution,
            ReasonCode::AttestationFailed => Self::AttestationFailed,
            ReasonCode::MockLocationDetected => Self::MockLocationDetected,
            ReasonCode::SdkNotRunning => Self::SdkNotRunning,
            ReasonCode::NotYetReleased => Self::NotYetReleased,
            _ => Self::Unknown,
        }
    }
}
