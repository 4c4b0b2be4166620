//! What an edge saw of a session, and the bundle that it forwards to Octet. Observations, not conclusions.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;

use crate::fact::{AtMost, Text};
use crate::handshake::{CdnObservation, Http2Preface, TlsObservation};
use crate::{LatLon, SessionRef};

/// How many sibling edges one session has at most.
pub const MAX_SIBLINGS: usize = 8;

/// The body of `POST /v1/signals` from an edge to Octet.
///
/// `signals` holds the collector's own bytes, untouched: their digest is the bundle's identity.
#[derive(Debug, Serialize, Deserialize)]
pub struct SignalBundle {
    /// The collector's bytes: JSON of [`CollectorSignals`](crate::signals::CollectorSignals).
    pub signals: Box<RawValue>,
    /// What the edge saw.
    pub observations: EdgeObservations,
}

/// The body of `POST /v1/observations` from a sibling edge to Octet, once its latency channel has ended: the browser
/// posts its bundle to another edge, and the ticket in there ties the two together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SiblingObservations {
    /// The session.
    pub session_ref: SessionRef,
    /// The ticket of the sibling's channel.
    pub ticket: Text,
    /// What the sibling saw.
    pub observations: EdgeObservations,
}

/// What an edge saw of the browser that posted a bundle.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EdgeObservations {
    /// The edge.
    #[serde(default)]
    pub edge: Edge,
    /// The edge's clock when the bundle came, in milliseconds since 1970.
    pub observed_at_ms: u64,
    /// Where the bundle came from; absent when the host did not tell the edge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Peer>,
    /// The HTTP version between browser (or proxy) and edge, such as `1.1` or `2`.
    pub http_version: Text,
    /// The names of the request's headers in the order in which they came; absent when the host loses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_names: Option<AtMost<Text, 64>>,
    /// The values of the headers by which a browser describes itself.
    #[serde(default)]
    pub headers: BrowserHeaders,
    /// The kernel's view of the connection; absent when the edge does not end it or the host does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<TcpInfo>,
    /// The TLS ClientHello of the connection; absent when the edge does not end the browser's TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsObservation>,
    /// How the browser opened its HTTP/2 connection; absent over HTTP/1.1, or when the host does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http2: Option<Http2Preface>,
    /// What a content delivery network in front of the edge says of the browser's connection; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cdn: Option<CdnObservation>,
    /// The latency channel.
    #[serde(default)]
    pub channel: ChannelObservation,
    /// What the edge can say of the session reference.
    #[serde(default)]
    pub session: SessionObservation,
    /// The `Origin` of the page that asks for a bot verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Text>,
}

impl fmt::Debug for EdgeObservations {
    /// Nothing of the visitor: only which edge it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EdgeObservations").field("edge", &self.edge.id).finish_non_exhaustive()
    }
}

/// The edge itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Edge {
    /// Its name.
    #[serde(default)]
    pub id: EdgeId,
    /// Where it stands, when its operator says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<LatLon>,
}

/// The name of an edge: 1 to 64 of `A-Z a-z 0-9 _ . -`; `edge` unless configured.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EdgeId(Box<str>);

/// The text names no edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an edge id is 1 to 64 characters, each one of A-Z, a-z, 0-9, _, . and -")]
pub struct InvalidEdgeId;

impl EdgeId {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for EdgeId {
    fn default() -> Self {
        Self("edge".into())
    }
}

impl FromStr for EdgeId {
    type Err = InvalidEdgeId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidEdgeId)
        }
    }
}

impl fmt::Debug for EdgeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EdgeId({})", self.0)
    }
}

impl Serialize for EdgeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EdgeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::parse(deserializer, "an edge id", |text| text.parse().map_err(de::Error::custom))
    }
}

/// Where a request came from.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Peer {
    /// The visitor's address: of the connection, or the rightmost untrusted hop of the forwarding header.
    pub ip: IpAddr,
    /// Whether a trusted proxy stands between, so that the connection is the proxy's and not the browser's.
    #[serde(default)]
    pub forwarded: bool,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("forwarded", &self.forwarded).finish_non_exhaustive()
    }
}

/// The values of the headers by which a browser describes itself, each cut at 512 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BrowserHeaders {
    /// `User-Agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<Text>,
    /// `Accept-Language`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_language: Option<Text>,
    /// `Sec-CH-UA`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sec_ch_ua: Option<Text>,
    /// `Sec-CH-UA-Platform`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sec_ch_ua_platform: Option<Text>,
    /// `Sec-CH-UA-Mobile`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sec_ch_ua_mobile: Option<Text>,
    /// `Sec-Fetch-Site`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sec_fetch_site: Option<Text>,
    /// `Sec-Fetch-Mode`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sec_fetch_mode: Option<Text>,
}

/// The kernel's view of a TCP connection (`TCP_INFO`), in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TcpInfo {
    /// Smoothed round-trip time.
    pub rtt_us: u32,
    /// Its mean deviation.
    pub rtt_var_us: u32,
    /// The smallest round-trip time of the connection's life; absent where the kernel does not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_rtt_us: Option<u32>,
}

/// What the edge measured on the latency channel of this session.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChannelObservation {
    /// Whether the bundle brought the ticket of this session's channel.
    #[serde(default)]
    pub ticket: Ticket,
    /// The rounds that count, on the edge's clock.
    #[serde(default)]
    pub rounds: AtMost<EdgeRound, 16>,
    /// How many rounds were void: a wrong, early or repeated echo.
    #[serde(default)]
    pub void_rounds: u8,
    /// `TCP_INFO` of the very connection that carried the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<TcpInfo>,
    /// Another channel for the same session was refused.
    #[serde(default)]
    pub contested: bool,
}

/// What became of a channel's ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Ticket {
    /// It came and it is right.
    Valid,
    /// It came and it is not this edge's, not this session's, from another address, or too old.
    Invalid,
    /// A channel was open for this session and its ticket did not come.
    Missing,
    /// No channel was opened for this session.
    #[default]
    NoChannel,
    /// A state that this release does not know.
    #[serde(other)]
    Unknown,
}

/// One round of the latency channel on the edge's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EdgeRound {
    /// Which round, counted from 0.
    pub round: u8,
    /// Microseconds from the nonce to its echo.
    pub rtt_us: u32,
}

/// What the edge can say of a session reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionObservation {
    /// The reference is signed by this edge's extractor, and not expired.
    #[serde(default)]
    pub signed: bool,
    /// For a signed one: the bundle came from the network (/24 or /48) to which the page went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_network: Option<bool>,
    /// For a signed one: the bundle came from the user agent to which the page went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_user_agent: Option<bool>,
}

/// The answer to a bundle that was taken: `{ "status": "accepted" }`, with 202.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "status", rename = "accepted")]
pub struct Accepted {}
