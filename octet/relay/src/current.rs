//! The edge around the request that is being handled: how an extractor finds the layer, and how the layer learns
//! that the answer carries a session reference. Costs a request that asks for nothing no allocation.

use std::cell::Cell;
use std::mem::{self, ManuallyDrop};

use crate::Relay;

thread_local! {
    /// The innermost edge whose service is being called or polled on this thread. Outside of [`Passing::enter`] it is
    /// empty, so that a thread which ends has nothing to drop here, and reaching it costs no look at whether it has.
    static CURRENT: Cell<ManuallyDrop<Passing>> = const { Cell::new(ManuallyDrop::new(Passing::NONE)) };
}

/// A request on its way through an edge to the partner's own code.
///
/// A host makes one for each request that is not the edge's own, and runs every call and poll of the partner's code
/// inside [`enter`](Self::enter): there [`Relay::current`] is this edge.
#[derive(Debug)]
pub struct Passing {
    /// `None` where no edge is around.
    relay: Option<Relay>,
    carries_reference: bool,
}

impl Passing {
    const NONE: Self = Self { relay: None, carries_reference: false };

    /// A request that passes through `relay`.
    #[must_use]
    #[inline]
    pub fn new(relay: &Relay) -> Self {
        Self { relay: Some(relay.clone()), carries_reference: false }
    }

    /// Runs `work` with this edge as the current one; afterwards the one around it is current again.
    #[inline]
    pub fn enter<T>(&mut self, work: impl FnOnce() -> T) -> T {
        struct Leave<'a>(&'a mut Passing);

        impl Drop for Leave<'_> {
            #[inline]
            fn drop(&mut self) {
                self.0.change_places();
            }
        }

        self.change_places();
        let _leave = Leave(self);
        work()
    }

    /// Makes this the current edge, and keeps here what was the current one.
    #[inline]
    fn change_places(&mut self) {
        let own = ManuallyDrop::new(mem::replace(self, Self::NONE));
        *self = ManuallyDrop::into_inner(CURRENT.replace(own));
    }

    /// Whether a session reference was given out for the answer, which then must not be stored.
    #[must_use]
    #[inline]
    pub const fn carries_reference(&self) -> bool {
        self.carries_reference
    }
}

/// The edge around the current request; `None` outside of one.
pub(crate) fn relay() -> Option<Relay> {
    with_current(|current| current.relay.clone())
}

/// Notes that the current request's answer carries a session reference.
pub(crate) fn note_reference() {
    with_current(|current| current.carries_reference = current.relay.is_some());
}

fn with_current<T>(use_current: impl FnOnce(&mut Passing) -> T) -> T {
    let mut current = Passing::NONE;
    current.change_places();
    let result = use_current(&mut current);
    current.change_places();
    result
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use bytes::Bytes;
    use http::{Request, Response};
    use http_body_util::Full;

    use super::*;

    fn edge(prefix: &str) -> Passing {
        let octet = tower::service_fn(|_: Request<Full<Bytes>>| {
            std::future::ready(Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default())))
        });
        let transport = octet_transport::Transport::over(octet);
        Passing::new(&Relay::builder().transport(transport).prefix(prefix).build().unwrap())
    }

    fn is_owned(path: &str) -> Option<bool> {
        relay().map(|relay| relay.route(path).is_some())
    }

    #[test]
    fn the_innermost_edge_is_the_current_one_and_the_outer_comes_back() {
        let (mut outer, mut inner) = (edge("/outer"), edge("/inner"));
        assert!(relay().is_none());
        outer.enter(|| {
            inner.enter(|| {
                assert_eq!(is_owned("/inner/healthz"), Some(true));
                note_reference();
            });
            assert_eq!(is_owned("/outer/healthz"), Some(true));
        });
        assert!(relay().is_none());
        assert!(inner.carries_reference() && !outer.carries_reference());
    }

    #[test]
    fn a_panic_leaves_no_edge_behind() {
        let mut passing = edge("/octet");
        let outcome = catch_unwind(AssertUnwindSafe(|| passing.enter(|| panic!("the partner's own"))));
        assert!(outcome.is_err() && relay().is_none());
        passing.enter(|| assert!(relay().is_some()));
    }
}
