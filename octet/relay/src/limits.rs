//! How much one network may ask of the edge: per IPv4 address and per IPv6 /64. Bounded memory by construction;
//! keeps no address.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed, StateStore};
use governor::{Quota, RateLimiter};

use crate::network;

/// How many cells share the networks of the world; a power of two. 128 KiB.
const CELLS: usize = 1 << 14;

/// How often one network (an IPv4 address, an IPv6 /64) may do a thing. A visitor whose address the edge does not know
/// is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// How often in a second, in the long run.
    pub per_second: NonZeroU32,
    /// How often at once, after a quiet time.
    pub burst: NonZeroU32,
}

impl Default for RateLimit {
    /// 10 in a second and 120 at once: an office or a carrier's NAT behind one address, and no flood.
    fn default() -> Self {
        const fn number(number: u32) -> NonZeroU32 {
            match NonZeroU32::new(number) {
                Some(number) => number,
                None => NonZeroU32::MIN,
            }
        }
        Self { per_second: number(10), burst: number(120) }
    }
}

/// A limit, counted per network in cells that networks share by a keyed hash: two networks rarely meet in one,
/// nobody can choose whom to meet, and the memory never grows.
#[derive(Debug)]
pub(crate) struct NetworkLimit<C: Clock = MonotonicClock> {
    limiter: RateLimiter<usize, Cells, C, NoOpMiddleware<C::Instant>>,
    hasher: RandomState,
}

impl NetworkLimit {
    pub(crate) fn new(limit: RateLimit) -> Self {
        Self::with_clock(limit, MonotonicClock)
    }
}

impl<C: Clock> NetworkLimit<C> {
    fn with_clock(limit: RateLimit, clock: C) -> Self {
        let quota = Quota::per_second(limit.per_second).allow_burst(limit.burst);
        Self { limiter: RateLimiter::new(quota, Cells::default(), clock), hasher: RandomState::new() }
    }

    /// Counts one use by the network of `ip`, or says how long to wait.
    pub(crate) fn check(&self, ip: IpAddr) -> Result<(), Duration> {
        let cell = self.hasher.hash_one(network::subscriber(ip));
        #[expect(clippy::cast_possible_truncation, reason = "the low bits choose the cell")]
        let cell = cell as usize % CELLS;
        self.limiter.check_key(&cell).map_err(|until| until.wait_time_from(self.limiter.clock().now()))
    }
}

#[derive(Debug)]
struct Cells(Box<[InMemoryState]>);

impl Default for Cells {
    fn default() -> Self {
        Self(std::iter::repeat_with(InMemoryState::default).take(CELLS).collect())
    }
}

impl StateStore for Cells {
    type Key = usize;

    fn measure_and_replace<T, F, E>(&self, cell: &usize, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        self.0[cell % CELLS].measure_and_replace(&NotKeyed::NonKey, decide)
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn limit(clock: &FakeRelativeClock) -> NetworkLimit<FakeRelativeClock> {
        let limit = RateLimit { per_second: NonZeroU32::new(1).unwrap(), burst: NonZeroU32::new(3).unwrap() };
        NetworkLimit::with_clock(limit, clock.clone())
    }

    #[test]
    fn a_network_over_its_burst_waits_and_comes_back() {
        let clock = FakeRelativeClock::default();
        let limit = limit(&clock);
        let ip = "192.0.2.1".parse().unwrap();
        for _ in 0..3 {
            assert_eq!(limit.check(ip), Ok(()));
        }
        let wait = limit.check(ip).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
        clock.advance(wait);
        assert_eq!(limit.check(ip), Ok(()));
    }

    #[test]
    fn the_addresses_of_one_64_share_a_budget_and_two_ipv4_addresses_do_not() {
        let limit = limit(&FakeRelativeClock::default());
        for host in 1..=3_u16 {
            assert_eq!(limit.check(format!("2001:db8::{host}").parse().unwrap()), Ok(()));
        }
        assert!(limit.check("2001:db8::ffff".parse().unwrap()).is_err());
        let refused = (1..=100_u8).filter(|host| limit.check(IpAddr::from([192, 0, 2, *host])).is_err()).count();
        assert!(refused <= 2, "{refused}");
    }

    #[test]
    fn a_flood_from_everywhere_grows_nothing() {
        let limit = limit(&FakeRelativeClock::default());
        for host in 0..100_000_u32 {
            let _ = limit.check(IpAddr::V4(host.into()));
        }
        assert_eq!(limit.limiter.into_state_store().0.len(), CELLS);
    }
}
