//! What a backend gets to know about a session: the verdict, and that there is none yet. Holds the rules of
//! each field; how a verdict comes about is not known here.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{CountryCode, LatLon, SessionRef};

/// Where the device is on which a session's browser runs, how sure that is, and whether something is wrong.
///
/// ```
/// use octet::{Alarm, Verdict};
/// let verdict: Verdict = serde_json::from_str(r#"{ "country": "DE", "confidence": 0.91, "alarm": "none" }"#)?;
/// assert!(verdict.country_in(["DE", "FR"]) && verdict.confidence >= 0.8 && verdict.alarm < Alarm::Medium);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// The country of the device; absent when there was not enough signal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
    /// How probable it is that `country` is right. Calibrated: of verdicts at 0.9, nine in ten are right.
    pub confidence: Confidence,
    /// Whether the session contradicts itself; a separate axis from `confidence`.
    pub alarm: Alarm,
    /// The best single place, coarse by construction; absent when none could be estimated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_location: Option<LatLon>,
    /// The radius around `estimated_location` that holds the true place with 90 % probability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence_radius_km: Option<RadiusKm>,
    /// The outline of the region where the device can be, when one was computed; otherwise use the circle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feasible_region: Option<FeasibleRegion>,
}

impl Verdict {
    /// Whether the country is known and among `countries` (ISO 3166-1 alpha-2).
    pub fn country_in<I>(&self, countries: I) -> bool
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.country.is_some_and(|country| countries.into_iter().any(|other| country == *other.as_ref()))
    }
}

/// The answer while collection is in flight, or never happened.
///
/// On the wire: `{ "status": "pending", "ref": "…" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    status: PendingStatus,
    /// The session that was asked about.
    #[serde(rename = "ref")]
    pub session: SessionRef,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum PendingStatus {
    #[serde(rename = "pending")]
    Pending,
}

impl Pending {
    /// The answer that `session` has no verdict yet.
    #[must_use]
    pub fn new(session: SessionRef) -> Self {
        Self { status: PendingStatus::Pending, session }
    }
}

/// How loudly a session contradicts itself.
///
/// Ordered by severity. A value that this release does not know reads as [`Alarm::Unknown`], which is the most
/// severe, so that a policy written as `alarm >= Alarm::Medium` stays safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Alarm {
    /// Nothing contradicts.
    None,
    /// Something is odd or missing.
    Low,
    /// A contradiction that honest visitors rarely show.
    Medium,
    /// Contradictions that an honest visitor hardly can show.
    High,
    /// A level that this release does not know; treated as the most severe.
    #[serde(other)]
    Unknown,
}

/// A probability from 0 to 1, on the wire a number. Compares with `f64` directly.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
pub struct Confidence(f64);

/// The number is no probability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a confidence is a number from 0 to 1")]
pub struct InvalidConfidence;

impl Confidence {
    /// No confidence at all.
    pub const ZERO: Self = Self(0.0);

    /// The probability `value`.
    ///
    /// # Errors
    ///
    /// When `value` is not within 0 to 1.
    pub fn new(value: f64) -> Result<Self, InvalidConfidence> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(InvalidConfidence) }
    }

    /// The number, 0 to 1.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl PartialEq<f64> for Confidence {
    fn eq(&self, other: &f64) -> bool {
        self.0 == *other
    }
}

impl PartialOrd<f64> for Confidence {
    fn partial_cmp(&self, other: &f64) -> Option<std::cmp::Ordering> {
        self.0.partial_cmp(other)
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Confidence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(f64::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// A radius in whole kilometres, from 20 to half of Earth's circumference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RadiusKm(u16);

/// The number is no radius of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a radius is from 20 to 20038 km")]
pub struct InvalidRadius;

impl RadiusKm {
    /// The smallest radius that a verdict gives.
    pub const MIN: Self = Self(20);
    /// The largest: the antipode is this far away.
    pub const MAX: Self = Self(20_038);

    /// The radius of `km`, rounded up to whole kilometres.
    ///
    /// # Errors
    ///
    /// When it is below 20 km, above 20,038 km, or no number.
    pub fn new(km: f64) -> Result<Self, InvalidRadius> {
        let whole = km.ceil();
        if km >= f64::from(Self::MIN.0) && whole <= f64::from(Self::MAX.0) {
            // In range, checked above.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            Ok(Self(whole as u16))
        } else {
            Err(InvalidRadius)
        }
    }

    /// The radius of `km`, brought into the range that a verdict may give; no number counts as the largest.
    #[must_use]
    pub fn clamped(km: f64) -> Self {
        let largest = f64::from(Self::MAX.0);
        let km = if km.is_nan() { largest } else { km.clamp(f64::from(Self::MIN.0), largest) };
        Self::new(km).unwrap_or(Self::MAX)
    }

    /// The radius in kilometres.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for RadiusKm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for RadiusKm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.0)
    }
}

impl<'de> Deserialize<'de> for RadiusKm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(f64::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// The outline of the region where the device can be: at least three vertices in order, the last joined to the
/// first, on the wire an array of `{lat, lon}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vertex>")]
pub struct FeasibleRegion(Vec<Vertex>);

/// A vertex of an outline in degrees. Longitudes are unwrapped: an outline across the antimeridian goes on
/// beyond ±180 instead of jumping, so that it is a plain polygon on a flat map.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawVertex")]
pub struct Vertex {
    lat: f64,
    lon: f64,
}

/// The vertices are no outline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a region is 3 to 64 vertices, each a latitude from -90 to 90 and a longitude from -540 to 540")]
pub struct InvalidRegion;

#[derive(Deserialize)]
struct RawVertex {
    lat: f64,
    lon: f64,
}

impl FeasibleRegion {
    /// The most vertices of an outline.
    pub const MAX_VERTICES: usize = 64;

    /// The outline through `vertices`, which are in order and not closed by a repeated first one.
    ///
    /// # Errors
    ///
    /// With fewer than three vertices or more than [`Self::MAX_VERTICES`].
    pub fn new(vertices: Vec<Vertex>) -> Result<Self, InvalidRegion> {
        if (3..=Self::MAX_VERTICES).contains(&vertices.len()) { Ok(Self(vertices)) } else { Err(InvalidRegion) }
    }

    /// The vertices in order.
    #[must_use]
    pub fn vertices(&self) -> &[Vertex] {
        &self.0
    }
}

impl TryFrom<Vec<Vertex>> for FeasibleRegion {
    type Error = InvalidRegion;

    fn try_from(vertices: Vec<Vertex>) -> Result<Self, Self::Error> {
        Self::new(vertices)
    }
}

impl Vertex {
    /// The vertex at these degrees; the longitude may go one turn beyond ±180.
    ///
    /// # Errors
    ///
    /// When a coordinate is not finite or out of range.
    pub fn new(lat: f64, lon: f64) -> Result<Self, InvalidRegion> {
        if (-90.0..=90.0).contains(&lat) && (-540.0..=540.0).contains(&lon) {
            Ok(Self { lat, lon })
        } else {
            Err(InvalidRegion)
        }
    }

    /// Latitude in degrees, north positive.
    #[must_use]
    pub const fn lat(self) -> f64 {
        self.lat
    }

    /// Longitude in degrees, east positive, unwrapped.
    #[must_use]
    pub const fn lon(self) -> f64 {
        self.lon
    }
}

impl TryFrom<RawVertex> for Vertex {
    type Error = InvalidRegion;

    fn try_from(raw: RawVertex) -> Result<Self, Self::Error> {
        Self::new(raw.lat, raw.lon)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_alarm_from_a_later_release_is_the_most_severe() {
        let alarm: Alarm = serde_json::from_str("\"catastrophic\"").unwrap();
        assert!(alarm > Alarm::High);
    }

    #[test]
    fn a_verdict_reads_fields_that_it_does_not_know() {
        let verdict: Verdict = serde_json::from_str(r#"{"confidence":0.2,"alarm":"low","later":{"a":[1]}}"#).unwrap();
        assert_eq!(verdict.country, None);
    }

    #[test]
    fn values_that_the_contract_forbids_are_not_read() {
        for bad in [
            r#"{"confidence":1.2,"alarm":"none"}"#,
            r#"{"confidence":0.5}"#,
            r#"{"confidence":0.5,"alarm":"none","country":"Germany"}"#,
            r#"{"confidence":0.5,"alarm":"none","confidenceRadiusKm":5}"#,
            r#"{"confidence":0.5,"alarm":"none","feasibleRegion":[{"lat":1,"lon":1}]}"#,
            r#"{"confidence":0.5,"alarm":"none","estimatedLocation":{"lat":100,"lon":1}}"#,
        ] {
            assert!(serde_json::from_str::<Verdict>(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_number_clamps_to_a_radius_of_the_contract(km in proptest::num::f64::ANY) {
            let radius = RadiusKm::clamped(km);
            prop_assert!(radius >= RadiusKm::MIN && radius <= RadiusKm::MAX);
        }
    }
}
