//! What must hold for any evidence whatsoever: no panic, bounded answers, the same answer for the same evidence in
//! another order, and delay that never brings anyone nearer.

use octet::{Alarm, LatLon};
use octet_engine::locate::{Access, OtherSources, Sighting, sightings};
use octet_engine::model::Model;
use octet_engine::{
    Anomalies, EdgeEvidence, Evidence, LocaleEvidence, Omissions, TcpRoundTrip, UnixTime, World, assess,
};
use octet_geometry::{Disc, distance_km};
use proptest::prelude::*;

fn place() -> impl Strategy<Value = LatLon> {
    (-1.0..=1.0_f64, -180.0..=180.0_f64)
        .prop_filter_map("in range", |(sine, lon)| LatLon::new(sine.asin().to_degrees(), lon).ok())
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![4 => 0.0..400.0_f64, 1 => any::<f64>()]
}

fn edge() -> impl Strategy<Value = EdgeEvidence> {
    let tcp = (number(), number(), number()).prop_map(|(min_ms, smoothed_ms, variance_ms)| TcpRoundTrip {
        min_ms,
        smoothed_ms,
        variance_ms,
    });
    (prop::option::of(place()), prop::collection::vec(number(), 0..20), prop::option::of(tcp), any::<(bool, bool)>())
        .prop_map(|(position, round_trips_ms, tcp, (proxied, hidden))| EdgeEvidence {
            position,
            round_trips_ms,
            tcp,
            proxied,
            hidden,
            ..EdgeEvidence::default()
        })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("Europe/Berlin".to_owned()),
        Just("America/Sao_Paulo".to_owned()),
        Just("UTC".to_owned()),
        Just("de-AT".to_owned()),
        Just("zh-Hant-TW".to_owned()),
        any::<String>(),
    ]
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let locale = (
        prop::option::of(text()),
        prop::option::of(any::<i32>()),
        prop::collection::vec(text(), 0..12),
        prop::option::of(text()),
        prop::collection::vec(text(), 0..4),
    )
        .prop_map(|(time_zone, offset, languages, locale, header_languages)| LocaleEvidence {
            time_zone,
            offset_now_min: offset,
            offset_january_min: offset,
            offset_july_min: offset,
            languages,
            locale,
            header_languages,
        });
    (
        prop::option::of(any::<[u8; 4]>()),
        prop::option::of(any::<[u8; 16]>()),
        prop::collection::vec(edge(), 0..9),
        locale,
        any::<(bool, bool, u16, bool, bool)>(),
    )
        .prop_map(|(v4, v6, edges, locale, (address, zone, others, replayed, automation))| Evidence {
            address: v4.map(Into::into),
            visitor_address: v6.map(Into::into),
            edges,
            locale,
            omissions: Omissions { address, time_zone: zone, others, ..Omissions::default() },
            anomalies: Anomalies { replayed, automation, ..Anomalies::default() },
        })
}

const NOW: UnixTime = UnixTime(1_795_219_200);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_evidence_gives_a_bounded_answer(evidence in evidence(), now in any::<i64>()) {
        let answer = assess(&evidence, &World::embedded(), UnixTime(now));
        prop_assert!((0.0..=1.0).contains(&answer.confidence));
        prop_assert!(answer.radius_km.is_none_or(|km| (20.0..21_000.0 * 20.0).contains(&km)));
        prop_assert!(answer.region.as_ref().is_none_or(|region| (3..=64).contains(&region.len())));
        let masses: f64 = answer.country_masses.iter().map(|country| country.1).sum();
        prop_assert!(masses <= 1.0 + 1e-6);
        prop_assert!(answer.reasons.is_empty() == (answer.alarm == Alarm::None));
        if evidence.omissions.any() {
            prop_assert!(answer.confidence <= 0.5 && answer.alarm >= Alarm::Low);
        }
    }

    #[test]
    fn the_order_of_evidence_changes_nothing(mut evidence in evidence()) {
        let answer = assess(&evidence, &World::embedded(), NOW);
        evidence.edges.reverse();
        for edge in &mut evidence.edges {
            edge.round_trips_ms.reverse();
        }
        prop_assert_eq!(answer, assess(&evidence, &World::embedded(), NOW));
    }

    #[test]
    fn delay_never_brings_the_physical_limit_nearer(edge in place(), home in place(), ms in 0.1..300.0_f64, more in 0.0..200.0_f64) {
        let limit = |ms: f64| Disc::new(edge, 150.0 * ms);
        prop_assert!(!limit(ms).contains(home) || limit(ms + more).contains(home));
        prop_assert!(limit(ms + more).covers(&limit(ms)) || limit(ms).radius_km() >= 20_000.0);
    }

    #[test]
    fn more_edges_never_move_the_answer_outside_of_what_light_allows(
        home in (-55.0..65.0_f64, -120.0..150.0_f64), edges in prop::collection::vec(place(), 1..7), late in 1.5..2.5_f64,
    ) {
        let home = LatLon::new(home.0, home.1).unwrap();
        let sightings: Vec<Sighting> = edges
            .iter()
            .map(|&edge| Sighting { edge, rtt_ms: 3.0 + late * distance_km(edge, home) / 100.0, jitter_ms: 0.0 })
            .collect();
        let model = Model::embedded();
        for count in 1..=sightings.len() {
            let posterior = model.locate(&sightings[..count], Access::Consumer, &OtherSources::default());
            let answer = posterior.place().unwrap();
            for sighting in &sightings[..count] {
                // A cell counts by its nearest point, and is a few hundred kilometres wide at most.
                prop_assert!(distance_km(answer, sighting.edge) <= 150.0 * sighting.rtt_ms + 700.0);
            }
        }
    }

    #[test]
    fn the_hierarchical_posterior_is_that_of_the_dense_oracle(
        home in (-45.0..60.0_f64, -120.0..150.0_f64), edges in prop::collection::vec((place(), 1.1..3.0_f64), 1..7),
        offset in 0.0..60.0_f64,
    ) {
        let home = LatLon::new(home.0, home.1).unwrap();
        let sightings: Vec<Sighting> = edges
            .into_iter()
            .map(|(edge, late)| Sighting { edge, rtt_ms: 1.0 + offset + late * distance_km(edge, home) / 100.0, jitter_ms: 0.0 })
            .collect();
        let model = Model::embedded();
        let of = |posterior: octet_engine::locate::Posterior<'_>| posterior.countries();
        let quick = of(model.locate(&sightings, Access::Consumer, &OtherSources::default()));
        let dense = of(model.locate_densely(&sightings, Access::Consumer, &OtherSources::default()));
        let mass = |masses: &[(octet::CountryCode, f64)], code| masses.iter().find(|c| c.0 == code).map_or(0.0, |c| c.1);
        for &(code, probability) in &dense {
            let off = (mass(&quick, code) - probability).abs();
            prop_assert!(off < 0.01, "{code}: {off}");
        }
    }
}

#[test]
fn edges_that_share_a_place_count_once_with_the_quicker_answer() {
    let edge = |ms: f64, lat: f64| EdgeEvidence {
        position: LatLon::new(lat, 8.68).ok(),
        round_trips_ms: vec![ms],
        ..EdgeEvidence::default()
    };
    let seen = sightings(&[edge(30.0, 50.11), edge(22.0, 50.2), edge(25.0, 50.0)]);
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].rtt_ms, 22.0);
}
