//! What waits to be written: bounded, and handed over in batches. Knows no database.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use octet::{AppKey, ChallengeOutcome, SessionRef};
use tokio::sync::oneshot;

use super::{NewVisit, Overflow, Written};

/// How long the first row of a batch waits for others; a row is on disk well within a second.
const LINGER: Duration = Duration::from_millis(100);
/// A batch of this size waits for no more.
const BATCH: usize = 4096;

/// One change of the log.
#[derive(Debug)]
pub(super) enum Op {
    Visit(NewVisit),
    Outcome { app: AppKey, session: SessionRef, outcome: ChallengeOutcome },
}

/// What waits to be written.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    most: usize,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    ops: Vec<Op>,
    /// Who waits for them to be written; then the batch waits for no more rows.
    waiters: Vec<oneshot::Sender<()>>,
    closed: bool,
}

/// What the writer gets.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) ops: Vec<Op>,
    pub(super) waiters: Vec<oneshot::Sender<()>>,
    /// There will be no more.
    pub(super) last: bool,
}

impl Queue {
    pub(super) fn new(most: usize) -> Self {
        Self { state: Mutex::default(), wake: Condvar::new(), most, dropped: AtomicU64::new(0) }
    }

    pub(super) fn push(&self, op: Op, wait: bool) -> Result<Option<Written>, Overflow> {
        let mut state = self.lock();
        if state.closed || state.ops.len() >= self.most {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return Err(Overflow);
        }
        state.ops.push(op);
        let written = wait.then(|| {
            let (sender, receiver) = oneshot::channel();
            state.waiters.push(sender);
            receiver
        });
        let wake = state.ops.len() == 1 || wait || state.ops.len() == BATCH;
        drop(state);
        if wake {
            self.wake.notify_one();
        }
        Ok(written)
    }

    /// Ends when all that was pushed before is written.
    pub(super) fn barrier(&self) -> Written {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.lock();
        if !state.closed {
            state.waiters.push(sender);
        }
        drop(state);
        self.wake.notify_one();
        receiver
    }

    /// The next batch; an empty one after `idle` without anything to write.
    pub(super) fn next(&self, idle: Duration) -> Batch {
        let until = Instant::now() + idle;
        let mut state = self.lock();
        while state.ops.is_empty() && state.waiters.is_empty() && !state.closed {
            let Some(left) = until.checked_duration_since(Instant::now()) else { break };
            state = self.wait(state, left);
        }
        let until = Instant::now() + LINGER;
        while !state.ops.is_empty() && state.waiters.is_empty() && state.ops.len() < BATCH && !state.closed {
            let Some(left) = until.checked_duration_since(Instant::now()) else { break };
            state = self.wait(state, left);
        }
        Batch { ops: std::mem::take(&mut state.ops), waiters: std::mem::take(&mut state.waiters), last: state.closed }
    }

    /// Waits a while before a batch that failed is tried again; whether there is still time for that.
    pub(super) fn pause(&self, time: Duration) -> bool {
        let state = self.lock();
        !state.closed && !self.wait(state, time).closed
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_one();
    }

    pub(super) fn drop_all(&self, ops: usize) {
        self.dropped.fetch_add(u64::try_from(ops).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, time: Duration) -> MutexGuard<'a, State> {
        self.wake.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use octet::BotVerdict;

    use super::*;

    fn visit() -> Op {
        Op::Visit(NewVisit {
            app: "app_a".parse().unwrap(),
            session: "s".parse().unwrap(),
            time_ms: 0,
            click: None,
            verdict: BotVerdict::degraded(),
            invalid: false,
        })
    }

    #[test]
    fn over_its_bound_a_row_is_refused_and_counted_and_those_before_it_are_handed_over() {
        let queue = Queue::new(2);
        assert!(queue.push(visit(), false).is_ok() && queue.push(visit(), false).is_ok());
        assert_eq!(queue.push(visit(), false).unwrap_err(), Overflow);
        assert_eq!(queue.dropped(), 1);
        let mut written = queue.barrier();
        let batch = queue.next(Duration::ZERO);
        assert_eq!((batch.ops.len(), batch.waiters.len(), batch.last), (2, 1, false));
        assert!(written.try_recv().is_err(), "nothing is written yet");
        batch.waiters.into_iter().for_each(|waiter| waiter.send(()).unwrap());
        assert!(written.try_recv().is_ok());
        assert!(queue.push(visit(), false).is_ok());
    }

    #[test]
    fn a_closed_queue_hands_over_what_is_left_and_takes_no_more() {
        let queue = Queue::new(2);
        queue.push(visit(), false).unwrap();
        queue.close();
        assert_eq!(queue.push(visit(), false).unwrap_err(), Overflow);
        let batch = queue.next(Duration::from_secs(3600));
        assert!(batch.ops.len() == 1 && batch.last);
    }
}
