//! Whether a phone is abroad and its network at home: then its address, its languages and its round trips tell of the
//! country that it left, and its clock alone of the one where it is. It knows no cell.

use std::collections::BTreeMap;

use octet::CountryCode;
use octet_geometry::distance_km;

use crate::address::{AddressKind, AddressSays};
use crate::locale::LocaleSays;
use crate::locate::{Access, OtherSources, Posterior};
use crate::model::{Model, ln_floor};

/// Less probable than this, it is not thought of.
const LEAST: f64 = 0.01;
/// How much likelier late answers make it at the most.
const MOST_BY_OFFSET: f64 = 30.0;
/// A network's way home is longer than a straight fibre by about as much as any long path, as a factor.
const DETOUR: f64 = 2.0;

/// A visit that is roaming, perhaps.
pub(crate) struct Roaming<'m> {
    /// How probable that is.
    pub(crate) probability: f64,
    /// Where the phone is, if so.
    pub(crate) posterior: Posterior<'m>,
}

/// What is to be explained, at home or abroad.
pub(crate) struct Seen<'a> {
    pub(crate) address: Option<&'a AddressSays>,
    pub(crate) zone: Option<&'a LocaleSays>,
    pub(crate) languages: Option<&'a LocaleSays>,
    /// What all sources but the round trips say of each country, as of a phone at home.
    pub(crate) others: &'a OtherSources,
}

impl<'m> Roaming<'m> {
    /// How probable roaming is beside `home`, the posterior of a phone at home; `None` where it need not be thought of.
    pub(crate) fn beside(home: &Posterior<'m>, model: &'m Model, seen: &Seen<'_>) -> Option<Self> {
        let address = seen.address.filter(|address| address.kind == AddressKind::Mobile)?;
        let zone = seen.zone.filter(|zone| zone.flaw.is_none() && !zone.neutral)?;
        let grid = &model.grid;
        let prior = |country: usize| grid.ln_prior(country, Access::Consumer).exp();
        // Abroad: a place by its clock alone, and of the network's country all that the rest says.
        let clock: f64 = zone.says.iter().enumerate().map(|(country, says)| prior(country) * says).sum();
        let of_network = |&(code, share): &(CountryCode, f64)| {
            let country = grid.country(code)?;
            let delays =
                home.ln_countries()[country] - f64::from(seen.others.by_country[country]) - prior(country).ln();
            let languages = seen.languages.map_or(1.0, |languages| languages.says[country].max(1e-4));
            Some(share * languages * delays.exp())
        };
        let network: f64 = address.countries.iter().filter_map(of_network).sum();
        let at_home: f64 = home.ln_countries().iter().map(|ln| ln.exp()).sum();
        let odds = model.parameters().address.roaming * network * clock / at_home;
        // Late answers may make it so many times likelier; below that it needs no posterior.
        if odds.is_nan() || odds * MOST_BY_OFFSET < LEAST {
            return None;
        }
        let others = OtherSources {
            by_country: zone.says.iter().map(|says| says.max(1e-9).ln() as f32).collect(),
            zone: zone.within.clone(),
            city: None,
        };
        let posterior = model.locate(&[], Access::Consumer, &others);
        let way_ms = ln_floor(distance_km(posterior.place()?, home.place()?)).exp() * DETOUR;
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
