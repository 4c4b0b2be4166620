//! Google's Play Integrity: a classic verdict, opened and judged here, with the keys that the Play Console gives for
//! it. Nothing is sent to Google.
//!
//! Source: Google, "Make a classic API request" and "Integrity verdicts".

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer};
use subtle::ConstantTimeEq;

use super::{Binding, Refusal, array, sealed};

/// How long a verdict is good for: requests to Google take seconds, challenges live five minutes.
const OLDEST: SignedDuration = SignedDuration::from_mins(5);
/// How far ahead Google's clock may be of ours.
const AHEAD: SignedDuration = SignedDuration::from_secs(30);
/// What stands before the point in a P-256 key's `SubjectPublicKeyInfo` (RFC 5480).
const SPKI_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The verifier of Play Integrity for an operator's own app.
#[derive(Clone)]
pub struct PlayIntegrity {
    decryption: [u8; 32],
    verification: [u8; 65],
    package: String,
    certificates: Vec<[u8; 32]>,
    least: DeviceIntegrity,
}

impl fmt::Debug for PlayIntegrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlayIntegrity").field("package", &self.package).finish_non_exhaustive()
    }
}

/// How sure Google is of a device, each kind surer than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceIntegrity {
    /// It passes basic checks; it may be rooted, or run another system.
    Basic,
    /// A genuine device with Google Play.
    Device,
    /// And the proof comes from its hardware, with recent security updates.
    Strong,
}

/// What a believed verdict says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlayVerdict {
    /// How sure Google is of the device.
    pub device: DeviceIntegrity,
    /// When Google made the verdict.
    pub at: Timestamp,
}

impl PlayIntegrity {
    /// For the app `package`, signed by certificates with these SHA-256 digests.
    ///
    /// The keys are as the Play Console gives them, in base64: 32 bytes of AES, and a P-256 public key in DER.
    ///
    /// # Errors
    ///
    /// [`Refusal::Malformed`] when a key is not of that shape.
    pub fn new(
        package: impl Into<String>,
        certificates: impl IntoIterator<Item = [u8; 32]>,
        decryption_key: &str,
        verification_key: &str,
    ) -> Result<Self, Refusal> {
        let decode = |key: &str| STANDARD.decode(key.trim()).map_err(|_| Refusal::Malformed);
        let verification = decode(verification_key)?;
        Ok(Self {
            decryption: array(&decode(decryption_key)?).ok_or(Refusal::Malformed)?,
            verification: verification.strip_prefix(&SPKI_HEAD).and_then(array).ok_or(Refusal::Malformed)?,
            package: package.into(),
            certificates: certificates.into_iter().collect(),
            least: DeviceIntegrity::Device,
        })
    }

    /// Asks at least this of a device; [`DeviceIntegrity::Device`] unless said.
    #[must_use]
    pub fn at_least(mut self, integrity: DeviceIntegrity) -> Self {
        self.least = integrity;
        self
    }

    /// What `token` says, when it is compliant and was made for `binding` within the last five minutes.
    ///
    /// # Errors
    ///
    /// Why it is not believed.
    pub fn verify(&self, token: &str, binding: &Binding, now: Timestamp) -> Result<PlayVerdict, Refusal> {
        let payload = sealed::open(token, &self.decryption, &self.verification)?;
        let said: Payload = serde_json::from_slice(&payload).map_err(|_| Refusal::Malformed)?;
        let asked = URL_SAFE_NO_PAD.encode(binding.digest());
        let nonce = said.request_details.nonce.trim_end_matches('=');
        if !bool::from(nonce.as_bytes().ct_eq(asked.as_bytes())) {
            return Err(Refusal::Binding);
        }
        let at = Timestamp::from_millisecond(said.request_details.timestamp_millis).map_err(|_| Refusal::Time)?;
        if at.duration_since(now) > AHEAD || now.duration_since(at) > OLDEST {
            return Err(Refusal::Time);
        }
        self.app(&said)?;
        let device = self.device(&said.device_integrity.device_recognition_verdict)?;
        Ok(PlayVerdict { device, at })
    }

    fn app(&self, said: &Payload) -> Result<(), Refusal> {
        if said.request_details.request_package_name != self.package {
            return Err(Refusal::App);
        }
        let app = &said.app_integrity;
        if app.app_recognition_verdict != "PLAY_RECOGNIZED" {
            return Err(Refusal::Unrecognized);
        }
        let digests = app.certificate_sha256_digest.iter();
        let ours = |digest: &String| {
            let digest = URL_SAFE_NO_PAD.decode(digest.trim_end_matches('=')).ok();
            digest.and_then(|digest| array(&digest)).is_some_and(|digest| self.certificates.contains(&digest))
        };
        let signed = !app.certificate_sha256_digest.is_empty() && digests.clone().all(ours);
        if app.package_name.as_deref() == Some(&*self.package) && signed { Ok(()) } else { Err(Refusal::App) }
    }

    fn device(&self, labels: &[String]) -> Result<DeviceIntegrity, Refusal> {
        let has = |label: &str| labels.iter().any(|said| said == label);
        let surest = [
            ("MEETS_STRONG_INTEGRITY", DeviceIntegrity::Strong),
            ("MEETS_DEVICE_INTEGRITY", DeviceIntegrity::Device),
            ("MEETS_BASIC_INTEGRITY", DeviceIntegrity::Basic),
        ]
        .into_iter()
        .find_map(|(label, integrity)| has(label).then_some(integrity));
        match surest {
            _ if has("MEETS_VIRTUAL_INTEGRITY") => Err(Refusal::Emulator),
            Some(integrity) if integrity >= self.least => Ok(integrity),
            _ => Err(Refusal::Device),
        }
    }
}

/// The parts of the verdict that are judged.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    request_details: RequestDetails,
    app_integrity: AppIntegrity,
    #[serde(default)]
    device_integrity: Device,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestDetails {
    request_package_name: String,
    nonce: String,
    #[serde(deserialize_with = "number")]
    timestamp_millis: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AppIntegrity {
    app_recognition_verdict: String,
    #[serde(default)]
    package_name: Option<String>,
    #[serde(default)]
    certificate_sha256_digest: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Device {
    #[serde(default)]
    device_recognition_verdict: Vec<String>,
}

/// A number, as JSON has it or as the text in which Google writes 64 bits.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(i64),
        Text(String),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}
