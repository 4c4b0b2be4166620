//! From what a browser and an edge reported to what the engine reads: which of it counts.
//! Knows the partner's profile; draws no conclusion about a place.

use octet::Profile;
use octet::fact::{Fact, Text};
use octet::facts::Facts;
use octet::observations::{ChannelObservation, EdgeObservations, SiblingObservations, TcpInfo, Ticket};
use octet::signals::{ChannelReport, CollectorSignals, Context};
use octet_engine::{Anomalies, EdgeEvidence, Evidence, LocaleEvidence, Omissions, TcpRoundTrip};

use crate::omissions::is_hidden;

/// The most languages that are read of a header, and the longest of them in bytes (BCP 47).
const LANGUAGES: usize = 16;
const LONGEST_LANGUAGE: usize = 35;

/// The evidence of a bundle and of the siblings whose tickets it brought, by what the partner's profile has collected
/// now, and of what it lacks.
pub(crate) fn evidence(
    signals: &CollectorSignals,
    observations: &EdgeObservations,
    siblings: &[SiblingObservations],
    profile: Profile,
    omissions: Omissions,
    replayed: bool,
) -> Evidence {
    let with_facts = profile >= Profile::Standard;
    Evidence {
        address: observations.peer.map(|peer| peer.ip.to_canonical()),
        visitor_address: None,
        edges: [edge(&signals.channel, observations)]
            .into_iter()
            .chain(siblings.iter().filter_map(|seen| sibling(signals, observations, seen)))
            .collect(),
        locale: LocaleEvidence {
            header_languages: header_languages(observations.headers.accept_language.as_ref()),
            ..if with_facts { locale(&signals.facts) } else { LocaleEvidence::default() }
        },
        omissions,
        anomalies: Anomalies {
            replayed,
            // A second bundle raises the alarm when it comes, after the first was assessed.
            second_bundle: false,
            // Where the backend sees the visitor is known only when it asks.
            visitor_network_mismatch: false,
            page_network_mismatch: observations.session.same_network == Some(false),
            automation: profile >= Profile::Full && is_driven(signals),
        },
    }
}

/// What a sibling saw, which the page itself ties to its bundle by the ticket; none of the bundle's own edge, which
/// counts once.
fn sibling(
    signals: &CollectorSignals,
    observations: &EdgeObservations,
    seen: &SiblingObservations,
) -> Option<EdgeEvidence> {
    let report = signals.siblings.as_slice().iter().find(|report| report.ticket.as_ref() == Some(&seen.ticket))?;
    let other = seen.observations.edge.id != observations.edge.id;
    other.then(|| EdgeEvidence {
        address: seen.observations.peer.map(|peer| peer.ip.to_canonical()),
        ..edge(report, &seen.observations)
    })
}

/// What one edge saw. Only the connection that carried the channel is compared with its round trips: another of the
/// same browser may go another way.
fn edge(report: &ChannelReport, observations: &EdgeObservations) -> EdgeEvidence {
    let channel = &observations.channel;
    let proxied = observations.peer.is_none_or(|peer| peer.forwarded);
    let (round_trips_ms, hidden) = round_trips(report, channel);
    let tcp = channel.tcp.filter(|_| channel.ticket == Ticket::Valid);
    EdgeEvidence {
        position: observations.edge.position,
        address: None,
        round_trips_ms,
        tcp: tcp.map(tcp_round_trip),
        proxied,
        hidden,
    }
}

/// The channel's round trips in milliseconds, and whether all that there are come from a hidden tab. Without a
/// valid ticket nothing ties the channel to the bundle, and it counts for nothing.
fn round_trips(report: &ChannelReport, channel: &ChannelObservation) -> (Vec<f64>, bool) {
    if channel.ticket != Ticket::Valid {
        return (Vec::new(), false);
    }
    let rounds = channel.rounds.as_slice();
    let visible: Vec<f64> =
        rounds.iter().filter(|round| !is_hidden(report, round.round)).map(|round| milliseconds(round.rtt_us)).collect();
    if visible.is_empty() && !rounds.is_empty() {
        (rounds.iter().map(|round| milliseconds(round.rtt_us)).collect(), true)
    } else {
        (visible, false)
    }
}

fn tcp_round_trip(tcp: TcpInfo) -> TcpRoundTrip {
    TcpRoundTrip {
        // Where the kernel keeps no minimum, the smoothed one is the tightest that is known.
        min_ms: milliseconds(tcp.min_rtt_us.unwrap_or(tcp.rtt_us)),
        smoothed_ms: milliseconds(tcp.rtt_us),
        variance_ms: milliseconds(tcp.rtt_var_us),
    }
}

fn milliseconds(microseconds: u32) -> f64 {
    f64::from(microseconds) / 1000.0
}

fn locale(facts: &Facts) -> LocaleEvidence {
    let text = |fact: &Fact<Text>| fact.read().map(|text| text.as_str().to_owned());
    LocaleEvidence {
        time_zone: text(&facts.time_zone),
        offset_now_min: facts.utc_offset.read().copied(),
        offset_january_min: facts.utc_offset_january.read().copied(),
        offset_july_min: facts.utc_offset_july.read().copied(),
        languages: facts
            .languages
            .read()
            .map(|languages| languages.as_slice().iter().map(|language| language.as_str().to_owned()).collect())
            .unwrap_or_default(),
        locale: text(&facts.locale),
        header_languages: Vec::new(),
    }
}

/// The languages of an `Accept-Language` header in its order, which browsers write most preferred first.
fn header_languages(header: Option<&Text>) -> Vec<String> {
    let tags = header.map_or("", Text::as_str).split(',').filter_map(|entry| {
        let tag = entry.split(';').next()?.trim();
        let well_formed = tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (!tag.is_empty() && tag.len() <= LONGEST_LANGUAGE && well_formed).then(|| tag.to_owned())
    });
    tags.take(LANGUAGES).collect()
}

/// Whether any context says that a program drives the browser.
fn is_driven(signals: &CollectorSignals) -> bool {
    let says_so = |facts: &Facts| facts.webdriver.read() == Some(&true);
    let context = |context: &Context| matches!(context, Context::Read(facts) if says_so(facts));
    says_so(&signals.facts) || context(&signals.worker) || context(&signals.frame)
}
