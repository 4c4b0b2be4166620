//! What apps on devices ask, with a mobile licence: a challenge, a binding of their key, and a map. Why a statement was
//! refused is counted and logged for the operator, and not told.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use octet::attestation::{
    AttestationAnswer, AttestationChallenge, AttestationRequest, BordersFile, CityBounds, CountryBorders, Statement,
    SubdivisionBorders, binding_digest,
};
use octet::problem::Code;
use octet::proof::{Confirmation, DeviceBinding, SessionDigest};
use octet::region::CityId;
use octet_engine::World;
use octet_engine::world::{Country, Subdivision, borders};
use octet_geometry::{Gazetteer, Land};

use super::receipt::Receipt;
use super::{Binding, Refusal, challenge};
use crate::failure::{Failure, json};
use crate::identity;
use crate::service::Shared;

/// An attestation has at most 16 KiB, which base64url makes a third longer.
const MOST_BODY: usize = 32 * 1024;
/// How long a key may sign: a session's longest time. An app that runs longer starts another.
const SIGNS_FOR: SignedDuration = SignedDuration::from_hours(24);
/// Steps in a degree of the map that phones get: those of the tables.
const MAP_SCALE: u32 = 500;

/// `POST /v1/attest/challenge`.
pub(crate) async fn new_challenge(State(shared): State<Arc<Shared>>, parts: Parts) -> Result<Response<Body>, Failure> {
    let partner = identity::app(&shared, &parts)?;
    shared.attest.limit.check(&partner)?;
    let (snapshot, now) = (shared.records.snapshot(), shared.clock.now());
    let signer = snapshot.proof_key(shared.environment, now).ok_or_else(unavailable)?;
    let made = challenge::make(signer, &partner, now);
    let (challenge, expires_at) =
        made.ok_or_else(|| Failure::new(Code::Internal, "the operating system has no randomness to give"))?;
    Ok(json(StatusCode::OK, &AttestationChallenge { challenge, expires_at }))
}

/// `POST /v1/attest`.
pub(crate) async fn attest(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response<Body>, Failure> {
    let (parts, body) = request.into_parts();
    let partner = identity::app(&shared, &parts)?;
    shared.attest.limit.check(&partner)?;
    let body = axum::body::to_bytes(body, MOST_BODY)
        .await
        .map_err(|_| Failure::new(Code::BodyTooLarge, "an attestation has at most 32 KiB"))?;
    let request: AttestationRequest = serde_json::from_slice(&body)
        .map_err(|_| Failure::new(Code::MalformedAttestation, "the body is not what octet-device sends"))?;
    let now = shared.clock.now();
    let vouched = vouch(&shared, &request, &partner, now).map_err(|why| {
        tracing::info!(reason = %why, "an attestation was refused");
        Failure::new(Code::AttestationRefused, "the statement does not vouch for this key in this session")
    })?;
    let snapshot = shared.records.snapshot();
    let signer = snapshot.proof_key(shared.environment, now).ok_or_else(unavailable)?;
    let binding = DeviceBinding {
        issuer: shared.issuer.to_string(),
        audience: partner.to_string(),
        session: SessionDigest::of(&request.session_ref),
        id: format!("dev_{}", request.device_key.thumbprint()),
        issued_at: now,
        signs_until: now.checked_add(SIGNS_FOR).unwrap_or(Timestamp::MAX),
        cnf: Confirmation { jwk: request.device_key },
        hardware: vouched.hardware,
        attested_by: vouched.by.into(),
    };
    let binding = binding.sign(signer).map_err(|_| Failure::new(Code::Internal, "the binding could not be signed"))?;
    if !shared.signed.add(&binding) {
        return Err(unavailable());
    }
    let receipt = vouched.receipt.and_then(|receipt| receipt.sign(&partner, signer));
    Ok(json(StatusCode::OK, &AttestationAnswer { binding, receipt }))
}

fn unavailable() -> Failure {
    Failure::new(Code::StoreUnavailable, "nothing can be signed or noted now; ask again").retry_after(1)
}

/// Who vouches for a device's key.
struct Vouched {
    by: &'static str,
    /// Whether the key counts as held by hardware.
    hardware: bool,
    receipt: Option<Receipt>,
}

fn vouch(
    shared: &Shared,
    request: &AttestationRequest,
    partner: &crate::PartnerName,
    now: Timestamp,
) -> Result<Vouched, Refusal> {
    let snapshot = shared.records.snapshot();
    let we_signed = |message: &[u8], signature: &[u8]| snapshot.was_signed(shared.environment, message, signature);
    let challenge = challenge::check(&request.challenge, partner, we_signed, now)?;
    let point = request.device_key.uncompressed().ok_or(Refusal::Malformed)?;
    let binding = Binding::from(binding_digest(&challenge, &request.session_ref, &point));
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| Refusal::Malformed);
    let config = &shared.attest.config;
    let (by, receipt) = match &request.statement {
        Statement::AppAttest { key_id, attestation } => {
            let verifier = config.apple.as_ref().ok_or(Refusal::App)?;
            let key = verifier.attest(&decode(attestation)?, &decode(key_id)?, &binding, now)?;
            ("appAttest", Some(Receipt::new(key, now)))
        }
        Statement::AppAssertion { receipt, assertion } => {
            let verifier = config.apple.as_ref().ok_or(Refusal::App)?;
            let mut receipt = Receipt::read(receipt, partner, we_signed, now)?;
            verifier.assert(&mut receipt.key, &decode(assertion)?, &binding)?;
            ("appAttest", Some(receipt))
        }
        Statement::PlayIntegrity { token } => {
            config.google.as_ref().ok_or(Refusal::App)?.verify(token, &binding, now)?;
            ("playIntegrity", None)
        }
        Statement::None if config.unattested == Some(true) => {
            return Ok(Vouched { by: "none", hardware: false, receipt: None });
        }
        _ => return Err(Refusal::App),
    };
    Ok(Vouched { by, hardware: request.hardware, receipt })
}

/// `GET /v1/borders`.
pub(crate) async fn borders(State(shared): State<Arc<Shared>>, parts: Parts) -> Result<Response<Body>, Failure> {
    let partner = identity::app(&shared, &parts)?;
    shared.attest.limit.check(&partner)?;
    Ok(kept_a_day(shared.attest.map.get_or_init(|| bytes_of(&countries(&shared.reference.now().world))).clone()))
}

/// `GET /v1/borders/subdivisions/{country}`.
pub(crate) async fn subdivisions(
    State(shared): State<Arc<Shared>>,
    Path(country): Path<String>,
    parts: Parts,
) -> Result<Response<Body>, Failure> {
    let partner = identity::app(&shared, &parts)?;
    shared.attest.limit.check(&partner)?;
    let mut file = BordersFile::new(MAP_SCALE, borders::PRECISION_KM);
    let of = |subdivision: &&Subdivision| country.parse() == Ok(subdivision.code.country());
    for Subdivision { code, land } in shared.reference.now().world.subdivisions().iter().filter(of) {
        let rings = land.rings().map(|ring| file.encode(ring)).collect();
        file.subdivisions.push(SubdivisionBorders { code: *code, precision_km: land.precision_km(), rings });
    }
    Ok(kept_a_day(bytes_of(&file)))
}

/// `GET /v1/borders/cities/{geonameId}`.
pub(crate) async fn city(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    parts: Parts,
) -> Result<Response<Body>, Failure> {
    let partner = identity::app(&shared, &parts)?;
    shared.attest.limit.check(&partner)?;
    let mut file = BordersFile::new(MAP_SCALE, borders::PRECISION_KM);
    let reference = shared.reference.now();
    let id = id.parse().ok().and_then(|id| CityId::new(id).ok());
    file.cities.extend(id.and_then(|id| reference.world.city(id)).map(|city| {
        let town = city.town();
        CityBounds {
            geoname_id: city.id.get(),
            country: town.country(),
            center: town.reach().center(),
            core_km: town.core().radius_km(),
            reach_km: town.reach().radius_km(),
        }
    }));
    Ok(kept_a_day(bytes_of(&file)))
}

fn kept_a_day(map: bytes::Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(map));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=86400"));
    response
}

fn bytes_of(file: &BordersFile) -> bytes::Bytes {
    // Numbers and codes only: cannot fail.
    serde_json::to_vec(file).unwrap_or_default().into()
}

fn countries(world: &World) -> BordersFile {
    let mut file = BordersFile::new(MAP_SCALE, borders::PRECISION_KM);
    let domains = world.domains();
    file.domain_precision_km = domains.iter().map(|domain| domain.land.precision_km()).reduce(f64::max);
    for Country { code, .. } in world.borders() {
        let Some(territory) = Gazetteer::country(world, *code) else { continue };
        let rings = |land: &Land| land.rings().map(|ring| file.encode(ring)).collect();
        let domain = domains.binary_search_by_key(code, |domain| domain.code);
        let domain = domain.map_or_else(|_| Vec::new(), |index| rings(&domains[index].land));
        let country = CountryBorders { code: *code, rings: rings(territory.land()), domain };
        file.countries.push(country);
    }
    file
}
