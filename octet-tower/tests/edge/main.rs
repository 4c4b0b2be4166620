//! The edge on real sockets: an axum shop with the layer around it, browsers' requests, and an Octet that takes
//! down what it is sent.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod assess;
mod assets;
mod channel;
mod outage;
mod pages;
mod pass_through;
mod signals;
mod support;
