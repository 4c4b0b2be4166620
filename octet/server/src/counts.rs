//! How often what happened, without any identifier: counters that only grow.

use std::sync::atomic::{AtomicU64, Ordering};

/// How often what happened since the service was opened; see [`Octet::counts`](crate::Octet::counts).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// The first bundles of their sessions.
    pub bundles_kept: u64,
    /// Bundles whose bytes had come before.
    pub bundles_repeated: u64,
    /// Different bundles from a network that had sent one for the same session.
    pub bundles_second: u64,
    /// Different bundles from another network than their session's first, or that came after the verdict was read:
    /// they decide nothing, unless the backend names their network.
    pub bundles_dropped: u64,
    /// Reports of sibling edges that a bundle was joined with.
    pub siblings_joined: u64,
    /// Reports of sibling edges that came too late, or over the bound: they were dropped.
    pub siblings_dropped: u64,
    /// Visits that were assessed and recorded.
    pub visits: u64,
    /// Visits whose row was dropped, since too many waited to be written.
    pub visits_dropped: u64,
    /// Requests of edges that were refused: licence, size, shape, rate.
    pub edge_refusals: u64,
    /// Bundles that found the store full.
    pub store_full: u64,
    /// Verdicts that were read.
    pub verdicts_read: u64,
    /// Verdict requests that were answered with pending.
    pub pending: u64,
    /// Questions about places that were answered.
    pub predicates: u64,
    /// Requests of backends that were refused: key, shape, rate.
    pub backend_refusals: u64,
}

macro_rules! counters {
    ($($name:ident)*) => {
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: Counter,)*
        }

        impl Counters {
            pub(crate) fn read(&self, visits_dropped: u64) -> Counts {
                Counts { $($name: self.$name.0.load(Ordering::Relaxed),)* visits_dropped }
            }
        }
    };
}

counters! {
    bundles_kept bundles_repeated bundles_second bundles_dropped
    siblings_joined siblings_dropped visits edge_refusals store_full verdicts_read pending predicates backend_refusals
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
