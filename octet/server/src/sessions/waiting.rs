//! Who waits for which session: woken by the arrival, never by a poll. Bounded for each partner; holds nothing
//! of a session.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::{Key, Sessions};
use crate::PartnerName;

/// The waiters of all sessions, whether or not a session is there yet.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    sessions: HashMap<Key, Waited>,
    of_partner: HashMap<PartnerName, usize>,
}

#[derive(Debug)]
struct Waited {
    notify: Arc<Notify>,
    waiters: usize,
}

impl Waiting {
    pub(super) fn enter(&mut self, key: &Key, most: usize) -> Option<Arc<Notify>> {
        let of_partner = self.of_partner.get(&key.partner).copied().unwrap_or(0);
        if of_partner >= most {
            return None;
        }
        self.of_partner.insert(key.partner.clone(), of_partner + 1);
        let waited = self.sessions.entry(key.clone()).or_insert_with(|| Waited { notify: Arc::default(), waiters: 0 });
        waited.waiters += 1;
        Some(Arc::clone(&waited.notify))
    }

    pub(super) fn leave(&mut self, key: &Key) {
        if let Some(waited) = self.sessions.get_mut(key) {
            waited.waiters -= 1;
            if waited.waiters == 0 {
                self.sessions.remove(key);
            }
        }
        if let Some(of_partner) = self.of_partner.get_mut(&key.partner) {
            *of_partner -= 1;
            if *of_partner == 0 {
                self.of_partner.remove(&key.partner);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.of_partner.values().sum()
    }

    pub(super) fn wake(&self, key: &Key) {
        if let Some(waited) = self.sessions.get(key) {
            waited.notify.notify_waiters();
        }
    }
}

/// A place among those who wait for a session; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Waiter {
    sessions: Sessions,
    key: Key,
    notify: Arc<Notify>,
}

impl Waiter {
    pub(super) fn new(sessions: Sessions, key: Key, notify: Arc<Notify>) -> Self {
        Self { sessions, key, notify }
    }

    /// The next arrival from now on; `enable` it before looking whether there is something already.
    pub(crate) fn arrival(&self) -> Notified<'_> {
        self.notify.notified()
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.sessions.leave(&self.key);
    }
}
