//! What contradicts what. Another axis than confidence: a session may be sure of its country and lie about it, or be
//! vague and honest. It knows no wire format.

use octet::Alarm;

use crate::Reason;
use crate::address::{AddressKind, AddressSays};
use crate::evidence::{EdgeEvidence, Evidence};
use crate::grid::Grid;
use crate::locale::LocaleSays;
use crate::locate::{self, Access, Posterior, RELAY_MARGIN_MS, Sighting};
use crate::model::AlarmThresholds;

/// All that may contradict.
pub(crate) struct Contradictions<'a> {
    pub(crate) evidence: &'a Evidence,
    pub(crate) parameters: &'a AlarmThresholds,
    pub(crate) posterior: &'a Posterior<'a>,
    pub(crate) address: Option<&'a AddressSays>,
    pub(crate) grid: &'a Grid,
    pub(crate) access: Access,
    /// The joined ln likelihood of address and locale, by country.
    pub(crate) others: &'a [f32],
    pub(crate) zone: Option<&'a LocaleSays>,
    pub(crate) languages: Option<&'a LocaleSays>,
    /// An edge contradicts the others, and was left out.
    pub(crate) left_out: bool,
    /// An edge saw another network in another country, and was left out.
    pub(crate) edges_disagree: bool,
    /// The backend saw another network in another country.
    pub(crate) visitor_disagrees: bool,
    pub(crate) sightings: &'a [Sighting],
}

/// The level, and the reasons, strongest first.
pub(crate) fn judge(seen: &Contradictions<'_>) -> (Alarm, Vec<Reason>) {
    let mut findings = arrival(seen.evidence);
    findings.extend(network(seen.address));
    let disagreement = disagreement(seen);
    if disagreement.is_empty() {
        findings.extend(excluded(seen));
    }
    findings.extend(disagreement);
    findings.extend(seen.left_out.then_some((Alarm::High, Reason::NoPlaceInReach)));
    findings.extend(seen.edges_disagree.then_some((Alarm::Medium, Reason::EdgesDisagree)));
    findings.extend(seen.visitor_disagrees.then_some((Alarm::Medium, Reason::VisitorNetworkMismatch)));
    findings.extend(offset(seen));
    findings.extend(relay(seen.evidence));
    findings.extend(seen.zone.and_then(|zone| zone.flaw).map(|reason| (Alarm::Medium, reason)));
    findings.extend(seen.languages.and_then(|languages| languages.flaw).map(|reason| (Alarm::Low, reason)));
    concluded(findings)
}

/// What confidence is multiplied by for how the session contradicts itself.
pub(crate) fn credence(alarm: Alarm, reasons: &[Reason], [low, medium, high]: [f64; 3]) -> f64 {
    match alarm {
        _ if !reasons.iter().any(|reason| reason.contradicts()) => 1.0,
        Alarm::None | Alarm::Low => low,
        Alarm::Medium => medium,
        _ => high,
    }
}

/// The level and reasons of how the evidence arrived alone.
pub(crate) fn of_arrival(evidence: &Evidence) -> (Alarm, Vec<Reason>) {
    concluded(arrival(evidence))
}

fn concluded(mut findings: Vec<(Alarm, Reason)>) -> (Alarm, Vec<Reason>) {
    findings.sort_by(|a, b| b.cmp(a));
    findings.dedup_by_key(|finding| finding.1);
    let level = findings.first().map_or(Alarm::None, |finding| finding.0);
    (level, findings.into_iter().map(|finding| finding.1).collect())
}

fn arrival(evidence: &Evidence) -> Vec<(Alarm, Reason)> {
    let anomalies = &evidence.anomalies;
    [
        (evidence.omissions.any(), Alarm::Low, Reason::Omission),
        (anomalies.replayed, Alarm::High, Reason::Replayed),
        (anomalies.second_bundle, Alarm::Medium, Reason::SecondBundle),
        (anomalies.visitor_network_mismatch, Alarm::Medium, Reason::VisitorNetworkMismatch),
        (anomalies.page_network_mismatch, Alarm::Low, Reason::PageNetworkMismatch),
        (anomalies.automation, Alarm::Medium, Reason::Automation),
    ]
    .into_iter()
    .filter(|(seen, ..)| *seen)
    .map(|(_, level, reason)| (level, reason))
    .collect()
}

fn network(address: Option<&AddressSays>) -> Option<(Alarm, Reason)> {
    match address?.kind {
        AddressKind::Ordinary | AddressKind::Mobile | AddressKind::Shared | AddressKind::PrivateRelay => None,
        AddressKind::Hosting => Some((Alarm::Medium, Reason::HostingAddress)),
        AddressKind::Vpn => Some((Alarm::Medium, Reason::VpnAddress)),
        AddressKind::Tor => Some((Alarm::High, Reason::TorAddress)),
    }
}

/// How well the sources agree on any one country: the best that an honest visit to it would explain them all, beside
/// the best for each alone. Small means that whatever the country is, something lies.
fn disagreement(seen: &Contradictions<'_>) -> Vec<(Alarm, Reason)> {
    let thresholds = seen.parameters;
    let explained = [
        (Reason::AddressOutOfReach, seen.address.map(|address| address.explained(seen.grid))),
        (
            Reason::ZoneContradiction,
            seen.zone.filter(|zone| !zone.neutral).map(|zone| floored(&zone.says, thresholds.wrong_zone)),
        ),
        (
            Reason::LanguageContradiction,
            seen.languages.map(|languages| floored(&languages.says, thresholds.foreign_language)),
        ),
        (Reason::FasterThanLight, delays(seen)),
    ];
    let sources: Vec<(Reason, Vec<f64>)> =
        explained.into_iter().filter_map(|(reason, explained)| Some((reason, explained?))).collect();
    let best = (0..seen.grid.countries.len())
        .map(|country| (sources.iter().map(|source| source.1[country]).product::<f64>(), country))
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    let Some((agreement, country)) = best else { return Vec::new() };
    let level = thresholds.level(agreement);
    if level == Alarm::None {
        return Vec::new();
    }
    // Those that even the best country explains badly are what contradicts.
    sources.iter().filter(|source| source.1[country] < 0.5).map(|source| (level, source.0)).collect()
}

/// Light excludes every country that the address is said to be of. No more than low: more honest visitors have an address
/// that the databases put into another country (2 in 100 of whom an edge is near) than forgers come so near to one.
fn excluded(seen: &Contradictions<'_>) -> Option<(Alarm, Reason)> {
    let address = seen.address.filter(|says| matches!(says.kind, AddressKind::Ordinary | AddressKind::Mobile))?;
    let mut named = address.countries.iter().filter_map(|country| seen.grid.country(country.0)).peekable();
    let is_excluded = named.peek().is_some() && named.all(|country| seen.posterior.is_out_of_reach(country));
    is_excluded.then_some((Alarm::Low, Reason::AddressOutOfReach))
}

/// The shares beside the largest, none below the floor.
fn floored(says: &[f64], floor: f64) -> Vec<f64> {
    let highest = says.iter().copied().fold(1e-12, f64::max);
    says.iter().map(|says| (says / highest).max(floor)).collect()
}

/// How well each country explains the round trips, beside the best.
fn delays(seen: &Contradictions<'_>) -> Option<Vec<f64>> {
    if seen.sightings.is_empty() {
        return None;
    }
    let ln: Vec<f64> = seen
        .posterior
        .ln_countries()
        .iter()
        .enumerate()
        .map(|(country, ln)| {
            let others = seen.others.get(country).map_or(0.0, |&ln| f64::from(ln));
            ln - others - seen.grid.ln_prior(country, seen.access)
        })
        .collect();
    // Some small island always fits by chance, unless nothing but it is in reach.
    let by_chance =
        |country: usize| if seen.grid.ln_prior(country, seen.access) > LEAST_LN_PRIOR { 0.0 } else { BY_CHANCE };
    let best = (0..ln.len()).map(|country| ln[country] - by_chance(country)).fold(f64::MIN, f64::max);
    let power = seen.parameters.delay_power;
    Some(ln.into_iter().map(|ln| (power * (ln - best)).exp().min(1.0)).collect())
}

/// One visit in a thousand: where fewer are, none is likely.
const LEAST_LN_PRIOR: f64 = -6.9;
/// No place explains round trips so much better by chance, as a natural logarithm: the other is out of reach.
const BY_CHANCE: f64 = 20.0;

/// A delay that all edges share is a slow last mile, or a tunnel from far away.
fn offset(seen: &Contradictions<'_>) -> Option<(Alarm, Reason)> {
    let mass = seen.posterior.offset_above(seen.parameters.large_offset_ms)?;
    let level = if mass > seen.parameters.offset_medium {
        Alarm::Medium
    } else if mass > seen.parameters.offset_low {
        Alarm::Low
    } else {
        return None;
    };
    Some((level, Reason::LargeOffset))
}

/// A browser that answers far later than its own connection does sits behind a relay. A hidden page may be slow by
/// itself, which is why it alone is never `high`; it is not excused, as a page can say of itself that it is hidden.
fn relay(evidence: &Evidence) -> Option<(Alarm, Reason)> {
    let late = |edge: &EdgeEvidence| {
        let tcp = edge.tcp.filter(|tcp| tcp.min_ms > 0.0)?.min_ms;
        let browser = locate::rounds(edge).min_by(f64::total_cmp)?;
        let far = browser - tcp > 2.0 * RELAY_MARGIN_MS && !edge.hidden;
        let level = if far { Alarm::High } else { Alarm::Medium };
        (browser - tcp > RELAY_MARGIN_MS).then_some((level, Reason::RelayedConnection))
    };
    evidence.edges.iter().filter(|edge| !edge.proxied).filter_map(late).max()
}

impl AlarmThresholds {
    fn level(&self, agreement: f64) -> Alarm {
        if agreement < self.high {
            Alarm::High
        } else if agreement < self.medium {
            Alarm::Medium
        } else if agreement < self.low {
            Alarm::Low
        } else {
            Alarm::None
        }
    }
}
