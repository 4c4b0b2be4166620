//! Whether a visitor is elsewhere than its address. A phone may be abroad and its network at home: then its address, its
//! languages and its round trips tell of the country that it left, and its clock alone of the one where it is. Who hides
//! behind a tunnel has an exit's address and round trips, and a clock and languages of their own. It knows no cell.

use std::collections::BTreeMap;

use octet::CountryCode;
use octet_geometry::distance_km;

use crate::address::{AddressKind, AddressSays};
use crate::fuse;
use crate::locale::LocaleSays;
use crate::locate::{Access, OtherSources, Posterior};
use crate::model::{Model, ln_floor};

/// Less probable than this, it is not thought of.
const LEAST: f64 = 0.01;
/// How much likelier late answers make it at the most.
const MOST_BY_OFFSET: f64 = 30.0;
/// A network's way home is longer than a straight fibre by about as much as any long path, as a factor.
const NETWORK_DETOUR: f64 = 2.0;

/// A visitor who is elsewhere, perhaps.
pub(crate) struct Elsewhere<'m> {
    /// How probable that is.
    pub(crate) probability: f64,
    /// Where it is, if so.
    pub(crate) posterior: Posterior<'m>,
}

/// What is to be explained.
pub(crate) struct Seen<'a> {
    pub(crate) address: Option<&'a AddressSays>,
    pub(crate) zone: Option<&'a LocaleSays>,
    pub(crate) languages: Option<&'a LocaleSays>,
    /// What all sources but the round trips say of each country, as of one who is not elsewhere.
    pub(crate) others: &'a OtherSources,
}

/// One way to be elsewhere.
struct Explanation {
    /// How much likelier it is than that nobody is elsewhere, the time of the round trips apart.
    odds: f64,
    /// What is left to say where the visitor is.
    others: OtherSources,
    /// How much longer than a straight fibre the way to the address is, as a factor.
    detour: f64,
}

impl<'m> Elsewhere<'m> {
    /// How probable that is beside `home`, the posterior of one who is not; `None` where it need not be thought of.
    pub(crate) fn beside(home: &Posterior<'m>, model: &'m Model, seen: &Seen<'_>) -> Option<Self> {
        let address = seen.address?;
        let explanation = match address.kind {
            AddressKind::Mobile => roaming(home, model, seen, address)?,
            _ if address.is_hosting() => hidden(home, model, seen, address)?,
            _ => return None,
        };
        let Explanation { odds, others, detour } = explanation;
        // Late answers may make it so many times likelier; below that it needs no posterior.
        if odds.is_nan() || odds * MOST_BY_OFFSET < LEAST {
            return None;
        }
        let posterior = model.locate(&[], Access::Consumer, &others);
        let way_ms = ln_floor(distance_km(posterior.place()?, home.place()?)).exp() * detour;
        let odds = odds * home.offsets_later_by(way_ms).min(MOST_BY_OFFSET);
        let probability = odds / (1.0 + odds);
        (probability >= LEAST).then_some(Self { probability, posterior })
    }

    /// The countries of both, each by how probable it is; most probable first.
    pub(crate) fn countries(&self, home: Vec<(CountryCode, f64)>) -> Vec<(CountryCode, f64)> {
        let mut masses: BTreeMap<CountryCode, f64> =
            home.into_iter().map(|(code, mass)| (code, mass * (1.0 - self.probability))).collect();
        for (code, mass) in self.posterior.countries() {
            *masses.entry(code).or_default() += mass * self.probability;
        }
        let mut masses: Vec<_> = masses.into_iter().collect();
        masses.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        masses
    }
}

/// A phone abroad, whose address, languages and round trips tell of its network's country.
fn roaming(home: &Posterior<'_>, model: &Model, seen: &Seen<'_>, address: &AddressSays) -> Option<Explanation> {
    let zone = seen.zone.filter(|zone| zone.flaw.is_none() && !zone.neutral)?;
    let grid = &model.grid;
    // Abroad: a place by its clock alone, and of the network's country all that the rest says.
    let prior = |country: usize| grid.ln_prior(country, Access::Consumer).exp();
    let clock: f64 = zone.says.iter().enumerate().map(|(country, says)| prior(country) * says).sum();
    let languages = |country: usize| seen.languages.map_or(1.0, |languages| languages.says[country].max(1e-4));
    let network = at_address(home, model, seen, address, Access::Consumer, languages);
    Some(Explanation {
        odds: model.parameters().address.roaming * network * clock / evidence(home),
        others: OtherSources {
            by_country: zone.says.iter().map(|says| says.max(1e-9).ln() as f32).collect(),
            zone: zone.within.clone(),
            city: None,
        },
        detour: NETWORK_DETOUR,
    })
}

/// Someone behind a tunnel, of whose exit alone address and round trips tell.
fn hidden(home: &Posterior<'_>, model: &Model, seen: &Seen<'_>, address: &AddressSays) -> Option<Explanation> {
    let own = [seen.zone, seen.languages].into_iter().flatten();
    let by_country = fuse::joined(own.map(|says| &says.source));
    if by_country.is_empty() || !home.has_round_trips() {
        return None;
    }
    let of_country = |(country, ln): (usize, &f32)| model.grid.ln_prior(country, Access::Consumer) + f64::from(*ln);
    let person: f64 = by_country.iter().enumerate().map(of_country).map(f64::exp).sum();
    let exit = at_address(home, model, seen, address, Access::Hosting, |_| 1.0);
    Some(Explanation {
        odds: (1.0 - address.honest) * exit * person / evidence(home),
        others: OtherSources { by_country, zone: seen.zone.and_then(|zone| zone.within.clone()), city: None },
        detour: 1.0,
    })
}

/// How likely the round trips are from where the address is said to be, each country weighed besides.
fn at_address(
    home: &Posterior<'_>,
    model: &Model,
    seen: &Seen<'_>,
    address: &AddressSays,
    access: Access,
    weight: impl Fn(usize) -> f64,
) -> f64 {
    let of_country = |&(code, share): &(CountryCode, f64)| {
        let country = model.grid.country(code)?;
        let others = f64::from(seen.others.by_country[country]);
        let delays = home.ln_countries()[country] - others - model.grid.ln_prior(country, access);
        Some(share * weight(country) * delays.exp())
    };
    address.countries.iter().filter_map(of_country).sum()
}

/// How likely all is that was seen, of one who is not elsewhere.
fn evidence(home: &Posterior<'_>) -> f64 {
    home.ln_countries().iter().map(|ln| ln.exp()).sum()
}
