//! What a licence says: whose it is, for which product, when, and for which edges. Signing and checking are the
//! service's business.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{EdgeId, LatLon};

/// The claims of a licence key (PASETO v4.public).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LicenseClaims {
    /// The partner that the licence belongs to; sessions and limits are keyed by it.
    pub sub: String,
    /// What the licence opens.
    pub product: Product,
    /// When it was issued.
    pub iat: Timestamp,
    /// From when it is valid.
    pub nbf: Timestamp,
    /// Until when it is valid, exclusive.
    pub exp: Timestamp,
    /// Its own name, by which it can be revoked.
    pub jti: String,
    /// Where present, the only client certificate with which the licence may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// Where present, the only edges that may use the licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edges: Option<Vec<LicensedEdge>>,
}

/// What a licence opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Product {
    /// Edges that relay browser sessions.
    Browser,
    /// Apps on devices: attestation routes only.
    Mobile,
    /// A product that this release does not know; it opens nothing.
    #[serde(other)]
    Unknown,
}

/// A client certificate (RFC 8705: base64url SHA-256 of its DER form).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The thumbprint.
    #[serde(rename = "x5t#S256")]
    pub x5t_s256: String,
}

/// An edge that a licence covers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LicensedEdge {
    /// Its id.
    pub id: EdgeId,
    /// Where it stands; an edge that claims another position is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<LatLon>,
}
