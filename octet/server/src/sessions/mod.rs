//! The sessions that are held: bounded in number and time, and who waits for them. One lock, no I/O, nothing
//! that is kept longer than a session's time.
//!
//! Not a cache: a cache makes room by giving something up, and a readable verdict must never be given up. All
//! sessions live equally long, so a queue in the order of their coming is an exact and cheap expiry.

mod network;
mod session;
mod waiting;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use octet::SessionRef;

pub(crate) use network::Network;
use session::Session;
pub(crate) use session::{Answer, Candidate, Origin, Question, Taken};
pub(crate) use waiting::Waiter;
use waiting::Waiting;

use crate::clock::Clock;
use crate::digest::{Digest, sha256};
use crate::{Limits, PartnerName};

/// Which part of all sessions is kept from partners that have many.
const RESERVE: usize = 8;

/// A session's key: nobody asks for another partner's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) partner: PartnerName,
    pub(crate) session: SessionRef,
}

/// The sessions of a node. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Sessions {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Clock>,
    ttl: Duration,
    most: usize,
    waiters_per_partner: usize,
}

#[derive(Debug, Default)]
struct State {
    sessions: HashMap<Key, Session>,
    /// How many of them each partner has.
    of_partner: HashMap<PartnerName, usize>,
    /// For each partner's bundle id the session that it came with.
    bundle_ids: HashMap<Digest, SessionRef>,
    /// When each session ends, and each bundle id is forgotten; oldest first.
    ends: VecDeque<(Duration, End)>,
    waiting: Waiting,
}

#[derive(Debug)]
enum End {
    Session(Key),
    BundleId(Digest),
}

impl State {
    fn end(&mut self, key: &Key) {
        self.sessions.remove(key);
        if let Some(held) = self.of_partner.get_mut(&key.partner) {
            *held -= 1;
            if *held == 0 {
                self.of_partner.remove(&key.partner);
            }
        }
    }
}

/// What to do with a bundle that comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Assess it; `replayed` when its id came with another session of the same partner.
    Assess { replayed: bool },
    /// It changes nothing.
    Known(Taken),
}

/// As many sessions are held as may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl Sessions {
    pub(crate) fn new(limits: &Limits, clock: Arc<dyn Clock>) -> Self {
        Self {
            state: Arc::default(),
            clock,
            ttl: limits.verdict_ttl,
            most: limits.sessions,
            waiters_per_partner: limits.waiters_per_partner,
        }
    }

    /// Makes room for the session of a bundle, and says whether the bundle needs an assessment.
    pub(crate) fn admit(&self, key: &Key, digest: &Digest, bundle_id: &SessionRef) -> Result<Admission, Full> {
        let mut state = self.current();
        match state.sessions.get(key) {
            Some(session) => {
                if let Some(known) = session.known(digest) {
                    return Ok(Admission::Known(known));
                }
            }
            None if !self.has_room(&state, &key.partner) => return Err(Full),
            None => {
                *state.of_partner.entry(key.partner.clone()).or_default() += 1;
                let end = self.clock.monotonic().saturating_add(self.ttl);
                state.sessions.insert(key.clone(), Session::default());
                state.ends.push_back((end, End::Session(key.clone())));
            }
        }
        Ok(Admission::Assess { replayed: self.is_replayed(&mut state, key, bundle_id) })
    }

    /// Whether the partner may have one more session: the last eighth of all is for those that have less than that.
    fn has_room(&self, state: &State, partner: &PartnerName) -> bool {
        let reserve = self.most / RESERVE;
        let held = state.of_partner.get(partner).copied().unwrap_or(0);
        let most = if held < reserve { self.most } else { self.most - reserve };
        state.sessions.len() < most
    }

    /// Whether this partner's bundle of that id came with another session; remembers it.
    fn is_replayed(&self, state: &mut State, key: &Key, bundle_id: &SessionRef) -> bool {
        // Neither part holds a zero byte.
        let id = sha256(format!("{}\0{}", key.partner, bundle_id.as_str()).as_bytes());
        if let Some(session) = state.bundle_ids.get(&id) {
            return *session != key.session;
        }
        // A session has more than one bundle seldom: over twice the sessions, ids are no longer remembered.
        if state.bundle_ids.len() < self.most.saturating_mul(2) {
            let end = self.clock.monotonic().saturating_add(self.ttl);
            state.bundle_ids.insert(id, key.session.clone());
            state.ends.push_back((end, End::BundleId(id)));
        }
        false
    }

    /// Takes an assessed bundle in and wakes those who wait for its session.
    pub(crate) fn settle(&self, key: &Key, digest: Digest, bundle: Candidate) -> Taken {
        let mut state = self.current();
        // It may have ended while the bundle was assessed; then there is nothing to settle.
        let Some(session) = state.sessions.get_mut(key) else { return Taken::Dropped };
        let taken = session.take(digest, bundle);
        state.waiting.wake(key);
        taken
    }

    /// What the backend is told; see [`Session::read`].
    pub(crate) fn read(&self, key: &Key, visitor: Option<&Origin>, patient: bool) -> Answer {
        self.current().sessions.get_mut(key).map_or(Answer::Pending, |session| session.read(visitor, patient))
    }

    /// What a question about a place meets; see [`Session::question`].
    pub(crate) fn question(&self, key: &Key, visitor: Option<&Origin>) -> Question {
        self.current().sessions.get_mut(key).map_or(Question::Unknown, |session| session.question(visitor))
    }

    /// A place among those who wait for `key`; none when the partner has as many as it may.
    pub(crate) fn wait(&self, key: &Key) -> Option<Waiter> {
        let notify = self.lock().waiting.enter(key, self.waiters_per_partner)?;
        Some(Waiter::new(self.clone(), key.clone(), notify))
    }

    fn leave(&self, key: &Key) {
        self.lock().waiting.leave(key);
    }

    /// How many sessions are held.
    pub(crate) fn len(&self) -> usize {
        self.current().sessions.len()
    }

    /// How many requests wait.
    pub(crate) fn waiters(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Forgets what has ended.
    pub(crate) fn sweep(&self) {
        drop(self.current());
    }

    /// The state without what has ended.
    fn current(&self) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        let now = self.clock.monotonic();
        while state.ends.front().is_some_and(|(end, _)| *end <= now) {
            match state.ends.pop_front() {
                Some((_, End::Session(key))) => state.end(&key),
                Some((_, End::BundleId(id))) => drop(state.bundle_ids.remove(&id)),
                None => {}
            }
        }
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held is a bug; the state is whole at every step all the same.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use octet::{Alarm, Confidence, Verdict};

    use super::*;
    use crate::clock::ManualClock;

    fn sessions(most: usize) -> (Sessions, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(jiff::Timestamp::UNIX_EPOCH));
        let limits = Limits { sessions: most, ..Limits::default() };
        (Sessions::new(&limits, Arc::clone(&clock) as Arc<dyn Clock>), clock)
    }

    fn key(partner: &str, session: &str) -> Key {
        Key { partner: partner.parse().unwrap(), session: session.parse().unwrap() }
    }

    fn id(text: &str) -> SessionRef {
        text.parse().unwrap()
    }

    fn bundle() -> Candidate {
        let verdict = Verdict {
            country: None,
            confidence: Confidence::ZERO,
            alarm: Alarm::None,
            estimated_location: None,
            confidence_radius_km: None,
            feasible_region: None,
        };
        Candidate {
            origin: Origin { network: None, countries: [None; 3] },
            complete: true,
            verdict,
            basis: None,
            raised: false,
        }
    }

    #[test]
    fn a_full_store_refuses_new_sessions_and_keeps_every_verdict_until_its_time_is_over() {
        let (sessions, clock) = sessions(2);
        for name in ["a", "b"] {
            sessions.admit(&key("shop", name), &[0; 32], &id(name)).unwrap();
            sessions.settle(&key("shop", name), [0; 32], bundle());
        }
        assert!(sessions.admit(&key("shop", "c"), &[0; 32], &id("c")).is_err());
        assert!(sessions.admit(&key("shop", "a"), &[1; 32], &id("a2")).is_ok(), "a held session is not a new one");
        assert!(matches!(sessions.read(&key("shop", "a"), None, false), Answer::Ready(_)));
        clock.advance(Duration::from_secs(299));
        assert!(sessions.admit(&key("shop", "c"), &[0; 32], &id("c")).is_err());
        assert!(matches!(sessions.read(&key("shop", "b"), None, false), Answer::Ready(_)));
        clock.advance(Duration::from_secs(1));
        assert_eq!(sessions.read(&key("shop", "b"), None, false), Answer::Pending);
        assert!(sessions.admit(&key("shop", "c"), &[0; 32], &id("c")).is_ok());
        assert_eq!(sessions.len(), 1);
        let state = sessions.lock();
        assert_eq!((state.bundle_ids.len(), state.ends.len()), (1, 2));
    }

    #[test]
    fn a_partner_with_many_sessions_leaves_room_for_others() {
        let (sessions, clock) = sessions(16);
        let admit = |partner: &str, n: usize| sessions.admit(&key(partner, &n.to_string()), &[0; 32], &id("b")).is_ok();
        assert_eq!((0..20).filter(|n| admit("large", *n)).count(), 14);
        assert_eq!((0..20).filter(|n| admit("small", *n)).count(), 2);
        assert!(!admit("other", 0));
        clock.advance(Duration::from_secs(300));
        assert!(admit("large", 0));
        assert_eq!(sessions.lock().of_partner.len(), 1);
    }

    #[test]
    fn a_bundle_id_that_comes_with_another_session_is_a_replay() {
        let (sessions, _) = sessions(10);
        let admit = |partner, session| sessions.admit(&key(partner, session), &[7; 32], &id("bundle")).unwrap();
        assert_eq!(admit("shop", "a"), Admission::Assess { replayed: false });
        assert_eq!(admit("shop", "b"), Admission::Assess { replayed: true });
        assert_eq!(admit("other", "b"), Admission::Assess { replayed: false }, "partners know nothing of each other");
    }

    #[test]
    fn places_to_wait_are_bounded_for_each_partner_and_given_back() {
        let (mut sessions, _) = sessions(10);
        sessions.waiters_per_partner = 2;
        let first = sessions.wait(&key("shop", "a")).unwrap();
        let _second = sessions.wait(&key("shop", "a")).unwrap();
        assert!(sessions.wait(&key("shop", "b")).is_none());
        assert!(sessions.wait(&key("other", "a")).is_some());
        drop(first);
        assert!(sessions.wait(&key("shop", "b")).is_some());
    }
}
