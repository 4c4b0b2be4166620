//! What makes a posterior mean what it says, by the class of its evidence. It knows no evidence but its class.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ParameterError, Parameters};

/// What makes a posterior of one class of evidence mean what it says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// The slope of a country's calibrated log-odds over its raw ones.
    pub slope: f64,
    /// Their intercept.
    pub intercept: f64,
    /// The raw shares whose regions of highest density hold the truth in 50, 90 and 95 of 100 cases, where the named
    /// country's raw probability is one half.
    pub shares: [f64; 3],
    /// How much larger these shares are where that probability is 1, or smaller where it is 0.
    #[serde(default)]
    pub lean: f64,
    /// The raw share whose circle around the estimated place holds the truth in 90 of 100 cases.
    pub circle: f64,
    /// No confidence is above this: what labels found the surest verdicts to be worth, which a cap had made alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<f64>,
}

/// What a slope and an intercept may be.
pub(super) const SLOPES: [f64; 2] = [0.05, 5.0];
pub(super) const INTERCEPTS: [f64; 2] = [-5.0, 5.0];

/// How far confidence goes at the most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caps {
    /// No verdict is surer than this.
    pub most: f64,
    /// The same without a public address: round trips may end at a relay in front of the network then.
    pub most_without_address: f64,
    /// What confidence is multiplied by where sources contradict one another and the alarm is low, medium or high: who
    /// forges one source may forge others, and a mixture in which each lies for itself does not know that.
    pub contradicted: [f64; 3],
}

impl Caps {
    pub(super) fn check(&self) -> Result<(), ParameterError> {
        let [low, medium, high] = self.contradicted;
        let all = [self.most, self.most_without_address, low, medium, high];
        let sound = all.iter().all(|cap| (0.1..=1.0).contains(cap));
        if sound { Ok(()) } else { Err(ParameterError::Range("cap of confidence")) }
    }
}

impl Default for Calibration {
    /// As it stands.
    fn default() -> Self {
        Self { slope: 1.0, intercept: 0.0, shares: [0.5, 0.9, 0.95], lean: 0.0, circle: 0.9, most: None }
    }
}

impl Calibration {
    pub(super) fn check(&self) -> Result<(), ParameterError> {
        let most = self.most.unwrap_or(1.0);
        if !is_within(self.slope, SLOPES) || !is_within(self.intercept, INTERCEPTS) || !is_within(most, [0.0, 1.0]) {
            return Err(ParameterError::Range("calibration"));
        }
        let [half, most, nearly_all] = self.shares;
        if !(0.0 < half && half <= most && most <= nearly_all && nearly_all <= 1.0) {
            return Err(ParameterError::Range("share of a region"));
        }
        if !(0.1..=1.0).contains(&self.circle) || !(-0.5..=0.5).contains(&self.lean) {
            return Err(ParameterError::Range("share of a circle"));
        }
        Ok(())
    }

    /// The calibrated probability of a country's raw one.
    #[must_use]
    pub fn confidence(&self, raw: f64) -> f64 {
        probability(self.slope * odds(raw) + self.intercept).min(self.most.unwrap_or(1.0))
    }

    /// The raw share whose region of highest density holds the truth with this probability, where the named country's raw
    /// probability is `raw`.
    #[must_use]
    pub fn share(&self, probability: f64, raw: f64) -> f64 {
        let leaning = |share: f64| (share + self.lean * (2.0 * raw - 1.0)).clamp(0.0, 1.0);
        let [half, most, nearly_all] = self.shares.map(leaning);
        let known = [(0.0, 0.0), (0.5, half), (0.9, most), (0.95, nearly_all), (1.0, 1.0)];
        let mut share = 1.0;
        for pair in known.windows(2) {
            let ((from, low), (to, high)) = (pair[0], pair[1]);
            if probability <= to {
                share = low + (high - low) * ((probability - from) / (to - from)).max(0.0);
                break;
            }
        }
        share
    }
}

/// The class of evidence by which a posterior is calibrated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EvidenceClass {
    /// An address that says something.
    pub address: bool,
    /// A time zone that says something. Languages alone tell so little that round trips are believed as they stand.
    pub locale: bool,
    /// How many edges at different places.
    pub edges: usize,
    /// A machine in a data centre, by its address.
    pub hosting: bool,
}

impl EvidenceClass {
    /// Its name in the parameters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match (self.address, self.locale, self.edges, self.hosting) {
            (true, _, _, true) => "hidden",
            (true, false, 0, _) => "address",
            (true, true, 0, _) => "address-locale",
            (false, true, 0, _) => "locale",
            (false, false, 0, _) => "languages",
            (false, false, 1..=2, false) => "consumer-1",
            (false, false, 3..=4, false) => "consumer-3",
            (false, false, _, false) => "consumer-6",
            (false, false, 1..=2, true) => "hosting-1",
            (false, false, 3..=4, true) => "hosting-3",
            (false, false, _, true) => "hosting-6",
            (false, true, 1..=2, _) => "locale-1",
            (false, true, 3..=4, _) => "locale-3",
            (false, true, _, _) => "locale-6",
            (_, _, 1..=2, _) => "all-1",
            (_, _, 3..=4, _) => "all-3",
            (_, _, _, _) => "all-6",
        }
    }
}

/// The classes of whole sessions.
pub(super) const SESSIONS: [&str; 11] = [
    "address",
    "address-locale",
    "languages",
    "locale",
    "locale-1",
    "locale-3",
    "locale-6",
    "all-1",
    "all-3",
    "all-6",
    "hidden",
];
/// The classes of round trips alone, or with languages.
const ROUND_TRIPS: [&str; 6] = ["consumer-1", "consumer-3", "consumer-6", "hosting-1", "hosting-3", "hosting-6"];
impl Parameters {
    /// The calibration of this class of evidence; none changes nothing.
    #[must_use]
    pub fn calibration(&self, class: EvidenceClass) -> Calibration {
        self.calibration.get(class.name()).copied().unwrap_or_default()
    }

    /// Takes over a calibration by class, as TOML; classes that it does not name stay as they are.
    ///
    /// # Errors
    ///
    /// When the text is no such TOML, there is no such class, or a value is impossible.
    pub fn calibrate(&mut self, text: &str) -> Result<(), ParameterError> {
        let own: BTreeMap<String, Calibration> =
            toml::from_str(text).map_err(|error| ParameterError::Syntax(error.message().into()))?;
        let is_class = |class: &str| SESSIONS.contains(&class) || ROUND_TRIPS.contains(&class);
        if let Some(class) = own.keys().find(|class| !is_class(class)) {
            let [sessions, round_trips] = [SESSIONS.join(", "), ROUND_TRIPS.join(", ")];
            let why = format!("`{class}` is no class of evidence: they are {sessions}, {round_trips}");
            return Err(ParameterError::Syntax(why));
        }
        own.values().try_for_each(Calibration::check)?;
        self.calibration.extend(own);
        Ok(())
    }
}

/// ln odds of a probability, kept finite.
pub(super) fn odds(probability: f64) -> f64 {
    let probability = probability.clamp(1e-6, 1.0 - 1e-6);
    (probability / (1.0 - probability)).ln()
}

/// The probability of ln odds.
pub(super) fn probability(odds: f64) -> f64 {
    1.0 / (1.0 + (-odds).exp())
}

pub(super) fn is_within(value: f64, [low, high]: [f64; 2]) -> bool {
    (low..=high).contains(&value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_that_is_none_is_refused_and_every_class_of_the_parameters_is_one() {
        let mut own = (*Parameters::embedded()).clone();
        let all = toml::to_string(&own.calibration).unwrap();
        own.calibrate(&all).unwrap();
        let refused = own.calibrate(&all.replace("all-1", "al-1")).unwrap_err().to_string();
        assert!(refused.contains("`al-1` is no class of evidence: they are address, "), "{refused}");
    }

    #[test]
    fn a_region_is_the_larger_the_surer_its_country_where_the_calibration_leans() {
        let leaning = Calibration { lean: 0.1, shares: [0.3, 0.7, 0.8], ..Calibration::default() };
        assert!((leaning.share(0.9, 0.5) - 0.7).abs() < 1e-9 && (leaning.share(0.9, 1.0) - 0.8).abs() < 1e-9);
        assert!((leaning.share(0.5, 0.0) - 0.2).abs() < 1e-9 && leaning.share(1.0, 1.0) <= 1.0);
    }
}
