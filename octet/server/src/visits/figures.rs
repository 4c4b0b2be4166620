//! The figures of visits: what one adds to them, and how they become what the Data API answers. Whole numbers, so that
//! sums are exact in any order.

use octet::data::{BotStats, ByAction, ByLevel};
use octet::{BotAction, BotLevel, BotVerdict, ChallengeOutcome};
use rusqlite::Row;

/// The columns of a rollup in the order of [`Figures`].
pub(super) const COLUMNS: [&str; 12] = [
    "total",
    "bots",
    "degraded",
    "unread",
    "invalid",
    "record_only",
    "challenge",
    "flag",
    "low",
    "medium",
    "high",
    "critical",
];

/// The same columns as sums over rows of visits.
pub(super) const OF_ROWS: &str = "total(1), total(degraded = 0 AND level >= 2), total(degraded), total(unread),
    total(invalid), total(degraded = 0 AND action = 0), total(degraded = 0 AND action = 1),
    total(degraded = 0 AND action = 2), total(degraded = 0 AND level = 0), total(degraded = 0 AND level = 1),
    total(degraded = 0 AND level = 2), total(degraded = 0 AND level = 3)";

/// How many visits are what; differences too, where one changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Figures(pub(super) [i64; COLUMNS.len()]);

/// What a row of the log says, in the numbers that its columns hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) score: u8,
    pub(super) level: u8,
    pub(super) action: u8,
    pub(super) consistent: bool,
    pub(super) degraded: bool,
    pub(super) unread: bool,
    pub(super) challenge: u8,
    pub(super) invalid: bool,
}

fn index<T: PartialEq>(all: &[T], one: &T) -> u8 {
    // A value of a later release counts as the last, which is the most severe.
    all.iter().position(|other| other == one).unwrap_or(all.len() - 1).try_into().unwrap_or(u8::MAX)
}

impl Facts {
    pub(super) const COLUMNS: &str = "score, level, action, consistent, degraded, unread, challenge, invalid";

    pub(super) fn of(verdict: &BotVerdict, invalid: bool) -> Self {
        Self {
            score: verdict.score(),
            level: index(&BotLevel::ALL, &verdict.level()),
            action: index(&BotAction::ALL, &verdict.action()),
            consistent: verdict.consistency().ok,
            degraded: verdict.is_degraded(),
            unread: verdict.is_unread(),
            challenge: verdict.challenge().map_or(0, |outcome| index(&ChallengeOutcome::ALL, &outcome) + 1),
            invalid,
        }
    }

    /// Reads [`Self::COLUMNS`], the first of which stands at `first`.
    pub(super) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            score: row.get(first)?,
            level: row.get(first + 1)?,
            action: row.get(first + 2)?,
            consistent: row.get(first + 3)?,
            degraded: row.get(first + 4)?,
            unread: row.get(first + 5)?,
            challenge: row.get(first + 6)?,
            invalid: row.get(first + 7)?,
        })
    }

    pub(super) fn verdict(&self) -> BotVerdict {
        let action = BotAction::ALL.get(usize::from(self.action)).copied().unwrap_or_default();
        let verdict = match (self.unread, self.degraded) {
            (true, _) => BotVerdict::unread(self.score, self.consistent),
            (false, true) => BotVerdict::degraded(),
            (false, false) => BotVerdict::new(self.score, self.consistent, action),
        };
        let outcome = usize::from(self.challenge).checked_sub(1).and_then(|index| ChallengeOutcome::ALL.get(index));
        outcome.map_or(verdict, |outcome| verdict.after(*outcome))
    }

    /// What this visit adds.
    pub(super) fn figures(&self) -> Figures {
        let known = !self.degraded;
        let mut figures = [0; COLUMNS.len()];
        figures[0] = 1;
        figures[1] = i64::from(known && self.level >= 2);
        figures[2] = i64::from(self.degraded);
        figures[3] = i64::from(self.unread);
        figures[4] = i64::from(self.invalid);
        for (first, value) in [(5, self.action.min(2)), (8, self.level.min(3))] {
            figures[first + usize::from(value)] += i64::from(known);
        }
        Figures(figures)
    }
}

impl Figures {
    pub(super) fn add(&mut self, other: &Self, sign: i64) {
        for (sum, figure) in self.0.iter_mut().zip(other.0) {
            *sum += sign * figure;
        }
    }

    /// Reads sums of [`COLUMNS`]; no row at all is no visit.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut figures = Self::default();
        for (index, figure) in figures.0.iter_mut().enumerate() {
            // `total` gives a real, exact up to 2^53.
            #[expect(clippy::cast_possible_truncation, reason = "a count of rows")]
            let sum = row.get::<_, f64>(index)? as i64;
            *figure = sum;
        }
        Ok(figures)
    }

    pub(super) fn stats(&self) -> BotStats {
        let [total, bots, degraded, unread, invalid, record_only, challenge, flag, low, medium, high, critical] =
            self.0.map(|figure| u64::try_from(figure).unwrap_or(0));
        let known = total.saturating_sub(degraded);
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let bot_rate = if known == 0 { 0.0 } else { bots as f64 / known as f64 };
        BotStats {
            total,
            bots,
            degraded,
            unread,
            invalid,
            bot_rate,
            by_action: ByAction { record_only, challenge, flag },
            by_level: ByLevel { low, medium, high, critical },
        }
    }
}
