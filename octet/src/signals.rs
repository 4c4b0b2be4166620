//! What a collector posts to the edge. Facts and timings as the browser gave them; no judgement.

use serde::{Deserialize, Serialize};

use crate::fact::{AtMost, Text};
use crate::facts::Facts;
use crate::observations::MAX_SIBLINGS;
use crate::{Profile, SessionRef};

/// The body of `POST /v1/signals` from the browser: one bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CollectorSignals {
    /// The version of this shape; 1 today.
    pub schema: u32,
    /// The bundle's own random name, 1 to 128 of `[A-Za-z0-9_-]`: a retry carries the same one.
    pub id: SessionRef,
    /// The session that the page was given.
    pub session_ref: SessionRef,
    /// The collector's version.
    pub collector: Text,
    /// What read the facts.
    pub runtime: Runtime,
    /// The profile that the page asked for.
    pub profile: Profile,
    /// Whether the page asked for no active network measurement.
    #[serde(default)]
    pub passive_only: bool,
    /// The browser's clock when collection began, in milliseconds since 1970.
    #[serde(default)]
    pub started_at_ms: u64,
    /// How long collection took, in milliseconds.
    #[serde(default)]
    pub duration_ms: u32,
    /// The page's life while it was read.
    #[serde(default)]
    pub page: PageLife,
    /// The browser's view of the latency channel.
    #[serde(default)]
    pub channel: ChannelReport,
    /// The browser's view of the sibling edges' channels; empty where no sibling was contacted.
    #[serde(default)]
    pub siblings: AtMost<ChannelReport, MAX_SIBLINGS>,
    /// The facts of the page itself.
    #[serde(default)]
    pub facts: Facts,
    /// The core facts as a worker reads them.
    #[serde(default, skip_serializing_if = "Part::is_missing")]
    pub worker: Context,
    /// The core facts as an empty frame of the same origin reads them.
    #[serde(default, skip_serializing_if = "Part::is_missing")]
    pub frame: Context,
    /// How the browser's requests for the collector's own files went.
    #[serde(default)]
    pub resources: AtMost<ResourceTiming, 8>,
}

/// What read the facts in the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Runtime {
    /// The WebAssembly module.
    Wasm,
    /// Plain script, where a policy forbids WebAssembly.
    Script,
    /// One that this release does not know.
    #[serde(other)]
    Unknown,
}

/// The page's life while it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageLife {
    /// The tab was hidden at some time during collection.
    #[serde(default)]
    pub hidden: bool,
    /// The page was rendered before it was shown, and collection waited for that.
    #[serde(default)]
    pub prerendered: bool,
    /// The visitor left before collection ended.
    #[serde(default)]
    pub left_early: bool,
}

/// The browser's view of the latency channel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChannelReport {
    /// How the channel ended.
    #[serde(default)]
    pub state: ChannelState,
    /// The edge's ticket, which the channel's first message carried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Text>,
    /// Each round as the browser saw it.
    #[serde(default)]
    pub rounds: AtMost<BrowserRound, 16>,
}

/// How the latency channel ended, as the browser saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ChannelState {
    /// The edge said that it was done.
    Complete,
    /// It was cut short: the page was left, or the time was over.
    Partial,
    /// It could not be opened.
    Failed,
    /// It was not asked for (`passiveOnly`), or the bundle does not say.
    #[default]
    Skipped,
    /// A state that this release does not know.
    #[serde(other)]
    Unknown,
}

/// One round of the latency channel on the browser's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BrowserRound {
    /// Which round, counted from 0 by the edge.
    pub round: u8,
    /// Microseconds from the echo to the edge's acknowledgement; absent when none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_us: Option<u32>,
    /// The tab was hidden when the nonce came.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hidden: bool,
}

// serde's skip_serializing_if hands over a reference.
#[expect(clippy::trivially_copy_pass_by_ref)]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// The core facts as another context of the same page reads them.
pub type Context = Part<Box<Facts>>;

/// A part of a bundle that is read as a whole, or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Part<T> {
    /// Not in the bundle.
    #[default]
    #[serde(skip)]
    Missing,
    /// It could not be read, in one word: `{"blocked": "why"}`.
    Blocked {
        /// Why.
        blocked: Text,
    },
    /// What was read.
    Read(T),
}

impl<T> Part<T> {
    /// What was read.
    pub const fn read(&self) -> Option<&T> {
        match self {
            Self::Read(part) => Some(part),
            Self::Missing | Self::Blocked { .. } => None,
        }
    }

    /// Whether the bundle says nothing about it.
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }
}

/// One request of the page for a file of the collector (Resource Timing), in microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceTiming {
    /// Which file: `script`, `module`, `wasm` or `worker`.
    pub what: Text,
    /// The protocol that carried it, such as `h2`.
    #[serde(default)]
    pub protocol: Text,
    /// Name resolution.
    #[serde(default)]
    pub dns_us: u32,
    /// Connecting, TLS included.
    #[serde(default)]
    pub connect_us: u32,
    /// TLS alone.
    #[serde(default)]
    pub tls_us: u32,
    /// From the request to the first byte of the answer.
    #[serde(default)]
    pub wait_us: u32,
    /// From the first byte to the last.
    #[serde(default)]
    pub receive_us: u32,
}
