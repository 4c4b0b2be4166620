//! The only door out of the engine: what of an assessment a partner gets to see. Everything else stays inside.

use octet::{Alarm, Confidence, FeasibleRegion, LatLon, RadiusKm, Verdict, Vertex};
use octet_engine::{Assessment, Omissions};

/// Confidence never passes this where something expected is missing.
pub(crate) const OMISSION_CAP: f64 = 0.5;

/// The verdict of an assessment. Where something expected is missing, confidence is at most 0.5 and the alarm at
/// least `low`, whatever the engine says; where the visit was `irregular`, the alarm is at least `low`.
pub(crate) fn project(assessment: &Assessment, omissions: &Omissions, irregular: bool) -> Verdict {
    let mut confidence = if assessment.confidence.is_nan() { 0.0 } else { assessment.confidence.clamp(0.0, 1.0) };
    let mut alarm = assessment.alarm;
    if omissions.any() {
        confidence = confidence.min(OMISSION_CAP);
    }
    if omissions.any() || irregular {
        alarm = alarm.max(Alarm::Low);
    }
    Verdict {
        country: assessment.country,
        confidence: Confidence::new(two_decimals(confidence)).unwrap_or(Confidence::ZERO),
        alarm,
        estimated_location: assessment.location.and_then(coarse),
        confidence_radius_km: assessment.radius_km.map(RadiusKm::clamped),
        feasible_region: assessment.region.as_deref().and_then(outline),
    }
}

/// Fewer digits than a fingerprint of what went in would need.
pub(crate) fn two_decimals(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn coarse(place: LatLon) -> Option<LatLon> {
    LatLon::new(two_decimals(place.lat()), two_decimals(place.lon())).ok()
}

fn outline(vertices: &[Vertex]) -> Option<FeasibleRegion> {
    let coarse = |vertex: &Vertex| Vertex::new(two_decimals(vertex.lat()), two_decimals(vertex.lon()));
    FeasibleRegion::new(vertices.iter().map(coarse).collect::<Result<_, _>>().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_assessment_has_a_verdict_that_keeps_the_contract(
            confidence in proptest::num::f64::ANY,
            radius in proptest::option::of(proptest::num::f64::ANY),
            region in proptest::option::of(proptest::collection::vec((-90.0..90.0, -540.0..540.0), 0..80)),
            others in 0_u16..2,
            irregular: bool,
        ) {
            let vertex = |(lat, lon)| Vertex::new(lat, lon).unwrap();
            let region = region.map(|vertices| vertices.into_iter().map(vertex).collect());
            let assessment = Assessment { confidence, radius_km: radius, region, ..Assessment::default() };
            let verdict = project(&assessment, &Omissions { others, ..Omissions::default() }, irregular);
            let json = serde_json::to_string(&verdict).unwrap();
            prop_assert_eq!(serde_json::from_str::<Verdict>(&json).unwrap(), verdict.clone());
            if others > 0 {
                prop_assert!(verdict.confidence <= 0.5 && verdict.alarm >= Alarm::Low);
            }
            prop_assert!(!irregular || verdict.alarm >= Alarm::Low);
        }
    }
}
