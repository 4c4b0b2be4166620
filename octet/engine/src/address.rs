//! What an address says of a country: how far its databases agree, and how often the client is not where its address
//! is. It knows no other source.

use octet::CountryCode;

use crate::fuse::Source;
use crate::grid::Grid;
use crate::locate::{Access, CityHint};
use crate::model::AddressReliability;
use crate::world::{AddressFacts, Scope};

/// What an address says, as a mixture: with `honest` probability the country is drawn from `countries` and, for the
/// rest of their mass, from anywhere; otherwise the address says nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct AddressSays {
    /// The countries that the databases name, with how often each is right; sums to at most 1.
    pub(crate) countries: Vec<(CountryCode, f64)>,
    /// How often the client itself is where its address is.
    pub(crate) honest: f64,
    /// What kind of address it is, as far as it matters.
    pub(crate) kind: AddressKind,
}

/// What kind of network an address belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum AddressKind {
    /// Nothing special.
    #[default]
    Ordinary,
    /// A mobile carrier's: its exits stand anywhere in its country, and a phone abroad leaves by them too.
    Mobile,
    /// A company's gateway or a delivery network: people sit behind it, perhaps elsewhere.
    Shared,
    /// A private relay: the country is vouched for.
    PrivateRelay,
    /// A hosting provider.
    Hosting,
    /// A VPN provider, or a data centre that VPNs use.
    Vpn,
    /// A Tor exit.
    Tor,
}

impl AddressSays {
    /// Whether it is a machine's address rather than a person's line.
    pub(crate) const fn is_hosting(&self) -> bool {
        matches!(self.kind, AddressKind::Hosting | AddressKind::Vpn | AddressKind::Tor)
    }

    /// How well an honest visit to each country explains what the databases name, beside the best; an address that
    /// people hide behind explains anything.
    pub(crate) fn explained(&self, grid: &Grid) -> Vec<f64> {
        let named: f64 = self.countries.iter().map(|country| country.1).sum();
        let hidden = if self.kind == AddressKind::Ordinary { 0.0 } else { 1.0 - self.honest };
        let mut explained = vec![(1.0 - named).max(hidden); grid.countries.len()];
        let highest = self.countries.iter().map(|country| country.1).fold(1e-9, f64::max);
        for &(code, probability) in &self.countries {
            if let Some(index) = grid.country(code) {
                explained[index] = f64::max(explained[index], probability / highest);
            }
        }
        explained
    }

    /// Its likelihood of each country.
    pub(crate) fn by_country(&self, grid: &Grid, access: Access) -> Source {
        let rest = 1.0 - self.countries.iter().map(|country| country.1).sum::<f64>();
        let prior = |index: usize| grid.ln_prior(index, access).exp().max(1e-9);
        let mut says: Vec<f64> = (0..grid.countries.len()).map(|index| rest * prior(index)).collect();
        for &(code, probability) in &self.countries {
            if let Some(index) = grid.country(code) {
                says[index] += probability;
            }
        }
        // What the databases say already is a posterior: a likelihood is what it adds to the prior.
        let likelihood = says.iter().enumerate().map(|(index, says)| says / prior(index));
        Source::mixture(likelihood, self.honest, 1.0)
    }
}

/// What these facts say; `None` of an address that is not public, or that no table knows.
pub(crate) fn says(facts: &AddressFacts, reliability: &AddressReliability) -> Option<AddressSays> {
    if facts.scope != Scope::Public {
        return None;
    }
    let kind = kind(facts);
    let honest = match kind {
        AddressKind::Ordinary => reliability.honest,
        AddressKind::Mobile => reliability.honest_mobile,
        AddressKind::Shared => reliability.honest_shared,
        AddressKind::PrivateRelay => reliability.honest_private_relay,
        AddressKind::Hosting => reliability.honest_hosting,
        AddressKind::Vpn => reliability.honest_vpn,
        AddressKind::Tor => reliability.honest_tor,
    };
    let countries = match facts.private_relay {
        Some(country) => vec![(country, reliability.all_agree)],
        None => named(facts, reliability),
    };
    // Hosting space is where databases agree least.
    let certain = match kind {
        AddressKind::Ordinary | AddressKind::Mobile | AddressKind::PrivateRelay => 1.0,
        _ => reliability.hosting,
    };
    let countries: Vec<_> = countries.into_iter().map(|(code, share)| (code, share * certain)).collect();
    (!countries.is_empty()).then_some(AddressSays { countries, honest, kind })
}

/// What a city database says of the place of this address. Behind a gateway, a relay or a tunnel it says nothing, and
/// where a carrier's customers share an address it names their exit.
pub(crate) fn city(facts: &AddressFacts, says: &AddressSays, grid: &Grid) -> Option<CityHint> {
    let fix = facts.city.filter(|_| says.kind == AddressKind::Ordinary)?;
    Some(CityHint::new(grid, fix.place, fix.radius_km.unwrap_or(CITY_KM), CITY_RIGHT * says.honest))
}

/// DB-IP's positions beside another database's in the same country: half of the space differs by less than this, in
/// km…
const CITY_KM: f64 = 20.0;
/// …and three quarters by less than ten times that: so often a position is right at all.
const CITY_RIGHT: f64 = 0.75;

fn kind(facts: &AddressFacts) -> AddressKind {
    if facts.tor {
        AddressKind::Tor
    } else if facts.private_relay.is_some() {
        AddressKind::PrivateRelay
    } else if facts.vpn {
        AddressKind::Vpn
    } else if facts.delivery_network || facts.gateway {
        AddressKind::Shared
    } else if facts.hosting {
        AddressKind::Hosting
    } else if facts.mobile {
        AddressKind::Mobile
    } else {
        AddressKind::Ordinary
    }
}

/// The countries that the databases name, by their case of agreement.
fn named(facts: &AddressFacts, reliability: &AddressReliability) -> Vec<(CountryCode, f64)> {
    match (facts.dbip, facts.geo_whois, facts.allocation) {
        (Some(a), Some(b), Some(c)) if a == b && b == c => vec![(a, reliability.all_agree)],
        (Some(a), Some(b), c) if a == b => {
            let mut named = vec![(a, reliability.two_agree)];
            named.extend(c.map(|c| (c, reliability.outvoted_allocation)));
            named
        }
        (Some(a), Some(b), c) => {
            let mut named = vec![(a, reliability.dbip_alone), (b, reliability.geo_whois_alone)];
            if let Some(c) = c.filter(|c| *c != a && *c != b) {
                named.push((c, reliability.outvoted_allocation));
            }
            named
        }
        (None, Some(b), Some(c)) | (Some(b), None, Some(c)) if b == c => vec![(b, reliability.registries_agree)],
        (None, Some(b), Some(c)) | (Some(b), None, Some(c)) => {
            vec![(b, reliability.one_source), (c, reliability.outvoted_allocation)]
        }
        (one, other, third) => {
            one.or(other).or(third).map(|country| vec![(country, reliability.one_source)]).unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Parameters;

    fn code(text: &str) -> Option<CountryCode> {
        text.parse().ok()
    }

    #[test]
    fn agreement_says_more_than_dispute_and_hosting_less_than_a_line() {
        let reliability = &Parameters::embedded().address;
        let agreed = AddressFacts {
            scope: Scope::Public,
            dbip: code("DE"),
            geo_whois: code("DE"),
            allocation: code("DE"),
            ..AddressFacts::default()
        };
        let disputed = AddressFacts { dbip: code("FR"), ..agreed };
        let hosted = AddressFacts { hosting: true, ..agreed };
        let says = |facts| says(&facts, reliability).unwrap();
        assert!(says(agreed).countries[0].1 > says(disputed).countries.iter().map(|c| c.1).fold(0.0, f64::max));
        assert!(says(agreed).honest > says(hosted).honest);
        for facts in [agreed, disputed, hosted] {
            assert!(says(facts).countries.iter().map(|c| c.1).sum::<f64>() <= 1.0);
        }
    }

    #[test]
    fn a_private_address_says_nothing() {
        let facts = AddressFacts { scope: Scope::Private, ..AddressFacts::default() };
        assert_eq!(says(&facts, &Parameters::embedded().address), None);
    }
}
