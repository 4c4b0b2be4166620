//! What a browser's locale says of a country: its zone, the zone's offsets, its languages. It knows no address and
//! no round trip.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use octet::CountryCode;

use crate::evidence::LocaleEvidence;
use crate::fuse::Source;
use crate::grid::{ALIKE_AT, Grid, ZoneHint};
use crate::locate::Access;
use crate::model::LocaleReliability;
use crate::world::{LanguageFacts, LanguageShare, World};
use crate::{Reason, UnixTime};

/// Longer names and more languages than this are not read.
const MAX_TEXT: usize = 64;
const MAX_LANGUAGES: usize = 8;
/// A zone that Firefox names when it resists fingerprinting, and few people live in.
const PRIVACY_ZONE: &str = "Atlantic/Reykjavik";
/// Software comes in these languages, wherever it is used: how often a device is left so.
const UNTRANSLATED: [(&str, f64); 2] = [("en-US", 0.12), ("en", 0.03)];
/// The second language of a list says less than the first, the third less than the second.
const LATER_LANGUAGE: f64 = 0.4;

/// What one part of a locale says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LocaleSays {
    /// Its likelihood by country.
    pub(crate) source: Source,
    /// How well each country alone explains it, by country.
    pub(crate) says: Vec<f64>,
    /// What is wrong with it by itself.
    pub(crate) flaw: Option<Reason>,
    /// It may be a privacy mode's answer: no contradiction is made of it.
    pub(crate) neutral: bool,
    /// What it says of places within a country.
    pub(crate) within: Option<ZoneHint>,
}

/// What the zone says; `None` when neither name nor offsets tell of a place, as with UTC.
pub(crate) fn zone(
    locale: &LocaleEvidence,
    world: &World,
    grid: &Grid,
    reliability: &LocaleReliability,
    is_phone: bool,
    now: UnixTime,
) -> Option<LocaleSays> {
    let name = locale.time_zone.as_deref().filter(|name| name.len() <= MAX_TEXT);
    let zone = name.and_then(|name| world.zone(name));
    let (Some(name), Some(zone)) = (name, zone.filter(|zone| !zone.is_neutral())) else {
        return offset(locale, world, grid, reliability, now);
    };
    let mut says = vec![0.0; grid.countries.len()];
    for &(code, share) in zone_shares(&zone.name) {
        if let Some(country) = grid.country(code) {
            says[country] = share;
        }
    }
    // A zone without a listed city is still its country's, and is lent to computers of others where clocks go alike.
    let lent = if is_phone { 0.0 } else { reliability.lent_zone };
    let alike = alike_shares(world, &zone.name);
    let to = |code: &CountryCode| {
        let share = alike.map_or(1.0, |shares| shares.get(code).copied().unwrap_or_default());
        (*code, lent * share)
    };
    let own = zone.country.iter().map(|&code| (code, 0.02));
    for (code, share) in own.chain(zone.also.iter().map(to)) {
        if let Some(country) = grid.country(code) {
            says[country] = f64::max(says[country], share);
        }
    }
    let forged = offsets_differ(locale, world, name, now);
    let neutral = zone.name == PRIVACY_ZONE;
    let honest = match (forged || neutral, is_phone) {
        (true, _) => reliability.forged_zone,
        (false, true) => reliability.zone_mobile,
        (false, false) => reliability.zone,
    };
    let anywhere = mean(&says, grid).max(1e-5);
    Some(LocaleSays {
        source: Source::mixture(says.iter().copied(), honest, anywhere),
        says,
        flaw: forged.then_some(Reason::ForgedZone),
        neutral,
        within: ZoneHint::new(grid, &zone.name, 1.0 - honest),
    })
}

/// A browser may know the zones' rules as they were so many years ago: systems are updated late, and some are not.
const OLD_RULES_YEARS: i64 = 3;
const YEAR_SECONDS: i64 = 365 * 86_400;
/// A browser was asked a little before, its clock may be wrong by minutes, and its rules may turn the clocks an hour
/// earlier or later than ours: so far from now the offsets may be those of its time.
const CLOCK_SECONDS: i64 = 3600;

/// Whether the offsets that the browser reports are not the zone's own, neither around that time nor by the rules of a
/// few years before.
fn offsets_differ(locale: &LocaleEvidence, world: &World, name: &str, now: UnixTime) -> bool {
    let seen = [locale.offset_now_min, locale.offset_january_min, locale.offset_july_min];
    let is_own = |ago: i64| {
        let own = world.zone_offsets(name, UnixTime(now.0.saturating_sub(ago)))?;
        let own = [own.now_min, own.january_min, own.july_min];
        Some(seen.iter().zip(own).all(|(seen, own)| seen.is_none_or(|seen| seen == own)))
    };
    let around = |years: i64| [0, CLOCK_SECONDS, -CLOCK_SECONDS].map(|off| years * YEAR_SECONDS + off);
    !(0..=OLD_RULES_YEARS).flat_map(around).any(|ago| is_own(ago).unwrap_or(true))
}

/// What the offsets alone say, where no zone is named; nothing where they are those of UTC.
fn offset(
    locale: &LocaleEvidence,
    world: &World,
    grid: &Grid,
    reliability: &LocaleReliability,
    now: UnixTime,
) -> Option<LocaleSays> {
    let seen = [locale.offset_now_min, locale.offset_january_min, locale.offset_july_min];
    if seen.iter().flatten().all(|&minutes| minutes == 0) {
        return None;
    }
    let mut says = vec![0.0; grid.countries.len()];
    for (name, shares) in all_zone_shares() {
        let Some(own) = world.zone_offsets(name, now) else { continue };
        let own = [own.now_min, own.january_min, own.july_min];
        if seen.iter().zip(own).all(|(seen, own)| seen.is_none_or(|seen| seen == own)) {
            for &(code, share) in shares {
                if let Some(country) = grid.country(code) {
                    says[country] += share;
                }
            }
        }
    }
    if says.iter().all(|&share| share == 0.0) {
        return None;
    }
    let anywhere = mean(&says, grid).max(1e-3);
    let source = Source::mixture(says.iter().copied(), reliability.offset, anywhere);
    Some(LocaleSays { source, says, flaw: None, neutral: true, within: None })
}

/// The shares of countries' city people whose clocks follow each zone, by the embedded cities.
fn all_zone_shares() -> &'static BTreeMap<String, Vec<(CountryCode, f64)>> {
    static SHARES: OnceLock<BTreeMap<String, Vec<(CountryCode, f64)>>> = OnceLock::new();
    SHARES.get_or_init(|| {
        let world = World::embedded();
        let mut zones: BTreeMap<u16, BTreeMap<CountryCode, f64>> = BTreeMap::new();
        let mut countries: BTreeMap<CountryCode, f64> = BTreeMap::new();
        let mut names: BTreeMap<u16, String> = BTreeMap::new();
        for city in world.cities() {
            let people = f64::from(city.population) + 1.0;
            *zones.entry(city.zone).or_default().entry(city.country).or_default() += people;
            *countries.entry(city.country).or_default() += people;
            if let (false, Some(zone)) = (names.contains_key(&city.zone), world.city_zone(city)) {
                names.insert(city.zone, zone.name.clone());
            }
        }
        let mut shares: BTreeMap<String, Vec<(CountryCode, f64)>> = BTreeMap::new();
        for (index, people) in zones {
            let Some(name) = names.remove(&index) else { continue };
            let own = shares.entry(name).or_default();
            own.extend(people.into_iter().map(|(code, people)| (code, people / countries[&code])));
        }
        shares
    })
}

/// The shares of countries' city people whose clocks go as that zone's do, whichever their own is.
fn alike_shares(world: &World, name: &str) -> Option<&'static BTreeMap<CountryCode, f64>> {
    static ALIKE: OnceLock<BTreeMap<[i32; 2], BTreeMap<CountryCode, f64>>> = OnceLock::new();
    let clocks = |world: &World, name: &str| {
        let offsets = world.zone_offsets(name, ALIKE_AT)?;
        Some([offsets.january_min, offsets.july_min])
    };
    let alike = ALIKE.get_or_init(|| {
        let mut alike: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for (name, shares) in all_zone_shares() {
            let Some(clocks) = clocks(&World::embedded(), name) else { continue };
            for &(code, share) in shares {
                *alike.entry(clocks).or_default().entry(code).or_default() += share;
            }
        }
        alike
    });
    alike.get(&clocks(world, name)?)
}

fn zone_shares(name: &str) -> &'static [(CountryCode, f64)] {
    all_zone_shares().get(name).map_or(&[], Vec::as_slice)
}

/// What the languages say; `None` when none of them is known.
pub(crate) fn languages(
    locale: &LocaleEvidence,
    world: &World,
    grid: &Grid,
    reliability: &LocaleReliability,
) -> Option<LocaleSays> {
    let tags: Vec<&str> = locale
        .languages
        .iter()
        .take(MAX_LANGUAGES)
        .chain(&locale.locale)
        .map(String::as_str)
        .filter(|tag| tag.len() <= MAX_TEXT)
        .collect();
    let mut seen: Vec<&str> = Vec::new();
    let mut first: Option<Vec<f64>> = None;
    let mut source: Option<Source> = None;
    for tag in tags {
        let Some(facts) = world.language(tag) else { continue };
        // The same language again, with or without its region, says nothing new; nor does English as a second one.
        let english = facts.language.tag == "en";
        if seen.contains(&facts.language.tag.as_str()) || (english && !seen.is_empty()) {
            continue;
        }
        let says = tag_says(tag, &facts, grid, reliability);
        let power = LATER_LANGUAGE.powi(seen.len() as i32);
        let own =
            Source::mixture(says.iter().copied(), reliability.language, mean(&says, grid).max(1e-4)).raised(power);
        source = Some(source.map_or_else(|| own.clone(), |before| before.times(&own)));
        first.get_or_insert(says);
        seen.push(&facts.language.tag);
    }
    let flaw = languages_differ(locale, world);
    Some(LocaleSays { source: source?, says: first?, flaw, neutral: false, within: None })
}

/// The probability of this tag in each country.
fn tag_says(tag: &str, facts: &LanguageFacts<'_>, grid: &Grid, reliability: &LocaleReliability) -> Vec<f64> {
    let untranslated =
        UNTRANSLATED.iter().find(|(known, _)| known.eq_ignore_ascii_case(tag)).map_or(0.0, |known| known.1);
    let mut says = vec![untranslated; grid.countries.len()];
    let speakers = |share: &LanguageShare| {
        let country = grid.country(share.country)?;
        let likelihood = f64::from(share.likelihood);
        let speakers = likelihood * grid.ln_prior(country, Access::Consumer).exp();
        Some((country, likelihood, speakers, facts.regions.contains(&share.country)))
    };
    let shares: Vec<_> = facts.language.shares.iter().filter_map(speakers).collect();
    let all: f64 = shares.iter().map(|share| share.2).sum();
    let named: f64 = shares.iter().filter(|share| share.3).map(|share| share.2).sum();
    for (country, likelihood, speakers, is_named) in shares {
        // Whose tag has the region of another country has any of them, by who speaks the language where.
        let with_region = match is_named {
            _ if facts.regions.is_empty() => 1.0,
            true => reliability.language_region,
            false => (1.0 - reliability.language_region) * (named / (all - speakers).max(1e-12)).min(1.0),
        };
        says[country] += likelihood * with_region;
    }
    for country in facts.regions.iter().filter_map(|&code| grid.country(code)) {
        says[country] += 0.02;
    }
    says
}

/// The script's languages and the header's come from one setting.
fn languages_differ(locale: &LocaleEvidence, world: &World) -> Option<Reason> {
    let of = |tags: &[String]| {
        let tag = tags.first()?.split(';').next()?.trim();
        world.language(tag).map(|facts| facts.language.tag.clone())
    };
    let (script, header) = (of(&locale.languages)?, of(&locale.header_languages)?);
    (script != header).then_some(Reason::LanguagesDiffer)
}

fn mean(shares: &[f64], grid: &Grid) -> f64 {
    shares.iter().zip(&grid.countries).map(|(share, country)| share * f64::from(country.ln_consumer).exp()).sum()
}
