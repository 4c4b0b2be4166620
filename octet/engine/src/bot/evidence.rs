//! What was seen of a visit: the browser's own facts, and what an edge saw of its connection. Each source is
//! optional. It holds facts, and must never know what any of them means.

use octet::Profile;
use octet::assess::{Automation, Behaviour};
use octet::facts::Facts;

/// Everything that one assessment of a visit may use. An empty one is valid.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BotEvidence {
    /// What the app has collected: facts of a larger profile are not held against anyone.
    pub expected: Profile,
    /// Something that the profile expects, and every browser gives, did not come.
    pub omitted: bool,
    /// The page's facts.
    pub page: Facts,
    /// The same as a worker reads them; none where a policy forbids it.
    pub worker: Option<Facts>,
    /// The same as an empty frame reads them; none where a policy forbids it.
    pub frame: Option<Facts>,
    /// How the browser's own parts look.
    pub automation: Option<Automation>,
    /// How the visitor's devices moved.
    pub behaviour: Option<Behaviour>,
    /// What the edge saw of the connection.
    pub connection: Connection,
    /// How the evidence arrived.
    pub arrival: Arrival,
}

/// What an edge saw of a connection and of one request on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connection {
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `Accept-Language`.
    pub accept_language: Option<String>,
    /// `Sec-CH-UA`.
    pub brands: Option<String>,
    /// `Sec-CH-UA-Platform`.
    pub hint_platform: Option<String>,
    /// `Sec-CH-UA-Mobile`.
    pub hint_mobile: Option<String>,
    /// `Sec-Fetch-Site`.
    pub fetch_site: Option<String>,
    /// The names of the headers in the order in which they came, in any case; none where that was not observed.
    pub header_names: Option<Vec<String>>,
    /// The HTTP version, such as `1.1` or `2`.
    pub http_version: String,
    /// A proxy stands between: version, order, ClientHello and preface are its, not the browser's.
    pub proxied: bool,
    /// The TLS ClientHello.
    pub tls: Option<TlsHello>,
    /// What an HTTP/2 connection began with.
    pub http2: Option<Http2Preface>,
    /// The address is a hosting provider's, and none behind which people sit.
    pub hosting: bool,
}

/// What tells one family of TLS clients from another, GREASE values left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsHello {
    /// Whether there were GREASE values (RFC 8701).
    pub grease: bool,
    /// The extensions' numbers.
    pub extensions: Vec<u16>,
    /// The application protocols.
    pub protocols: Vec<String>,
}

/// What an HTTP/2 connection began with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Http2Preface {
    /// The settings in order: number and value.
    pub settings: Vec<(u16, u32)>,
    /// The first window update of the whole connection.
    pub window_update: Option<u32>,
}

/// What the service noticed about how the evidence arrived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Arrival {
    /// The same collector's bytes were seen under another reference.
    pub replayed: bool,
    /// Another, different bundle came for this reference.
    pub second_bundle: bool,
    /// The page went to another user agent than the one that reports.
    pub other_user_agent: bool,
}
