//! What platforms say of apps and keys: statements that a real iPhone made, and for every acceptance and every
//! refusal statements made here, with roots and keys of our own.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod app_attest;
mod play_integrity;
