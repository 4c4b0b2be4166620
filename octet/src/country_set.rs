//! Sets of countries: by their codes, or by a name whose members change with time. Holds who was a member when, as
//! the treaties have it, and nothing of where a country lies.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::CountryCode;
use crate::region::InvalidRegion;

/// Several countries: a list of codes, or the members of a union on a day.
///
/// A named set holds the codes of its member states, and of those parts of them that have a code of their own and
/// belong to the union too, such as Réunion (`RE`) and Åland (`AX`).
///
/// ```
/// use octet::region::CountrySet;
/// let day = |text: &str| text.parse::<jiff::Timestamp>();
/// let eu = CountrySet::EU;
/// assert!(eu.contains("GB".parse()?, day("2020-01-31T12:00:00Z")?));
/// assert!(!eu.contains("GB".parse()?, day("2020-02-01T12:00:00Z")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountrySet(Members);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Members {
    /// In order, each once.
    Listed(Vec<CountryCode>),
    Named(SetName, Option<Date>),
}

/// A set of countries that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SetName {
    /// The European Union.
    #[serde(rename = "EU")]
    Eu,
    /// The European Economic Area.
    #[serde(rename = "EEA")]
    Eea,
}

impl CountrySet {
    /// The European Union, as it is at the time that is asked about.
    pub const EU: Self = Self(Members::Named(SetName::Eu, None));
    /// The European Economic Area, as it is at the time that is asked about.
    pub const EEA: Self = Self(Members::Named(SetName::Eea, None));
    /// The most codes of a list.
    pub const MAX_CODES: usize = 256;

    /// The countries with these codes.
    ///
    /// # Errors
    ///
    /// When there is none, one stands twice, or there are more than [`Self::MAX_CODES`].
    pub fn of(mut codes: Vec<CountryCode>) -> Result<Self, InvalidRegion> {
        codes.sort_unstable();
        let distinct = codes.windows(2).all(|pair| pair[0] != pair[1]);
        if distinct && (1..=Self::MAX_CODES).contains(&codes.len()) {
            Ok(Self(Members::Listed(codes)))
        } else {
            Err(InvalidRegion::Countries)
        }
    }

    /// The set of this name as it was on `day`.
    ///
    /// # Errors
    ///
    /// When it did not exist on that day.
    pub fn named_on(name: SetName, day: Date) -> Result<Self, InvalidRegion> {
        if day >= name.since() { Ok(Self(Members::Named(name, Some(day)))) } else { Err(InvalidRegion::Countries) }
    }

    /// Its name, when it has one.
    #[must_use]
    pub const fn name(&self) -> Option<SetName> {
        match self.0 {
            Members::Listed(_) => None,
            Members::Named(name, _) => Some(name),
        }
    }

    /// The countries in it at `time`, in the order of their codes. A set that names its day does not change with time.
    #[must_use]
    pub fn codes(&self, time: jiff::Timestamp) -> Vec<CountryCode> {
        match &self.0 {
            Members::Listed(codes) => codes.clone(),
            Members::Named(name, day) => name.members(day.unwrap_or_else(|| day_of(time))),
        }
    }

    /// Whether the country is in it at `time`.
    #[must_use]
    pub fn contains(&self, country: CountryCode, time: jiff::Timestamp) -> bool {
        self.codes(time).contains(&country)
    }

    pub(crate) fn dated(self, time: jiff::Timestamp) -> Result<Self, InvalidRegion> {
        match self.0 {
            Members::Named(name, None) => Self::named_on(name, day_of(time)),
            // A day's grace: east of Greenwich it may be tomorrow already.
            Members::Named(_, Some(day)) if day > day_of(time).saturating_add(1.day()) => Err(InvalidRegion::Countries),
            members => Ok(Self(members)),
        }
    }
}

/// The day in UTC.
fn day_of(time: jiff::Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

/// A membership: codes, and from which day until before which day, as numbers of the form 20200201.
type Membership = (&'static str, u32, u32);

const ALWAYS: u32 = 0;
const EVER: u32 = u32::MAX;

/// Treaty on European Union, articles 52, 355 of the Treaty on the Functioning of the EU, and the accession treaties.
const EU: &[Membership] = &[
    ("BE DE DK ES FR GR IE IT LU NL PT GF GP MQ RE", ALWAYS, EVER),
    ("AT AX FI SE", 19_950_101, EVER),
    ("CY CZ EE HU LT LV MT PL SI SK", 20_040_501, EVER),
    ("BG RO", 20_070_101, EVER),
    ("MF", 20_070_715, EVER),
    ("BL", 20_070_715, 20_120_101),
    ("HR", 20_130_701, EVER),
    ("YT", 20_140_101, EVER),
    ("GB GI", ALWAYS, 20_200_201),
];

/// Agreement on the European Economic Area and its enlargements, from the day of (provisional) application.
const EEA: &[Membership] = &[
    ("BE DE DK ES FR GR IE IT LU NL PT GF GP MQ RE AT AX FI SE IS NO", ALWAYS, EVER),
    ("LI", 19_950_501, EVER),
    ("CY CZ EE HU LT LV MT PL SI SK", 20_040_501, EVER),
    ("MF", 20_070_715, EVER),
    ("BL", 20_070_715, 20_120_101),
    ("BG RO", 20_070_801, EVER),
    ("YT", 20_140_101, EVER),
    ("HR", 20_140_412, EVER),
    ("GB GI", ALWAYS, 20_200_201),
];

impl SetName {
    /// The day on which it came to be.
    #[must_use]
    pub const fn since(self) -> Date {
        match self {
            Self::Eu => Date::constant(1993, 11, 1),
            Self::Eea => Date::constant(1994, 1, 1),
        }
    }

    fn members(self, day: Date) -> Vec<CountryCode> {
        if day < self.since() {
            return Vec::new();
        }
        let day = u32::from(day.year().unsigned_abs()) * 10_000
            + u32::from(day.month().unsigned_abs()) * 100
            + u32::from(day.day().unsigned_abs());
        let memberships = match self {
            Self::Eu => EU,
            Self::Eea => EEA,
        };
        let then = memberships.iter().filter(|(_, from, until)| (*from..*until).contains(&day));
        let mut codes: Vec<_> =
            then.flat_map(|(codes, ..)| codes.split(' ')).filter_map(|code| code.parse().ok()).collect();
        codes.sort_unstable();
        codes
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    set: Option<SetName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    as_of: Option<Date>,
    /// Beside a set with its day: its members, for readers without this table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    codes: Option<Vec<CountryCode>>,
}

impl Serialize for CountrySet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Members::Listed(codes) => Wire { set: None, as_of: None, codes: Some(codes.clone()) },
            Members::Named(name, day) => {
                Wire { set: Some(*name), as_of: *day, codes: day.map(|day| name.members(day)) }
            }
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CountrySet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let set = match Wire::deserialize(deserializer)? {
            Wire { set: Some(name), as_of: None, codes: None } => Ok(Self(Members::Named(name, None))),
            Wire { set: Some(name), as_of: Some(day), codes } => Self::named_on(name, day).and_then(|set| {
                let same = codes.is_none_or(|codes| codes == name.members(day));
                if same { Ok(set) } else { Err(InvalidRegion::Countries) }
            }),
            Wire { set: None, as_of: None, codes: Some(codes) } => Self::of(codes),
            _ => Err(InvalidRegion::Countries),
        };
        set.map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_union_has_as_many_member_states_as_it_had_on_each_day() {
        let territories = ["AX", "BL", "GF", "GI", "GP", "MF", "MQ", "RE", "YT"];
        let states = |name: SetName, day: &str| {
            let codes = name.members(day.parse().unwrap());
            codes.iter().filter(|code| !territories.contains(&code.as_str())).count()
        };
        for (day, eu, eea) in [
            ("1993-10-31", 0, 0),
            ("1993-11-01", 12, 0),
            ("1994-01-01", 12, 17),
            ("1995-01-01", 15, 17),
            ("1995-05-01", 15, 18),
            ("2004-05-01", 25, 28),
            ("2007-01-01", 27, 28),
            ("2007-08-01", 27, 30),
            ("2013-07-01", 28, 30),
            ("2014-04-12", 28, 31),
            ("2020-01-31", 28, 31),
            ("2020-02-01", 27, 30),
            ("2026-11-21", 27, 30),
        ] {
            assert_eq!((states(SetName::Eu, day), states(SetName::Eea, day)), (eu, eea), "{day}");
        }
    }

    #[test]
    fn what_a_union_will_be_nobody_knows() {
        let time = "2026-11-21T23:30:00Z".parse().unwrap();
        let on = |day: &str| CountrySet::named_on(SetName::Eu, day.parse().unwrap()).unwrap().dated(time);
        assert!(on("1993-11-01").is_ok() && on("2026-11-21").is_ok() && on("2026-11-22").is_ok());
        assert_eq!(on("2026-11-23"), Err(InvalidRegion::Countries));
        assert_eq!(on("9999-12-31"), Err(InvalidRegion::Countries));
    }
}
