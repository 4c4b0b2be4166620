//! Keyed digests over fields that cannot run into one another. Knows keys, and what none of the fields mean.

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;

/// The operating system has no randomness to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system has no randomness to give")]
pub struct NoRandomness;

/// Fills `bytes` with the operating system's randomness.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// A key for one purpose. Its `Debug` prints nothing of it.
#[derive(Clone)]
pub(crate) struct MacKey(hmac::Key);

impl MacKey {
    /// The key for `label` that every process with the same `secret` derives.
    pub(crate) fn derive(secret: &[u8], label: &str) -> Self {
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), label.as_bytes());
        Self(hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()))
    }

    /// HMAC-SHA256 over `fields`, each behind its length, cut to `N` (at most 32) bytes.
    pub(crate) fn tag<const N: usize>(&self, fields: &[&[u8]]) -> [u8; N] {
        let mut context = hmac::Context::with_key(&self.0);
        for field in fields {
            context.update(&(field.len() as u64).to_be_bytes());
            context.update(field);
        }
        let full = context.sign();
        let mut tag = [0; N];
        for (to, from) in tag.iter_mut().zip(full.as_ref()) {
            *to = *from;
        }
        tag
    }

    /// Whether `tag` is the digest of `fields`; takes the same time wherever the two differ.
    pub(crate) fn verify<const N: usize>(&self, fields: &[&[u8]], tag: &[u8; N]) -> bool {
        self.tag::<N>(fields).ct_eq(tag).into()
    }
}

impl std::fmt::Debug for MacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MacKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_cannot_run_into_one_another() {
        let key = MacKey::derive(b"secret", "label");
        assert_ne!(key.tag::<32>(&[b"ab", b"c"]), key.tag::<32>(&[b"a", b"bc"]));
        assert_ne!(key.tag::<32>(&[b"ab"]), key.tag::<32>(&[b"ab", b""]));
    }

    #[test]
    fn labels_separate_keys_and_processes_agree() {
        let fields: &[&[u8]] = &[b"x"];
        let tag = |label| MacKey::derive(b"secret", label).tag::<16>(fields);
        assert_ne!(tag("a"), tag("b"));
        assert!(MacKey::derive(b"secret", "a").verify(fields, &tag("a")));
        assert!(!MacKey::derive(b"other", "a").verify(fields, &tag("a")));
    }
}
