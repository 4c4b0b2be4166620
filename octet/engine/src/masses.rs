//! Whether a set of countries holds enough of an assessment's mass to say yes, or so little as to say no. Pure, and the
//! same for the service and for what evaluates it; it knows no question's form and no proof.

use octet::CountryCode;
use octet_geometry::Relation;

use crate::Assessment;

/// A set of countries that holds more than this is where the device is.
const MOST_OF_IT: f64 = 0.5;
/// One that holds at most this is where it is not.
const HARDLY_ANY: f64 = 0.05;

/// The calibrated mass of each country; what is missing to 1 can be anywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct CountryMasses(Vec<(CountryCode, f64)>);

/// Whether the device is in the set, and how probable that is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    /// In the set, or outside of it.
    pub inside: bool,
    /// The probability, 0 to 1, that this is right.
    pub score: f64,
}

impl CountryMasses {
    /// The masses of `assessment`, scaled so that the first country is as probable as `confidence` says. What that takes
    /// from it goes to the others by their shares; where there is no other, it can be anywhere.
    #[must_use]
    pub fn calibrated(assessment: &Assessment, confidence: f64) -> Self {
        let Some(((first, _), others)) = assessment.country_masses.split_first() else { return Self(Vec::new()) };
        let of_others: f64 = others.iter().map(|(_, mass)| mass).sum();
        let scale = if of_others > 1e-9 { (1.0 - confidence) / of_others } else { 0.0 };
        let others = others.iter().map(|&(code, mass)| (code, mass * scale));
        Self(std::iter::once((*first, confidence)).chain(others).collect())
    }

    /// Whether the device is in one of `countries`, to which the verdict's circle lies as `circle` says: inside with more
    /// than half of the mass; outside with at most .05, when the circle is outside too or one other country holds as good
    /// as all; otherwise neither. To hold little is not enough: where not much is known, no country of few people holds
    /// more. Of `eval sessions`, people of the twenty smallest countries of whom delays alone are known: wrong in .251 of
    /// questions by mass alone, in .040 so.
    #[must_use]
    pub fn holds(&self, countries: &[CountryCode], circle: impl FnOnce() -> Relation) -> Option<Held> {
        let mass = |inside: bool| -> f64 {
            self.0.iter().filter(|(code, _)| countries.contains(code) == inside).map(|(_, mass)| mass).sum()
        };
        let (inside, outside) = (mass(true), mass(false));
        if inside > MOST_OF_IT {
            return Some(Held { inside: true, score: inside });
        }
        // Found out whatever the masses are: how long a refusal takes tells nothing of them.
        let is_off = circle() == Relation::Disjoint;
        let denied = inside <= HARDLY_ANY && (is_off || self.another_holds_all(countries));
        denied.then_some(Held { inside: false, score: outside })
    }

    fn another_holds_all(&self, countries: &[CountryCode]) -> bool {
        self.0.iter().any(|(code, mass)| *mass >= 1.0 - HARDLY_ANY && !countries.contains(code))
    }
}
