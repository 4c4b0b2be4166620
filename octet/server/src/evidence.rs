//! From what a browser and an edge reported to what the engine reads: which of it counts, and what is missing.
//! Knows the partner's profile; draws no conclusion about a place.

use octet::Profile;
use octet::fact::{Fact, Text};
use octet::facts::{FACTS, FactName, Facts};
use octet::observations::{ChannelObservation, EdgeObservations, TcpInfo, Ticket};
use octet::signals::{ChannelState, CollectorSignals, Context};
use octet_engine::{Anomalies, EdgeEvidence, Evidence, LocaleEvidence, Omissions, TcpRoundTrip};

/// The most languages that are read of a header, and the longest of them in bytes (BCP 47).
const LANGUAGES: usize = 16;
const LONGEST_LANGUAGE: usize = 35;

/// The evidence of a bundle: by what the partner's profile has collected `now`, and by what a bundle is `expected`
/// to hold, which is less while a larger profile is new.
pub(crate) fn evidence(
    signals: &CollectorSignals,
    observations: &EdgeObservations,
    now: Profile,
    expected: Profile,
    replayed: bool,
) -> Evidence {
    let with_facts = now >= Profile::Standard;
    Evidence {
        address: observations.peer.map(|peer| peer.ip.to_canonical()),
        visitor_address: None,
        edges: vec![edge(signals, observations)],
        locale: LocaleEvidence {
            header_languages: header_languages(observations.headers.accept_language.as_ref()),
            ..if with_facts { locale(&signals.facts) } else { LocaleEvidence::default() }
        },
        omissions: omissions(signals, observations, expected),
        anomalies: Anomalies {
            replayed,
            // A second bundle raises the alarm when it comes, after the first was assessed.
            second_bundle: false,
            // Where the backend sees the visitor is known only when it asks.
            visitor_network_mismatch: false,
            page_network_mismatch: observations.session.same_network == Some(false),
            automation: now >= Profile::Full && is_driven(signals),
        },
    }
}

/// Whether the bundle holds all that a bundle of this profile has: each fact read, blocked or absent, and the
/// channel's ticket or word that it could not be opened.
pub(crate) fn is_complete(signals: &CollectorSignals, profile: Profile) -> bool {
    let channel =
        signals.passive_only || signals.channel.ticket.is_some() || signals.channel.state == ChannelState::Failed;
    channel && signals.facts.missing(profile).next().is_none()
}

fn edge(signals: &CollectorSignals, observations: &EdgeObservations) -> EdgeEvidence {
    let channel = &observations.channel;
    let proxied = observations.peer.is_none_or(|peer| peer.forwarded);
    let (round_trips_ms, hidden) = round_trips(signals, channel);
    let tcp = channel.tcp.filter(|_| channel.ticket == Ticket::Valid).or(observations.tcp);
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
fn round_trips(signals: &CollectorSignals, channel: &ChannelObservation) -> (Vec<f64>, bool) {
    if channel.ticket != Ticket::Valid {
        return (Vec::new(), false);
    }
    let hidden = |round: u8| signals.channel.rounds.as_slice().iter().any(|seen| seen.round == round && seen.hidden);
    let rounds = channel.rounds.as_slice();
    let visible: Vec<f64> =
        rounds.iter().filter(|round| !hidden(round.round)).map(|round| milliseconds(round.rtt_us)).collect();
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

/// What was expected of this bundle and is not there. A blocked fact is there, but for those that no policy of the
/// web can block: without them somebody withheld them.
fn omissions(signals: &CollectorSignals, observations: &EdgeObservations, profile: Profile) -> Omissions {
    let facts = &signals.facts;
    let expected = profile >= Profile::Standard;
    let channel = &observations.channel;
    let no_channel = channel.ticket != Ticket::Valid || channel.rounds.as_slice().is_empty();
    let others = facts
        .missing(profile)
        .filter(|name| !matches!(name, FactName::TimeZone | FactName::UtcOffset | FactName::Languages))
        .count()
        + usize::from(expected && facts.user_agent.read().is_none())
        + [&signals.worker, &signals.frame].into_iter().map(|context| missing_in(context, profile)).sum::<usize>();
    Omissions {
        address: observations.peer.is_none(),
        time_zone: expected && (facts.time_zone.read().is_none() || facts.utc_offset.read().is_none()),
        languages: expected && facts.languages.read().is_none(),
        round_trips: no_channel && !signals.passive_only,
        others: u16::try_from(others).unwrap_or(u16::MAX),
    }
}

/// How many core facts of the profile a worker or frame should have given, and did not.
fn missing_in(context: &Context, profile: Profile) -> usize {
    let core = || FACTS.iter().filter(|fact| fact.core && fact.profile <= profile);
    match context {
        Context::Missing => core().count(),
        Context::Blocked { .. } => 0,
        Context::Read(facts) => {
            let missing: Vec<FactName> = facts.missing(profile).collect();
            core().filter(|fact| missing.contains(&fact.name)).count()
        }
    }
}

/// Whether any context says that a program drives the browser.
fn is_driven(signals: &CollectorSignals) -> bool {
    let says_so = |facts: &Facts| facts.webdriver.read() == Some(&true);
    let context = |context: &Context| matches!(context, Context::Read(facts) if says_so(facts));
    says_so(&signals.facts) || context(&signals.worker) || context(&signals.frame)
}
