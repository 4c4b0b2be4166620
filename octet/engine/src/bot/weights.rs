//! What each sign is worth: read from one versioned file that a deployment can replace. It knows no evidence.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use super::{BotAssessment, Family, Sign};
use crate::model::ParameterError;

/// The highest score that is no bot.
const MEDIUM: u8 = 59;

/// The families that hold contradictions: alone, they never make a bot.
const CONTRADICTIONS: [Family; 3] = [Family::Connection, Family::Identity, Family::Contexts];

/// Points (a hundredth of certainty's score each) of every sign, and the cap of every family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weights {
    version: u32,
    limits: Limits,
    caps: BTreeMap<Family, u8>,
    points: BTreeMap<Sign, u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    /// What contradictions come to together beside a report.
    contradictions: u8,
    /// What a connection comes to when nothing was reported.
    unreported: u8,
    /// What contradictions and a console that is read come to together: developer tools emulate other devices.
    emulated: u8,
    /// From how many points of contradictions on a visit is not consistent.
    inconsistent_from: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    limits: Limits,
    families: BTreeMap<String, BTreeMap<String, u8>>,
}

impl Weights {
    /// The weights that come with this crate.
    #[must_use]
    pub fn embedded() -> Arc<Self> {
        static EMBEDDED: OnceLock<Arc<Weights>> = OnceLock::new();
        let weights = EMBEDDED.get_or_init(|| {
            let text = include_str!("../../parameters/bot.toml");
            Arc::new(Self::from_toml(text).expect("a test holds that the weights of this crate can be read"))
        });
        Arc::clone(weights)
    }

    /// The weights of a TOML text: every family with its cap, every sign with its points.
    ///
    /// # Errors
    ///
    /// When the text is no TOML, a sign or family lacks or is unknown, or a cap would let contradictions or behaviour
    /// alone make a bot.
    pub fn from_toml(text: &str) -> Result<Self, ParameterError> {
        let File { version, limits, mut families } =
            toml::from_str(text).map_err(|error| ParameterError::Syntax(error.message().into()))?;
        let missing = |name: &str| ParameterError::Syntax(format!("`{name}` has no weight"));
        let (mut caps, mut points) = (BTreeMap::new(), BTreeMap::new());
        for family in Family::ALL {
            let mut signs = families.remove(family.name()).ok_or_else(|| missing(family.name()))?;
            caps.insert(*family, signs.remove("cap").ok_or_else(|| missing("cap"))?);
            for sign in Sign::ALL.iter().filter(|sign| sign.family() == *family) {
                points.insert(*sign, signs.remove(sign.name()).ok_or_else(|| missing(sign.name()))?);
            }
            if let Some(unknown) = signs.keys().next() {
                return Err(ParameterError::Syntax(format!("`{unknown}` is no sign")));
            }
        }
        if let Some(unknown) = families.keys().next() {
            return Err(ParameterError::Syntax(format!("`{unknown}` is no family")));
        }
        if limits.contradictions > MEDIUM || caps[&Family::Behaviour] > MEDIUM {
            return Err(ParameterError::Range("cap: contradictions or behaviour alone would make a bot"));
        }
        Ok(Self { version, limits, caps, points })
    }

    /// The file's own version.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// What `sign` is worth.
    #[must_use]
    pub fn points(&self, sign: Sign) -> u8 {
        self.points.get(&sign).copied().unwrap_or_default()
    }

    pub(super) const fn contradictions(&self) -> u8 {
        self.limits.contradictions
    }

    pub(super) const fn unreported(&self) -> u8 {
        self.limits.unreported
    }

    /// The assessment of `signs`, with contradictions capped together at `together`.
    pub(super) fn concluded(&self, mut signs: Vec<Sign>, together: u8, degraded: bool) -> BotAssessment {
        signs.sort_unstable();
        signs.dedup();
        let mut families: BTreeMap<Family, u32> = BTreeMap::new();
        let read = signs.contains(&Sign::ConsoleRead);
        // Whoever changes the user agent with developer tools empties its hints as well.
        let family = |sign: Sign| match sign {
            Sign::EmptyHints | Sign::NoHints if read => Family::Identity,
            sign => sign.family(),
        };
        for sign in &signs {
            *families.entry(family(*sign)).or_default() += u32::from(self.points(*sign));
        }
        let capped = |(family, points): (&Family, &u32)| (*points).min(u32::from(self.caps[family]));
        let (contradictions, others): (Vec<_>, Vec<_>) =
            families.iter().partition(|(family, _)| CONTRADICTIONS.contains(family));
        let contradictions: u32 = contradictions.into_iter().map(capped).sum();
        let others: u32 = others.into_iter().map(capped).sum();
        let together = if read {
            together.min(self.limits.emulated.saturating_sub(self.points(Sign::ConsoleRead)))
        } else {
            together
        };
        let sum = (others + contradictions.min(u32::from(together))).min(100);
        BotAssessment {
            score: u8::try_from(sum).unwrap_or(100),
            consistent: contradictions < u32::from(self.limits.inconsistent_from),
            degraded,
            signs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = include_str!("../../parameters/bot.toml");

    #[test]
    fn the_weights_of_this_crate_can_be_read_and_the_contracts_limits_hold() {
        let weights = Weights::from_toml(TEXT).unwrap();
        assert_eq!(weights, *Weights::embedded());
        assert!(weights.version() >= 1);
    }

    #[test]
    fn a_file_that_lets_contradictions_or_behaviour_make_a_bot_is_refused() {
        let contradictions = format!("contradictions = {}", Weights::embedded().contradictions());
        assert!(TEXT.contains(&contradictions));
        assert!(matches!(
            Weights::from_toml(&TEXT.replace(&contradictions, "contradictions = 60")),
            Err(ParameterError::Range(_))
        ));
    }

    #[test]
    fn a_file_that_lacks_a_sign_or_names_an_unknown_one_is_refused() {
        assert!(Weights::from_toml(&TEXT.replace("replayed =", "replaid =")).is_err());
        assert!(Weights::from_toml(&format!("{TEXT}\n[families.other]\ncap = 1\n")).is_err());
        assert!(Weights::from_toml("version = 1").is_err());
    }
}
