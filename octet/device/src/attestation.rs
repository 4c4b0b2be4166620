//! How Octet comes to vouch for the device's key: it gives a challenge, the platform makes a statement over it, and
//! Octet answers with a binding that every proof carries.

use std::future::Future;
use std::pin::Pin;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Request;
use octet::attestation::{AttestationAnswer, AttestationChallenge, AttestationRequest, Statement, binding_digest};
use octet::proof::{DeviceBinding, LocationProof, Point};
use octet::{LicenseKey, SessionRef, header};
use octet_transport::{Limits, Transport};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::signer::DeviceKey;

/// What the platform says of this app and device.
pub trait Attestor: Send + Sync + 'static {
    /// The platform's statement over `digest`, 32 bytes: App Attest's `clientDataHash`, and in unpadded base64url Play
    /// Integrity's `nonce`. `None` where the platform makes none now.
    fn attest(&self, digest: [u8; 32]) -> Vouching<'_>;

    /// What to keep for the next session, with which App Attest makes an assertion instead of another attestation
    /// ([`Statement::AppAssertion`]); `None` when what was kept counts no more: forget it.
    fn keep(&self, _receipt: Option<&str>) {}
}

/// A statement on its way.
pub type Vouching<'a> = Pin<Box<dyn Future<Output = Option<Statement>> + Send + 'a>>;

/// A platform that vouches for nothing: desktops, and tests. A service takes that only where its operator allows it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unattested;

impl Attestor for Unattested {
    fn attest(&self, _digest: [u8; 32]) -> Vouching<'_> {
        Box::pin(std::future::ready(Some(Statement::None)))
    }
}

/// What Octet says of the device's key.
#[derive(Debug, Clone)]
pub(crate) struct Vouched {
    /// As it goes into a proof.
    pub(crate) token: LocationProof,
    /// The same, read. Nobody on the device has to trust it: a verifier checks the token.
    pub(crate) says: DeviceBinding,
}

/// What came of asking.
#[derive(Debug)]
pub(crate) enum Asked {
    Vouched(Box<Vouched>),
    /// Octet or the platform says no.
    Refused,
    /// Octet could not be reached: worth another try.
    Unreachable,
}

/// Asks Octet to vouch for `key` in `session`.
pub(crate) async fn ask(
    transport: &Transport,
    license: &LicenseKey,
    session: &SessionRef,
    key: &dyn DeviceKey,
    attestor: &dyn Attestor,
) -> Asked {
    let asking = Asking { post: Post { transport, license }, session, key, attestor };
    match asking.once().await {
        // The receipt's time is over, or the key is gone: the platform is asked for a new statement.
        (Asked::Refused, true) => {
            attestor.keep(None);
            asking.once().await.0
        }
        (asked, _) => asked,
    }
}

struct Asking<'a> {
    post: Post<'a>,
    session: &'a SessionRef,
    key: &'a dyn DeviceKey,
    attestor: &'a dyn Attestor,
}

impl Asking<'_> {
    /// What comes of asking once, and whether the statement rested on an earlier one.
    async fn once(&self) -> (Asked, bool) {
        let mut is_assertion = false;
        let asked = self.ask(&mut is_assertion).await;
        (asked.unwrap_or_else(|asked| asked), is_assertion)
    }

    async fn ask(&self, is_assertion: &mut bool) -> Result<Asked, Asked> {
        let challenge: AttestationChallenge = self.post.json("/v1/attest/challenge", &()).await?;
        let point = self.key.public_point();
        let nonce = URL_SAFE_NO_PAD.decode(&challenge.challenge).map_err(|_| Asked::Refused)?;
        let device_key = Point::p256(&point).ok_or(Asked::Refused)?;
        let statement = self.attestor.attest(binding_digest(&nonce, self.session, &point)).await;
        let statement = statement.ok_or(Asked::Refused)?;
        *is_assertion = matches!(statement, Statement::AppAssertion { .. });
        let request = AttestationRequest {
            session_ref: self.session.clone(),
            challenge: challenge.challenge,
            device_key,
            hardware: self.key.is_in_hardware(),
            statement,
        };
        let answer: AttestationAnswer = self.post.json("/v1/attest", &request).await?;
        let says = DeviceBinding::unverified(&answer.binding).map_err(|_| Asked::Refused)?;
        if let Some(receipt) = &answer.receipt {
            self.attestor.keep(Some(receipt));
        }
        Ok(Asked::Vouched(Box::new(Vouched { token: answer.binding, says })))
    }
}

struct Post<'a> {
    transport: &'a Transport,
    license: &'a LicenseKey,
}

impl Post<'_> {
    async fn json<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Asked> {
        let body = serde_json::to_vec(body).map_err(|_| Asked::Refused)?;
        let request = Request::post(path)
            .header(header::LICENSE, self.license.expose())
            .header("content-type", "application/json")
            .body(Bytes::from(body))
            .map_err(|_| Asked::Refused)?;
        let answer = self.transport.send(request, Limits::default()).await.map_err(|_| Asked::Unreachable)?;
        match answer.status().as_u16() {
            200 => serde_json::from_slice(answer.body()).map_err(|_| Asked::Refused),
            429 | 500.. => Err(Asked::Unreachable),
            _ => Err(Asked::Refused),
        }
    }
}
