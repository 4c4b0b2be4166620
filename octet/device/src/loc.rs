//! Questions about where the device is, and their answers. Never an error: what cannot be answered is INDETERMINATE.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use octet::proof::{Holder, ProofClaims, SessionDigest};
use octet::timeline::{Reading, Timeline};
use octet::{At, Claim, Confidence, ConfidenceSummary, LatLon, PredicateVerdict, Region, Unproven};
use octet_geometry::judge;
use ring::rand::{SystemRandom, generate};

use crate::attestation::Vouched;
use crate::fix::Fix;
use crate::sdk::{Inner, Standing};

/// How much wider than the operating system's 68 % a circle is that holds the device with this probability, for an
/// error that is normal in both directions: the square root of ln(1 − p) / ln(1 − 0.68).
const CIRCLES: [(f64, f64); 3] = [(0.999, 2.462), (0.99, 2.010), (0.95, 1.621)];
/// No answer is surer where neither hardware nor a platform vouches for the key.
const UNATTESTED: f64 = 0.9;

/// Questions about where the device is; from [`Octet::loc`](crate::Octet::loc).
#[derive(Debug, Clone, Copy)]
pub struct Loc<'a>(pub(crate) &'a Inner);

impl Loc<'_> {
    /// Whether the device was inside of `region` at that time.
    pub async fn is_within(self, region: Region, at: impl Into<At>) -> PredicateVerdict {
        self.ask(Claim::Within(region), at.into()).await
    }

    /// Whether the device was outside of `region` at that time: a question of its own, with a proof of its own.
    pub async fn is_outside(self, region: Region, at: impl Into<At>) -> PredicateVerdict {
        self.ask(Claim::Outside(region), at.into()).await
    }

    /// Whether the device was within `tolerance_meters` of `center` at that time. A tolerance that is no radius of a
    /// disc has no answer: `NO_PROOF_AT_RESOLUTION`.
    pub async fn contains(self, center: LatLon, tolerance_meters: f64, at: impl Into<At>) -> PredicateVerdict {
        let at = at.into();
        match Region::disc(center, tolerance_meters) {
            Ok(disc) => self.is_within(disc, at).await,
            Err(_) => {
                let queried_at = Timeline::<Fix>::queried_at(at, self.0.clock.read());
                PredicateVerdict::indeterminate(Unproven::NoProofAtResolution, queried_at)
            }
        }
    }

    async fn ask(self, claim: Claim, at: At) -> PredicateVerdict {
        let running = self.0.state().timeline.is_running();
        let standing = if running { self.0.vouched().await } else { Standing::Refused };
        if matches!(standing, Standing::Vouched(_)) {
            self.0.provide(claim.region()).await;
        }
        let now = self.0.clock.read();
        let queried_at = Timeline::<Fix>::queried_at(at, now);
        self.answer(claim, at, now, &standing).unwrap_or_else(|why| PredicateVerdict::indeterminate(why, queried_at))
    }

    fn answer(self, claim: Claim, at: At, now: Reading, standing: &Standing) -> Result<PredicateVerdict, Unproven> {
        let (queried_at, fix_time, fix) = {
            let state = self.0.state();
            let found = state.timeline.find(at, now, claim.region().level())?;
            (found.queried_at, found.fix_time, *found.fix)
        };
        let Standing::Vouched(vouched) = standing else { return Err(Unproven::AttestationFailed) };
        if now.wall >= vouched.says.signs_until {
            return Err(Unproven::AttestationFailed);
        }
        if fix.simulated {
            return Err(Unproven::NoFixOnSimulator);
        }
        if fix.mocked {
            return Err(Unproven::MockLocationDetected);
        }
        let claim = claim.dated(queried_at).map_err(|_| Unproven::NotYetReleased)?;
        let (holds, probability) = self.judge(&claim, &fix, fix_time)?;
        let claim = if holds { claim } else { claim.negated() };
        self.proven(claim, holds, probability, queried_at, fix_time, now, vouched)
    }

    /// Whether the claim holds, and how probably: by the widest circle that decides it.
    fn judge(self, claim: &Claim, fix: &Fix, fix_time: Timestamp) -> Result<(bool, f64), Unproven> {
        let maps = self.0.maps.held();
        let mut undecided = Unproven::NoProofAtResolution;
        for (probability, wider) in CIRCLES {
            let Ok(known) = Region::disc(fix.position, fix.accuracy_meters * wider) else { continue };
            match judge(claim, &known, fix_time, &*maps) {
                Ok(holds) => return Ok((holds, probability)),
                Err(why) => undecided = why,
            }
        }
        Err(undecided)
    }

    #[expect(clippy::too_many_arguments, reason = "a proof says all of this")]
    fn proven(
        self,
        claim: Claim,
        holds: bool,
        probability: f64,
        queried_at: Timestamp,
        fix_time: Timestamp,
        now: Reading,
        vouched: &Vouched,
    ) -> Result<PredicateVerdict, Unproven> {
        let says = &vouched.says;
        let score = if says.attested_by == "none" { probability.min(UNATTESTED) } else { probability };
        let score = Confidence::new(score).map_err(|_| Unproven::NoProofAtResolution)?;
        let confidence = ConfidenceSummary::new(score);
        let mut claims = ProofClaims::new(
            (says.issuer.as_str(), says.audience.as_str()),
            SessionDigest::of(&self.0.session),
            id().ok_or(Unproven::AttestationFailed)?,
            now.wall,
            claim,
            fix_time,
            confidence,
        );
        claims.attestation = vec![vouched.token.clone()];
        claims.holder = Some(Holder { jkt: self.0.key.key_id().to_owned(), hardware: says.hardware });
        let validity = claims.validity;
        let proof = claims.sign(self.0.key.as_ref()).map_err(|_| Unproven::AttestationFailed)?;
        let verdict = if holds { PredicateVerdict::yes } else { PredicateVerdict::no };
        verdict(proof, validity, confidence, queried_at).map_err(|_| Unproven::StaleFix)
    }
}

/// A proof's own name: 128 random bits.
fn id() -> Option<String> {
    let bits: [u8; 16] = generate(&SystemRandom::new()).ok()?.expose();
    Some(format!("prf_{}", URL_SAFE_NO_PAD.encode(bits)))
}
