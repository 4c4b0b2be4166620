//! What needs more than one package: the pieces from which the tests build a partner's world out of real
//! sockets and real browsers.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

pub mod browser;
pub mod forwarder;
pub mod hand_made;
#[cfg(all(feature = "lab", target_os = "linux"))]
pub mod lab;
pub mod siblings;
pub mod stack;
pub mod tls;
#[cfg(feature = "zoo")]
pub mod zoo;

/// The README's code compiles as it stands.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[derive(Debug)]
pub struct Readme;
