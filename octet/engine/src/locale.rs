//! What a browser's locale says of a country: its zone, the zone's offsets, its languages. It knows no address and
//! no round trip.

use octet::CountryCode;

use crate::evidence::LocaleEvidence;
use crate::fuse::Source;
use crate::grid::Grid;
use crate::model::LocaleReliability;
use crate::world::World;

/// Longer names and more languages than this are not read.
const MAX_TEXT: usize = 64;
const MAX_LANGUAGES: usize = 16;

/// What one part of a locale says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LocaleSays {
    /// Its likelihood by country.
    pub(crate) source: Source,
    /// How well each country alone explains it, by country.
    pub(crate) says: Vec<f64>,
}

/// What the zone says; `None` when it names no country, as UTC does.
pub(crate) fn zone(
    locale: &LocaleEvidence,
    world: &World,
    grid: &Grid,
    reliability: &LocaleReliability,
) -> Option<LocaleSays> {
    let name = locale.time_zone.as_deref().filter(|name| name.len() <= MAX_TEXT)?;
    let shares = zone_shares(name, world, grid)?;
    let anywhere = mean(&shares, grid).max(1e-4);
    Some(LocaleSays { source: Source::mixture(shares.iter().copied(), reliability.zone, anywhere), says: shares })
}

/// The share of each country's people whose clocks follow this zone.
fn zone_shares(name: &str, world: &World, grid: &Grid) -> Option<Vec<f64>> {
    let cities = world.cities();
    let zone = world.zone_names().iter().position(|known| known == name)? as u16;
    let mut here = vec![0.0; grid.countries.len()];
    let mut all = vec![0.0; grid.countries.len()];
    for city in cities {
        if let Some(country) = grid.country(city.country) {
            all[country] += f64::from(city.population);
            if city.zone == zone {
                here[country] += f64::from(city.population);
            }
        }
    }
    for (here, all) in here.iter_mut().zip(all) {
        *here /= f64::max(all, 1.0);
    }
    Some(here)
}

/// What the languages say; `None` when no tag names a region.
pub(crate) fn languages(locale: &LocaleEvidence, grid: &Grid, reliability: &LocaleReliability) -> Option<LocaleSays> {
    let tags = locale.languages.iter().take(MAX_LANGUAGES).chain(&locale.locale);
    let region = tags.filter_map(|tag| region(tag)).find_map(|code| grid.country(code))?;
    let says: Vec<f64> = (0..grid.countries.len()).map(|country| if country == region { 1.0 } else { 0.02 }).collect();
    let anywhere = mean(&says, grid);
    let honest = reliability.language * reliability.language_region;
    Some(LocaleSays { source: Source::mixture(says.iter().copied(), honest, anywhere), says })
}

/// The region subtag of a language tag (BCP 47).
fn region(tag: &str) -> Option<CountryCode> {
    if tag.len() > MAX_TEXT {
        return None;
    }
    let subtag = tag.split(['-', '_']).skip(1).find(|subtag| subtag.len() == 2)?;
    subtag.to_ascii_uppercase().parse().ok()
}

fn mean(shares: &[f64], grid: &Grid) -> f64 {
    shares.iter().zip(&grid.countries).map(|(share, country)| share * f64::from(country.ln_prior).exp()).sum()
}
