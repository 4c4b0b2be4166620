//! What the engine concludes. Rich and internal: it must never be serialised, and only the service's one
//! projection may show any of it to a partner.

use octet::{Alarm, CountryCode, LatLon, Vertex};

use crate::model::EvidenceClass;

/// The conclusion about one session.
///
/// It deliberately does not implement `Serialize`: what a verdict was derived from never leaves the service.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// The most probable country; `None` when there was not enough evidence.
    pub country: Option<CountryCode>,
    /// Calibrated probability, 0 to 1, that `country` is right.
    pub confidence: f64,
    /// How strongly the evidence contradicts itself; independent of `confidence`.
    pub alarm: Alarm,
    /// Why the alarm stands where it does, strongest first. Internal.
    pub reasons: Vec<Reason>,
    /// The estimated place, coarse by construction.
    pub location: Option<LatLon>,
    /// Radius around `location` that holds the true place with 90 % probability; never below 20.
    pub radius_km: Option<f64>,
    /// Outline of the region's principal part: 3 to 64 ordered vertices of a simple polygon, not closed by repetition,
    /// longitudes unwrapped.
    pub region: Option<Vec<Vertex>>,
    /// Posterior probability of each country, most probable first; sums to at most 1.
    pub country_masses: Vec<(CountryCode, f64)>,
    /// The class of evidence that `confidence` was calibrated by.
    pub class: EvidenceClass,
}

impl Default for Assessment {
    /// Nothing known, nothing wrong.
    fn default() -> Self {
        Self {
            country: None,
            confidence: 0.0,
            alarm: Alarm::None,
            reasons: Vec::new(),
            location: None,
            radius_km: None,
            region: None,
            country_masses: Vec::new(),
            class: EvidenceClass::default(),
        }
    }
}

/// Why an alarm was raised. Internal: for the operator, never for a partner, a page or a visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A round trip was faster than light allows from where the other evidence places the browser.
    FasterThanLight,
    /// No place on Earth is within reach of all edges: an edge's position lies, or an intermediary answers.
    NoPlaceInReach,
    /// The address's country is outside of what the round trips allow.
    AddressOutOfReach,
    /// The browser's round trip is far above that of its TCP connection: a relay stands between.
    RelayedConnection,
    /// The round trips carry a large offset in common: a far tunnel or a very slow last mile.
    LargeOffset,
    /// The address belongs to a hosting provider.
    HostingAddress,
    /// The address belongs to a VPN.
    VpnAddress,
    /// The address is a Tor exit.
    TorAddress,
    /// The time zone contradicts the address or the round trips.
    ZoneContradiction,
    /// The zone's name and the offsets that the browser reports do not belong together.
    ForgedZone,
    /// The languages contradict the rest.
    LanguageContradiction,
    /// The languages of the script and of the header differ.
    LanguagesDiffer,
    /// The edges saw different networks.
    EdgesDisagree,
    /// The backend and the edge saw different networks in different countries.
    VisitorNetworkMismatch,
    /// The page and the bundle came from different networks.
    PageNetworkMismatch,
    /// The bundle was seen before.
    Replayed,
    /// A second bundle came for the same reference.
    SecondBundle,
    /// The browser bears traces of automation.
    Automation,
    /// Facts that were expected are missing.
    Omission,
}

impl Reason {
    /// Whether sources of one session contradict one another: somebody made one of them up.
    #[must_use]
    pub const fn contradicts(self) -> bool {
        matches!(
            self,
            Self::FasterThanLight
                | Self::NoPlaceInReach
                | Self::AddressOutOfReach
                | Self::RelayedConnection
                | Self::ZoneContradiction
                | Self::ForgedZone
        )
    }
}
