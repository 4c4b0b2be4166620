//! One session's evidence as lines of text, so that a corpus can be read and written by hand. It knows no rule: a word
//! that means nothing is left out, and every text whatsoever is some session.

use octet::LatLon;
use octet_engine::{EdgeEvidence, Evidence, TcpRoundTrip, UnixTime};

/// The time of a session that names none: 18 November 2026.
const NOW: UnixTime = UnixTime(1_795_000_000);

/// The session that a text stands for, and its time. A line is a word and its arguments, in any order but that
/// `from`, `rounds`, `tcp`, `proxied` and `hidden` are of the last `edge`:
///
/// ```text
/// now 1795000000
/// address 141.20.1.1
/// visitor 141.20.1.1
/// zone Europe/Berlin
/// offsets 60 60 120
/// languages de-DE de en
/// locale de-DE
/// header de-DE de;q=0.8
/// edge 50.11 8.68
/// rounds 19 21 20
/// tcp 18.5 20 1
/// omitted 1
/// replayed
/// ```
pub(crate) fn read(text: &str) -> (Evidence, UnixTime) {
    let mut evidence = Evidence::default();
    let mut now = NOW;
    for line in text.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "now" => now = rest.parse().map_or(now, UnixTime),
            "edge" => evidence.edges.push(EdgeEvidence { position: place(rest), ..EdgeEvidence::default() }),
            _ => about_browser(&mut evidence, word, rest),
        }
        if let Some(edge) = evidence.edges.last_mut() {
            about_edge(edge, word, rest);
        }
    }
    (evidence, now)
}

fn about_browser(evidence: &mut Evidence, word: &str, rest: &str) {
    let words = || rest.split(' ').map(str::to_owned);
    let (locale, omissions, anomalies) = (&mut evidence.locale, &mut evidence.omissions, &mut evidence.anomalies);
    match word {
        "address" => evidence.address = rest.parse().ok(),
        "visitor" => evidence.visitor_address = rest.parse().ok(),
        "zone" => locale.time_zone = Some(rest.to_owned()),
        "offsets" => {
            let mut minutes = rest.split(' ').map(|minutes| minutes.parse().ok());
            locale.offset_now_min = minutes.next().flatten();
            locale.offset_january_min = minutes.next().flatten();
            locale.offset_july_min = minutes.next().flatten();
        }
        "languages" => locale.languages.extend(words()),
        "locale" => locale.locale = Some(rest.to_owned()),
        "header" => locale.header_languages.extend(words()),
        "omitted" => omissions.others = rest.parse().unwrap_or(1),
        "unmeasured" => omissions.round_trips = true,
        "replayed" => anomalies.replayed = true,
        "second" => anomalies.second_bundle = true,
        "moved" => anomalies.page_network_mismatch = true,
        "elsewhere" => anomalies.visitor_network_mismatch = true,
        "automation" => anomalies.automation = true,
        _ => {}
    }
}

fn about_edge(edge: &mut EdgeEvidence, word: &str, rest: &str) {
    let mut numbers = rest.split(' ').filter_map(|number| number.parse::<f64>().ok());
    match word {
        "from" => edge.address = rest.parse().ok(),
        "rounds" => edge.round_trips_ms.extend(numbers),
        "tcp" => {
            let mut next = || numbers.next().unwrap_or_default();
            edge.tcp = Some(TcpRoundTrip { min_ms: next(), smoothed_ms: next(), variance_ms: next() });
        }
        "proxied" => edge.proxied = true,
        "hidden" => edge.hidden = true,
        _ => {}
    }
}

fn place(text: &str) -> Option<LatLon> {
    let (lat, lon) = text.split_once(' ')?;
    LatLon::new(lat.parse().ok()?, lon.parse().ok()?).ok()
}
