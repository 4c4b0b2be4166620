//! From what a browser and an edge reported of a visit to what the engine reads. Knows the app's profile and what every
//! browser gives; what any of it means is the engine's business.

use octet::assess::AssessSignals;
use octet::fact::Text;
use octet::handshake;
use octet::observations::EdgeObservations;
use octet::{Profile, signals::Context};
use octet_engine::bot::{Arrival, BotEvidence, Connection, Http2Preface, TlsHello};
use octet_engine::{UnixTime, World};

use crate::omissions::withheld;

/// What the service knows of how a message came, beside the message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Came {
    /// The same collector's bytes were seen under another reference.
    pub(crate) replayed: bool,
    /// Another, different message came for this reference.
    pub(crate) second: bool,
}

/// The evidence of a visit, by what its app has collected.
pub(crate) fn of_visit(
    signals: AssessSignals,
    observations: &EdgeObservations,
    profile: Profile,
    came: Came,
    world: &World,
    now: UnixTime,
) -> BotEvidence {
    let omitted = withheld(&signals.facts, &signals.worker, &signals.frame, profile, world, now) > 0;
    let facts = |context: Context| match context {
        Context::Read(facts) => Some(*facts),
        Context::Missing | Context::Blocked { .. } => None,
    };
    BotEvidence {
        expected: profile,
        omitted,
        page: signals.facts,
        worker: facts(signals.worker),
        frame: facts(signals.frame),
        automation: signals.automation.read().map(|automation| (**automation).clone()),
        behaviour: signals.behaviour.read().cloned(),
        connection: of_connection(observations, world),
        arrival: Arrival {
            replayed: came.replayed,
            second_bundle: came.second,
            other_user_agent: observations.session.same_user_agent == Some(false),
        },
    }
}

/// What the edge saw of one request and of its connection.
pub(crate) fn of_connection(observations: &EdgeObservations, world: &World) -> Connection {
    let headers = &observations.headers;
    let text = |header: &Option<Text>| header.as_ref().map(|text| text.as_str().to_owned());
    let names = observations.header_names.as_ref();
    let address = observations.peer.map(|peer| world.address(peer.ip)).unwrap_or_default();
    Connection {
        user_agent: text(&headers.user_agent),
        accept_language: text(&headers.accept_language),
        brands: text(&headers.sec_ch_ua),
        hint_platform: text(&headers.sec_ch_ua_platform),
        hint_mobile: text(&headers.sec_ch_ua_mobile),
        fetch_site: text(&headers.sec_fetch_site),
        header_names: names.map(|names| names.as_slice().iter().map(|name| name.as_str().to_owned()).collect()),
        http_version: observations.http_version.as_str().to_owned(),
        proxied: observations.peer.is_none_or(|peer| peer.forwarded),
        tls: observations.tls.as_ref().map(hello),
        http2: observations.http2.as_ref().map(preface),
        // People sit behind VPNs, gateways and private relays, whose networks are data centres too.
        hosting: address.hosting
            && !address.vpn
            && !address.gateway
            && !address.delivery_network
            && address.private_relay.is_none(),
    }
}

fn hello(hello: &handshake::TlsObservation) -> TlsHello {
    TlsHello {
        grease: hello.grease,
        extensions: hello.extensions.as_slice().to_vec(),
        protocols: hello.alpn.as_slice().iter().map(|protocol| protocol.as_str().to_owned()).collect(),
    }
}

fn preface(preface: &handshake::Http2Preface) -> Http2Preface {
    Http2Preface {
        settings: preface.settings.as_slice().iter().map(|setting| (setting.id, setting.value)).collect(),
        window_update: preface.window_update,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use octet::assess::AssessBundle;
    use octet::page::PageServed;
    use octet_engine::bot::{BotAssessment, Weights, assess, assess_connection};

    use super::*;

    /// Visits of the zoo (`cargo xtask prove zoo --bundles FOLDER`) as an edge forwarded them, and what their scores must
    /// be from and below.
    const VISITS: &[(&str, u8, u8)] = &[
        ("chromium", 0, 30),
        ("chromium-software-webgl", 0, 30),
        ("chromium-switch", 0, 30),
        ("chromium-zoomed", 0, 30),
        ("chromium-fullscreen", 0, 30),
        ("chromium-typing", 0, 30),
        ("firefox-zoomed", 0, 30),
        ("chromium-user-agent", 30, 60),
        ("chromium-debugging-port", 30, 60),
        ("chromium-device-iphone", 30, 60),
        ("chromium-device-surface", 30, 60),
        ("epiphany", 0, 30),
        ("firefox", 0, 30),
        ("firefox-resist", 0, 30),
        ("firefox-keyboard", 0, 30),
        ("chromium-headless", 90, 101),
        ("chromium-headless-disguised", 60, 101),
        ("firefox-headless", 60, 101),
        ("patchright-window", 60, 101),
        ("nodriver-window", 60, 101),
        ("zendriver-window", 60, 101),
        ("playwright-deleted-window", 60, 101),
        ("rebrowser-window-silent", 60, 101),
        ("chromium-assisted", 0, 30),
        ("playwright-window", 90, 101),
        ("puppeteer-disguised-window", 60, 101),
        ("stealth-window", 60, 101),
        ("selenium-firefox-window", 60, 101),
        ("playwright-attached-window", 60, 101),
        ("protocol-hidden-window", 60, 101),
    ];
    const PAGES: &[&str] = &["curl-as-browser", "httpx-as-browser", "requests-as-browser"];

    fn read(visit: &str) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/zoo/{visit}.json"));
        std::fs::read_to_string(path).unwrap()
    }

    fn judged(visit: &str) -> BotAssessment {
        let bundle: AssessBundle = serde_json::from_str(&read(visit)).unwrap();
        let signals: AssessSignals = serde_json::from_str(bundle.assess.get()).unwrap();
        let seconds = i64::try_from(bundle.observations.observed_at_ms / 1000).unwrap();
        let (world, now) = (World::embedded(), UnixTime(seconds));
        let evidence = of_visit(signals, &bundle.observations, Profile::Full, Came::default(), &world, now);
        assess(&evidence, &Weights::embedded())
    }

    #[test]
    fn real_visits_of_people_and_machines_score_as_they_should() {
        for (visit, from, below) in VISITS {
            let judged = judged(visit);
            println!("{visit}: {judged:?}");
            assert!((*from..*below).contains(&judged.score), "{visit}: {judged:?}");
        }
    }

    #[test]
    fn real_tools_that_only_fetch_a_page_are_known_by_their_connection() {
        for visit in PAGES {
            let page: PageServed = serde_json::from_str(&read(visit)).unwrap();
            let connection = of_connection(&page.observations, &World::embedded());
            let judged = assess_connection(&connection, &Weights::embedded());
            println!("{visit}: {judged:?}");
            assert!(judged.score >= 60 && judged.degraded, "{visit}: {judged:?}");
        }
    }
}
