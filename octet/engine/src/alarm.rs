//! What contradicts what. Another axis than confidence: a session may be sure of its country and lie about it, or be
//! vague and honest. It knows no wire format.

use octet::Alarm;
use octet_geometry::distance_km;

use crate::Reason;
use crate::address::{AddressKind, AddressSays};
use crate::evidence::Evidence;
use crate::fuse::{self, Source};
use crate::locale::LocaleSays;
use crate::locate::{Posterior, Sighting, VACUUM_KM_PER_MS, relay_margin_ms};
use crate::model::AlarmThresholds;

/// All that may contradict.
pub(crate) struct Contradictions<'a> {
    pub(crate) evidence: &'a Evidence,
    pub(crate) parameters: &'a AlarmThresholds,
    pub(crate) posterior: &'a Posterior<'a>,
    pub(crate) address: Option<&'a AddressSays>,
    /// The address's likelihood, and what it says on its own.
    pub(crate) address_says: Option<(&'a Source, &'a [f64])>,
    pub(crate) zone: Option<&'a LocaleSays>,
    pub(crate) languages: Option<&'a LocaleSays>,
    pub(crate) sightings: &'a [Sighting],
}

/// The level, and the reasons, strongest first.
pub(crate) fn judge(seen: &Contradictions<'_>) -> (Alarm, Vec<Reason>) {
    let mut findings = arrival(seen.evidence);
    findings.extend(network(seen.address));
    findings.extend(disagreement(seen));
    findings.extend(physics(seen));
    findings.extend(offset(seen));
    findings.extend(relay(seen.evidence));
    findings.extend(seen.zone.and_then(|zone| zone.flaw).map(|reason| (Alarm::Medium, reason)));
    findings.extend(seen.languages.and_then(|languages| languages.flaw).map(|reason| (Alarm::Low, reason)));
    concluded(findings)
}

/// How far the sources of a session that contradicts itself are believed at all: who forges one may forge others, and
/// a mixture in which each lies for itself does not know that.
pub(crate) fn credence(alarm: Alarm, reasons: &[Reason]) -> f64 {
    let contradicts = |reason: &Reason| {
        matches!(
            reason,
            Reason::FasterThanLight
                | Reason::NoPlaceInReach
                | Reason::AddressOutOfReach
                | Reason::RelayedConnection
                | Reason::ZoneContradiction
                | Reason::ForgedZone
        )
    };
    match alarm {
        _ if !reasons.iter().any(contradicts) => 1.0,
        Alarm::None | Alarm::Low => 0.97,
        Alarm::Medium => 0.93,
        _ => 0.88,
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
        AddressKind::Ordinary | AddressKind::Shared | AddressKind::PrivateRelay => None,
        AddressKind::Hosting => Some((Alarm::Medium, Reason::HostingAddress)),
        AddressKind::Vpn => Some((Alarm::Medium, Reason::VpnAddress)),
        AddressKind::Tor => Some((Alarm::High, Reason::TorAddress)),
    }
}

/// Each source against what all others expect of it.
fn disagreement(seen: &Contradictions<'_>) -> Vec<(Alarm, Reason)> {
    let joined = seen.posterior.ln_countries();
    let mut findings = Vec::new();
    let mut ask = |own: &Source, says: &[f64], reason: Reason| {
        let ln_others: Vec<f64> = joined.iter().zip(own.ln()).map(|(all, own)| all - own).collect();
        let level = seen.parameters.level(fuse::expected(&ln_others, says));
        if level > Alarm::None {
            findings.push((level, reason));
        }
    };
    // With nothing else to disagree with, only the prior would, and that is no contradiction.
    let sources = usize::from(seen.address_says.is_some())
        + usize::from(seen.zone.is_some())
        + usize::from(!seen.sightings.is_empty());
    if sources + usize::from(seen.languages.is_some()) < 2 {
        return findings;
    }
    if let Some((source, says)) = seen.address_says {
        ask(source, says, Reason::AddressOutOfReach);
    }
    if let Some(zone) = seen.zone.filter(|zone| !zone.neutral) {
        ask(&zone.source, &zone.says, Reason::ZoneContradiction);
    }
    findings
}

/// An edge whose answer came sooner than light could have brought it from any place that the others allow.
fn physics(seen: &Contradictions<'_>) -> Option<(Alarm, Reason)> {
    let impossible = seen.sightings.iter().enumerate().any(|(index, one)| {
        seen.sightings[index + 1..]
            .iter()
            .any(|other| distance_km(one.edge, other.edge) > VACUUM_KM_PER_MS * (one.rtt_ms + other.rtt_ms))
    });
    impossible.then_some((Alarm::High, Reason::NoPlaceInReach))
}

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

/// A browser that answers far later than its own connection does sits behind a relay.
fn relay(evidence: &Evidence) -> Option<(Alarm, Reason)> {
    evidence
        .edges
        .iter()
        .filter(|edge| !edge.proxied && !edge.hidden)
        .filter_map(|edge| {
            let tcp = edge.tcp?.min_ms;
            let browser = edge.round_trips_ms.iter().copied().filter(|ms| ms.is_finite()).fold(f64::MAX, f64::min);
            let excess = browser - tcp;
            let margin = relay_margin_ms(tcp);
            (tcp > 0.0 && browser < f64::MAX && excess > margin).then(|| {
                let level = if excess > 2.0 * margin { Alarm::High } else { Alarm::Medium };
                (level, Reason::RelayedConnection)
            })
        })
        .max()
}

impl AlarmThresholds {
    fn level(&self, expected: f64) -> Alarm {
        if expected < self.high {
            Alarm::High
        } else if expected < self.medium {
            Alarm::Medium
        } else if expected < self.low {
            Alarm::Low
        } else {
            Alarm::None
        }
    }
}
