//! The edge around the request that is being handled: how an extractor finds the layer, and how the layer learns
//! that the answer carries a session reference. Costs a request that asks for nothing no allocation.

use std::cell::Cell;

use crate::Relay;

thread_local! {
    /// The innermost edge whose service is being called or polled on this thread.
    static CURRENT: Cell<Option<Passing>> = const { Cell::new(None) };
}

/// A request on its way through an edge to the partner's own code.
///
/// A host makes one for each request that is not the edge's own, and runs every call and poll of the partner's code
/// inside [`enter`](Self::enter): there [`Relay::current`] is this edge.
#[derive(Debug)]
pub struct Passing(Option<State>);

#[derive(Debug)]
struct State {
    relay: Relay,
    carries_reference: bool,
}

impl Passing {
    /// A request that passes through `relay`.
    #[must_use]
    pub fn new(relay: &Relay) -> Self {
        Self(Some(State { relay: relay.clone(), carries_reference: false }))
    }

    /// Runs `work` with this edge as the current one; afterwards the one around it is current again.
    #[inline]
    pub fn enter<T>(&mut self, work: impl FnOnce() -> T) -> T {
        struct Leave<'a> {
            passing: &'a mut Passing,
            around: Option<Passing>,
        }

        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                if let Ok(Some(passing)) = CURRENT.try_with(|current| current.replace(self.around.take())) {
                    *self.passing = passing;
                }
            }
        }

        let around = CURRENT.try_with(|current| current.replace(Some(Self(self.0.take())))).ok().flatten();
        let _leave = Leave { passing: self, around };
        work()
    }

    /// Whether a session reference was given out for the answer, which then must not be stored.
    #[must_use]
    pub fn carries_reference(&self) -> bool {
        self.0.as_ref().is_some_and(|state| state.carries_reference)
    }
}

/// The edge around the current request; `None` outside of one.
pub(crate) fn relay() -> Option<Relay> {
    with_current(|state| state.relay.clone())
}

/// Notes that the current request's answer carries a session reference.
pub(crate) fn note_reference() {
    with_current(|state| state.carries_reference = true);
}

fn with_current<T>(use_state: impl FnOnce(&mut State) -> T) -> Option<T> {
    CURRENT
        .try_with(|current| {
            let mut passing = current.take()?;
            let result = passing.0.as_mut().map(use_state);
            current.set(Some(passing));
            result
        })
        .ok()?
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
