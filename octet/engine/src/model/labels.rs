//! What verdicts whose country is known teach: from stated odds and whether they were right to what they were worth. It
//! knows no evidence but its class.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::calibration::{Calibration, INTERCEPTS, SESSIONS, SLOPES, is_within, odds, probability};
use super::{ParameterError, Parameters};

/// One session whose country is known: what was said of it, and whether that was right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The confidence of its verdict.
    pub confidence: f64,
    /// Whether its verdict named the right country.
    pub correct: bool,
    /// Its class of evidence, where that is known; otherwise it tells of all classes together.
    #[serde(default)]
    pub class: Option<String>,
}

/// What labels taught of one class.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// The class.
    pub class: String,
    /// How many labels tell of it.
    pub count: usize,
    /// Their mean confidence.
    pub confidence: f64,
    /// How often they were right.
    pub right: f64,
    /// Whether they are enough to change anything.
    pub used: bool,
}

/// What labels taught.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Taught {
    /// The new calibration, by class; only those that change.
    pub calibration: BTreeMap<String, Calibration>,
    /// What was learned from.
    pub lessons: Vec<Lesson>,
}

/// Fewer labels than this change nothing.
const ENOUGH: usize = 100;

impl Label {
    /// # Errors
    ///
    /// When the confidence is none, or there is no such class.
    pub fn check(&self) -> Result<(), ParameterError> {
        if !(0.0..=1.0).contains(&self.confidence) {
            return Err(ParameterError::Range("confidence"));
        }
        match &self.class {
            Some(class) if !SESSIONS.contains(&class.as_str()) => Err(ParameterError::Range("class")),
            _ => Ok(()),
        }
    }
}

impl Calibration {
    /// This one, under which verdicts were made with ln odds as these say and were right or not, brought to what they were
    /// worth; `cap` is the confidence that none of them could pass.
    fn taught(&self, lessons: &[(f64, bool)], cap: f64) -> Self {
        let (slope, intercept) = self.line(lessons);
        // Verdicts at the cap are one lesson, however sure each would have been without.
        let surest = odds(self.most.map_or(cap, |most| most.min(cap)));
        Self {
            slope: (slope * self.slope).clamp(SLOPES[0], SLOPES[1]),
            intercept: (slope * self.intercept + intercept).clamp(INTERCEPTS[0], INTERCEPTS[1]),
            most: Some(probability(slope * surest + intercept)),
            ..*self
        }
    }

    /// The line of [`logistic`], or the best of those that leave this calibration within its bounds.
    fn line(&self, lessons: &[(f64, bool)]) -> (f64, f64) {
        let found = logistic(lessons);
        if is_within(found.0 * self.slope, SLOPES) && is_within(found.0 * self.intercept + found.1, INTERCEPTS) {
            return found;
        }
        // The loss is convex: when its lowest place is out of bounds, the best within is on their rim.
        let corner = |slope: f64, intercept: f64| {
            let slope = slope / self.slope;
            (slope, intercept - slope * self.intercept)
        };
        let [[gentle, steep], [low, high]] = [SLOPES, INTERCEPTS];
        let corners = [corner(gentle, low), corner(gentle, high), corner(steep, high), corner(steep, low)];
        (0..corners.len())
            .map(|at| lowest_between(lessons, corners[at], corners[(at + 1) % corners.len()]))
            .min_by(|a, b| loss(lessons, *a).total_cmp(&loss(lessons, *b)))
            .unwrap_or(found)
    }
}

impl Parameters {
    /// The calibration of whole sessions under which verdicts as these would have meant what they said. Labels without a
    /// class, and classes with too few of their own, are taken together.
    #[must_use]
    pub fn recalibrated(&self, labels: &[Label]) -> Taught {
        let mut taught = Taught::default();
        for class in SESSIONS {
            let own: Vec<&Label> = labels.iter().filter(|label| label.class.as_deref() == Some(class)).collect();
            let rest = labels.iter().filter(|label| label.class.is_none());
            let used: Vec<&Label> = if own.len() >= ENOUGH { own } else { own.into_iter().chain(rest).collect() };
            if used.is_empty() {
                continue;
            }
            let count = used.len();
            let mean = |of: &dyn Fn(&Label) -> f64| used.iter().map(|label| of(label)).sum::<f64>() / count as f64;
            taught.lessons.push(Lesson {
                class: class.to_owned(),
                count,
                confidence: mean(&|label| label.confidence),
                right: mean(&|label| f64::from(u8::from(label.correct))),
                used: count >= ENOUGH,
            });
            if count >= ENOUGH {
                let odds: Vec<(f64, bool)> = used.iter().map(|label| (odds(label.confidence), label.correct)).collect();
                let before = self.calibration.get(class).copied().unwrap_or_default();
                let caps = &self.confidence;
                let cap = if is_without_address(class) { caps.most_without_address } else { caps.most };
                taught.calibration.insert(class.to_owned(), before.taught(&odds, cap));
            }
        }
        taught
    }
}

fn is_without_address(class: &str) -> bool {
    class == "languages" || class.starts_with("locale")
}

/// How strongly slope and intercept are held to 1 and 0, in sessions.
const SHRINKAGE: f64 = 2.0;
/// Halvings of the rim of what a slope and an intercept may be.
const HALVINGS: usize = 40;

/// Slope and intercept of true ln odds over stated ones, from stated ln odds and whether they were right: logistic
/// regression by Newton's method, held to 1 and 0 (Platt, 1999).
#[must_use]
pub fn logistic(lessons: &[(f64, bool)]) -> (f64, f64) {
    let (mut slope, mut intercept) = (1.0, 0.0);
    for _ in 0..30 {
        let (gradient, [across, between, along]) = slopes_of_loss(lessons, (slope, intercept));
        let whole = across * along - between * between;
        let by = [
            (along * gradient[0] - between * gradient[1]) / whole,
            (across * gradient[1] - between * gradient[0]) / whole,
        ];
        // Shorter steps until one is good: far from the bottom a whole one may overshoot.
        let here = loss(lessons, (slope, intercept));
        let mut length = 1.0;
        while length > 1e-6 && loss(lessons, (slope - length * by[0], intercept - length * by[1])) > here {
            length /= 2.0;
        }
        (slope, intercept) = (slope - length * by[0], intercept - length * by[1]);
    }
    (slope, intercept)
}

/// What [`logistic`] makes as small as it can be.
fn loss(lessons: &[(f64, bool)], (slope, intercept): (f64, f64)) -> f64 {
    let one = |&(odds, right): &(f64, bool)| {
        let signed = if right { slope * odds + intercept } else { -(slope * odds + intercept) };
        // ln(1 + e^−x) without overflow.
        (-signed).max(0.0) + (-signed.abs()).exp().ln_1p()
    };
    let held = (slope - 1.0).powi(2) + intercept.powi(2);
    lessons.iter().map(one).sum::<f64>() + SHRINKAGE / 2.0 * held
}

/// Its first derivatives by slope and intercept, and its second ones: by the slope twice, by both, by the intercept twice.
fn slopes_of_loss(lessons: &[(f64, bool)], (slope, intercept): (f64, f64)) -> ([f64; 2], [f64; 3]) {
    let mut gradient = [SHRINKAGE * (slope - 1.0), SHRINKAGE * intercept];
    let mut curvature = [SHRINKAGE, 0.0, SHRINKAGE];
    for &(odds, right) in lessons {
        let probability = probability(slope * odds + intercept);
        let off = probability - f64::from(u8::from(right));
        let weight = probability * (1.0 - probability);
        gradient = [gradient[0] + off * odds, gradient[1] + off];
        curvature = [curvature[0] + weight * odds * odds, curvature[1] + weight * odds, curvature[2] + weight];
    }
    (gradient, curvature)
}

/// Where the loss is least between two pairs of slope and intercept: it falls, and then rises.
fn lowest_between(lessons: &[(f64, bool)], from: (f64, f64), to: (f64, f64)) -> (f64, f64) {
    let along = (to.0 - from.0, to.1 - from.1);
    let at = |share: f64| (from.0 + share * along.0, from.1 + share * along.1);
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        let (gradient, _) = slopes_of_loss(lessons, at(middle));
        if gradient[0] * along.0 + gradient[1] * along.1 < 0.0 { low = middle } else { high = middle }
    }
    at(f64::midpoint(low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Verdicts at this confidence, right so often.
    fn labels(count: usize, confidence: f64, right: f64) -> Vec<Label> {
        let correct = |at: usize| ((at + 1) as f64 * right).floor() > (at as f64 * right).floor();
        (0..count).map(|at| Label { confidence, correct: correct(at), class: None }).collect()
    }

    #[test]
    fn verdicts_that_were_too_sure_become_less_sure() {
        let parameters = Parameters::embedded();
        let sure = [labels(2000, 0.95, 0.8), labels(2000, 0.7, 0.6)].concat();
        let taught = parameters.recalibrated(&sure);
        let mut own = (*parameters).clone();
        own.calibrate(&toml::to_string(&taught.calibration).unwrap()).unwrap();
        for class in ["all-1", "address-locale"] {
            let (before, after) = (parameters.calibration.get(class), own.calibration.get(class));
            let (before, after) = (before.copied().unwrap_or_default(), after.copied().unwrap_or_default());
            let raw = (1..9999).map(|at| f64::from(at) * 1e-4);
            let raw = raw.min_by(|a, b| {
                let off = |raw: f64| (before.confidence(raw) - 0.95).abs();
                off(*a).total_cmp(&off(*b))
            });
            let after = after.confidence(raw.unwrap());
            assert!((after - 0.8).abs() < 0.03, "{class}: {after}");
        }
    }

    #[test]
    fn verdicts_at_the_cap_become_as_sure_as_they_were_right_however_sure_they_would_have_been() {
        let mut own = (*Parameters::embedded()).clone();
        own.calibrate(&toml::to_string(&own.recalibrated(&labels(2000, 0.99, 0.8)).calibration).unwrap()).unwrap();
        for class in SESSIONS.into_iter().filter(|class| !is_without_address(class)) {
            let after = |raw: f64| own.calibration[class].confidence(raw);
            assert!((after(1.0) - 0.8).abs() < 0.01 && after(0.5) < 0.8, "{class}: {}", after(1.0));
        }
        // Again, on what was taught.
        let again = own.recalibrated(&labels(2000, 0.8, 0.9)).calibration["all-1"];
        assert!((again.confidence(1.0) - 0.9).abs() < 0.01, "{}", again.confidence(1.0));
    }

    #[test]
    fn verdicts_that_were_the_worse_the_surer_they_were_all_become_about_as_sure_as_they_were_right() {
        for (sure, less, right) in [((0.95, 0.6), (0.73, 0.9), 0.75), ((0.99, 0.1), (0.6, 0.7), 0.4)] {
            let parameters = Parameters::embedded();
            let taught = parameters.recalibrated(&[labels(500, sure.0, sure.1), labels(500, less.0, less.1)].concat());
            for (class, after) in taught.calibration {
                assert!(after.check().is_ok());
                let told = [0.6, 0.9, 0.999].map(|raw| after.confidence(raw));
                assert!(told.is_sorted() && told.iter().all(|told| (told - right).abs() < 0.08), "{class}: {told:?}");
            }
        }
    }

    #[test]
    fn few_labels_change_nothing() {
        let taught = Parameters::embedded().recalibrated(&labels(40, 0.9, 0.1));
        assert!(taught.calibration.is_empty() && taught.lessons.iter().all(|lesson| !lesson.used));
    }

    #[test]
    fn verdicts_that_meant_what_they_said_stay() {
        let (slope, intercept) = logistic(
            &[labels(5000, 0.9, 0.9), labels(5000, 0.5, 0.5)]
                .concat()
                .iter()
                .map(|label| (odds(label.confidence), label.correct))
                .collect::<Vec<_>>(),
        );
        assert!((slope - 1.0).abs() < 0.01 && intercept.abs() < 0.01);
    }
}
