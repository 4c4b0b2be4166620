//! What the Data API answers: one visit, and the figures of a period. Types only; a visit's row holds no address and
//! nothing of what its verdict was derived from.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use crate::{BotAction, BotLevel, BotVerdict, ChallengeOutcome, ClickToken, Consistency, SessionRef};

/// The envelope of a Data API answer: `{ "code": 0, "data": … }`. What fails is a
/// [`Problem`](crate::problem::Problem), whose code is a word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Data<T> {
    code: u32,
    /// What was asked for.
    pub data: T,
}

impl<T> Data<T> {
    /// The answer that holds `data`.
    pub const fn new(data: T) -> Self {
        Self { code: 0, data }
    }
}

/// One visit: the bot verdict, and what is recorded beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct Visit {
    /// The session reference.
    pub cid: SessionRef,
    /// The click token, where the app keeps them as plain text and the visit had one.
    pub click_token: Option<ClickToken>,
    /// When it was assessed.
    pub time: Timestamp,
    /// The verdict; says too whether the page is an [unread](BotVerdict::is_unread) one.
    pub verdict: BotVerdict,
    /// Invalid traffic, whatever the verdict: a click token that an earlier visit carried, a prefetch, or a crawler
    /// that says so.
    pub invalid: bool,
    /// Asked by click token: how many visits carried it. This is the first of them.
    pub visits: Option<u64>,
}

/// The figures of a period.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct BotStats {
    /// All visits.
    pub total: u64,
    /// Those with `is_bot` whose verdict is not degraded.
    pub bots: u64,
    /// Those whose verdict could not be fully computed; the unread ones are among them.
    pub degraded: u64,
    /// Pages that were served and whose collector never reported.
    pub unread: u64,
    /// Invalid traffic, whatever the verdict.
    #[serde(default)]
    pub invalid: u64,
    /// `bots` / (`total` − `degraded`); 0 where there is nothing to divide by.
    pub bot_rate: f64,
    /// The visits that are not degraded, by action.
    pub by_action: ByAction,
    /// The visits that are not degraded, by level.
    pub by_level: ByLevel,
}

/// Visits by action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ByAction {
    /// `record_only`.
    #[serde(default)]
    pub record_only: u64,
    /// `challenge`.
    #[serde(default)]
    pub challenge: u64,
    /// `flag`.
    #[serde(default)]
    pub flag: u64,
}

/// Visits by level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ByLevel {
    /// `low`.
    #[serde(default)]
    pub low: u64,
    /// `medium`.
    #[serde(default)]
    pub medium: u64,
    /// `high`.
    #[serde(default)]
    pub high: u64,
    /// `critical`.
    #[serde(default)]
    pub critical: u64,
}

/// A visit as it stands on the wire.
#[derive(Serialize, Deserialize)]
struct Fields {
    cid: SessionRef,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    click_token: Option<ClickToken>,
    #[serde(serialize_with = "milliseconds")]
    time: Timestamp,
    is_bot: bool,
    score: u8,
    level: BotLevel,
    action: BotAction,
    consistency: Consistency,
    degraded: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    challenge: Option<ChallengeOutcome>,
    #[serde(default)]
    unread: bool,
    #[serde(default)]
    invalid: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    visits: Option<u64>,
}

/// Three digits always, so that texts sort as times do.
fn milliseconds<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{time:.3}"))
}

impl From<Visit> for Fields {
    fn from(visit: Visit) -> Self {
        let verdict = visit.verdict;
        Self {
            cid: visit.cid,
            click_token: visit.click_token,
            time: visit.time,
            is_bot: verdict.is_bot(),
            score: verdict.score(),
            level: verdict.level(),
            action: verdict.action(),
            consistency: verdict.consistency(),
            degraded: verdict.is_degraded(),
            challenge: verdict.challenge(),
            unread: verdict.is_unread(),
            invalid: visit.invalid,
            visits: visit.visits,
        }
    }
}

impl TryFrom<Fields> for Visit {
    type Error = crate::bot::InvalidBotVerdict;

    fn try_from(fields: Fields) -> Result<Self, Self::Error> {
        let verdict = BotVerdict::try_from(crate::bot::Fields {
            is_bot: fields.is_bot,
            score: fields.score,
            level: fields.level,
            action: fields.action,
            consistency: fields.consistency,
            degraded: fields.degraded,
            unread: fields.unread,
            challenge: fields.challenge,
        })?;
        Ok(Self {
            cid: fields.cid,
            click_token: fields.click_token,
            time: fields.time,
            verdict,
            invalid: fields.invalid,
            visits: fields.visits,
        })
    }
}
