//! What the app's own language does for a session: hold the key, and ask the platform for its word.

use std::sync::Arc;

use octet_device::{Algorithm, Attestor, DeviceKey, Signer, SigningFailed, Statement, Vouching};

/// A key that the platform holds: the Secure Enclave, Android's KeyStore.
#[uniffi::export(with_foreign)]
pub trait OctetKey: Send + Sync {
    /// The public point on P-256: a byte 4, then both coordinates in 32 bytes each.
    fn public_point(&self) -> Vec<u8>;

    /// Whether hardware holds it.
    fn is_in_hardware(&self) -> bool;

    /// The ECDSA signature of `message` with SHA-256, as two numbers of 32 bytes; none where it is refused.
    fn sign(&self, message: Vec<u8>) -> Option<Vec<u8>>;
}

/// What a platform says of an app.
#[derive(uniffi::Enum)]
pub enum OctetStatement {
    /// Apple's App Attest; both base64url.
    AppAttest {
        /// As `generateKey` gave it.
        key_id: String,
        /// The attestation object.
        attestation: String,
    },
    /// Apple's App Attest by a key that was attested before; the assertion base64url.
    AppAssertion {
        /// As `keep` gave it.
        receipt: String,
        /// The assertion object.
        assertion: String,
    },
    /// Google's Play Integrity: a classic token.
    PlayIntegrity {
        /// As it came.
        token: String,
    },
}

/// Who asks the platform.
#[uniffi::export(with_foreign)]
pub trait OctetAttestor: Send + Sync {
    /// The platform's statement over `digest`, 32 bytes; may take its time. None where there is none now.
    fn attest(&self, digest: Vec<u8>) -> Option<OctetStatement>;

    /// What to keep for the next session's assertion; none: forget what was kept, it counts no more.
    fn keep(&self, receipt: Option<String>);
}

/// A platform's key as the session sees it.
pub(crate) struct Key {
    key: Arc<dyn OctetKey>,
    point: [u8; 65],
    id: String,
}

/// What the key says is no point on P-256.
#[derive(Debug, thiserror::Error)]
#[error("the key's public point must have 65 bytes, the first of them 4")]
pub(crate) struct NoPoint;

impl Key {
    pub(crate) fn new(key: Arc<dyn OctetKey>) -> Result<Self, NoPoint> {
        let point: [u8; 65] = key.public_point().try_into().map_err(|_| NoPoint)?;
        Ok(Self { id: octet_device::thumbprint(&point).ok_or(NoPoint)?, key, point })
    }
}

impl Signer for Key {
    fn key_id(&self) -> &str {
        &self.id
    }

    fn algorithm(&self) -> Algorithm {
        Algorithm::Es256
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        self.key.sign(message.to_vec()).filter(|signature| signature.len() == 64).ok_or(SigningFailed)
    }
}

impl DeviceKey for Key {
    fn public_point(&self) -> [u8; 65] {
        self.point
    }

    fn is_in_hardware(&self) -> bool {
        self.key.is_in_hardware()
    }
}

/// The app's attestor as the session sees it.
pub(crate) struct Platform(pub(crate) Arc<dyn OctetAttestor>);

impl Attestor for Platform {
    fn attest(&self, digest: [u8; 32]) -> Vouching<'_> {
        let attestor = Arc::clone(&self.0);
        // It asks the platform, which asks its maker: not on this runtime's threads.
        let said = tokio::task::spawn_blocking(move || attestor.attest(digest.to_vec()));
        Box::pin(async move {
            Some(match said.await.ok()?? {
                OctetStatement::AppAttest { key_id, attestation } => Statement::AppAttest { key_id, attestation },
                OctetStatement::AppAssertion { receipt, assertion } => Statement::AppAssertion { receipt, assertion },
                OctetStatement::PlayIntegrity { token } => Statement::PlayIntegrity { token },
            })
        })
    }

    fn keep(&self, receipt: Option<&str>) {
        self.0.keep(receipt.map(str::to_owned));
    }
}
