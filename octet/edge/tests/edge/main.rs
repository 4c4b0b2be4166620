//! The edge as a program of its own, on real sockets: in front of an app, with browsers made by hand.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod apps;
mod hostile;
mod life;
mod proxy;
mod support;
mod tls;
