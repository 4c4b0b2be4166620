//! The figures of a period: whole hours and minutes from rollups, and what is left at its ends from rows; exact for
//! any period, at a cost that does not grow with the visits.

use octet::AppKey;
use octet::data::BotStats;
use rusqlite::{Connection, params};

use super::figures::{COLUMNS, Figures, OF_ROWS};
use super::{Error, HOUR, MINUTE, VisitLog, read};

/// A period in milliseconds since 1970: `from` belongs to it, `to` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Its first instant.
    pub from: i64,
    /// The first instant after it.
    pub to: i64,
}

impl VisitLog {
    /// The figures of a period.
    ///
    /// # Errors
    ///
    /// [`Error::FiguresGone`] when it begins or ends within an hour whose rows are no longer kept, or the database
    /// fails.
    pub async fn stats(&self, app: &AppKey, period: Period) -> Result<BotStats, Error> {
        let app = app.clone();
        self.read(move |records| {
            // One state of the database for all parts.
            let records = records.transaction()?;
            let Some(app) = read::app_id(&records, &app)? else { return Ok(BotStats::default()) };
            let since: i64 = records.query_row("SELECT since_ms FROM kept", [], |row| row.get(0))?;
            let whole_hours = |end: i64| end >= since || end.rem_euclid(HOUR) == 0;
            if !whole_hours(period.from) || !whole_hours(period.to) {
                return Err(Error::FiguresGone);
            }
            let mut sum = Figures::default();
            for part in parts(period) {
                sum.add(&part.figures(&records, app)?, 1);
            }
            Ok(sum.stats())
        })
        .await
    }
}

/// A part of a period, and what it is summed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    /// The rollups' width; none for rows.
    width: Option<i64>,
    from: i64,
    to: i64,
}

impl Part {
    fn figures(&self, records: &Connection, app: i64) -> Result<Figures, Error> {
        let figures = match self.width {
            None => {
                let sql = format!("SELECT {OF_ROWS} FROM visits WHERE app = ?1 AND time_ms >= ?2 AND time_ms < ?3");
                let mut statement = records.prepare_cached(&sql)?;
                statement.query_row(params![app, self.from, self.to], Figures::read)?
            }
            Some(width) => {
                let sums: Vec<_> = COLUMNS.iter().map(|column| format!("total({column})")).collect();
                let mut statement = records.prepare_cached(&format!(
                    "SELECT {} FROM rollups WHERE app = ?1 AND width = ?2 AND start_ms >= ?3 AND start_ms < ?4",
                    sums.join(", ")
                ))?;
                statement.query_row(params![app, width, self.from, self.to], Figures::read)?
            }
        };
        Ok(figures)
    }
}

/// A period as rows, minutes, hours, minutes and rows; parts that hold nothing are left out.
fn parts(period: Period) -> Vec<Part> {
    let up =
        |time: i64, width: i64| time.div_euclid(width).saturating_add(i64::from(time.rem_euclid(width) > 0)) * width;
    let down = |time: i64, width: i64| time.div_euclid(width) * width;
    let within = |width: i64, outer: Period| {
        let inner = Period { from: up(outer.from, width), to: down(outer.to, width) };
        (inner.from < inner.to).then_some(inner)
    };
    let part = |width, from, to| Part { width, from, to };
    let mut parts = Vec::new();
    match within(MINUTE, period) {
        None => parts.push(part(None, period.from, period.to)),
        Some(minutes) => {
            parts.push(part(None, period.from, minutes.from));
            match within(HOUR, minutes) {
                None => parts.push(part(Some(MINUTE), minutes.from, minutes.to)),
                Some(hours) => parts.extend([
                    part(Some(MINUTE), minutes.from, hours.from),
                    part(Some(HOUR), hours.from, hours.to),
                    part(Some(MINUTE), hours.to, minutes.to),
                ]),
            }
            parts.push(part(None, minutes.to, period.to));
        }
    }
    parts.retain(|part| part.from < part.to);
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_parts_of_a_period_are_the_period_without_gap_or_overlap(
            from in -4 * HOUR..4 * HOUR, length in 1..6 * HOUR,
        ) {
            let period = Period { from, to: from + length };
            let mut at = period.from;
            for part in parts(period) {
                prop_assert_eq!(part.from, at);
                let width = part.width.unwrap_or(1);
                prop_assert!(part.from % width == 0 && part.to % width == 0);
                prop_assert!(part.width.is_some() || part.to - part.from < 2 * MINUTE);
                prop_assert!(part.width != Some(MINUTE) || part.to - part.from < 2 * HOUR);
                at = part.to;
            }
            prop_assert_eq!(at, period.to);
        }
    }
}
