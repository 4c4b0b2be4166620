//! Whom to trust at the other end, and how to show who we are: TLS by rustls over ring.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::ConfigError;

/// How a connection to Octet is secured. By default: the public web's certificate authorities, no client
/// certificate.
#[derive(Clone, Default)]
pub struct TlsOptions {
    ca_pem: Option<Vec<u8>>,
    client_pem: Option<(Vec<u8>, Vec<u8>)>,
}

impl TlsOptions {
    /// Trusts the certificates in this PEM file and no other authority.
    #[must_use]
    pub fn pinned_ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_pem = Some(pem.into());
        self
    }

    /// Shows this certificate chain (PEM), with its private key (PEM).
    #[must_use]
    pub fn client_certificate(mut self, chain_pem: impl Into<Vec<u8>>, key_pem: impl Into<Vec<u8>>) -> Self {
        self.client_pem = Some((chain_pem.into(), key_pem.into()));
        self
    }

    pub(crate) fn client_config(&self) -> Result<ClientConfig, ConfigError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| ConfigError::ClientCertificate(error.to_string()))?
            .with_root_certificates(self.roots()?);
        match &self.client_pem {
            None => Ok(builder.with_no_client_auth()),
            Some((chain, key)) => {
                let unusable = |error: String| ConfigError::ClientCertificate(error);
                let chain = certificates(chain).ok_or_else(|| unusable("no certificate in the PEM file".into()))?;
                let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| unusable(error.to_string()))?;
                builder.with_client_auth_cert(chain, key).map_err(|error| unusable(error.to_string()))
            }
        }
    }

    fn roots(&self) -> Result<RootCertStore, ConfigError> {
        let Some(pem) = &self.ca_pem else {
            return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
        };
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(certificates(pem).unwrap_or_default());
        if added == 0 { Err(ConfigError::Ca) } else { Ok(roots) }
    }
}

impl std::fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsOptions")
            .field("pinned_ca", &self.ca_pem.is_some())
            .field("client_certificate", &self.client_pem.is_some())
            .finish()
    }
}

/// The certificates of a PEM file; `None` when there is none.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().ok()?;
    (!chain.is_empty()).then_some(chain)
}
