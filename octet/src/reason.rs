//! YES, NO or INDETERMINATE, and why: the contract's nine reasons, each with its sentence. None names what fired.

use serde::{Deserialize, Serialize};

/// The answer to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Outcome {
    /// It is so, and there is a proof of it.
    Yes,
    /// It is not so, and there is a proof of that.
    No,
    /// There is no proof of either.
    Indeterminate,
}

/// Why an answer is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum ReasonCode {
    /// A proof covers the time, and the predicate was evaluated: YES or NO.
    Ok,
    /// Started, but there is no usable fix yet.
    NoFix,
    /// The time is more than 2 s ahead.
    FutureTime,
    /// No cached proof's validity covers the time.
    StaleFix,
    /// The proof is too coarse for the question.
    NoProofAtResolution,
    /// The device or the session could not be attested.
    AttestationFailed,
    /// The operating system flagged the fix as mocked.
    MockLocationDetected,
    /// Never started, or the session ended.
    SdkNotRunning,
    /// Declared, and not wired in this build.
    NotYetReleased,
    /// A reason that this release does not know; it comes with INDETERMINATE.
    #[serde(other)]
    Unknown,
}

/// Why there is no proof: every [`ReasonCode`] but `OK`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unproven {
    /// Started, but there is no usable fix yet.
    NoFix,
    /// As [`Self::NoFix`], and the answer says that this is an emulator or a simulator.
    NoFixOnSimulator,
    /// The time is more than 2 s ahead.
    FutureTime,
    /// No cached proof's validity covers the time.
    StaleFix,
    /// The proof is too coarse for the question.
    NoProofAtResolution,
    /// The device or the session could not be attested.
    AttestationFailed,
    /// The operating system flagged the fix as mocked.
    MockLocationDetected,
    /// Never started, or the session ended.
    SdkNotRunning,
    /// Declared, and not wired in this build.
    NotYetReleased,
}

impl Unproven {
    /// Every one of them.
    pub const ALL: [Self; 9] = [
        Self::NoFix,
        Self::NoFixOnSimulator,
        Self::FutureTime,
        Self::StaleFix,
        Self::NoProofAtResolution,
        Self::AttestationFailed,
        Self::MockLocationDetected,
        Self::SdkNotRunning,
        Self::NotYetReleased,
    ];

    /// Its code on the wire.
    #[must_use]
    pub const fn code(self) -> ReasonCode {
        match self {
            Self::NoFix | Self::NoFixOnSimulator => ReasonCode::NoFix,
            Self::FutureTime => ReasonCode::FutureTime,
            Self::StaleFix => ReasonCode::StaleFix,
            Self::NoProofAtResolution => ReasonCode::NoProofAtResolution,
            Self::AttestationFailed => ReasonCode::AttestationFailed,
            Self::MockLocationDetected => ReasonCode::MockLocationDetected,
            Self::SdkNotRunning => ReasonCode::SdkNotRunning,
            Self::NotYetReleased => ReasonCode::NotYetReleased,
        }
    }

    /// The sentence that goes with it; it names nothing that fired.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::NoFix => "There is no usable fix yet.",
            Self::NoFixOnSimulator => "There is no usable fix: this is an emulator or a simulator.",
            Self::FutureTime => "The time that was asked about is in the future.",
            Self::StaleFix => "No proof covers the time that was asked about.",
            Self::NoProofAtResolution => "What is known is too coarse for this question.",
            Self::AttestationFailed => "The session could not be attested.",
            Self::MockLocationDetected => "The location was reported as mocked.",
            Self::SdkNotRunning => "There is no running session.",
            Self::NotYetReleased => "This question cannot be answered by this build yet.",
        }
    }
}

impl std::fmt::Display for Unproven {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Unproven {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_one_of_the_contracts_nine() {
        let mut codes: Vec<_> =
            Unproven::ALL.iter().map(|why| serde_json::to_value(why.code()).unwrap().to_string()).collect();
        codes.push(serde_json::to_value(ReasonCode::Ok).unwrap().to_string());
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), 9);
        for why in Unproven::ALL {
            assert_ne!(why.code(), ReasonCode::Ok);
            assert!(why.message().ends_with('.') && why.message().matches('.').count() == 1);
        }
        assert_eq!(serde_json::from_str::<ReasonCode>("\"LATER\"").unwrap(), ReasonCode::Unknown);
    }
}
