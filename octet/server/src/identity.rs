//! Who asks: an edge by its licence, a backend by its partner key, or a caller in the same process that the service
//! itself has named. Knows credentials and no session.

use std::sync::Arc;

use axum::http::request::Parts;
use octet::license::{LicenseClaims, Product};
use octet::observations::Edge;
use octet::problem::Code;
use octet::{Environment, LicenseKey, PartnerKey, header};

use crate::PartnerName;
use crate::failure::Failure;
use crate::service::Shared;

/// Who a caller in the same process is; put into a request's extensions by the service, out of reach of any header.
#[derive(Debug, Clone)]
pub(crate) enum Identity {
    Edge(PartnerName),
    Backend(PartnerName),
}

/// An edge that may forward.
#[derive(Debug)]
pub(crate) struct AuthorizedEdge {
    pub(crate) partner: PartnerName,
    license: Option<Arc<LicenseClaims>>,
}

impl AuthorizedEdge {
    /// Whether the licence covers this edge: where it names edges, any other id or position is refused.
    pub(crate) fn covers(&self, edge: &Edge) -> Result<(), Failure> {
        let Some(edges) = self.license.as_ref().and_then(|license| license.edges.as_ref()) else { return Ok(()) };
        let covered = edges.iter().any(|licensed| {
            licensed.id == edge.id && (licensed.position.is_none() || licensed.position == edge.position)
        });
        if covered {
            Ok(())
        } else {
            Err(Failure::new(Code::LicenseEdgeRefused, "the licence names the edges that may use it, and this is none"))
        }
    }
}

/// The edge that sends this request.
pub(crate) fn edge(shared: &Shared, parts: &Parts) -> Result<AuthorizedEdge, Failure> {
    if let Some(Identity::Edge(partner)) = parts.extensions.get() {
        if shared.records.snapshot().is_partner_revoked(partner) {
            return Err(revoked());
        }
        return Ok(AuthorizedEdge { partner: partner.clone(), license: None });
    }
    let license = check_license(shared, parts, Product::Browser)?;
    let partner = license.sub.parse().map_err(|_| rejected())?;
    Ok(AuthorizedEdge { partner, license: Some(license) })
}

/// The partner whose app sends this request, with a mobile licence: public, it opens what is made for devices alone.
pub(crate) fn app(shared: &Shared, parts: &Parts) -> Result<PartnerName, Failure> {
    check_license(shared, parts, Product::Mobile)?.sub.parse().map_err(|_| rejected())
}

fn rejected() -> Failure {
    Failure::new(Code::LicenseRejected, "the licence is missing, cut short, or not signed by this service")
}

fn revoked() -> Failure {
    Failure::new(Code::LicenseRevoked, "the licence or its partner was revoked; `octet license issue` makes another")
}

fn check_license(shared: &Shared, parts: &Parts, product: Product) -> Result<Arc<LicenseClaims>, Failure> {
    let key = parts.headers.get(header::LICENSE).and_then(|value| value.to_str().ok());
    let key: LicenseKey = key.ok_or_else(rejected)?.parse().map_err(|_| rejected())?;
    if key.environment() != shared.environment {
        return Err(Failure::new(
            Code::LicenseWrongEnvironment,
            match shared.environment {
                Environment::Live => "this is a live service, and the licence is for tests",
                Environment::Test => "this is a test service, and the licence is a live one",
            },
        ));
    }
    let snapshot = shared.records.snapshot();
    let license = snapshot.license(&key).ok_or_else(rejected)?;
    let now = shared.clock.now();
    if snapshot.is_revoked(&license) {
        return Err(revoked());
    }
    if now < license.nbf {
        return Err(Failure::new(Code::LicenseNotYetValid, "the licence's time has not begun"));
    }
    if now >= license.exp {
        return Err(Failure::new(
            Code::LicenseExpired,
            "the licence's time is over; `octet license issue` makes another",
        ));
    }
    if license.product != product {
        return Err(Failure::new(
            Code::LicenseWrongProduct,
            "the licence is for another product: see `octet license issue`",
        ));
    }
    if license.cnf.is_some() {
        // Nothing here shows which certificate a connection had: better refused than believed.
        return Err(Failure::new(Code::LicenseEdgeRefused, "the licence asks for a client certificate"));
    }
    Ok(license)
}

/// The partner whose backend sends this request. A missing and an unknown key are answered alike, in the same time.
pub(crate) fn backend(shared: &Shared, parts: &Parts) -> Result<PartnerName, Failure> {
    let rejected = || Failure::new(Code::PartnerKeyRejected, "x-octet-partner-key is missing or unknown");
    let snapshot = shared.records.snapshot();
    if let Some(Identity::Backend(partner)) = parts.extensions.get() {
        return if snapshot.is_partner_revoked(partner) { Err(rejected()) } else { Ok(partner.clone()) };
    }
    let key = parts.headers.get(header::PARTNER_KEY).and_then(|value| value.to_str().ok());
    let key: Option<PartnerKey> = key.and_then(|key| key.parse().ok());
    snapshot.partner_of_key(key.as_ref(), shared.clock.now()).ok_or_else(rejected)
}
