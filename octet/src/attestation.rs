//! How a device's key comes to be vouched for: the messages of `POST /v1/attest/challenge` and `POST /v1/attest`, and
//! the map of `GET /v1/borders`. What makes a statement good is not known here.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[cfg(feature = "verify")]
use crate::SessionRef;
use crate::proof::LocationProof;
use crate::region::SubdivisionCode;
use crate::{CountryCode, LatLon};

/// The answer to `POST /v1/attest/challenge`, with a mobile licence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttestationChallenge {
    /// Unpredictable bytes, base64url; good for its time and its partner, and tied by the statement to one session and key.
    pub challenge: String,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// The body of `POST /v1/attest`, with a mobile licence.
#[cfg(feature = "verify")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttestationRequest {
    /// The session that the key shall belong to.
    pub session_ref: SessionRef,
    /// The challenge, as it came.
    pub challenge: String,
    /// The device's public key: P-256.
    pub device_key: crate::proof::Point,
    /// Whether hardware holds it, as the app says; it counts only where a platform vouches for the app.
    #[serde(default)]
    pub hardware: bool,
    /// What the platform says.
    pub statement: Statement,
}

/// What a platform says of an app and its device, over [`binding_digest`]. Binary fields are base64url.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Statement {
    /// Apple's App Attest.
    AppAttest {
        /// The name of the attested key, as `generateKey` gave it.
        key_id: String,
        /// The attestation object.
        attestation: String,
    },
    /// Apple's App Attest, by a key that was attested in an earlier session of this app's.
    AppAssertion {
        /// What came with the answer to that session's attestation, or to the last assertion.
        receipt: String,
        /// The assertion object.
        assertion: String,
    },
    /// Google's Play Integrity, a classic token.
    PlayIntegrity {
        /// The token, as it came.
        token: String,
    },
    /// None: a desktop, or a test.
    None,
}

/// The answer to `POST /v1/attest`: the key is vouched for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttestationAnswer {
    /// What Octet signed of the key: goes into each proof's `attestation`.
    pub binding: LocationProof,
    /// For App Attest: to be kept by the app, whose later sessions come with an assertion and this instead of an
    /// attestation. Opaque; each answer's takes the place of the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
}

/// What a platform is asked to sign: a SHA-256 over the text `octet-attest-v1`, the challenge, the session reference
/// and the device's public key (uncompressed, 65 bytes), each with its length before it (8 bytes, big-endian).
///
/// Length-prefixed, no two sets of fields give the same bytes; so a statement for one key in one session is worth
/// nothing for another.
#[cfg(feature = "verify")]
#[must_use]
pub fn binding_digest(challenge: &[u8], session: &SessionRef, device_key: &[u8; 65]) -> [u8; 32] {
    let fields: [&[u8]; 4] = [b"octet-attest-v1", challenge, session.as_str().as_bytes(), device_key];
    let framed: Vec<u8> =
        fields.iter().flat_map(|field| [&(field.len() as u64).to_be_bytes()[..], *field].concat()).collect();
    crate::proof::sha256(&framed)
}

/// The answer to `GET /v1/borders`, a map of the countries, compact enough for a phone; to
/// `GET /v1/borders/subdivisions/{country}`, one of a country's parts; and to `GET /v1/borders/cities/{geonameId}`.
/// What there is no map of is left out.
///
/// A ring holds latitude and longitude in turns, in steps of `1/scale` degrees, each as the difference from the one
/// before; the first vertex is not repeated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BordersFile {
    /// Steps in a degree.
    pub scale: u32,
    /// How far the true borders may be from these, in kilometres.
    pub precision_km: f64,
    /// The same of domains; there where countries have any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain_precision_km: Option<f64>,
    /// The countries.
    pub countries: Vec<CountryBorders>,
    /// Parts of a country.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subdivisions: Vec<SubdivisionBorders>,
    /// Cities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cities: Vec<CityBounds>,
}

/// The borders of one country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountryBorders {
    /// Which.
    pub code: CountryCode,
    /// Outlines and holes, in any order and sense.
    pub rings: Vec<Vec<i32>>,
    /// The same of a second map, which has every exclave and islet, and the sea around them. Outside of the country is
    /// what both have outside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domain: Vec<Vec<i32>>,
}

/// The borders of a part of a country.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubdivisionBorders {
    /// Which.
    pub code: SubdivisionCode,
    /// How far the true borders may be from these, in kilometres.
    pub precision_km: f64,
    /// Outlines and holes, in any order and sense.
    pub rings: Vec<Vec<i32>>,
}

/// Where a city lies, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CityBounds {
    /// Which.
    pub geoname_id: u32,
    /// The country that it belongs to.
    pub country: CountryCode,
    /// Its centre.
    pub center: LatLon,
    /// All within so many kilometres is in it.
    pub core_km: f64,
    /// All of it is within so many kilometres.
    pub reach_km: f64,
}

impl BordersFile {
    /// An empty map with these units.
    #[must_use]
    pub const fn new(scale: u32, precision_km: f64) -> Self {
        Self {
            scale,
            precision_km,
            domain_precision_km: None,
            countries: Vec::new(),
            subdivisions: Vec::new(),
            cities: Vec::new(),
        }
    }

    /// A ring as it stands in the file.
    #[must_use]
    pub fn encode(&self, ring: &[LatLon]) -> Vec<i32> {
        #[expect(clippy::cast_possible_truncation, reason = "180 degrees in any sensible steps fit")]
        let steps = |degrees: f64| (degrees * f64::from(self.scale)).round() as i32;
        let mut before = (0, 0);
        let delta = |vertex: &LatLon| {
            let here = (steps(vertex.lat()), steps(vertex.lon()));
            let step = [here.0 - before.0, here.1 - before.1];
            before = here;
            step
        };
        ring.iter().flat_map(delta).collect()
    }

    /// The vertices of a ring of the file; `None` where it leaves the globe or breaks off.
    #[must_use]
    pub fn decode(&self, ring: &[i32]) -> Option<Vec<LatLon>> {
        let (mut lat, mut lon) = (0_i32, 0_i32);
        let (pairs, rest) = ring.as_chunks::<2>();
        let mut vertex = |&[north, east]: &[i32; 2]| {
            (lat, lon) = (lat.checked_add(north)?, lon.checked_add(east)?);
            let degrees = |steps: i32| f64::from(steps) / f64::from(self.scale);
            LatLon::new(degrees(lat), degrees(lon)).ok()
        };
        rest.is_empty().then(|| pairs.iter().map(&mut vertex).collect())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_reads_back_as_it_was_written() {
        let file = BordersFile::new(1000, 6.0);
        let places = [(52.5, 13.4), (-90.0, 180.0), (90.0, -180.0), (0.001, -0.001)];
        let ring: Vec<LatLon> = places.iter().map(|&(lat, lon)| LatLon::new(lat, lon).unwrap()).collect();
        assert_eq!(file.decode(&file.encode(&ring)), Some(ring));
        for bad in [&[1][..], &[90_001, 0], &[i32::MAX, 0, 1, 0]] {
            assert_eq!(file.decode(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_map_of_countries_alone_says_nothing_of_finer_ones() {
        let mut file = BordersFile::new(1000, 6.0);
        assert_eq!(serde_json::to_string(&file).unwrap(), r#"{"scale":1000,"precisionKm":6.0,"countries":[]}"#);
        let code = "US-TX".parse().unwrap();
        file.subdivisions.push(SubdivisionBorders { code, precision_km: 2.0, rings: vec![vec![1, 2, 3, 4, 5, 6]] });
        let center = LatLon::new(52.5, 13.4).unwrap();
        let country = "DE".parse().unwrap();
        file.cities.push(CityBounds { geoname_id: 2_950_159, country, center, core_km: 4.0, reach_km: 90.0 });
        let json = serde_json::to_string(&file).unwrap();
        assert_eq!(serde_json::from_str::<BordersFile>(&json).unwrap(), file, "{json}");
    }

    #[test]
    fn statements_are_told_apart_by_their_kind() {
        let read = |json: &str| serde_json::from_str::<Statement>(json).ok();
        assert_eq!(read(r#"{"kind":"none"}"#), Some(Statement::None));
        let token = Statement::PlayIntegrity { token: "a.b".into() };
        assert_eq!(read(r#"{"kind":"playIntegrity","token":"a.b"}"#), Some(token));
        let apple = Statement::AppAttest { key_id: "k".into(), attestation: "a".into() };
        assert_eq!(read(r#"{"kind":"appAttest","keyId":"k","attestation":"a"}"#), Some(apple));
        let later = Statement::AppAssertion { receipt: "r".into(), assertion: "a".into() };
        assert_eq!(read(r#"{"kind":"appAssertion","receipt":"r","assertion":"a"}"#), Some(later));
        assert_eq!(read(r#"{"kind":"appAttest"}"#), None);
    }
}
