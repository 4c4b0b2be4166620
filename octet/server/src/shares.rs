//! A share for each of those who use something bounded, so that none of them has all of it. Knows no resource.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many of something each may hold at a time.
#[derive(Debug)]
pub(crate) struct Shares<K> {
    held: Arc<Mutex<HashMap<K, usize>>>,
    most: usize,
}

/// One held; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Share<K: Eq + Hash> {
    held: Arc<Mutex<HashMap<K, usize>>>,
    holder: K,
}

impl<K: Eq + Hash + Clone> Shares<K> {
    /// At most `most` for each, and one at least.
    pub(crate) fn new(most: usize) -> Self {
        Self { held: Arc::default(), most: most.max(1) }
    }

    /// One for `holder`; none when it holds as many as it may.
    pub(crate) fn take(&self, holder: K) -> Option<Share<K>> {
        let mut all = lock(&self.held);
        let held = all.entry(holder.clone()).or_default();
        if *held >= self.most {
            return None;
        }
        *held += 1;
        drop(all);
        Some(Share { held: Arc::clone(&self.held), holder })
    }
}

impl<K: Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        let mut all = lock(&self.held);
        if let Some(held) = all.get_mut(&self.holder) {
            *held -= 1;
            if *held == 0 {
                all.remove(&self.holder);
            }
        }
    }
}

fn lock<K>(held: &Mutex<HashMap<K, usize>>) -> MutexGuard<'_, HashMap<K, usize>> {
    // The counts are whole at every step.
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_holds_no_more_than_its_share_and_gives_it_back() {
        let shares = Shares::new(2);
        let first = shares.take("a").unwrap();
        let _second = shares.take("a").unwrap();
        assert!(shares.take("a").is_none());
        let others = shares.take("b").unwrap();
        drop((first, others));
        assert!(shares.take("a").is_some());
        assert_eq!(lock(&shares.held).len(), 1, "who holds nothing is forgotten");
    }
}
