//! The visits of the last minutes, in memory: one answer for each session, replays, and pages that wait for their
//! collector. Bounded in number and time; knows no database and nothing of how a score comes about.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use octet::data::Visit;
use octet::{AppKey, BotVerdict, ChallengeOutcome, SessionRef};

use super::evidence::Came;
use crate::Limits;
use crate::clock::Clock;
use crate::digest::{Digest, sha256};
use crate::sessions::{Full, Key};
use crate::visits::NewVisit;

/// How long after it was served a page counts as unread when its collector has not reported.
const UNREAD_AFTER: Duration = Duration::from_secs(30);
/// How many different messages of one session are told apart; any more change nothing.
const MESSAGES: usize = 16;
/// How many challenges one session may ask for.
const CHALLENGES: u8 = 3;

/// The visits of the last minutes.
#[derive(Debug)]
pub(super) struct BotSessions {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
    ttl: Duration,
    most: usize,
}

#[derive(Debug, Default)]
struct State {
    sessions: HashMap<Key, Assessed>,
    /// For each partner's message id the session that it came with.
    ids: HashMap<Digest, SessionRef>,
    /// Served, and not reported yet.
    pages: HashMap<Key, NewVisit>,
    /// When each of them ends; each kind lives equally long, so that these are in order.
    session_ends: VecDeque<(Duration, Key)>,
    id_ends: VecDeque<(Duration, Digest)>,
    page_ends: VecDeque<(Duration, Key)>,
}

/// What a session was assessed to.
#[derive(Debug)]
struct Assessed {
    visit: NewVisit,
    seen: Vec<Digest>,
    challenges: u8,
}

/// What to do with an assessment that comes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Assess it.
    Assess(Came),
    /// The answer stands.
    Known(BotVerdict),
}

/// What became of an assessed visit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settled {
    /// What the page is told.
    pub(super) verdict: BotVerdict,
    /// What is to be recorded.
    pub(super) record: Option<NewVisit>,
}

impl BotSessions {
    pub(super) fn new(limits: &Limits, clock: Arc<dyn Clock>) -> Self {
        Self { state: Mutex::default(), clock, ttl: limits.verdict_ttl, most: limits.sessions }
    }

    /// Says whether a message needs an assessment. The first answer stands, unless it was degraded: then another
    /// message may know more.
    pub(super) fn admit(&self, key: &Key, app: &AppKey, digest: &Digest, id: &SessionRef) -> Result<Admission, Full> {
        let mut state = self.current();
        let mut second = false;
        match state.sessions.get(key) {
            Some(known) => {
                let same = known.seen.contains(digest);
                let stands = !known.visit.verdict.is_degraded() || known.visit.app != *app;
                if same || stands || known.seen.len() == MESSAGES {
                    return Ok(Admission::Known(known.visit.verdict));
                }
                second = true;
            }
            None if state.sessions.len() >= self.most => return Err(Full),
            None => {}
        }
        Ok(Admission::Assess(Came { replayed: self.is_replayed(&mut state, key, id), second }))
    }

    /// Whether this partner's message of that id came with another session; remembers it.
    fn is_replayed(&self, state: &mut State, key: &Key, id: &SessionRef) -> bool {
        // Neither part holds a zero byte.
        let id = sha256(format!("{}\0{}", key.partner, id.as_str()).as_bytes());
        if let Some(session) = state.ids.get(&id) {
            return *session != key.session;
        }
        if state.ids.len() < self.most.saturating_mul(2) {
            state.ids.insert(id, key.session.clone());
            state.id_ends.push_back((self.end(self.ttl), id));
        }
        false
    }

    /// Takes an assessed visit in. Of two that were assessed at once, the first to come back decides.
    pub(super) fn settle(&self, key: &Key, digest: Digest, visit: NewVisit) -> Settled {
        let mut state = self.current();
        state.pages.remove(key);
        let verdict = visit.verdict;
        if let Some(known) = state.sessions.get_mut(key) {
            if known.seen.len() < MESSAGES && !known.seen.contains(&digest) {
                known.seen.push(digest);
            }
            if known.visit.app != visit.app || !known.visit.verdict.is_degraded() || verdict.is_degraded() {
                return Settled { verdict: known.visit.verdict, record: None };
            }
            known.visit = visit.clone();
            return Settled { verdict, record: Some(visit) };
        }
        if state.sessions.len() < self.most {
            let assessed = Assessed { visit: visit.clone(), seen: vec![digest], challenges: 0 };
            state.sessions.insert(key.clone(), assessed);
            let end = self.end(self.ttl);
            state.session_ends.push_back((end, key.clone()));
        }
        Settled { verdict, record: Some(visit) }
    }

    /// The verdict of a session that may have one more challenge; counts it.
    pub(super) fn escalate(&self, key: &Key, app: &AppKey) -> Option<BotVerdict> {
        let mut state = self.current();
        let known = state.sessions.get_mut(key).filter(|known| known.visit.app == *app)?;
        if known.visit.verdict.action() != octet::BotAction::Challenge || known.challenges == CHALLENGES {
            return None;
        }
        known.challenges += 1;
        Some(known.visit.verdict)
    }

    /// Notes what came of a challenge, and says what the verdict is then. Once passed, it stays so.
    pub(super) fn conclude(&self, key: &Key, before: BotVerdict, outcome: ChallengeOutcome) -> BotVerdict {
        let mut state = self.current();
        let Some(known) = state.sessions.get_mut(key) else { return before.after(outcome) };
        if known.visit.verdict.challenge() != Some(ChallengeOutcome::Passed) {
            known.visit.verdict = known.visit.verdict.after(outcome);
        }
        known.visit.verdict
    }

    /// A page was served: unless its collector reports, it is a visit of its own kind.
    pub(super) fn page_served(&self, key: Key, visit: NewVisit) {
        let mut state = self.current();
        let room = state.pages.len() < self.most;
        if room && !state.sessions.contains_key(&key) && !state.pages.contains_key(&key) {
            let end = self.end(UNREAD_AFTER);
            state.page_ends.push_back((end, key.clone()));
            state.pages.insert(key, visit);
        }
    }

    /// The page's collector has reported.
    pub(super) fn reported(&self, key: &Key) {
        self.lock().pages.remove(key);
    }

    /// The pages that count as unread from now on.
    pub(super) fn due_pages(&self) -> Vec<NewVisit> {
        let mut state = self.current();
        let now = self.clock.monotonic();
        let mut due = Vec::new();
        while state.page_ends.front().is_some_and(|(end, _)| *end <= now) {
            let ended = state.page_ends.pop_front();
            due.extend(ended.and_then(|(_, key)| state.pages.remove(&key)));
        }
        due
    }

    /// All pages that wait for their collector.
    pub(super) fn all_pages(&self) -> Vec<NewVisit> {
        let mut state = self.lock();
        state.page_ends.clear();
        std::mem::take(&mut state.pages).into_values().collect()
    }

    /// What is known of a session, with the app that it belongs to. A page that waits for its collector is under way, unless
    /// its connection alone is a bot's.
    pub(super) fn visit(&self, key: &Key) -> Option<(AppKey, Visit)> {
        let state = self.current();
        let visit = state
            .sessions
            .get(key)
            .map(|known| &known.visit)
            .or_else(|| state.pages.get(key).filter(|page| page.verdict.is_bot()))?;
        Some((visit.app.clone(), shown(visit)?))
    }

    fn end(&self, after: Duration) -> Duration {
        self.clock.monotonic().saturating_add(after)
    }

    /// The state without what has ended; pages end elsewhere.
    fn current(&self) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        let now = self.clock.monotonic();
        while state.session_ends.front().is_some_and(|(end, _)| *end <= now) {
            let ended = state.session_ends.pop_front();
            ended.and_then(|(_, key)| state.sessions.remove(&key));
        }
        while state.id_ends.front().is_some_and(|(end, _)| *end <= now) {
            let ended = state.id_ends.pop_front();
            ended.and_then(|(_, id)| state.ids.remove(&id));
        }
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whole at every step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shown(visit: &NewVisit) -> Option<Visit> {
    Some(Visit {
        cid: visit.session.clone(),
        click_token: visit.click.as_ref().and_then(|click| click.plain.clone()),
        time: jiff::Timestamp::from_millisecond(visit.time_ms).ok()?,
        verdict: visit.verdict,
        invalid: visit.invalid,
        visits: None,
    })
}

#[cfg(test)]
mod tests {
    use octet::BotAction;

    use super::*;
    use crate::clock::ManualClock;

    fn sessions(most: usize) -> (BotSessions, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(jiff::Timestamp::UNIX_EPOCH));
        let limits = Limits { sessions: most, ..Limits::default() };
        (BotSessions::new(&limits, Arc::clone(&clock) as _), clock)
    }

    fn key(session: &str) -> Key {
        Key { partner: "shop".parse().unwrap(), session: session.parse().unwrap() }
    }

    fn app() -> AppKey {
        "app_a".parse().unwrap()
    }

    fn visit(session: &str, verdict: BotVerdict) -> NewVisit {
        NewVisit { app: app(), session: session.parse().unwrap(), time_ms: 0, click: None, verdict, invalid: false }
    }

    fn came(replayed: bool, second: bool) -> Admission {
        Admission::Assess(Came { replayed, second })
    }

    #[test]
    fn a_session_has_one_answer_and_only_a_degraded_one_is_replaced() {
        let (sessions, _) = sessions(10);
        let admit = |n: u8, id: &str| sessions.admit(&key("s"), &app(), &[n; 32], &id.parse().unwrap()).unwrap();
        let bot = BotVerdict::new(95, true, BotAction::Flag);
        assert_eq!(admit(1, "a"), came(false, false));
        assert!(sessions.settle(&key("s"), [1; 32], visit("s", BotVerdict::degraded())).record.is_some());
        assert_eq!(admit(1, "a"), Admission::Known(BotVerdict::degraded()), "the same bytes");
        assert_eq!(admit(2, "b"), came(false, true));
        assert_eq!(sessions.settle(&key("s"), [2; 32], visit("s", bot)).verdict, bot);
        assert_eq!(admit(3, "c"), Admission::Known(bot), "a nicer story comes too late");
        let late = sessions.settle(&key("s"), [3; 32], visit("s", BotVerdict::new(0, true, BotAction::Flag)));
        assert_eq!((late.verdict, late.record), (bot, None));
    }

    #[test]
    fn a_message_that_comes_with_another_session_is_a_replay_and_a_full_store_takes_none() {
        let (sessions, clock) = sessions(1);
        let admit = |session: &str| sessions.admit(&key(session), &app(), &[1; 32], &"m".parse().unwrap());
        assert_eq!(admit("s").unwrap(), came(false, false));
        assert_eq!(admit("t").unwrap(), came(true, false));
        sessions.settle(&key("s"), [1; 32], visit("s", BotVerdict::degraded()));
        assert!(admit("t").is_err());
        clock.advance(Duration::from_secs(300));
        assert_eq!(admit("t").unwrap(), came(false, false));
    }

    #[test]
    fn a_page_is_unread_when_its_collector_has_not_reported_in_time() {
        let (sessions, clock) = sessions(10);
        let page = |session: &str| visit(session, BotVerdict::unread(95, true));
        for session in ["assessed", "verified", "silent"] {
            sessions.page_served(key(session), page(session));
        }
        sessions.settle(&key("assessed"), [1; 32], visit("assessed", BotVerdict::degraded()));
        sessions.reported(&key("verified"));
        assert_eq!(sessions.visit(&key("silent")).unwrap().1.verdict, BotVerdict::unread(95, true));
        sessions.page_served(key("young"), visit("young", BotVerdict::unread(40, true)));
        assert_eq!(sessions.visit(&key("young")), None, "its collector may be about to report");
        sessions.reported(&key("young"));
        assert!(sessions.due_pages().is_empty());
        clock.advance(UNREAD_AFTER);
        assert_eq!(sessions.due_pages(), [page("silent")]);
        assert!(sessions.due_pages().is_empty() && sessions.all_pages().is_empty());
    }

    #[test]
    fn only_a_visit_that_is_to_be_challenged_is_and_not_for_ever_and_what_was_passed_stays_so() {
        let (sessions, _) = sessions(10);
        let bot = BotVerdict::new(70, true, BotAction::Challenge);
        for (session, verdict) in [("bot", bot), ("person", BotVerdict::new(10, true, BotAction::Challenge))] {
            sessions.settle(&key(session), [1; 32], visit(session, verdict));
        }
        assert_eq!(sessions.escalate(&key("person"), &app()), None);
        assert_eq!(sessions.escalate(&key("bot"), &"app_other".parse().unwrap()), None);
        assert!((0..CHALLENGES).all(|_| sessions.escalate(&key("bot"), &app()) == Some(bot)));
        assert_eq!(sessions.escalate(&key("bot"), &app()), None);
        let failed = sessions.conclude(&key("bot"), bot, ChallengeOutcome::Failed);
        assert_eq!((failed.action(), failed.is_bot()), (BotAction::Challenge, true));
        let passed = sessions.conclude(&key("bot"), bot, ChallengeOutcome::Passed);
        assert_eq!((passed.action(), passed.is_bot(), passed.score()), (BotAction::RecordOnly, true, 70));
        assert_eq!(sessions.conclude(&key("bot"), bot, ChallengeOutcome::Failed), passed);
    }
}
