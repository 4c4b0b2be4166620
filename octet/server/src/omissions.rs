//! What a bundle must hold, and what of it is not there or worthless. Knows what every browser gives; draws no
//! conclusion about a place.

use octet::Profile;
use octet::fact::Fact;
use octet::facts::{FACTS, FactName, Facts};
use octet::observations::{EdgeObservations, Ticket};
use octet::signals::{ChannelReport, ChannelState, CollectorSignals, Context};
use octet_engine::bot::has_webdriver;
use octet_engine::{Omissions, UnixTime, World};

/// How far an offset may be from all that our rules of its zone know: a browser's rules may be older than ours, and
/// clocks change by an hour.
const OFFSET_TOLERANCE_MIN: u32 = 60;

/// What a partner's bundles are expected to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expected {
    /// The facts of this profile.
    pub(crate) profile: Profile,
    /// Pages may do without the latency channel.
    pub(crate) passive_allowed: bool,
}

/// Whether the bundle holds all that is expected: each fact read, blocked or absent, and the channel's ticket or word
/// that it could not be opened.
pub(crate) fn is_complete(signals: &CollectorSignals, expected: &Expected) -> bool {
    let passive = signals.passive_only && expected.passive_allowed;
    let channel = passive || signals.channel.ticket.is_some() || signals.channel.state == ChannelState::Failed;
    channel && signals.facts.missing(expected.profile).next().is_none()
}

/// What was expected of this bundle and is not there. A blocked or absent fact is there, but for those that every
/// browser gives: without them somebody withheld them.
pub(crate) fn omissions(
    signals: &CollectorSignals,
    observations: &EdgeObservations,
    expected: &Expected,
    world: &World,
    now: UnixTime,
) -> Omissions {
    let judge = Judge { profile: expected.profile, world, now, traced: false };
    let withheld = judge.withheld(&signals.facts, In::Page);
    let zone = [FactName::TimeZone, FactName::UtcOffset, FactName::UtcOffsetJanuary, FactName::UtcOffsetJuly];
    let time_zone = zone.iter().any(|name| withheld.contains(name));
    let languages = withheld.contains(&FactName::Languages);
    let others = withheld.iter().filter(|name| !zone.contains(name) && **name != FactName::Languages).count()
        + judge.withheld_in(&signals.worker, In::Worker)
        + judge.withheld_in(&signals.frame, In::Frame);
    Omissions {
        address: observations.peer.is_none(),
        time_zone,
        languages,
        round_trips: lacks_round_trips(signals, observations, expected),
        others: u16::try_from(others).unwrap_or(u16::MAX),
    }
}

/// How many of the profile's facts a page, its worker and its frame should have given, and did not. That nothing says
/// whether a program drives the browser is for the score to judge: there it is a trace, and not unknown.
pub(crate) fn withheld(
    page: &Facts,
    worker: &Context,
    frame: &Context,
    profile: Profile,
    world: &World,
    now: UnixTime,
) -> usize {
    let judge = Judge { profile, world, now, traced: true };
    judge.withheld(page, In::Page).len() + judge.withheld_in(worker, In::Worker) + judge.withheld_in(frame, In::Frame)
}

/// Whether the channel says less than it should. That a page did without is believed only where it may, and where the
/// edge saw no channel either; that every round met a hidden tab, only of a page that was hidden.
fn lacks_round_trips(signals: &CollectorSignals, observations: &EdgeObservations, expected: &Expected) -> bool {
    let channel = &observations.channel;
    if channel.ticket != Ticket::Valid || channel.rounds.as_slice().is_empty() {
        return !(signals.passive_only && expected.passive_allowed && channel.ticket == Ticket::NoChannel);
    }
    !signals.page.hidden && channel.rounds.as_slice().iter().all(|round| is_hidden(&signals.channel, round.round))
}

/// Whether the browser says that the tab was hidden in this round.
pub(crate) fn is_hidden(report: &ChannelReport, round: u8) -> bool {
    report.rounds.as_slice().iter().any(|seen| seen.round == round && seen.hidden)
}

/// Which context's facts are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum In {
    Page,
    Frame,
    Worker,
}

struct Judge<'a> {
    profile: Profile,
    world: &'a World,
    now: UnixTime,
    /// Whether `webdriver` counts as given when it was taken away.
    traced: bool,
}

impl Judge<'_> {
    /// The facts of the profile that this context should have given, and did not.
    fn withheld(&self, facts: &Facts, place: In) -> Vec<FactName> {
        let missing: Vec<FactName> = facts.missing(self.profile).collect();
        let expected = FACTS.iter().filter(|fact| fact.profile <= self.profile && (fact.core || place == In::Page));
        expected
            .map(|fact| fact.name)
            .filter(|name| missing.contains(name) || (!self.gave(facts, *name) && !may_lack(facts, *name, place)))
            .collect()
    }

    /// The same of a worker or frame, where there may be none at all: a policy can forbid it.
    fn withheld_in(&self, context: &Context, place: In) -> usize {
        match context {
            Context::Missing => self.withheld(&Facts::default(), place).len(),
            Context::Blocked { .. } => 0,
            Context::Read(facts) => self.withheld(facts, place).len(),
        }
    }

    /// Whether the fact is there in the way in which every browser gives it, whatever a policy of the web says. Of
    /// the facts that only some browsers give, or that a policy can block, any word will do.
    fn gave(&self, facts: &Facts, name: FactName) -> bool {
        match name {
            FactName::TimeZone => {
                facts.time_zone.read().is_some_and(|zone| self.is_plausible_zone(zone.as_str(), facts))
            }
            FactName::UtcOffset => facts.utc_offset.read().is_some(),
            FactName::UtcOffsetJanuary => facts.utc_offset_january.read().is_some(),
            FactName::UtcOffsetJuly => facts.utc_offset_july.read().is_some(),
            FactName::Locale => facts.locale.read().is_some_and(|locale| is_language_tag(locale.as_str())),
            FactName::Languages => facts
                .languages
                .read()
                .is_some_and(|languages| languages.as_slice().iter().any(|one| is_language_tag(one.as_str()))),
            FactName::UserAgent => facts.user_agent.read().is_some_and(|agent| !agent.as_str().trim().is_empty()),
            FactName::Platform => facts.platform.read().is_some(),
            FactName::HardwareConcurrency => facts.hardware_concurrency.read().is_some(),
            FactName::ScreenWidth => facts.screen_width.read().is_some(),
            FactName::ScreenHeight => facts.screen_height.read().is_some(),
            FactName::InnerWidth => facts.inner_width.read().is_some(),
            FactName::InnerHeight => facts.inner_height.read().is_some(),
            FactName::Webdriver => {
                let has = || facts.user_agent.read().is_some_and(|agent| has_webdriver(agent.as_str()));
                facts.webdriver.read().is_some() || (self.traced && !facts.webdriver.is_missing() && has())
            }
            _ => true,
        }
    }

    /// Whether there is such a zone, and its clocks could show each offset that came with it. Without a table of
    /// zones every name will do.
    fn is_plausible_zone(&self, name: &str, facts: &Facts) -> bool {
        if self.world.zones().is_empty() {
            return true;
        }
        if self.world.zone(name).is_none() {
            return false;
        }
        let Some(zone) = self.world.zone_offsets(name, self.now) else { return true };
        let known = [zone.now_min, zone.january_min, zone.july_min];
        let offsets = [&facts.utc_offset, &facts.utc_offset_january, &facts.utc_offset_july];
        offsets
            .into_iter()
            .filter_map(Fact::read)
            .all(|offset| known.iter().any(|known| known.abs_diff(*offset) <= OFFSET_TOLERANCE_MIN))
    }
}

/// The few browsers that honestly lack what all others give.
fn may_lack(facts: &Facts, name: FactName, place: In) -> bool {
    let agent = facts.user_agent.read().map_or("", |agent| agent.as_str());
    let chromium = agent.split_once("Chrome/").and_then(|(_, version)| version.split('.').next()?.parse::<u32>().ok());
    match name {
        // No worker has it, and Chromium before 89 only while a program drives it.
        FactName::Webdriver => {
            facts.webdriver == Fact::Absent && (place == In::Worker || chromium.is_some_and(|version| version < 89))
        }
        // Safari before 15.4.
        FactName::HardwareConcurrency => {
            facts.hardware_concurrency == Fact::Absent && chromium.is_none() && agent.contains("AppleWebKit/")
        }
        _ => false,
    }
}

/// Whether a text has the form of a language tag (BCP 47), in any case.
fn is_language_tag(text: &str) -> bool {
    let mut subtags = text.split('-');
    let language = subtags.next().unwrap_or_default();
    (2..=8).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && subtags.all(|subtag| (1..=8).contains(&subtag.len()) && subtag.bytes().all(|b| b.is_ascii_alphanumeric()))
}
