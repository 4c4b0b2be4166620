//! The messages of an escalation: the page asks for a challenge, works on it, and answers once. Types only: what a
//! challenge is made of and how an answer is checked is the service's business.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fact::Text;
use crate::observations::EdgeObservations;
use crate::{AppKey, SessionRef};

/// The body of `POST /v1/challenge` from the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChallengeRequest {
    /// The session that was assessed.
    pub session_ref: SessionRef,
    /// The app that it was assessed for.
    pub app_key: AppKey,
}

/// A challenge: for which number from 0 to `difficulty` − 1 do the derived 32 bytes begin with `target`?
///
/// The bytes are Argon2id (version 1.3, one lane) of the number in decimal digits as the password, with `salt`,
/// `memory_kib` and `iterations`. Salt, target and proof are base64url without padding; the salt goes in as its 16
/// bytes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Challenge {
    /// Its name, for the path of its answer; good for one answer.
    pub id: ChallengeId,
    /// Always `argon2id` today.
    pub algorithm: Text,
    /// Memory, in KiB; at most 16,384.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// How many numbers there are to try.
    pub difficulty: u32,
    /// 16 bytes.
    pub salt: Text,
    /// The first 4 of the derived bytes.
    pub target: Text,
    /// Until when an answer is taken; never less than five minutes away.
    pub expires_at: Timestamp,
}

/// The name of a challenge: 1 to 128 of `A-Z a-z 0-9 _ -`. It is bound to what it was given for, and opens nothing
/// without an answer.
pub type ChallengeId = SessionRef;

/// The body of `POST /v1/challenge/{id}` from the page; the answer is the bot verdict after it.
///
/// Without a solution it says that the browser cannot do the work (`"unavailable": true`).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChallengeAnswer {
    /// The session that was assessed.
    pub session_ref: SessionRef,
    /// The app that it was assessed for.
    pub app_key: AppKey,
    /// The solution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solution: Option<Solution>,
    /// The browser cannot do the work: no worker, no WebAssembly.
    #[serde(default)]
    pub unavailable: bool,
}

/// The solution of a challenge.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Solution {
    /// The number.
    pub number: u32,
    /// All 32 derived bytes.
    pub proof: Text,
}

/// What an edge forwards of a challenge's messages: the page's, and what the edge saw.
#[derive(Debug, Serialize, Deserialize)]
pub struct ChallengeBundle<T> {
    /// The page's message.
    pub request: T,
    /// What the edge saw.
    pub observations: EdgeObservations,
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl fmt::Debug for ChallengeAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChallengeAnswer").field("unavailable", &self.unavailable).finish_non_exhaustive()
    }
}

impl fmt::Debug for Solution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Solution(…)")
    }
}
