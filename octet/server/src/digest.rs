//! SHA-256, by ring. Knows nothing of what it digests.

/// A SHA-256 digest.
pub(crate) type Digest = [u8; 32];

/// The digest of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    let mut digest = [0; 32];
    // SHA-256 is 32 bytes long.
    digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    digest
}
