//! One session: which bundle decides, and what a later one still changes. Pure; it knows no clock, no lock and
//! nothing of how a verdict comes about.

use std::sync::Arc;

use octet::{Alarm, CountryCode, Verdict};

use super::Network;
use crate::digest::Digest;
use crate::predicates::Basis;

/// From how many networks bundles are kept until the backend says which is the visitor's.
const CANDIDATES: usize = 4;
/// How many different bundles of one session are told apart; any more are dropped unseen.
const BUNDLES: usize = 16;
/// How many questions about places one session answers: more would tell more of it than its verdict does.
const QUESTIONS: u32 = 32;

/// What one session has come to.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// The digests of the collector's bytes that came.
    seen: Vec<Digest>,
    /// One for each network, in the order of their first bundles; empty once the verdict was read.
    candidates: Vec<Candidate>,
    /// What the backend was told, and will be told until the session ends.
    read: Option<Read>,
    /// How many questions about places were asked.
    questions: u32,
}

/// What was read, and what its answers about places rest on.
#[derive(Debug)]
struct Read {
    verdict: Verdict,
    basis: Option<Arc<Basis>>,
}

/// What a bundle was assessed to, and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) origin: Origin,
    /// The bundle holds all that the partner's profile expects.
    pub(crate) complete: bool,
    pub(crate) verdict: Verdict,
    /// What answers about places rest on; none when the verdict has no place.
    pub(crate) basis: Option<Arc<Basis>>,
    /// A second, different bundle has raised the alarm.
    pub(crate) raised: bool,
}

/// Where a bundle or a visitor comes from: its network, and the countries in which the tables put its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Unknown when the edge did not see an address.
    pub(crate) network: Option<Network>,
    pub(crate) countries: [Option<CountryCode>; 3],
}

impl Origin {
    fn is_of_network(&self, network: Option<Network>) -> bool {
        network.is_some() && self.network == network
    }

    /// Whether both are known to be in a country, and no table has them in the same one.
    fn is_in_another_country_than(&self, other: &Self) -> bool {
        let mut ours = self.countries.iter().flatten().peekable();
        let known = ours.peek().is_some() && other.countries.iter().any(Option::is_some);
        known && !ours.any(|country| other.countries.contains(&Some(*country)))
    }
}

/// What became of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The first of all: it decides, unless the backend names another network or it is incomplete.
    Kept,
    /// The first of another network: it decides only where the backend names that network.
    Other,
    /// The same bytes came before: nothing changed.
    Repeated,
    /// A different one from a network that has one already: the alarm is raised, or was.
    Second,
    /// From one more network than are kept, or after the verdict was read: nothing changed.
    Dropped,
}

/// What a question about a place meets.
#[derive(Debug, Clone)]
pub(crate) enum Question {
    /// There is no such session.
    Unknown,
    /// Nothing was assessed yet.
    Waiting,
    /// The session has answered as many as it may.
    TooMany,
    /// The alarm, and what answers rest on.
    Known(Alarm, Option<Arc<Basis>>),
}

/// What the backend is told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Ready(Verdict),
    Pending,
    /// There are bundles, but all from another network and country than the visitor's; who is patient waits for
    /// a better one.
    Doubtful,
}

impl Session {
    /// What would become of a bundle with these bytes, when that needs no assessment.
    pub(crate) fn known(&self, digest: &Digest) -> Option<Taken> {
        if self.seen.contains(digest) {
            Some(Taken::Repeated)
        } else if self.read.is_some() || self.seen.len() == BUNDLES {
            Some(Taken::Dropped)
        } else {
            None
        }
    }

    /// Takes a bundle in.
    pub(crate) fn take(&mut self, digest: Digest, mut bundle: Candidate) -> Taken {
        if let Some(known) = self.known(&digest) {
            return known;
        }
        self.seen.push(digest);
        let same_network = |candidate: &Candidate| candidate.origin.network == bundle.origin.network;
        if let Some(index) = self.candidates.iter().position(same_network) {
            let mut kept = self.candidates.remove(index);
            let replaced = bundle.complete && !kept.complete;
            if replaced {
                // The first complete one decides; what came before it counts as the other.
                bundle.raised = kept.raised;
                kept = bundle;
            }
            if !std::mem::replace(&mut kept.raised, true) {
                kept.verdict.alarm = one_step_above(kept.verdict.alarm);
            }
            // Complete only now: after those that were complete before it.
            self.candidates.insert(if replaced { self.candidates.len() } else { index }, kept);
            Taken::Second
        } else if self.candidates.len() < CANDIDATES {
            self.candidates.push(bundle);
            if self.candidates.len() == 1 { Taken::Kept } else { Taken::Other }
        } else {
            Taken::Dropped
        }
    }

    /// What the backend is told, now and from now on. `visitor` is where the backend itself sees the visitor.
    pub(crate) fn read(&mut self, visitor: Option<&Origin>, patient: bool) -> Answer {
        if let Some(read) = &self.read {
            return Answer::Ready(read.verdict.clone());
        }
        let of_visitor =
            visitor.and_then(|visitor| self.candidates.iter().find(|one| one.origin.is_of_network(visitor.network)));
        let first = || self.candidates.iter().find(|one| one.complete).or(self.candidates.first());
        let Some(decides) = of_visitor.or_else(first) else { return Answer::Pending };
        let (mut verdict, basis) = (decides.verdict.clone(), decides.basis.clone());
        let foreign =
            of_visitor.is_none() && visitor.is_some_and(|visitor| visitor.is_in_another_country_than(&decides.origin));
        if foreign && patient {
            return Answer::Doubtful;
        }
        if foreign {
            verdict.alarm = verdict.alarm.max(Alarm::Medium);
        }
        self.candidates = Vec::new();
        self.read = Some(Read { verdict: verdict.clone(), basis });
        Answer::Ready(verdict)
    }

    /// Counts a question about a place, and says what its answer rests on. To ask settles the session, as reading does.
    pub(crate) fn question(&mut self, visitor: Option<&Origin>) -> Question {
        if self.questions == QUESTIONS {
            return Question::TooMany;
        }
        self.questions += 1;
        match (self.read(visitor, false), &self.read) {
            (Answer::Ready(verdict), Some(read)) => Question::Known(verdict.alarm, read.basis.clone()),
            _ => Question::Waiting,
        }
    }

    #[cfg(test)]
    pub(crate) fn has_candidates(&self) -> bool {
        !self.candidates.is_empty()
    }
}

/// The next louder alarm; a second bundle raises by one step.
fn one_step_above(alarm: Alarm) -> Alarm {
    match alarm {
        Alarm::None => Alarm::Low,
        Alarm::Low => Alarm::Medium,
        _ => Alarm::High,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(address: &str, country: &str) -> Origin {
        let country = country.parse().ok();
        Origin { network: Some(Network::of(address.parse().unwrap())), countries: [country, country, None] }
    }

    fn bundle(address: &str, country: &str, complete: bool) -> Candidate {
        let verdict = format!(r#"{{"country":"{country}","confidence":0.9,"alarm":"none"}}"#);
        let verdict = serde_json::from_str(&verdict).unwrap();
        Candidate { origin: origin(address, country), complete, verdict, basis: None, raised: false }
    }

    fn read(session: &mut Session, visitor: Option<&Origin>) -> (String, Alarm) {
        match session.read(visitor, false) {
            Answer::Ready(verdict) => (verdict.country.unwrap().to_string(), verdict.alarm),
            answer => panic!("{answer:?}"),
        }
    }

    #[test]
    fn the_first_bundle_decides_and_another_network_changes_nothing() {
        let mut session = Session::default();
        assert_eq!(session.take([1; 32], bundle("192.0.2.1", "DE", true)), Taken::Kept);
        assert_eq!(session.take([2; 32], bundle("198.51.100.1", "US", true)), Taken::Other);
        assert_eq!(read(&mut session, None), ("DE".into(), Alarm::None));
        assert!(!session.has_candidates());
        assert_eq!(session.take([3; 32], bundle("192.0.2.1", "FR", true)), Taken::Dropped);
        assert_eq!(read(&mut session, Some(&origin("198.51.100.1", "US"))), ("DE".into(), Alarm::None));
    }

    #[test]
    fn the_same_bytes_again_change_nothing_before_and_after_the_reading() {
        let mut session = Session::default();
        session.take([1; 32], bundle("192.0.2.1", "DE", true));
        assert_eq!(session.take([1; 32], bundle("192.0.2.1", "DE", true)), Taken::Repeated);
        assert_eq!(session.take([1; 32], bundle("198.51.100.1", "US", true)), Taken::Repeated);
        assert_eq!(read(&mut session, None).1, Alarm::None);
        assert_eq!(session.take([1; 32], bundle("192.0.2.1", "DE", true)), Taken::Repeated);
    }

    #[test]
    fn different_bundles_of_the_same_network_raise_the_alarm_once() {
        let mut session = Session::default();
        session.take([1; 32], bundle("192.0.2.1", "DE", true));
        assert_eq!(session.take([2; 32], bundle("192.0.2.9", "FR", true)), Taken::Second);
        assert_eq!(session.take([3; 32], bundle("192.0.2.9", "IT", true)), Taken::Second);
        assert_eq!(read(&mut session, None), ("DE".into(), Alarm::Low));
        assert_eq!(session.take([4; 32], bundle("192.0.2.9", "IT", true)), Taken::Dropped);
        assert_eq!(read(&mut session, None), ("DE".into(), Alarm::Low));
    }

    #[test]
    fn the_first_complete_bundle_decides_over_an_incomplete_one() {
        let mut session = Session::default();
        session.take([1; 32], bundle("192.0.2.1", "DE", false));
        session.take([2; 32], bundle("192.0.2.1", "FR", true));
        assert_eq!(read(&mut session, None), ("FR".into(), Alarm::Low));

        let mut session = Session::default();
        session.take([1; 32], bundle("192.0.2.1", "DE", false));
        session.take([2; 32], bundle("198.51.100.1", "FR", true));
        assert_eq!(read(&mut session, None), ("FR".into(), Alarm::None));
    }

    #[test]
    fn the_first_bundle_of_the_network_that_the_backend_names_decides() {
        let mut session = Session::default();
        session.take([1; 32], bundle("192.0.2.1", "DE", true));
        session.take([2; 32], bundle("198.51.100.1", "US", true));
        assert_eq!(read(&mut session, Some(&origin("198.51.100.77", "US"))), ("US".into(), Alarm::None));
        assert_eq!(read(&mut session, None), ("US".into(), Alarm::None), "once read, it stays");
    }

    #[test]
    fn of_two_networks_the_one_whose_bundle_was_complete_first_decides() {
        let mut session = Session::default();
        session.take([1; 32], bundle("192.0.2.1", "DE", false));
        session.take([2; 32], bundle("198.51.100.1", "US", true));
        assert_eq!(session.take([3; 32], bundle("192.0.2.1", "DE", true)), Taken::Second);
        assert_eq!(read(&mut session, None), ("US".into(), Alarm::None));
    }

    #[test]
    fn only_a_bundle_from_another_network_and_country_raises_the_alarm_to_medium() {
        let visitor = origin("203.0.113.1", "FR");
        let mut session = Session::default();
        session.take([1; 32], bundle("192.0.2.1", "DE", true));
        assert_eq!(session.read(Some(&visitor), true), Answer::Doubtful);
        assert_eq!(read(&mut session, Some(&visitor)), ("DE".into(), Alarm::Medium));

        let mut session = Session::default();
        session.take([1; 32], bundle("192.0.2.1", "FR", true));
        assert!(matches!(session.read(Some(&visitor), true), Answer::Ready(v) if v.alarm == Alarm::None));

        let nowhere = Origin { network: visitor.network, countries: [None; 3] };
        let mut session = Session::default();
        session.take([1; 32], bundle("192.0.2.1", "DE", true));
        assert_eq!(read(&mut session, Some(&nowhere)).1, Alarm::None);
    }

    #[test]
    fn candidates_and_digests_are_bounded() {
        let mut session = Session::default();
        for n in 0_u8..34 {
            let taken = match usize::from(n) {
                0 => Taken::Kept,
                1..CANDIDATES => Taken::Other,
                _ => Taken::Dropped,
            };
            assert_eq!(session.take([n; 32], bundle(&format!("192.0.{n}.1"), "DE", true)), taken, "{n}");
        }
        assert!(session.seen.len() <= BUNDLES);
    }
}
