//! What the channels of the last minutes measured, by session reference, until the bundle comes. Bounded in
//! number and time; forgets the oldest first.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use octet::SessionRef;
use octet::fact::AtMost;
use octet::observations::{ChannelObservation, EdgeRound, TcpInfo, Ticket};

/// How many channels are remembered.
const CAPACITY: usize = 1 << 16;
/// How long a channel is remembered: as long as its ticket can be redeemed.
const LIFETIME: Duration = Duration::from_secs(5 * 60);

/// One channel of a session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measured {
    pub(crate) rounds: Vec<EdgeRound>,
    pub(crate) void_rounds: u8,
    pub(crate) tcp: Option<TcpInfo>,
    /// A second channel was asked for.
    pub(crate) contested: bool,
}

impl Measured {
    /// The measurement as Octet gets it.
    pub(crate) fn observation(self, ticket: Ticket) -> ChannelObservation {
        let Self { rounds, void_rounds, tcp, contested } = self;
        ChannelObservation { ticket, rounds: AtMost::first(rounds), void_rounds, tcp, contested }
    }
}

/// A channel is or was open for this session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken;

/// The channels that are remembered.
#[derive(Debug)]
pub(crate) struct ChannelMemory {
    state: Mutex<State>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct State {
    channels: HashMap<SessionRef, Measured>,
    /// Every remembered session with the time at which it opened, oldest first.
    opened: VecDeque<(Instant, SessionRef)>,
}

impl Default for ChannelMemory {
    fn default() -> Self {
        Self::with_capacity(CAPACITY)
    }
}

impl ChannelMemory {
    fn with_capacity(capacity: usize) -> Self {
        Self { state: Mutex::default(), capacity }
    }

    /// Remembers that a channel opens for `session`; the first one only.
    pub(crate) fn open(&self, session: &SessionRef, now: Instant) -> Result<(), Taken> {
        let mut state = self.at(now);
        if let Some(first) = state.channels.get_mut(session) {
            first.contested = true;
            return Err(Taken);
        }
        if state.opened.len() >= self.capacity {
            state.forget_oldest();
        }
        state.channels.insert(session.clone(), Measured::default());
        state.opened.push_back((now, session.clone()));
        Ok(())
    }

    /// Takes down what the channel of `session` has measured so far.
    pub(crate) fn record(
        &self,
        session: &SessionRef,
        now: Instant,
        rounds: Vec<EdgeRound>,
        void_rounds: u8,
        tcp: Option<TcpInfo>,
    ) {
        if let Some(measured) = self.at(now).channels.get_mut(session) {
            *measured = Measured { rounds, void_rounds, tcp: tcp.or(measured.tcp), contested: measured.contested };
        }
    }

    /// What the channel of `session` measured; `None` when there was none.
    pub(crate) fn get(&self, session: &SessionRef, now: Instant) -> Option<Measured> {
        self.at(now).channels.get(session).cloned()
    }

    fn at(&self, now: Instant) -> MutexGuard<'_, State> {
        // Nothing in here panics between two changes that belong together.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.opened.front().is_some_and(|(opened, _)| now.saturating_duration_since(*opened) >= LIFETIME) {
            state.forget_oldest();
        }
        state
    }
}

impl State {
    fn forget_oldest(&mut self) {
        if let Some((_, session)) = self.opened.pop_front() {
            self.channels.remove(&session);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(number: usize) -> SessionRef {
        format!("s{number}").parse().unwrap()
    }

    #[test]
    fn the_first_channel_of_a_session_is_kept_and_a_second_contests_it() {
        let (memory, now) = (ChannelMemory::default(), Instant::now());
        assert_eq!(memory.open(&session(1), now), Ok(()));
        assert_eq!(memory.open(&session(1), now), Err(Taken));
        memory.record(&session(1), now, vec![EdgeRound { round: 0, rtt_us: 9 }], 1, None);
        let measured = memory.get(&session(1), now).unwrap();
        assert!(measured.contested);
        assert_eq!((measured.rounds.len(), measured.void_rounds), (1, 1));
        assert!(memory.get(&session(2), now).is_none());
    }

    #[test]
    fn a_channel_is_forgotten_after_its_time_and_may_then_be_opened_again() {
        let (memory, now) = (ChannelMemory::default(), Instant::now());
        memory.open(&session(1), now).unwrap();
        assert!(memory.get(&session(1), now + LIFETIME - Duration::from_millis(1)).is_some());
        assert!(memory.get(&session(1), now + LIFETIME).is_none());
        assert_eq!(memory.open(&session(1), now + LIFETIME), Ok(()));
    }

    #[test]
    fn a_full_memory_forgets_the_oldest() {
        let (memory, now) = (ChannelMemory::with_capacity(2), Instant::now());
        for number in 0..3 {
            memory.open(&session(number), now).unwrap();
        }
        assert!(memory.get(&session(0), now).is_none());
        assert!(memory.get(&session(2), now).is_some());
        assert_eq!(memory.at(now).opened.len(), 2);
    }

    #[test]
    fn what_was_forgotten_is_not_brought_back_by_its_channel() {
        let (memory, now) = (ChannelMemory::with_capacity(1), Instant::now());
        memory.open(&session(1), now).unwrap();
        memory.open(&session(2), now).unwrap();
        memory.record(&session(1), now, Vec::new(), 3, None);
        assert!(memory.get(&session(1), now).is_none());
    }
}
