//! The bot verdict: how suspicious a visit is, and what the partner configured for that. Holds the rules of each
//! field; how a score comes about is not known here.

use serde::{Deserialize, Serialize};

/// How suspicious a visit is. The same object reaches the page, the backend and the Data API; the page's copy is
/// advisory, decide on the backend's.
///
/// Its rules hold by construction and are checked when it is read: the level is the score's band, a bot is a visit
/// at level `high` and up, below that the action is `record_only`, and a degraded verdict says nothing at all, but that
/// of an unread page what its connection alone says.
///
/// ```
/// use octet::{BotAction, BotLevel, BotVerdict};
/// let verdict = BotVerdict::new(72, true, BotAction::Challenge);
/// assert!(verdict.is_bot() && verdict.level() == BotLevel::High && verdict.action() == BotAction::Challenge);
/// let wrong = r#"{ "is_bot": false, "score": 72, "level": "low", "action": "record_only",
///                  "consistency": { "ok": true }, "degraded": false }"#;
/// assert!(serde_json::from_str::<BotVerdict>(wrong).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct BotVerdict {
    is_bot: bool,
    score: u8,
    level: BotLevel,
    action: BotAction,
    consistency: Consistency,
    degraded: bool,
    unread: bool,
    challenge: Option<ChallengeOutcome>,
}

/// The fields of a bot verdict break its rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the fields of a bot verdict contradict one another: {0}")]
pub struct InvalidBotVerdict(&'static str);

impl BotVerdict {
    /// The verdict of a visit that was fully computed: `score` from 0 to 100 (what is more counts as 100), and the
    /// action that the app configured for visits of high risk.
    #[must_use]
    pub const fn new(score: u8, consistent: bool, configured: BotAction) -> Self {
        let score = if score > 100 { 100 } else { score };
        let level = BotLevel::of(score);
        let is_bot = level.is_high_risk();
        Self {
            is_bot,
            score,
            level,
            action: if is_bot { configured } else { BotAction::RecordOnly },
            consistency: Consistency { ok: consistent },
            degraded: false,
            unread: false,
            challenge: None,
        }
    }

    /// The verdict of a visit about which nothing can be said: unknown, not clean.
    #[must_use]
    pub const fn degraded() -> Self {
        Self { degraded: true, ..Self::new(0, true, BotAction::RecordOnly) }
    }

    /// The verdict of a page that was served and whose collector never reported, in the Data API: degraded, with the score
    /// of its connection alone. Whatever the app configured, its action is `record_only`.
    #[must_use]
    pub const fn unread(score: u8, consistent: bool) -> Self {
        Self { degraded: true, unread: true, ..Self::new(score, consistent, BotAction::RecordOnly) }
    }

    /// The same after an escalation: once passed, the action is `record_only`; score and `is_bot` stand.
    #[must_use]
    pub const fn after(self, outcome: ChallengeOutcome) -> Self {
        let action = if matches!(outcome, ChallengeOutcome::Passed) { BotAction::RecordOnly } else { self.action };
        Self { action, challenge: Some(outcome), ..self }
    }

    /// The headline: true exactly at level `high` and up.
    #[must_use]
    pub const fn is_bot(&self) -> bool {
        self.is_bot
    }

    /// 0 to 100, higher is more suspicious.
    #[must_use]
    pub const fn score(&self) -> u8 {
        self.score
    }

    /// The score's band.
    #[must_use]
    pub const fn level(&self) -> BotLevel {
        self.level
    }

    /// What the app configured, for a visit of high risk; otherwise `record_only`.
    #[must_use]
    pub const fn action(&self) -> BotAction {
        self.action
    }

    /// Whether the visit's signals agree with one another.
    #[must_use]
    pub const fn consistency(&self) -> Consistency {
        self.consistency
    }

    /// Whether the verdict could not be fully computed. Then the other fields mean nothing, but for an unread page:
    /// unknown, not clean.
    #[must_use]
    pub const fn is_degraded(&self) -> bool {
        self.degraded
    }

    /// Whether a page was served and its collector never reported. Then the verdict is degraded, and score, level,
    /// `is_bot` and consistency are those of the connection alone.
    #[must_use]
    pub const fn is_unread(&self) -> bool {
        self.unread
    }

    /// What came of an escalation, if there was one.
    #[must_use]
    pub const fn challenge(&self) -> Option<ChallengeOutcome> {
        self.challenge
    }
}

/// The band of a score. Ordered by severity; one that this release does not know is the most severe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum BotLevel {
    /// Below 30.
    Low,
    /// 30 to 59.
    Medium,
    /// 60 to 89.
    High,
    /// 90 and up.
    Critical,
    /// A level that this release does not know; treated as the most severe.
    #[serde(other)]
    Unknown,
}

impl BotLevel {
    /// The levels of this release, the least severe first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The band of a score from 0 to 100.
    #[must_use]
    pub const fn of(score: u8) -> Self {
        match score {
            0..30 => Self::Low,
            30..60 => Self::Medium,
            60..90 => Self::High,
            _ => Self::Critical,
        }
    }

    /// Whether a visit of this level counts as a bot.
    #[must_use]
    pub const fn is_high_risk(self) -> bool {
        !matches!(self, Self::Low | Self::Medium)
    }

    /// The level as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
        }
    }
}

/// What an app has done about visits of high risk. Octet reports it and never blocks anyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BotAction {
    /// Nothing but a record.
    #[default]
    RecordOnly,
    /// The page may ask for one more verification.
    Challenge,
    /// The partner wants to look at it.
    Flag,
    /// An action that this release does not know.
    #[serde(other)]
    Unknown,
}

/// The text names no action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an action is one of record_only, challenge and flag")]
pub struct InvalidBotAction;

impl BotAction {
    /// The actions of this release.
    pub const ALL: [Self; 3] = [Self::RecordOnly, Self::Challenge, Self::Flag];

    /// The action as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RecordOnly => "record_only",
            Self::Challenge => "challenge",
            Self::Flag => "flag",
            Self::Unknown => "unknown",
        }
    }
}

impl std::str::FromStr for BotAction {
    type Err = InvalidBotAction;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|action| action.as_str() == text).ok_or(InvalidBotAction)
    }
}

impl std::fmt::Display for BotAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a visit's signals agree with one another. No breakdown is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Consistency {
    /// False when they contradict one another.
    pub ok: bool,
}

/// What came of an escalation. It prices a visit, it does not prove a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ChallengeOutcome {
    /// It was answered rightly.
    Passed,
    /// It was answered wrongly.
    Failed,
    /// It was answered too late.
    Expired,
    /// The browser could not do it.
    Unavailable,
    /// An outcome that this release does not know; nothing is to be concluded from it.
    #[serde(other)]
    Unknown,
}

impl ChallengeOutcome {
    /// The outcomes of this release.
    pub const ALL: [Self; 4] = [Self::Passed, Self::Failed, Self::Expired, Self::Unavailable];

    /// The outcome as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Unavailable => "unavailable",
            Self::Unknown => "unknown",
        }
    }
}

/// The verdict as it stands on the wire.
#[derive(Serialize, Deserialize)]
pub(crate) struct Fields {
    pub(crate) is_bot: bool,
    pub(crate) score: u8,
    pub(crate) level: BotLevel,
    pub(crate) action: BotAction,
    pub(crate) consistency: Consistency,
    pub(crate) degraded: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unread: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) challenge: Option<ChallengeOutcome>,
}

impl From<BotVerdict> for Fields {
    fn from(verdict: BotVerdict) -> Self {
        let BotVerdict { is_bot, score, level, action, consistency, degraded, unread, challenge } = verdict;
        Self { is_bot, score, level, action, consistency, degraded, unread, challenge }
    }
}

impl TryFrom<Fields> for BotVerdict {
    type Error = InvalidBotVerdict;

    fn try_from(fields: Fields) -> Result<Self, InvalidBotVerdict> {
        let Fields { is_bot, score, level, action, consistency, degraded, unread, challenge } = fields;
        // A level of a later release has bounds that are not known here.
        let known = level != BotLevel::Unknown;
        let passed = challenge == Some(ChallengeOutcome::Passed);
        let broken = [
            (score > 100, "a score is at most 100"),
            (known && level != BotLevel::of(score), "the level is the score's band"),
            (known && is_bot != level.is_high_risk(), "a bot is a visit at level high and up"),
            (action != BotAction::RecordOnly && (!is_bot || passed), "only a bot that has not passed has an action"),
            (
                degraded && !unread && (is_bot || score != 0),
                "a degraded verdict has no score unless its page is unread",
            ),
            (unread && (!degraded || action != BotAction::RecordOnly), "an unread page is degraded and has no action"),
        ];
        if let Some((_, rule)) = broken.into_iter().find(|(broken, _)| *broken) {
            return Err(InvalidBotVerdict(rule));
        }
        Ok(Self { is_bot, score, level, action, consistency, degraded, unread, challenge })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &serde_json::Value) -> Result<BotVerdict, serde_json::Error> {
        serde_json::from_value(json.clone())
    }

    #[test]
    fn a_verdict_that_breaks_a_rule_cannot_be_read() {
        let good = serde_json::to_value(BotVerdict::new(72, false, BotAction::Flag)).unwrap();
        assert!(read(&good).is_ok());
        for (field, value) in [
            ("is_bot", serde_json::json!(false)),
            ("score", 101.into()),
            ("score", 10.into()),
            ("level", "low".into()),
            ("degraded", true.into()),
            ("challenge", "passed".into()),
        ] {
            let mut wrong = good.clone();
            wrong[field] = value;
            assert!(read(&wrong).is_err(), "{wrong}");
        }
        let mut lowered = serde_json::to_value(BotVerdict::new(10, true, BotAction::Flag)).unwrap();
        assert_eq!(lowered["action"], "record_only");
        lowered["action"] = "flag".into();
        assert!(read(&lowered).is_err());
    }

    #[test]
    fn an_unread_page_has_its_connections_score_and_never_an_action_and_no_other_degraded_verdict_has_one() {
        let unread = BotVerdict::unread(85, false);
        assert!(unread.is_degraded() && unread.is_unread() && unread.is_bot() && !unread.consistency().ok);
        assert_eq!((unread.level(), unread.action()), (BotLevel::High, BotAction::RecordOnly));
        let good = serde_json::to_value(unread).unwrap();
        assert_eq!(read(&good).unwrap(), unread);
        for (field, value) in [
            ("unread", serde_json::json!(false)),
            ("degraded", false.into()),
            ("is_bot", false.into()),
            ("level", "critical".into()),
            ("action", "flag".into()),
        ] {
            let mut wrong = good.clone();
            wrong[field] = value;
            assert!(read(&wrong).is_err(), "{wrong}");
        }
        let whole = serde_json::to_value(BotVerdict::new(85, true, BotAction::Flag)).unwrap();
        assert!(whole.get("unread").is_none(), "other verdicts stand on the wire as before");
    }

    #[test]
    fn what_this_release_does_not_know_is_read_as_unknown_and_most_severe() {
        let mut later = serde_json::to_value(BotVerdict::new(95, true, BotAction::Flag)).unwrap();
        later["level"] = "apocalyptic".into();
        later["action"] = "sing".into();
        later["challenge"] = "postponed".into();
        let verdict = read(&later).unwrap();
        assert!(verdict.level() > BotLevel::Critical && verdict.level().is_high_risk());
        assert_eq!(verdict.action(), BotAction::Unknown);
        assert_eq!(verdict.challenge(), Some(ChallengeOutcome::Unknown));
    }

    proptest! {
        #[test]
        fn every_verdict_that_can_be_made_can_be_read(
            score: u8, consistent: bool, kind in 0..3,
            action in prop::sample::select(BotAction::ALL.to_vec()),
            outcome in prop::option::of(prop::sample::select(ChallengeOutcome::ALL.to_vec())),
        ) {
            let verdict = match kind {
                0 => BotVerdict::degraded(),
                1 => BotVerdict::unread(score, consistent),
                _ => BotVerdict::new(score, consistent, action),
            };
            let verdict = outcome.map_or(verdict, |outcome| verdict.after(outcome));
            prop_assert_eq!(read(&serde_json::to_value(verdict).unwrap()).unwrap(), verdict);
            prop_assert_eq!(verdict.is_bot(), kind != 0 && score >= 60);
        }
    }
}
