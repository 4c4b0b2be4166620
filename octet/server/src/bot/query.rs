//! The queries of the Data API: periods and names, read once at the border. An error says what is wrong with which
//! parameter, and never repeats its value.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use octet::problem::Code;

use crate::failure::Failure;
use crate::visits::Period;

/// The parameters of a query; each of them once, and no others.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(query: Option<&str>, known: &[&str]) -> Result<Self, Failure> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if !known.contains(&&*name) {
                return Err(malformed(format!("this call takes {} and no other parameter", known.join(", "))));
            }
            if pairs.iter().any(|(other, _)| *other == *name) {
                return Err(malformed(format!("{name} is there twice")));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that is parsed by its type.
    pub(super) fn parsed<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Failure> {
        let value = self.get(name).map(str::parse).transpose();
        value.map_err(|_| malformed(format!("{name} is not one")))
    }

    /// `from` and `to`: both dates, which are inclusive and in UTC, or both instants, half-open.
    pub(super) fn period(&self) -> Result<Period, Failure> {
        let wrong = |detail| Failure::new(Code::MalformedPeriod, detail);
        let (Some(from), Some(to)) = (self.get("from"), self.get("to")) else {
            return Err(wrong("a period has from and to, such as from=2026-06-01&to=2026-06-30"));
        };
        let period = match (is_date(from), is_date(to)) {
            (true, true) => {
                let date =
                    |text: &str| text.parse::<Date>().map_err(|_| wrong("from or to is a date that there is not"));
                let end = date(to)?.checked_add(1.day()).map_err(|_| wrong("to is later than there are dates"))?;
                Period { from: start(date(from)?), to: start(end) }
            }
            (false, false) => match (instant(from), instant(to)) {
                (Some(from), Some(to)) => Period { from, to },
                _ => {
                    return Err(wrong(
                        "from and to are dates such as 2026-06-01, or instants such as 2026-06-01T00:00:00Z",
                    ));
                }
            },
            _ => return Err(wrong("from and to are both dates or both instants")),
        };
        if period.from < period.to {
            Ok(period)
        } else {
            Err(wrong("from must be before to; both dates may be the same"))
        }
    }
}

pub(super) fn malformed(detail: impl Into<std::borrow::Cow<'static, str>>) -> Failure {
    Failure::new(Code::MalformedQuery, detail)
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

fn start(date: Date) -> i64 {
    date.to_zoned(TimeZone::UTC).map_or(0, |zoned| zoned.timestamp().as_millisecond())
}

/// An RFC 3339 instant, rounded up to the milliseconds in which visits are counted. A plus sign that nobody encoded
/// reads as a space.
fn instant(text: &str) -> Option<i64> {
    let shaped = text.len() >= 20 && text.as_bytes().get(10).is_some_and(|byte| matches!(byte, b'T' | b't'));
    let instant: Timestamp = shaped.then(|| text.replace(' ', "+").parse().ok())??;
    let milliseconds = instant.as_nanosecond().div_euclid(1_000_000);
    let rest = instant.as_nanosecond().rem_euclid(1_000_000) > 0;
    i64::try_from(milliseconds + i128::from(rest)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: i64 = 86_400_000;

    fn period(query: &str) -> Result<Period, String> {
        Query::parse(Some(query), &["from", "to"])
            .and_then(|query| query.period())
            .map_err(|failure| failure.code().as_str().to_owned())
    }

    #[test]
    fn dates_are_inclusive_and_instants_half_open() {
        let june = period("from=2026-06-01&to=2026-06-30").unwrap();
        assert_eq!(june.to - june.from, 30 * DAY);
        let day = period("from=2026-06-01&to=2026-06-01").unwrap();
        assert_eq!(day.to - day.from, DAY);
        let same = period("from=2026-06-01T00:00:00Z&to=2026-06-02T02%3A00%3A00%2B02:00").unwrap();
        assert_eq!(same, day);
        assert_eq!(period("from=2026-06-01T00:00:00Z&to=2026-06-02T02:00:00+02:00").unwrap(), day);
        let fine = period("from=2026-06-01T00:00:00.0005Z&to=2026-06-01T00:00:00.002Z").unwrap();
        assert_eq!(fine.to - fine.from, 1);
    }

    #[test]
    fn a_bad_or_inverted_period_is_refused_by_name() {
        for bad in [
            "",
            "from=2026-06-01",
            "to=2026-06-01",
            "from=2026-06-02&to=2026-06-01",
            "from=2026-13-01&to=2026-12-01",
            "from=2026-06-01&to=2026-06-02T00:00:00Z",
            "from=&to=",
            "from=yesterday&to=today",
            "from=2026-06-01T00:00:00Z&to=2026-06-01T00:00:00Z",
            "from=2026-06-01T00:00:00&to=2026-06-02T00:00:00",
            "from=2026-02-30&to=2026-03-01",
            "from=-0000-01-01&to=9999-12-31",
            "from=2026-06-01&to=9999-12-31",
        ] {
            assert_eq!(period(bad).unwrap_err(), "malformed_period", "{bad}");
        }
        for bad in ["from=2026-06-01&to=2026-06-02&until=1", "from=2026-06-01&from=2026-06-01&to=2026-06-02"] {
            assert_eq!(period(bad).unwrap_err(), "malformed_query", "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_query_is_read_or_refused(query in ".{0,200}") {
            if let Ok(period) = period(&query) {
                prop_assert!(period.from < period.to);
            }
        }

        #[test]
        fn any_two_texts_are_a_period_or_none(from in "[0-9TZ:.+-]{0,30}", to in "[0-9TZ:.+-]{0,30}") {
            if let Ok(period) = period(&format!("from={from}&to={to}")) {
                prop_assert!(period.from < period.to);
            }
        }
    }
}
