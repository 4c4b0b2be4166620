//! The engine's one verb: joins what each source says into one assessment. It knows no clock and no wire format.

use crate::{Alarm, Assessment, Evidence, Reason, UnixTime, World};

/// Confidence never passes this where expected facts are missing.
const OMISSION_CONFIDENCE_CAP: f64 = 0.5;

/// Assesses one session at `now` against `world`.
///
/// Any evidence whatsoever gives an answer, in bounded time; too little gives one without a country.
#[must_use]
pub fn assess(evidence: &Evidence, _world: &World, _now: UnixTime) -> Assessment {
    let mut assessment = Assessment::default();
    if evidence.omissions.any() {
        assessment.confidence = assessment.confidence.min(OMISSION_CONFIDENCE_CAP);
        assessment.alarm = assessment.alarm.max(Alarm::Low);
        assessment.reasons.push(Reason::Omission);
    }
    assessment
}
