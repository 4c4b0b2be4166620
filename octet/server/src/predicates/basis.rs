//! What a session's answers about places rest on: a private summary of its one assessment, no finer than its verdict.
//! It never leaves the service; only yes, no, and how sure.

use jiff::Timestamp;
use octet::region::{DiscRegion, Level};
use octet::timeline::Reading;
use octet::{Claim, Confidence, EdgeId, Region, Unproven, Verdict};
use octet_engine::{Assessment, CountryMasses, World};
use octet_geometry::{Relation, judge, relate};

use crate::projection::two_decimals;

/// No answer is certain.
const MOST_SCORE: f64 = 0.99;
/// The circle of a verdict holds the true place so often.
const CIRCLE_HOLDS: f64 = 0.9;

/// The private summary of one assessment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Basis {
    /// When the assessment was made.
    pub(crate) made: Reading,
    /// The edges that reported.
    pub(crate) observed_by: Vec<EdgeId>,
    masses: CountryMasses,
    /// The verdict's circle.
    circle: Region,
    /// No answer is surer than this.
    most_score: f64,
}

/// The answer to a claim.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Judged {
    pub(crate) holds: bool,
    pub(crate) score: Confidence,
}

impl Basis {
    /// The summary of an assessment that was projected to `verdict`, if that has a place; `capped` is the most that an
    /// incomplete bundle's confidence may be.
    pub(crate) fn new(
        assessment: &Assessment,
        verdict: &Verdict,
        capped: Option<f64>,
        observed_by: Vec<EdgeId>,
        made: Reading,
    ) -> Option<Self> {
        let radius_meters = f64::from(verdict.confidence_radius_km?.get()) * 1000.0;
        let circle =
            Region::disc(verdict.estimated_location?, radius_meters.min(DiscRegion::MAX_RADIUS_METERS)).ok()?;
        // Whole milliseconds: no clock here is finer, and no proof shows more.
        let made =
            Reading { wall: Timestamp::from_millisecond(made.wall.as_millisecond()).unwrap_or(made.wall), ..made };
        let masses = CountryMasses::calibrated(assessment, verdict.confidence.get());
        Some(Self { made, observed_by, masses, circle, most_score: capped.unwrap_or(MOST_SCORE).min(MOST_SCORE) })
    }

    /// Whether the claim holds, with unions as they were at `time`.
    pub(crate) fn judge(&self, claim: &Claim, time: Timestamp, world: &World) -> Result<Judged, Unproven> {
        let (holds, score) = match claim.region().level() {
            Level::Country => self.by_mass(claim, time, world)?,
            _ => (judge(claim, &self.circle, time, world)?, CIRCLE_HOLDS),
        };
        let score = Confidence::new(two_decimals(score.clamp(0.0, self.most_score))).unwrap_or(Confidence::ZERO);
        Ok(Judged { holds, score })
    }

    fn by_mass(&self, claim: &Claim, time: Timestamp, world: &World) -> Result<(bool, f64), Unproven> {
        let countries = match claim.region() {
            Region::Country(code) => vec![*code],
            Region::Countries(set) => set.codes(time),
            _ => return Err(Unproven::NotYetReleased),
        };
        if countries.is_empty() || countries.iter().any(|code| world.country(*code).is_none()) {
            return Err(Unproven::NotYetReleased);
        }
        let circle = || relate(&self.circle, claim.region(), time, world).unwrap_or(Relation::Neither);
        let held = self.masses.holds(&countries, circle).ok_or(Unproven::NoProofAtResolution)?;
        Ok((held.inside == matches!(claim, Claim::Within(_)), held.score))
    }
}

#[cfg(test)]
mod tests {
    use octet::{Alarm, CountryCode};
    use proptest::prelude::*;

    use super::*;

    fn time() -> Timestamp {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    fn basis(masses: &[(&str, f64)], confidence: f64, capped: Option<f64>) -> Basis {
        let masses: Vec<(CountryCode, f64)> =
            masses.iter().map(|&(code, mass)| (code.parse().unwrap(), mass)).collect();
        let verdict = Verdict {
            country: masses.first().map(|mass| mass.0),
            confidence: Confidence::new(confidence).unwrap(),
            alarm: Alarm::None,
            estimated_location: octet::LatLon::new(52.52, 13.4).ok(),
            confidence_radius_km: octet::RadiusKm::new(100.0).ok(),
            feasible_region: None,
        };
        let assessment = Assessment { country_masses: masses, ..Assessment::default() };
        Basis::new(
            &assessment,
            &verdict,
            capped,
            Vec::new(),
            Reading { wall: time(), monotonic: std::time::Duration::ZERO },
        )
        .unwrap()
    }

    fn ask(basis: &Basis, claim: &Claim) -> Result<(bool, f64), Unproven> {
        basis.judge(claim, time(), &World::embedded()).map(|judged| (judged.holds, judged.score.get()))
    }

    #[test]
    fn more_than_half_is_yes_hardly_any_is_no_and_between_them_nothing_is_proven() {
        let basis = basis(&[("DE", 0.8), ("PL", 0.15), ("FR", 0.05)], 0.6, None);
        let within = |codes: &[&str]| ask(&basis, &Claim::Within(Region::countries(codes).unwrap()));
        assert_eq!(within(&["DE"]), Ok((true, 0.6)));
        assert_eq!(within(&["PL"]), Err(Unproven::NoProofAtResolution));
        assert_eq!(within(&["DE", "PL"]), Ok((true, 0.9)));
        assert_eq!(within(&["US"]), Ok((false, 0.99)));
        assert_eq!(ask(&basis, &Claim::Outside(Region::country("US").unwrap())), Ok((true, 0.99)));
        assert_eq!(ask(&basis, &Claim::Outside(Region::country("DE").unwrap())), Ok((false, 0.6)));
        assert_eq!(ask(&basis, &Claim::Within(Region::eu())), Ok((true, 0.99)));
        assert_eq!(ask(&basis, &Claim::Within(Region::country("ZZ").unwrap())), Err(Unproven::NotYetReleased));
    }

    #[test]
    fn a_country_that_the_circle_meets_is_denied_only_when_another_is_as_good_as_certain() {
        let asked = |confidence, code| {
            ask(&basis(&[("DE", 0.9), ("FR", 0.1)], confidence, None), &Claim::Within(Region::country(code).unwrap()))
        };
        assert_eq!(asked(0.94, "PL"), Err(Unproven::NoProofAtResolution), "100 km around Berlin reach into Poland");
        assert_eq!(asked(0.94, "LU"), Ok((false, 0.99)));
        assert_eq!(asked(0.96, "PL"), Ok((false, 0.99)));
    }

    #[test]
    fn an_incomplete_bundle_makes_nothing_surer_than_half() {
        let basis = basis(&[("DE", 0.99), ("PL", 0.01)], 0.5, Some(0.5));
        let within = |code| ask(&basis, &Claim::Within(Region::country(code).unwrap()));
        assert_eq!(within("DE"), Err(Unproven::NoProofAtResolution));
        assert_eq!(within("US"), Ok((false, 0.5)));
    }

    #[test]
    fn what_no_country_holds_makes_a_no_less_sure() {
        let basis = basis(&[("DE", 1.0)], 0.7, None);
        assert_eq!(ask(&basis, &Claim::Within(Region::country("US").unwrap())), Ok((false, 0.7)));
    }

    #[test]
    fn finer_questions_are_answered_from_the_verdicts_circle() {
        let basis = basis(&[("DE", 1.0)], 0.9, None);
        let berlin = octet::LatLon::new(52.52, 13.4).unwrap();
        let within = |meters| ask(&basis, &Claim::Within(Region::disc(berlin, meters).unwrap()));
        assert_eq!(within(100_000.0), Ok((true, 0.9)));
        assert_eq!(within(99_000.0), Err(Unproven::NoProofAtResolution));
        let paris = octet::LatLon::new(48.86, 2.35).unwrap();
        assert_eq!(ask(&basis, &Claim::Within(Region::disc(paris, 20_000.0).unwrap())), Ok((false, 0.9)));
    }

    #[test]
    fn subdivisions_and_cities_are_answered_from_the_verdicts_circle() {
        let basis = basis(&[("DE", 1.0)], 0.9, None);
        let state = |code| ask(&basis, &Claim::Within(Region::subdivision(code).unwrap()));
        let city = |id| ask(&basis, &Claim::Within(Region::city(id).unwrap()));
        assert_eq!(state("DE-BE"), Err(Unproven::NoProofAtResolution), "100 km around Berlin are more than Berlin");
        assert_eq!(state("DE-BY"), Ok((false, 0.9)));
        assert_eq!(ask(&basis, &Claim::Outside(Region::subdivision("US-TX").unwrap())), Ok((true, 0.9)));
        assert_eq!(city(2_950_159), Err(Unproven::NoProofAtResolution), "Berlin");
        assert_eq!(city(2_867_714), Ok((false, 0.9)), "Munich");
        assert_eq!(state("DE-ZZ"), Err(Unproven::NotYetReleased));
        assert_eq!(city(1), Err(Unproven::NotYetReleased));
    }

    proptest! {
        #[test]
        fn no_claim_and_its_opposite_are_both_proven(
            masses in prop::collection::vec(0.0..1.0_f64, 1..6), confidence in 0.0..=1.0_f64, which in prop::collection::btree_set(0..8_usize, 1..5),
        ) {
            const CODES: [&str; 8] = ["DE", "FR", "US", "BR", "JP", "ZA", "AU", "IN"];
            let sum: f64 = masses.iter().sum();
            let mut shares: Vec<_> = masses.iter().map(|mass| mass / sum.max(1e-9)).collect();
            shares.sort_by(|a, b| b.total_cmp(a));
            let masses: Vec<_> = CODES.iter().copied().zip(shares).collect();
            let basis = basis(&masses, confidence, None);
            let region = Region::countries(which.iter().map(|&index| CODES[index])).unwrap();
            let within = ask(&basis, &Claim::Within(region.clone()));
            let outside = ask(&basis, &Claim::Outside(region));
            prop_assert_eq!(within.map(|(holds, score)| (!holds, score)), outside);
            if let Ok((_, score)) = within {
                prop_assert!((0.0..=0.99).contains(&score));
            }
        }
    }
}
