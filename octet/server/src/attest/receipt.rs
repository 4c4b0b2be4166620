//! What lets a key that Apple attested speak again without Apple: a receipt that the device keeps, and the service does
//! not. It says which key was attested for which app, what its counter was, and until when that counts.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use octet::proof::Signer;

use super::{AppKey, Refusal, array};
use crate::PartnerName;

/// How long an attestation counts: then Apple is asked again.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24 * 30);
/// App, key, counter, end.
const HEAD: usize = 32 + 65 + 4 + 8;

/// What a receipt says.
#[derive(Debug)]
pub(super) struct Receipt {
    pub(super) key: AppKey,
    end: Timestamp,
}

impl Receipt {
    /// For a key that was attested now.
    pub(super) fn new(key: AppKey, now: Timestamp) -> Self {
        Self { key, end: now.checked_add(GOOD_FOR).unwrap_or(Timestamp::MAX) }
    }

    /// As the device keeps it: head and signature.
    pub(super) fn sign(&self, partner: &PartnerName, signer: &dyn Signer) -> Option<String> {
        let (counter, end) = (self.key.counter.to_be_bytes(), self.end.as_second().to_be_bytes());
        let head = [&self.key.app[..], &self.key.public, &counter, &end].concat();
        let signature = signer.sign(&message(&head, partner)).ok()?;
        Some(URL_SAFE_NO_PAD.encode([head, signature].concat()))
    }

    /// What `text` says, when we signed it for `partner` and it counts at `now`.
    pub(super) fn read(
        text: &str,
        partner: &PartnerName,
        we_signed: impl Fn(&[u8], &[u8]) -> bool,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::Malformed)?;
        let (head, signature) = bytes.split_at_checked(HEAD).ok_or(Refusal::Malformed)?;
        if !we_signed(&message(head, partner), signature) {
            return Err(Refusal::Signature);
        }
        let read = || {
            let (app, rest) = head.split_first_chunk()?;
            let (public, rest) = rest.split_first_chunk()?;
            let (counter, end) = rest.split_first_chunk()?;
            let end = Timestamp::from_second(i64::from_be_bytes(array(end)?)).ok()?;
            let key = AppKey { app: *app, public: *public, counter: u32::from_be_bytes(*counter) };
            Some(Self { key, end })
        };
        let receipt = read().ok_or(Refusal::Malformed)?;
        if now < receipt.end { Ok(receipt) } else { Err(Refusal::Time) }
    }
}

/// What is signed. No other text that these keys sign begins like this, and the head has one length.
fn message(head: &[u8], partner: &PartnerName) -> Vec<u8> {
    [b"octet-attest-receipt-v1", head, partner.as_str().as_bytes()].concat()
}
