//! Certificate chains to one pinned root, and the two things that an attestation reads from its first certificate.
//! Knows nothing of what the certificates are for.

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, KeyUsage, ring as algorithms};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::oid::ObjectIdentifier;

use super::{Refusal, array};

/// An attestation has two certificates; more than this many are not looked at.
const MOST_CERTIFICATES: usize = 4;

const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P256_SHA384,
    algorithms::ECDSA_P384_SHA256,
    algorithms::ECDSA_P384_SHA384,
];

/// What the first certificate of a chain says.
pub(super) struct Leaf {
    /// Its public key: P-256, uncompressed.
    pub(super) key: [u8; 65],
    certificate: Certificate,
}

impl Leaf {
    /// The first of `chain`, in DER, when it leads to `root` at `now`.
    pub(super) fn verified(chain: &[Vec<u8>], root: &TrustAnchor<'_>, now: Timestamp) -> Result<Self, Refusal> {
        let [first, rest @ ..] = chain else { return Err(Refusal::Malformed) };
        if chain.len() > MOST_CERTIFICATES {
            return Err(Refusal::Malformed);
        }
        let first = CertificateDer::from(first.as_slice());
        let rest: Vec<_> = rest.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let seconds = u64::try_from(now.as_second()).map_err(|_| Refusal::Time)?;
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        EndEntityCert::try_from(&first)
            .and_then(|leaf| {
                let root = std::slice::from_ref(root);
                leaf.verify_for_usage(ALGORITHMS, root, &rest, time, KeyUsage::client_auth(), None, None).map(drop)
            })
            .map_err(|_| Refusal::Chain)?;
        let certificate = Certificate::from_der(&first).map_err(|_| Refusal::Malformed)?;
        let key = certificate.tbs_certificate().subject_public_key_info().subject_public_key.raw_bytes();
        Ok(Self { key: array(key).ok_or(Refusal::Malformed)?, certificate })
    }

    /// The value of an extension; `None` where the certificate does not have it.
    pub(super) fn extension(&self, id: ObjectIdentifier) -> Option<&[u8]> {
        let mut extensions = self.certificate.tbs_certificate().extensions()?.iter();
        extensions.find(|extension| extension.extn_id == id).map(|extension| extension.extn_value.as_bytes())
    }
}
