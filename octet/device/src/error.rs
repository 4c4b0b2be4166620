//! Why a session cannot start: always something that the app's developer can mend.

/// The session cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The licence cannot be read, or none of the configured keys signed it.
    #[error("the licence is cut short, or not signed by a key that was configured")]
    LicenseRejected,
    /// The licence is for something else than apps.
    #[error("the licence is for another product: `octet license issue --product mobile` makes one for apps")]
    LicenseWrongProduct,
    /// The licence's time has not begun.
    #[error("the licence's time has not begun; is this device's clock right?")]
    LicenseNotYetValid,
    /// The licence's time is over.
    #[error("the licence's time is over; `octet license issue --product mobile` makes another")]
    LicenseExpired,
    /// It is not said where Octet is, or what is said cannot be used.
    #[error("Octet's URL: {0}")]
    Url(#[from] octet_transport::ConfigError),
    /// It is not said where Octet is.
    #[error("it is not said where Octet is: call `octet_url`, or set OCTET_URL")]
    NoUrl,
    /// The operating system has no randomness to give.
    #[error("the operating system has no randomness to give")]
    NoRandomness,
}
