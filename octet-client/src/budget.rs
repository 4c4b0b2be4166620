//! How often a client may ask again: at most so many times a call, and over all calls only a share of them, so
//! that a failing Octet is not drowned in retries. Knows no request.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The first pause before a retry is random between zero and this; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// No pause is longer; a longer `Retry-After` is left to the caller.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A retry costs this much of the budget.
const COST: u32 = 100;
/// The budget holds at most ten retries.
const FULL: u32 = 10 * COST;

/// The shared budget of all calls of one client.
#[derive(Debug)]
pub(crate) struct Budget {
    left: AtomicU32,
    retries: u32,
    /// What each call pays in: the share of calls, in percent, that may be retried in the long run.
    percent: u32,
}

impl Budget {
    pub(crate) fn new(retries: u32, percent: u32) -> Self {
        Self { left: AtomicU32::new(FULL), retries, percent: percent.min(100) }
    }

    /// A call begins.
    pub(crate) fn deposit(&self) {
        let add = |left: u32| Some((left + self.percent).min(FULL));
        // The closure never refuses.
        let _ = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Whether retry number `attempt`, counted from 0, may be made; pays for it.
    pub(crate) fn withdraw(&self, attempt: u32) -> bool {
        let take = |left: u32| left.checked_sub(COST);
        attempt < self.retries && self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

/// A random pause before retry number `attempt`, counted from 0 (full jitter).
pub(crate) fn pause(attempt: u32) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << attempt.min(8)).min(LONGEST_PAUSE);
    // The standard library seeds each RandomState anew: random enough to spread retries.
    let random = RandomState::new().build_hasher().finish();
    let micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(random % (micros + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn when_everything_fails_one_call_in_ten_is_retried() {
        let budget = Budget::new(2, 10);
        let mut retried = 0;
        for _ in 0..1000 {
            budget.deposit();
            retried += u32::from(budget.withdraw(0));
        }
        assert!((100..=110).contains(&retried), "{retried}");
    }

    #[test]
    fn a_call_is_retried_only_so_many_times() {
        let budget = Budget::new(2, 10);
        assert!(budget.withdraw(0) && budget.withdraw(1) && !budget.withdraw(2));
    }

    proptest! {
        #[test]
        fn a_pause_is_never_longer_than_the_longest(attempt in any::<u32>()) {
            prop_assert!(pause(attempt) <= LONGEST_PAUSE);
        }
    }
}
