//! What was seen of one session, each source optional. It holds facts and where they came from, and must never
//! know what any of them means: that is the business of the rooms that read it.

use std::net::IpAddr;

use octet::LatLon;

/// Everything that one assessment may use. An empty `Evidence` is valid, and assesses to "unknown".
///
/// ```
/// use octet_engine::{Evidence, LocaleEvidence};
/// let evidence = Evidence {
///     address: Some("192.0.2.7".parse()?),
///     locale: LocaleEvidence { time_zone: Some("Europe/Berlin".into()), ..LocaleEvidence::default() },
///     ..Evidence::default()
/// };
/// assert!(evidence.edges.is_empty());
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    /// The browser's address as the edge saw it.
    pub address: Option<IpAddr>,
    /// The browser's address as the partner's backend saw it.
    pub visitor_address: Option<IpAddr>,
    /// One entry for each edge that timed this browser; at most [`MAX_EDGES`] are read.
    pub edges: Vec<EdgeEvidence>,
    /// What the browser says about its place and its person's language.
    pub locale: LocaleEvidence,
    /// Facts that were expected of this session and did not come.
    pub omissions: Omissions,
    /// What the service noticed about how the evidence arrived.
    pub anomalies: Anomalies,
}

/// How many edges of one session are read; any more are ignored.
pub const MAX_EDGES: usize = 32;

/// How many round trips of one edge are read; any more are ignored.
pub const MAX_ROUND_TRIPS: usize = 64;

/// What one edge measured of this browser.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EdgeEvidence {
    /// Where the edge is; without it its round trips bound nothing.
    pub position: Option<LatLon>,
    /// The browser's address as this edge saw it, where it reported on its own.
    pub address: Option<IpAddr>,
    /// Round trips of the latency channel on the edge's own clock, in milliseconds, in any order.
    pub round_trips_ms: Vec<f64>,
    /// The kernel's view of the connection that carried the channel.
    pub tcp: Option<TcpRoundTrip>,
    /// The connection that was measured is a proxy's in front of the edge, not the browser's: `tcp` says
    /// nothing about the browser then.
    pub proxied: bool,
    /// The page was hidden while it answered: its rounds carry a timer's delay.
    pub hidden: bool,
}

/// Round-trip estimates of a TCP connection, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TcpRoundTrip {
    /// The smallest round trip seen.
    pub min_ms: f64,
    /// The smoothed round trip (RFC 6298).
    pub smoothed_ms: f64,
    /// The mean deviation of the round trip (RFC 6298).
    pub variance_ms: f64,
}

/// What the browser says about its place and its person's language.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LocaleEvidence {
    /// The zone's name, from `Intl` (`Europe/Berlin`); any alias that a browser reports.
    pub time_zone: Option<String>,
    /// Minutes east of UTC at the time of the visit.
    pub offset_now_min: Option<i32>,
    /// Minutes east of UTC on 1 January of the visit's year.
    pub offset_january_min: Option<i32>,
    /// Minutes east of UTC on 1 July of the visit's year.
    pub offset_july_min: Option<i32>,
    /// Languages as BCP 47 tags, most preferred first.
    pub languages: Vec<String>,
    /// The `Intl` locale, as a BCP 47 tag.
    pub locale: Option<String>,
    /// The languages of the `Accept-Language` header in order, where the edge saw it.
    pub header_languages: Vec<String>,
}

/// Facts that were expected of this session, by its profile, and did not come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Omissions {
    /// No address of the browser.
    pub address: bool,
    /// No time zone or offset.
    pub time_zone: bool,
    /// No languages.
    pub languages: bool,
    /// The latency channel never answered, though it was to be measured.
    pub round_trips: bool,
    /// How many other expected facts are missing.
    pub others: u16,
}

impl Omissions {
    /// Whether anything expected is missing.
    #[must_use]
    pub const fn any(&self) -> bool {
        self.address || self.time_zone || self.languages || self.round_trips || self.others > 0
    }
}

/// What the service noticed about how the evidence arrived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Anomalies {
    /// The same collector's bytes were seen under another reference.
    pub replayed: bool,
    /// A second, different bundle came for this reference from the same network.
    pub second_bundle: bool,
    /// No bundle came from the network that the partner's backend named.
    pub visitor_network_mismatch: bool,
    /// The bundle did not come from where the page was sent.
    pub page_network_mismatch: bool,
    /// The browser bears traces of automation.
    pub automation: bool,
}
