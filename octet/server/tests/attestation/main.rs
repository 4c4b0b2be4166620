//! What platforms say of apps and keys: statements that a real iPhone made, and for every acceptance and every
//! refusal statements made here, with roots and keys of our own; whatever bytes come at all, at any route; and what a device
//! that is vouched for answers.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod app_attest;
#[path = "../common/mod.rs"]
mod common;
mod hostile;
mod play_integrity;
mod questions;
#[path = "../predicates/schema.rs"]
mod schema;
mod sessions;
