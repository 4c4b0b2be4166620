//! `octet-edge` in the world: behind nginx and Caddy as the examples configure them, in front of real browsers over
//! HTTPS, and what it sees of each engine.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod clients;
mod engines;
mod https;
mod proxies;
mod support;
