//! How questions about countries would be answered for the generated sessions: yes, no, neither, and how often wrongly.
//! It asks as the service does, and knows what is right.

use octet::{Alarm, CountryCode};
use octet_engine::{Assessment, CountryMasses, World};
use octet_geometry::{Disc, Gazetteer};
use serde::Serialize;

/// Countries on different continents: of those that a session is not in, one is far away.
const FAR: [&str; 4] = ["BR", "JP", "ZA", "US"];
/// An answer is sure with a score above this.
const SURE: f64 = 0.8;

/// The answers to one session's questions, or to many.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Answers {
    asked: usize,
    yes: usize,
    no: usize,
    wrong: usize,
    sure: usize,
    sure_and_wrong: usize,
}

/// Asks whether the session is in its true country, in its most probable other one, and in one far away.
pub(super) fn ask(assessment: &Assessment, truth: CountryCode, world: &World) -> Answers {
    let circle = assessment.location.zip(assessment.radius_km).map(|(center, km)| Disc::new(center, km));
    let lies = |code| Some(Gazetteer::country(world, code)?.relation_of(&circle?));
    let masses = CountryMasses::calibrated(assessment, assessment.confidence);
    let other = assessment.country_masses.iter().map(|mass| mass.0).find(|code| *code != truth);
    let far = FAR.iter().filter_map(|code| code.parse().ok()).find(|code| *code != truth && Some(*code) != other);
    let mut answers = Answers::default();
    for code in [Some(truth), other, far].into_iter().flatten() {
        answers.asked += 1;
        // An alarm of medium and more: the service answers neither.
        let held = lies(code).and_then(|circle| masses.holds(&[code], || circle));
        let Some(held) = held.filter(|_| assessment.alarm < Alarm::Medium) else { continue };
        let (wrong, sure) = (held.inside != (code == truth), held.score > SURE);
        *(if held.inside { &mut answers.yes } else { &mut answers.no }) += 1;
        answers.wrong += usize::from(wrong);
        answers.sure += usize::from(sure);
        answers.sure_and_wrong += usize::from(wrong && sure);
    }
    answers
}

impl std::iter::Sum for Answers {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            asked: sum.asked + one.asked,
            yes: sum.yes + one.yes,
            no: sum.no + one.no,
            wrong: sum.wrong + one.wrong,
            sure: sum.sure + one.sure,
            sure_and_wrong: sum.sure_and_wrong + one.sure_and_wrong,
        })
    }
}

/// The table of all scenarios.
pub(super) fn show<'a>(scenarios: impl Iterator<Item = (&'a str, Answers)>) {
    println!("\nquestions about countries: the true one, the most probable other one, one far away");
    println!(
        "{:<32} {:>6} {:>6} {:>6} {:>7} {:>6} {:>10} {:>16}",
        "scenario", "asked", "yes", "no", "neither", "wrong", "score > .8", "of these wrong"
    );
    for (scenario, answers) in scenarios {
        let share = |count: usize, of: usize| count as f64 / of.max(1) as f64;
        let neither = answers.asked - answers.yes - answers.no;
        println!(
            "{scenario:<32} {:>6} {:>6.3} {:>6.3} {:>7.3} {:>6.3} {:>10.3} {:>16.4}",
            answers.asked,
            share(answers.yes, answers.asked),
            share(answers.no, answers.asked),
            share(neither, answers.asked),
            share(answers.wrong, answers.asked),
            share(answers.sure, answers.asked),
            share(answers.sure_and_wrong, answers.sure),
        );
    }
}
