//! Whole sessions in, assessments out: what a partner's first visits look like.

use octet::{Alarm, LatLon};
use octet_engine::locate::{Access, OtherSources, Sighting};
use octet_engine::model::Model;
use octet_engine::world::cells;
use octet_engine::{EdgeEvidence, Evidence, LocaleEvidence, Omissions, Reason, TcpRoundTrip, UnixTime, World, assess};
use octet_geometry::{Outline, distance_km};

const NOW: UnixTime = UnixTime(1_795_000_000);

fn locale(zone: &str, languages: &[&str], minutes: i32) -> LocaleEvidence {
    LocaleEvidence {
        time_zone: Some(zone.into()),
        offset_now_min: Some(minutes),
        languages: languages.iter().map(|&language| language.into()).collect(),
        ..LocaleEvidence::default()
    }
}

/// A line of a German university.
fn german() -> Evidence {
    Evidence {
        address: "141.20.1.1".parse().ok(),
        locale: locale("Europe/Berlin", &["de-DE", "de", "en"], 60),
        ..Evidence::default()
    }
}

#[test]
fn a_german_address_zone_and_language_are_germany_without_alarm() {
    let assessment = assess(&german(), &World::embedded(), NOW);
    assert_eq!(assessment.country.unwrap(), "DE");
    assert!(assessment.confidence > 0.9, "{assessment:?}");
    assert_eq!(assessment.alarm, Alarm::None, "{:?}", assessment.reasons);
    assert!(assessment.radius_km.unwrap() < 800.0);
}

#[test]
fn an_edge_nearby_changes_nothing_about_the_country_and_narrows_the_place() {
    let far = assess(&german(), &World::embedded(), NOW);
    let edge = EdgeEvidence {
        position: Some(LatLon::new(50.11, 8.68).unwrap()),
        round_trips_ms: vec![19.0, 21.0, 20.0, 25.0],
        ..EdgeEvidence::default()
    };
    let near = assess(&Evidence { edges: vec![edge], ..german() }, &World::embedded(), NOW);
    assert_eq!(near.country.unwrap(), "DE");
    assert_eq!(near.alarm, Alarm::None, "{:?}", near.reasons);
    assert!(near.radius_km.unwrap() <= far.radius_km.unwrap() * 1.1);
}

#[test]
fn jitter_widens_and_more_rounds_of_the_same_jitter_narrow_again() {
    let radius_km = |rounds: &dyn Fn(f64) -> Vec<f64>| {
        let edges = [(50.11, 8.68, 14.0), (48.86, 2.35, 22.0), (52.23, 21.01, 24.0), (41.9, 12.5, 28.0)];
        let edge = |(lat, lon, ms)| EdgeEvidence {
            position: LatLon::new(lat, lon).ok(),
            round_trips_ms: rounds(ms),
            ..EdgeEvidence::default()
        };
        let evidence = Evidence { edges: edges.map(edge).to_vec(), ..Evidence::default() };
        assess(&evidence, &World::embedded(), NOW).radius_km.unwrap()
    };
    let steady = radius_km(&|ms| vec![ms; 4]);
    let many = radius_km(&|ms| [vec![ms], vec![3.0 * ms; 60]].concat());
    let few = radius_km(&|ms| vec![ms, 3.0 * ms, 3.0 * ms]);
    assert!(steady < many && many < few, "{steady} {many} {few}");
}

#[test]
fn a_foreign_zone_and_language_lower_confidence_and_raise_the_alarm() {
    let honest = assess(&german(), &World::embedded(), NOW);
    let forged = Evidence { locale: locale("America/New_York", &["en-US", "en"], -300), ..german() };
    let forged = assess(&forged, &World::embedded(), NOW);
    assert!(forged.confidence < honest.confidence, "{forged:?}");
    assert!(forged.alarm > Alarm::None);
}

#[test]
fn a_zone_by_the_rules_of_last_year_is_not_forged_and_one_by_no_rules_of_its_own_is() {
    // British Columbia gave up changing its clocks in 2026.
    let reported = |[now, january, july]: [i32; 3]| {
        let locale = LocaleEvidence {
            offset_january_min: Some(january),
            offset_july_min: Some(july),
            ..locale("America/Vancouver", &["en-CA"], now)
        };
        let seen = Evidence { locale, ..Evidence::default() };
        assess(&seen, &World::embedded(), NOW).reasons.contains(&Reason::ForgedZone)
    };
    assert!(!reported([-420, -480, -420]) && !reported([-480, -480, -420]));
    assert!(reported([-300, -300, -240]) && reported([-480, -480, -480]));
}

#[test]
fn a_zone_is_not_forged_around_the_hour_in_which_its_clocks_change() {
    // Europe's clocks went back at 01:00 UTC on 25 October 2026.
    let change = 1_792_890_000;
    for (now_min, from, until) in [(120, -86_400, 3_000), (60, -3_000, 86_400)] {
        for off in [from, -1, 0, 1, until] {
            let locale = LocaleEvidence {
                offset_january_min: Some(60),
                offset_july_min: Some(120),
                ..locale("Europe/Berlin", &["de-DE"], now_min)
            };
            let seen = Evidence { locale, ..Evidence::default() };
            let assessment = assess(&seen, &World::embedded(), UnixTime(change + off));
            assert!(!assessment.reasons.contains(&Reason::ForgedZone), "{now_min} {off}");
        }
    }
}

#[test]
fn a_private_address_leaves_the_country_to_zone_and_language_with_less_confidence() {
    let whole = assess(&german(), &World::embedded(), NOW);
    let private = Evidence { address: Some("10.1.2.3".parse().unwrap()), ..german() };
    let private = assess(&private, &World::embedded(), NOW);
    assert!(private.confidence < whole.confidence);
    assert!(private.country.is_none_or(|country| country == "DE"));
}

#[test]
fn what_is_missing_caps_confidence_and_raises_the_alarm() {
    let omissions = Omissions { round_trips: true, ..Omissions::default() };
    let assessment = assess(&Evidence { omissions, ..german() }, &World::embedded(), NOW);
    assert!(assessment.confidence <= 0.5 && assessment.alarm >= Alarm::Low);
}

#[test]
fn no_evidence_is_no_country() {
    let assessment = assess(&Evidence::default(), &World::embedded(), NOW);
    assert_eq!((assessment.country, assessment.confidence), (None, 0.0));
}

/// An edge near the German visitor, whose connection answers after so long and whose browser after so long.
fn frankfurt(tcp_ms: f64, browser_ms: f64) -> EdgeEvidence {
    EdgeEvidence {
        position: LatLon::new(50.11, 8.68).ok(),
        round_trips_ms: vec![browser_ms + 2.0, browser_ms, browser_ms + 1.0],
        tcp: Some(TcpRoundTrip { min_ms: tcp_ms, ..TcpRoundTrip::default() }),
        ..EdgeEvidence::default()
    }
}

#[test]
fn a_relay_is_seen_also_when_its_browser_says_that_it_was_hidden_and_when_both_are_held_back() {
    for (held_back, hidden) in [(0.0, false), (0.0, true), (200.0, false), (400.0, true)] {
        let edge = EdgeEvidence { hidden, ..frankfurt(12.0 + held_back, 90.0 + held_back) };
        let assessment = assess(&Evidence { edges: vec![edge], ..german() }, &World::embedded(), NOW);
        assert!(assessment.reasons.contains(&Reason::RelayedConnection), "{held_back} {hidden}");
        assert!(assessment.alarm >= Alarm::Medium);
    }
}

#[test]
fn languages_beside_round_trips_are_no_surer_than_they_tell() {
    // Basel: of no public address, and of a browser that tells no zone.
    let edge = |lat, lon, ms| EdgeEvidence { position: LatLon::new(lat, lon).ok(), ..frankfurt(ms, ms + 1.0) };
    let edges = vec![frankfurt(26.0, 27.0), edge(51.51, -0.13, 24.0), edge(52.23, 21.01, 31.0)];
    let locale =
        LocaleEvidence { time_zone: Some("UTC".into()), languages: vec!["en-US".into()], ..Default::default() };
    let evidence = Evidence { address: "100.64.1.1".parse().ok(), edges, locale, ..Evidence::default() };
    let assessment = assess(&evidence, &World::embedded(), NOW);
    assert!((0.1..0.4).contains(&assessment.confidence), "{}", assessment.confidence);
    assert_eq!(assessment.class.name(), "consumer-3");
}

#[test]
fn an_impossible_round_trip_hides_no_relay() {
    for odd_ms in [0.0, -3.0, 0.001] {
        let mut edge = frankfurt(12.0, 90.0);
        edge.round_trips_ms.push(odd_ms);
        let assessment = assess(&Evidence { edges: vec![edge], ..german() }, &World::embedded(), NOW);
        assert!(assessment.reasons.contains(&Reason::RelayedConnection), "{odd_ms}");
    }
}

#[test]
fn an_answer_that_some_island_alone_is_near_enough_for_is_no_answer_from_home() {
    // In the Pacific, and in the South Atlantic: the Marshall Islands and Saint Helena are in reach, and nothing else.
    for (lat, lon, ms) in [(26.56, 171.84, 14.6), (8.15, 175.84, 17.4), (-42.5, -6.63, 14.3)] {
        let edge = EdgeEvidence { position: LatLon::new(lat, lon).ok(), ..frankfurt(ms, ms + 0.5) };
        let assessment = assess(&Evidence { edges: vec![edge], ..german() }, &World::embedded(), NOW);
        assert_eq!(assessment.alarm, Alarm::High, "{assessment:?}");
        assert!(
            assessment.reasons.contains(&Reason::AddressOutOfReach)
                || assessment.reasons.contains(&Reason::FasterThanLight)
        );
    }
}

#[test]
fn an_answer_that_no_land_is_near_enough_for_raises_the_alarm() {
    let edge = |lat: f64, lon: f64, ms: f64| EdgeEvidence {
        position: LatLon::new(lat, lon).ok(),
        round_trips_ms: vec![ms; 4],
        ..EdgeEvidence::default()
    };
    // An edge whose place was never set, or set in the wrong order, far out at sea.
    for lost in [edge(0.0, 0.0, 1.0), edge(2.35, 48.86, 1.0), edge(-48.0, -123.0, 3.0)] {
        let others = [vec![], vec![edge(50.11, 8.68, 150.0), edge(48.9, 2.4, 160.0)]];
        for edges in others.map(|others| [vec![lost.clone()], others].concat()) {
            let assessment = assess(&Evidence { edges, ..german() }, &World::embedded(), NOW);
            let reasons = &assessment.reasons;
            assert!(assessment.alarm == Alarm::High && reasons.contains(&Reason::NoPlaceInReach), "{assessment:?}");
        }
    }
}

#[test]
fn an_answer_that_light_cannot_have_brought_from_the_address_is_an_alarm_of_a_phone_too() {
    // A carrier's, of Saudi Arabia; a line's, of Germany.
    for (address, level) in [("77.232.104.21", Alarm::Low), ("141.20.1.1", Alarm::High)] {
        let edge = EdgeEvidence {
            position: LatLon::new(35.68, 139.69).ok(),
            round_trips_ms: vec![2.0],
            ..EdgeEvidence::default()
        };
        let evidence = Evidence { address: address.parse().ok(), edges: vec![edge], ..Evidence::default() };
        let assessment = assess(&evidence, &World::embedded(), NOW);
        assert_eq!(assessment.country.unwrap(), "JP");
        assert_eq!(assessment.alarm, level, "{assessment:?}");
        assert!(assessment.reasons.contains(&Reason::AddressOutOfReach), "{assessment:?}");
    }
}

#[test]
fn no_region_reaches_over_an_ocean_for_an_island() {
    let edge = |(lat, lon, ms): (f64, f64, f64)| EdgeEvidence {
        position: LatLon::new(lat, lon).ok(),
        round_trips_ms: vec![ms],
        ..EdgeEvidence::default()
    };
    for (address, edges) in [
        ("190.63.0.44", [(39.04, -77.49, 85.0), (50.11, 8.68, 170.0), (1.35, 103.82, 290.0)]),
        ("196.14.221.165", [(1.35, 103.82, 226.5), (28.684, 115.854, 271.2), (52.744, 23.582, 212.3)]),
    ] {
        let evidence =
            Evidence { address: address.parse().ok(), edges: edges.map(edge).to_vec(), ..Evidence::default() };
        let assessment = assess(&evidence, &World::embedded(), NOW);
        let (location, radius_km) = (assessment.location.unwrap(), assessment.radius_km.unwrap());
        for vertex in assessment.region.unwrap() {
            let vertex = LatLon::new(vertex.lat(), (vertex.lon() + 540.0).rem_euclid(360.0) - 180.0).unwrap();
            assert!(distance_km(location, vertex) < 3.0 * radius_km, "{address}: {radius_km} km, {vertex:?}");
        }
    }
}

#[test]
fn late_answers_of_siblings_do_not_buy_off_what_one_edge_shows() {
    let home = LatLon::new(50.1, 8.7).unwrap();
    let siblings = [
        (40.7, -74.0),
        (37.4, -121.9),
        (1.35, 103.8),
        (35.7, 139.7),
        (-33.9, 151.2),
        (-23.5, -46.6),
        (19.1, 72.9),
        (51.5, -0.1),
    ];
    for late in [0.0, 200.0, 400.0, 500.0, 1000.0, 3000.0, 15_000.0] {
        for count in [3, 5, 8] {
            let sibling = |&(lat, lon): &(f64, f64)| {
                let position = LatLon::new(lat, lon).unwrap();
                let ms = 3.0 + distance_km(home, position) / 60.0 + late;
                EdgeEvidence { position: Some(position), round_trips_ms: vec![ms; 5], ..EdgeEvidence::default() }
            };
            let near = EdgeEvidence { tcp: None, ..frankfurt(1.2, 1.2) };
            let edges = std::iter::once(near).chain(siblings[..count].iter().map(sibling)).collect();
            let locale = locale("America/New_York", &["en-US"], -300);
            let assessment = assess(&Evidence { edges, locale, ..Evidence::default() }, &World::embedded(), NOW);
            assert_eq!(assessment.country.unwrap(), "DE", "{count} siblings {late} ms late: {assessment:?}");
            assert!(assessment.alarm >= Alarm::Medium, "{count} siblings {late} ms late: {assessment:?}");
            assert!(distance_km(assessment.location.unwrap(), home) < 200.0, "{assessment:?}");
        }
    }
}

#[test]
fn who_answers_an_edge_at_once_is_beside_it_wherever_it_stands() {
    let model = Model::embedded();
    let cells = cells::decode(include_bytes!("../data/cells.bin.zst")).unwrap().all;
    for cell in cells.iter().step_by(23) {
        let sighting = Sighting { edge: cell.place, rtt_ms: 0.5, jitter_ms: 0.0 };
        let posterior = model.locate(&[sighting], Access::Consumer, &OtherSources::default());
        let km = distance_km(posterior.place().unwrap(), cell.place);
        // What light allows, and what a cell is wide.
        assert!(km < 75.0 + 100.0, "{km} km from {:?}", cell.place);
    }
}

#[test]
fn no_circle_and_no_region_is_drawn_around_few_people() {
    let cells = cells::decode(include_bytes!("../data/cells.bin.zst")).unwrap().all;
    let people = |holds: &dyn Fn(LatLon) -> bool| -> u64 {
        cells.iter().filter(|cell| holds(cell.place)).map(|cell| u64::from(cell.population)).sum()
    };
    for (lat, lon, zone) in [
        (64.18, -51.7, "America/Nuuk"),
        (78.22, 15.65, "Arctic/Longyearbyen"),
        (-25.07, -130.1, "Pacific/Pitcairn"),
        (-43.95, -176.56, "Pacific/Chatham"),
        (-77.85, 166.67, "Antarctica/McMurdo"),
        (-8.5, 179.2, "Pacific/Funafuti"),
        (52.52, 13.40, "Europe/Berlin"),
    ] {
        let home = LatLon::new(lat, lon).unwrap();
        let edge = |(lat, lon)| {
            let position = LatLon::new(lat, lon).unwrap();
            let ms = distance_km(position, home) / 75.0 + 2.0;
            EdgeEvidence { position: Some(position), round_trips_ms: vec![ms; 4], ..EdgeEvidence::default() }
        };
        let near = (lat + 0.5, lon + 0.5);
        let edges = [near, (50.11, 8.68), (40.7, -74.0), (-33.9, 151.2), (35.7, 139.7)].map(edge).to_vec();
        let locale = LocaleEvidence { time_zone: Some(zone.into()), ..LocaleEvidence::default() };
        let assessment = assess(&Evidence { edges, locale, ..Evidence::default() }, &World::embedded(), NOW);
        let (location, radius_km) = (assessment.location.unwrap(), assessment.radius_km.unwrap());
        let held = people(&|place| distance_km(place, location) <= radius_km);
        assert!(held >= 50_000, "{zone}: {held} within {radius_km} km");
        if let Some(region) = assessment.region {
            let outline =
                Outline::from_unwrapped(region.iter().map(|vertex| (vertex.lat(), vertex.lon())).collect()).unwrap();
            let held = people(&|place| outline.contains(place));
            assert!(held >= 50_000, "{zone}: {held} in the region");
        }
    }
}

#[test]
fn an_edge_that_saw_another_network_in_another_country_is_left_out_and_raises_the_alarm() {
    let far =
        EdgeEvidence { position: LatLon::new(35.68, 139.69).ok(), round_trips_ms: vec![3.0], ..frankfurt(3.0, 3.0) };
    let seen_as = |address: &str| {
        let far = EdgeEvidence { address: address.parse().ok(), ..far.clone() };
        assess(&Evidence { edges: vec![frankfurt(12.0, 12.5), far], ..german() }, &World::embedded(), NOW)
    };
    let stranger = seen_as("133.11.0.1");
    assert_eq!(stranger.country.unwrap(), "DE");
    assert!(stranger.reasons.contains(&Reason::EdgesDisagree) && stranger.alarm >= Alarm::Medium);
    assert!(!stranger.reasons.contains(&Reason::NoPlaceInReach));
    let own = seen_as("141.20.1.1");
    assert!(own.reasons.contains(&Reason::NoPlaceInReach) && !own.reasons.contains(&Reason::EdgesDisagree));
}

#[test]
fn a_backend_that_saw_the_visitor_in_another_country_raises_the_alarm() {
    let seen_as = |address: &str| {
        assess(&Evidence { visitor_address: address.parse().ok(), ..german() }, &World::embedded(), NOW)
    };
    assert!(seen_as("133.11.0.1").reasons.contains(&Reason::VisitorNetworkMismatch));
    assert_eq!(seen_as("141.20.200.1").alarm, Alarm::None);
    assert_eq!(seen_as("192.168.0.1").alarm, Alarm::None);
}

/// A phone of an American carrier whose clock shows Madrid's time, seen from an edge in New York so many ms away.
fn american_phone_in_spain(ms: f64) -> Evidence {
    let edge = EdgeEvidence {
        position: LatLon::new(40.71, -74.01).ok(),
        round_trips_ms: vec![ms, ms + 2.0, ms + 1.0],
        ..EdgeEvidence::default()
    };
    Evidence {
        address: "172.56.1.1".parse().ok(),
        edges: vec![edge],
        locale: locale("Europe/Madrid", &["en-US", "en"], 60),
        ..Evidence::default()
    }
}

#[test]
fn a_phone_that_answers_late_enough_may_be_abroad_while_its_network_is_at_home() {
    let roaming = assess(&american_phone_in_spain(190.0), &World::embedded(), NOW);
    assert_eq!(roaming.country.unwrap(), "ES", "{roaming:?}");
    assert!(roaming.region.is_none() && roaming.alarm < Alarm::High, "{roaming:?}");
    let madrid = LatLon::new(40.42, -3.70).unwrap();
    assert!(octet_geometry::distance_km(roaming.location.unwrap(), madrid) < 500.0, "{roaming:?}");
}

#[test]
fn a_phone_that_answers_sooner_than_its_network_could_reach_it_abroad_is_not_taken_to_be_there() {
    let forged = assess(&american_phone_in_spain(30.0), &World::embedded(), NOW);
    assert_eq!(forged.country.unwrap(), "US", "{forged:?}");
    assert!(forged.alarm >= Alarm::Medium, "{forged:?}");
}

#[test]
fn a_line_abroad_by_its_clock_alone_is_not_taken_for_a_phone_that_roams() {
    let phone = american_phone_in_spain(90.0);
    let line = Evidence { address: "128.32.1.1".parse().ok(), ..phone.clone() };
    assert_eq!(assess(&phone, &World::embedded(), NOW).country.unwrap(), "ES");
    assert_eq!(assess(&line, &World::embedded(), NOW).country.unwrap(), "US");
}

/// A browser with Japan's clock and languages behind an address of a German data centre; each edge's answer comes so many
/// ms later than from there.
fn japanese_behind_frankfurt(tunnel_ms: f64) -> Evidence {
    let near = [(50.11, 8.68, 2.0), (51.51, -0.13, 15.0), (40.71, -74.01, 85.0)];
    let far = [(1.35, 103.82, 160.0), (35.68, 139.69, 235.0), (-23.55, -46.63, 200.0)];
    let edge = |(lat, lon, ms): (f64, f64, f64)| EdgeEvidence {
        position: LatLon::new(lat, lon).ok(),
        round_trips_ms: (0..4).map(|round| ms + tunnel_ms + f64::from(round)).collect(),
        ..EdgeEvidence::default()
    };
    Evidence {
        address: "88.198.1.1".parse().ok(),
        edges: near.into_iter().chain(far).map(edge).collect(),
        locale: locale("Asia/Tokyo", &["ja-JP", "ja"], 540),
        ..Evidence::default()
    }
}

#[test]
fn who_hides_behind_a_far_exit_is_where_clock_and_languages_say_and_alarms() {
    let hidden = assess(&japanese_behind_frankfurt(312.0), &World::embedded(), NOW);
    assert_eq!(hidden.country.unwrap(), "JP", "{hidden:?}");
    let tokyo = LatLon::new(35.68, 139.69).unwrap();
    assert!(octet_geometry::distance_km(hidden.location.unwrap(), tokyo) < 800.0, "{hidden:?}");
    // The round trips draw no region: they tell of the exit.
    assert!(hidden.region.is_none() && hidden.alarm >= Alarm::Medium, "{hidden:?}");
}

#[test]
fn a_machine_that_answers_at_once_is_in_its_data_centre_whatever_its_clock_says() {
    let machine = assess(&japanese_behind_frankfurt(0.0), &World::embedded(), NOW);
    assert_eq!(machine.country.unwrap(), "DE", "{machine:?}");
    assert!(machine.region.is_some() && machine.alarm >= Alarm::Medium, "{machine:?}");
}
