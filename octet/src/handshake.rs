//! What an edge saw of how a browser opened its connection: the TLS ClientHello and the HTTP/2 preface, as sent.
//! Observations, not conclusions.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fact::{AtMost, Text};

/// What a browser's TLS ClientHello offered, without the random values (GREASE, RFC 8701) that browsers mix in.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsObservation {
    /// JA4 (TLS client) of the full handshake: what a resumption adds is not counted, and GREASE is taken out of the
    /// signature algorithms too, so that one client has one value.
    pub ja4: Text,
    /// The versions that it offers, the preferred first; the one of the hello itself where it lists none.
    #[serde(default)]
    pub versions: AtMost<u16, 16>,
    /// The cipher suites in their order.
    #[serde(default)]
    pub cipher_suites: AtMost<u16, 128>,
    /// The kinds of the extensions in their order.
    #[serde(default)]
    pub extensions: AtMost<u16, 64>,
    /// The groups for key exchange in their order.
    #[serde(default)]
    pub groups: AtMost<u16, 64>,
    /// The signature algorithms in their order.
    #[serde(default)]
    pub signature_algorithms: AtMost<u16, 64>,
    /// The protocols for the connection (ALPN) in their order.
    #[serde(default)]
    pub alpn: AtMost<Text, 16>,
    /// Whether it mixed in GREASE anywhere.
    #[serde(default)]
    pub grease: bool,
    /// Whether it named a server.
    #[serde(default)]
    pub server_name: bool,
}

/// What a browser sent on an HTTP/2 connection up to its first request. Header compression is not unpacked for it.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Http2Preface {
    /// Its settings in their order.
    #[serde(default)]
    pub settings: AtMost<Http2Setting, 32>,
    /// By how much it enlarged the connection's window; absent when it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_update: Option<u32>,
    /// How many priorities it set for streams before its first request.
    #[serde(default)]
    pub priorities: u8,
    /// The flags of its first request's headers; absent when they came too late to be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers_flags: Option<u8>,
    /// The priority that its first request brought; absent when it brought none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers_priority: Option<Http2Priority>,
}

/// One setting of HTTP/2 (RFC 9113, section 6.5).
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Http2Setting {
    /// Which one.
    pub id: u16,
    /// Its value.
    pub value: u32,
}

/// A stream's priority (RFC 7540, section 5.3).
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Http2Priority {
    /// The stream that it depends on.
    pub depends_on: u32,
    /// Its share of the connection (its weight), from 1 to 256.
    pub share: u16,
    /// Whether it alone depends on that stream.
    #[serde(default)]
    pub exclusive: bool,
}

/// What a content delivery network in front of the edge says of the browser's connection, in headers that the edge was
/// told to believe. Its own measurements, not the edge's.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CdnObservation {
    /// The round-trip time between browser and network, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_us: Option<u32>,
    /// JA4 of the browser's TLS ClientHello.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ja4: Option<Text>,
}

macro_rules! silent {
    ($($type:ident),*) => {
        $(impl fmt::Debug for $type {
            /// Nothing of the visitor.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($type))
            }
        })*
    };
}

silent!(TlsObservation, Http2Preface, Http2Setting, Http2Priority, CdnObservation);
