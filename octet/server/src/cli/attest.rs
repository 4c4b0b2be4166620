//! Whose word `octet serve` takes for the keys of devices: the table `attest` of its settings. It checks no statement.

use std::path::{Path, PathBuf};

use octet_server::attest::{AppAttest, AttestConfig, PlayIntegrity};
use serde::{Deserialize, Serialize};

use super::BoxError;

/// Whose word is taken for the keys of devices; nobody's unless said.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Attest {
    /// App Attest: the apps' ids, each TEAMID.bundle.identifier
    #[arg(long = "attest-apple-apps", env = "OCTET_ATTEST_APPLE_APPS", value_name = "IDS", value_delimiter = ',')]
    apple_apps: Vec<String>,
    /// Whether keys of Apple's development environment are taken too [default: false]
    #[arg(long = "attest-apple-development", env = "OCTET_ATTEST_APPLE_DEVELOPMENT", value_name = "BOOL")]
    apple_development: Option<bool>,
    /// Play Integrity: the app's package name
    #[arg(long = "attest-google-package", env = "OCTET_ATTEST_GOOGLE_PACKAGE", value_name = "NAME")]
    google_package: Option<String>,
    /// Play Integrity: SHA-256 of the certificates that sign the app, in hexadecimal
    #[arg(
        long = "attest-google-certificates",
        env = "OCTET_ATTEST_GOOGLE_CERTIFICATES",
        value_name = "DIGESTS",
        value_delimiter = ','
    )]
    google_certificates: Vec<String>,
    /// Play Integrity: the decryption key, as the Play Console gives it
    #[arg(long = "attest-google-decryption-key", env = "OCTET_ATTEST_GOOGLE_DECRYPTION_KEY", value_name = "FILE")]
    google_decryption_key: Option<PathBuf>,
    /// Play Integrity: the verification key, as the Play Console gives it
    #[arg(long = "attest-google-verification-key", env = "OCTET_ATTEST_GOOGLE_VERIFICATION_KEY", value_name = "FILE")]
    google_verification_key: Option<PathBuf>,
    /// Whether keys are taken for which no platform vouches [default: only by a service for tests]
    #[arg(long = "attest-unattested", env = "OCTET_ATTEST_UNATTESTED", value_name = "BOOL")]
    unattested: Option<bool>,
}

impl Attest {
    pub(crate) fn over(self, lower: Self) -> Self {
        let list = |upper: Vec<String>, lower| if upper.is_empty() { lower } else { upper };
        Self {
            apple_apps: list(self.apple_apps, lower.apple_apps),
            apple_development: self.apple_development.or(lower.apple_development),
            google_package: self.google_package.or(lower.google_package),
            google_certificates: list(self.google_certificates, lower.google_certificates),
            google_decryption_key: self.google_decryption_key.or(lower.google_decryption_key),
            google_verification_key: self.google_verification_key.or(lower.google_verification_key),
            unattested: self.unattested.or(lower.unattested),
        }
    }

    pub(crate) fn to_config(&self) -> Result<AttestConfig, BoxError> {
        let mut config = AttestConfig::default();
        if !self.apple_apps.is_empty() {
            let apps = AppAttest::new(self.apple_apps.iter().map(String::as_str));
            config = config.apple(apps.development(self.apple_development.unwrap_or(false)));
        }
        if let Some(package) = &self.google_package {
            config = config.google(self.google(package)?);
        }
        Ok(match self.unattested {
            Some(allowed) => config.unattested(allowed),
            None => config,
        })
    }

    fn google(&self, package: &str) -> Result<PlayIntegrity, BoxError> {
        let certificates =
            self.google_certificates.iter().map(|digest| sha256(digest)).collect::<Result<Vec<_>, _>>()?;
        if certificates.is_empty() {
            return Err("attest.google_certificates is needed beside attest.google_package".into());
        }
        let decryption = key("google_decryption_key", self.google_decryption_key.as_deref())?;
        let verification = key("google_verification_key", self.google_verification_key.as_deref())?;
        PlayIntegrity::new(package, certificates, &decryption, &verification).map_err(|_| {
            "attest.google_decryption_key or google_verification_key is not as the Play Console gives it".into()
        })
    }
}

fn key(name: &str, path: Option<&Path>) -> Result<String, BoxError> {
    let path = path.ok_or_else(|| format!("attest.{name} is needed beside attest.google_package"))?;
    std::fs::read_to_string(path).map_err(|error| format!("attest.{name}, {}: {error}", path.display()).into())
}

/// 32 bytes in hexadecimal, with colons between them or not.
fn sha256(text: &str) -> Result<[u8; 32], BoxError> {
    let wrong = || format!("attest.google_certificates: `{text}` is no SHA-256 in hexadecimal");
    let digits: String = text.chars().filter(|char| *char != ':').collect();
    if digits.len() != 64 || !digits.is_ascii() {
        return Err(wrong().into());
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).map_err(|_| wrong())?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_play_integrity_needs_is_asked_for_by_name() {
        let mut attest = Attest { google_package: Some("example.shop".into()), ..Attest::default() };
        let missing = |attest: &Attest| attest.to_config().unwrap_err().to_string();
        assert!(missing(&attest).contains("google_certificates"));
        attest.google_certificates = vec!["ab".into()];
        assert!(missing(&attest).contains("`ab`"));
        attest.google_certificates = vec![["AB"; 32].join(":")];
        assert!(missing(&attest).contains("google_decryption_key"));
        attest.google_decryption_key = Some("/nowhere".into());
        assert!(missing(&attest).contains("/nowhere"));
    }

    #[test]
    fn an_apps_id_is_enough_for_app_attest() {
        let attest = Attest { apple_apps: vec!["TEAM123456.example.shop".into()], ..Attest::default() };
        assert!(attest.to_config().is_ok());
        assert!(Attest::default().to_config().is_ok());
    }
}
