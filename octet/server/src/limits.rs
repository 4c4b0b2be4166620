//! How often each partner may ask: counted by the partner's name, on the service's clock.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use octet::problem::Code;

use crate::PartnerName;
use crate::clock::Clock;
use crate::failure::Failure;

/// A limit for each partner. Partners are few and made by the operator, so that the table stays small.
#[derive(Debug)]
pub(crate) struct PartnerLimit {
    limiter: RateLimiter<PartnerName, HashMapStateStore<PartnerName>, Monotonic, NoOpMiddleware<Duration>>,
    clock: Monotonic,
}

impl PartnerLimit {
    pub(crate) fn new(per_second: u32, clock: Arc<dyn Clock>) -> Self {
        let per_second = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(per_second).allow_burst(per_second.saturating_mul(FOUR));
        let clock = Monotonic(clock);
        Self { limiter: RateLimiter::hashmap_with_clock(quota, clock.clone()), clock }
    }

    /// Counts one request.
    pub(crate) fn check(&self, partner: &PartnerName) -> Result<(), Failure> {
        self.limiter.check_key(partner).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            Failure::new(Code::RateLimited, "this partner asks more often than it may; come back later")
                .retry_after(seconds.max(1))
        })
    }
}

const FOUR: NonZeroU32 = NonZeroU32::MIN.saturating_add(3);

/// The service's clock as governor reads it.
#[derive(Debug, Clone)]
struct Monotonic(Arc<dyn Clock>);

impl governor::clock::Clock for Monotonic {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.monotonic()
    }
}
