//! Checking a proof offline: with pinned keys, an expected audience and a chosen time. Every byte of a token is
//! hostile; nothing here asks a clock, a network, or the token which key or algorithm to believe.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::chain::Chain;
use super::jws::{self, Parts, Signer, SigningFailed};
use super::keys::{KeySet, Point, PublicKey};
use super::{CLAIMS_VERSION, LocationProof, PROOF_TYPE, ProofClaims, SessionDigest};
use crate::SessionRef;
use crate::predicate::Validity;

/// How far the clocks of who signs and who checks may differ.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);
/// The most bindings that a proof may carry.
const MOST_BINDINGS: usize = 2;
/// The `typ` of a device binding.
const BINDING_TYPE: &str = "octet-device+jwt";

/// Checks a proof, and says what it says.
///
/// That a proof is used once only is the verifier's to keep: remember its `id`.
///
/// ```no_run
/// use octet::proof::{Expect, KeySet};
/// use octet::{Claim, Region};
/// # fn check(token: &str, published: &str, when: jiff::Timestamp) -> Result<(), Box<dyn std::error::Error>> {
/// let keys = KeySet::from_json(published)?;
/// let proof = octet::proof::verify(&token, &keys, Expect::audience("shop").at(when))?;
/// assert_eq!(proof.claim, Claim::Within(Region::country("DE")?));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// The [`Refusal`] says what is wrong with it.
pub fn verify(token: impl AsRef<str>, keys: &KeySet, expect: Expect<'_>) -> Result<ProofClaims, Refusal> {
    let token = token.as_ref();
    let parts = Parts::of(token, PROOF_TYPE)?;
    let claims = match keys.get(&parts.header.kid) {
        Some(key) => {
            key.point.check(&parts)?;
            let claims: ProofClaims = parts.claims()?;
            key.counts(claims.issued_at, &expect, token)?;
            claims
        }
        // Not Octet's own key: then one that Octet has vouched for.
        None => device_proof(&parts, keys, &expect)?,
    };
    check(&claims, &expect)?;
    Ok(claims)
}

/// What a verifier expects of a proof; from [`Expect::audience`].
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Expect<'a> {
    audience: &'a str,
    when: Timestamp,
    issuer: Option<&'a str>,
    session: Option<&'a SessionRef>,
    covering: Option<Timestamp>,
    chain: Option<&'a Chain>,
}

/// An expected audience, to which the time of the check is still to be said: [`Self::at`].
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Audience<'a>(&'a str);

impl<'a> Audience<'a> {
    /// As of this time: keys that have ended by then, and proofs signed after it, are refused.
    pub const fn at(self, when: Timestamp) -> Expect<'a> {
        Expect { audience: self.0, when, issuer: None, session: None, covering: None, chain: None }
    }
}

impl<'a> Expect<'a> {
    /// A proof for this audience: the partner.
    pub const fn audience(audience: &'a str) -> Audience<'a> {
        Audience(audience)
    }

    /// From this issuer.
    pub const fn issuer(mut self, issuer: &'a str) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// About this session.
    pub const fn session(mut self, session: &'a SessionRef) -> Self {
        self.session = Some(session);
        self
    }

    /// Whose validity covers this moment: that of an order, for instance.
    pub const fn covering(mut self, moment: Timestamp) -> Self {
        self.covering = Some(moment);
        self
    }

    /// Signed by a key that may have ended since, when the chain shows that the proof, or the binding of the device that
    /// signed it, is older than that.
    pub const fn anchored_in(mut self, chain: &'a Chain) -> Self {
        self.chain = Some(chain);
        self
    }
}

/// Why a proof is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Longer than a proof may be.
    #[error("the token is longer than a proof may be")]
    TooLong,
    /// No compact JWS, or its claims lack something or hold what they must not.
    #[error("the token is no compact JWS with the claims of a proof")]
    Malformed,
    /// Another kind of token.
    #[error("the token is of another type")]
    WrongType,
    /// The header names an extension that must be understood.
    #[error("the token asks for an extension that is not known")]
    CriticalHeader,
    /// No key of this name.
    #[error("the token names a key that is not in the key set")]
    UnknownKey,
    /// The key is of another kind than the header claims.
    #[error("the token names another algorithm than its key has")]
    WrongAlgorithm,
    /// The key in the set has no usable point.
    #[error("the key set's key cannot be used")]
    UnusableKey,
    /// The signature is not the key's.
    #[error("the signature is not by the key")]
    BadSignature,
    /// The key's time has not begun.
    #[error("the key is not valid yet")]
    KeyNotYetValid,
    /// The key's time is over, and nothing shows that the proof is older than that.
    #[error("the key's time is over; the published chain can show that the proof is older")]
    KeyExpired,
    /// The proof was signed outside of its key's time.
    #[error("the proof was not signed within its key's time")]
    OutsideKeyLife,
    /// The proof was signed after the time of the check.
    #[error("the proof was signed later than the time of the check")]
    FromTheFuture,
    /// The claims are of a version that this release does not know.
    #[error("the claims are of another version")]
    WrongVersion,
    /// For somebody else.
    #[error("the proof is for another audience")]
    WrongAudience,
    /// By somebody else.
    #[error("the proof is from another issuer")]
    WrongIssuer,
    /// About something else.
    #[error("the proof is about another session")]
    WrongSession,
    /// Its validity does not cover the moment, or is none that its level may have.
    #[error("the proof does not hold at that moment")]
    NotCovered,
    /// The device binding does not vouch for this proof.
    #[error("the device's binding does not vouch for the proof")]
    NotBound,
}

impl PublicKey {
    /// Whether what it signed at `signed_at` counts at the time of the check.
    fn counts(&self, signed_at: Timestamp, expect: &Expect<'_>, token: &str) -> Result<(), Refusal> {
        if later(self.nbf, expect.when) {
            return Err(Refusal::KeyNotYetValid);
        }
        if later(self.nbf, signed_at) || signed_at >= self.exp {
            return Err(Refusal::OutsideKeyLife);
        }
        // An ended key may have become known to others: it counts only for what was published in its time.
        let published_in_time = || expect.chain.is_some_and(|chain| chain.has_before(token, self.exp));
        if expect.when >= self.exp && !published_in_time() {
            return Err(Refusal::KeyExpired);
        }
        Ok(())
    }
}

/// Whether `time` is later than `than`, by more than clocks may differ.
fn later(time: Timestamp, than: Timestamp) -> bool {
    time.duration_since(than) > LEEWAY
}

fn check(claims: &ProofClaims, expect: &Expect<'_>) -> Result<(), Refusal> {
    let widest = Validity::around(claims.fix_time, claims.claim.region().level());
    let validity = claims.validity;
    let well_valid = validity.covers(claims.fix_time) && widest.covers(validity.from()) && widest.covers(validity.to());
    let rules = [
        (claims.version == CLAIMS_VERSION, Refusal::WrongVersion),
        (claims.audience == expect.audience, Refusal::WrongAudience),
        (expect.issuer.is_none_or(|issuer| claims.issuer == issuer), Refusal::WrongIssuer),
        (!later(claims.issued_at, expect.when), Refusal::FromTheFuture),
        (!later(claims.fix_time, claims.issued_at), Refusal::FromTheFuture),
        (expect.session.is_none_or(|session| claims.session == SessionDigest::of(session)), Refusal::WrongSession),
        (well_valid, Refusal::NotCovered),
        (expect.covering.is_none_or(|moment| validity.covers(moment)), Refusal::NotCovered),
    ];
    rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, refusal)| Err(refusal))
}

/// What Octet says of a device's key: that it belongs to a session, and what vouched for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceBinding {
    /// Who says it.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// For which partner's sessions.
    #[serde(rename = "aud")]
    pub audience: String,
    /// The session that the key belongs to.
    #[serde(rename = "sid")]
    pub session: SessionDigest,
    /// Its own name.
    #[serde(rename = "jti")]
    pub id: String,
    /// From when the key may sign.
    #[serde(rename = "iat", with = "jiff::fmt::serde::timestamp::second::required")]
    pub issued_at: Timestamp,
    /// From when on it may sign no more. Named so that a general JWT library does not refuse an old binding.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub signs_until: Timestamp,
    /// The key.
    pub cnf: Confirmation,
    /// Whether hardware holds it.
    pub hardware: bool,
    /// What vouched for it: `appAttest`, `playIntegrity`, or `none`.
    pub attested_by: String,
}

/// The key that a binding is about (RFC 7800).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// As a JWK.
    pub jwk: Point,
}

impl ProofClaims {
    /// The proof of these claims.
    ///
    /// # Errors
    ///
    /// When the key's holder does not sign, or the claims are too long for a proof.
    pub fn sign(&self, signer: &dyn Signer) -> Result<LocationProof, SigningFailed> {
        jws::sign(PROOF_TYPE, self, signer)
    }
}

impl DeviceBinding {
    /// What a binding says, for the device that carries it: nothing of it is checked. Who checks a proof asks [`verify`].
    ///
    /// # Errors
    ///
    /// When the token is no binding.
    pub fn unverified(binding: &LocationProof) -> Result<Self, Refusal> {
        Parts::of(binding.as_str(), BINDING_TYPE)?.claims()
    }

    /// The binding, signed by one of Octet's keys, for [`ProofClaims::attestation`].
    ///
    /// # Errors
    ///
    /// When the key's holder does not sign.
    pub fn sign(&self, signer: &dyn Signer) -> Result<LocationProof, SigningFailed> {
        jws::sign(BINDING_TYPE, self, signer)
    }
}

/// The claims of a proof whose key is a device's, when one of `keys` has vouched for that key and session.
fn device_proof(parts: &Parts<'_>, keys: &KeySet, expect: &Expect<'_>) -> Result<ProofClaims, Refusal> {
    // Nothing of these claims counts before the key is vouched for and has signed them.
    let claims: ProofClaims = parts.claims().map_err(|_| Refusal::UnknownKey)?;
    let token = match claims.attestation.as_slice() {
        [] => return Err(Refusal::UnknownKey),
        [token, ..] if claims.attestation.len() <= MOST_BINDINGS => token.as_str(),
        _ => return Err(Refusal::Malformed),
    };
    let bound = Parts::of(token, BINDING_TYPE)?;
    let octets = keys.get(&bound.header.kid).ok_or(Refusal::UnknownKey)?;
    octets.point.check(&bound)?;
    let binding: DeviceBinding = bound.claims()?;
    // What a device signs never comes to Octet: the chain has what vouches for its key.
    octets.counts(binding.issued_at, expect, token)?;
    let thumbprint = binding.cnf.jwk.thumbprint();
    let holder = claims.holder.as_ref();
    let vouched = thumbprint == parts.header.kid
        && holder.is_some_and(|holder| holder.jkt == thumbprint && holder.hardware == binding.hardware)
        && (&binding.issuer, &binding.audience) == (&claims.issuer, &claims.audience)
        && binding.session == claims.session
        && !later(binding.issued_at, claims.issued_at)
        && claims.issued_at < binding.signs_until;
    if !vouched {
        return Err(Refusal::NotBound);
    }
    binding.cnf.jwk.check(parts)?;
    Ok(claims)
}
