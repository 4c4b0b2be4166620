//! The names of the headers that the contract fixes.

/// Carries the licence key from an edge to Octet.
pub const LICENSE: &str = "x-octet-license";
/// Carries the partner key from a backend to Octet.
pub const PARTNER_KEY: &str = "x-octet-partner-key";
/// Carries the address that the backend itself sees for a visitor.
pub const VISITOR_IP: &str = "x-octet-visitor-ip";
/// Carries the public key of an app to the Data API.
pub const APP_KEY: &str = "x-app-key";
/// Carries the secret of an app to the Data API.
pub const APP_SECRET: &str = "x-app-secret";
