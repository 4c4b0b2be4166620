//! The licence of an app, checked on the device: form, product and time, and the signature where the issuer's keys are
//! known. It ships inside the app and is public; that it opens nothing but attestation is the service's to hold.

use jiff::Timestamp;
use octet::LicenseKey;
use octet::license::{LicenseClaims, Product};
use pasetors::Public;
use pasetors::keys::AsymmetricPublicKey;
use pasetors::token::UntrustedToken;
use pasetors::version4::{PublicToken, V4};

use crate::StartError;

/// What the licence says, when it is good for apps at `now`.
pub(crate) fn check(license: &LicenseKey, issuers: &[[u8; 32]], now: Timestamp) -> Result<LicenseClaims, StartError> {
    let token: UntrustedToken<Public, V4> =
        UntrustedToken::try_from(license.token()).map_err(|_| StartError::LicenseRejected)?;
    let signed_by = |issuer: &[u8; 32]| {
        AsymmetricPublicKey::<V4>::from(issuer).is_ok_and(|key| PublicToken::verify(&key, &token, None, None).is_ok())
    };
    if !issuers.is_empty() && !issuers.iter().any(signed_by) {
        return Err(StartError::LicenseRejected);
    }
    let claims: LicenseClaims =
        serde_json::from_slice(token.untrusted_payload()).map_err(|_| StartError::LicenseRejected)?;
    match () {
        () if claims.product != Product::Mobile => Err(StartError::LicenseWrongProduct),
        () if now < claims.nbf => Err(StartError::LicenseNotYetValid),
        () if now >= claims.exp => Err(StartError::LicenseExpired),
        () => Ok(claims),
    }
}
