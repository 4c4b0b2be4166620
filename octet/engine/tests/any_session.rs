//! What holds of every session, drawn at random: physics is respected, order and repetition change nothing, and no
//! evidence whatsoever breaks an assessment. It knows the engine from outside only.

use octet::LatLon;
use octet_engine::locate::{Access, OtherSources, Posterior, Sighting, consistent, sightings};
use octet_engine::model::Model;
use octet_engine::world::cells;
use octet_engine::{
    Anomalies, EdgeEvidence, Evidence, LocaleEvidence, Omissions, Reason, TcpRoundTrip, UnixTime, World, assess,
};
use octet_geometry::{Disc, Outline, distance_km};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

#[path = "../fuzz/src/invariants.rs"]
mod invariants;
#[path = "../fuzz/src/session.rs"]
mod session;

const NOW: UnixTime = UnixTime(1_795_000_000);
/// Half of light's speed in vacuum: there and back, in km for each ms.
const VACUUM_KM_PER_MS: f64 = 150.0;

/// Any place, evenly over the sphere.
fn place() -> impl Strategy<Value = LatLon> {
    (-1.0..=1.0_f64, -180.0..=180.0_f64)
        .prop_filter_map("on Earth", |(z, lon)| LatLon::new(z.asin().to_degrees(), lon).ok())
}

/// Any edges but those that share their place with another.
fn distinct_edges(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<LatLon>> {
    vec(place(), count).prop_filter("edges stand apart", |places| {
        places.iter().enumerate().all(|(at, one)| places[..at].iter().all(|other| distance_km(*one, *other) > 130.0))
    })
}

fn at_edge(position: LatLon, round_trips_ms: Vec<f64>) -> EdgeEvidence {
    EdgeEvidence { position: Some(position), round_trips_ms, ..EdgeEvidence::default() }
}

/// A place where people live: nobody answers from the open sea.
fn home() -> impl Strategy<Value = LatLon> {
    let cells = cells::decode(include_bytes!("../data/cells.bin.zst")).expect("the embedded cells can be read");
    let inhabited: Vec<_> = cells.all.iter().filter(|cell| cell.population > 1000).map(|cell| cell.place).collect();
    proptest::sample::select(inhabited)
}

/// Edges whose answers came from one place where people live, no faster than light.
fn true_edges() -> impl Strategy<Value = Vec<EdgeEvidence>> {
    (home(), distinct_edges(1..9), vec((0.01..40.0_f64, 0.0..200.0_f64, 0.0..9.0_f64), 9)).prop_map(
        |(truth, places, delays)| {
            let edge = |(place, (least, more, jitter)): (LatLon, (f64, f64, f64))| {
                let delay = if jitter < 4.0 { least } else { least + more };
                let rtt_ms = distance_km(truth, place) / VACUUM_KM_PER_MS + delay;
                at_edge(place, vec![rtt_ms + jitter, rtt_ms, rtt_ms + 2.0 * jitter])
            };
            places.into_iter().zip(delays).map(edge).collect()
        },
    )
}

fn seen_by(edges: &[EdgeEvidence]) -> Evidence {
    Evidence { edges: edges.to_vec(), ..Evidence::default() }
}

/// How far an answer of this session can have come, with one edge.
fn clip(at: LatLon, rounds: Vec<f64>, tcp_ms: Option<f64>) -> Disc {
    let tcp = tcp_ms.map(|min_ms| TcpRoundTrip { min_ms, ..TcpRoundTrip::default() });
    let seen = sightings(&[EdgeEvidence { tcp, ..at_edge(at, rounds) }]);
    Disc::new(seen[0].edge, VACUUM_KM_PER_MS * seen[0].rtt_ms)
}

fn number() -> impl Strategy<Value = f64> {
    let odd = vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, -1.0, f64::MAX, f64::MIN_POSITIVE, 0.01, 2e4];
    prop_oneof![4 => 0.0..400.0_f64, 1 => proptest::num::f64::ANY, 1 => proptest::sample::select(odd)]
}

fn text() -> impl Strategy<Value = String> {
    let known =
        ["Europe/Berlin", "UTC", "Asia/Kolkata", "Atlantic/Reykjavik", "de-DE", "en-US", "zh-Hant-TW", "fr;q=.5"];
    prop_oneof![
        3 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => vec(any::<char>(), 0..80).prop_map(|chars| chars.into_iter().collect()),
        1 => (any::<char>(), 1..5000_usize).prop_map(|(part, times)| part.to_string().repeat(times)),
    ]
}

fn any_edge() -> impl Strategy<Value = EdgeEvidence> {
    let many = (number(), 0..20_000_usize).prop_map(|(ms, count)| vec![ms; count]);
    let rounds = prop_oneof![8 => vec(number(), 0..12), 1 => many];
    let tcp = (number(), number(), number()).prop_map(|(min_ms, smoothed_ms, variance_ms)| TcpRoundTrip {
        min_ms,
        smoothed_ms,
        variance_ms,
    });
    (of(place()), of(any::<std::net::IpAddr>()), rounds, of(tcp), any::<bool>(), any::<bool>()).prop_map(
        |(position, address, round_trips_ms, tcp, proxied, hidden)| EdgeEvidence {
            position,
            address,
            round_trips_ms,
            tcp,
            proxied,
            hidden,
        },
    )
}

fn any_locale() -> impl Strategy<Value = LocaleEvidence> {
    let minutes = || of(prop_oneof![-800..900_i32, any::<i32>()]);
    let many = || (text(), 0..500_usize).prop_map(|(text, count)| vec![text; count]);
    let texts = || prop_oneof![8 => vec(text(), 0..6), 1 => many()];
    ((of(text()), of(text())), (minutes(), minutes(), minutes()), (texts(), texts())).prop_map(
        |((time_zone, locale), (now, january, july), (languages, header_languages))| LocaleEvidence {
            time_zone,
            offset_now_min: now,
            offset_january_min: january,
            offset_july_min: july,
            languages,
            locale,
            header_languages,
        },
    )
}

fn any_evidence() -> impl Strategy<Value = Evidence> {
    let edges = prop_oneof![12 => vec(any_edge(), 0..9), 1 => vec(any_edge(), 30..60)];
    let omissions = (any::<(bool, bool, bool, bool)>(), prop_oneof![4 => Just(0), 1 => any::<u16>()]).prop_map(
        |((address, time_zone, languages, round_trips), others)| Omissions {
            address,
            time_zone,
            languages,
            round_trips,
            others,
        },
    );
    let omissions = prop_oneof![2 => Just(Omissions::default()), 1 => omissions];
    let anomalies = any::<(bool, bool, bool, bool, bool)>().prop_map(
        |(replayed, second_bundle, visitor_network_mismatch, page_network_mismatch, automation)| Anomalies {
            replayed,
            second_bundle,
            visitor_network_mismatch,
            page_network_mismatch,
            automation,
        },
    );
    let addresses = (of(any::<std::net::IpAddr>()), of(any::<std::net::IpAddr>()));
    (addresses, edges, any_locale(), omissions, anomalies).prop_map(
        |((address, visitor_address), edges, locale, omissions, anomalies)| Evidence {
            address,
            visitor_address,
            edges,
            locale,
            omissions,
            anomalies,
        },
    )
}

fn a_time() -> impl Strategy<Value = UnixTime> {
    prop_oneof![3 => Just(NOW), 1 => any::<i64>().prop_map(UnixTime), 1 => (0..4_000_000_000_i64).prop_map(UnixTime)]
}

/// A session of edges that stand apart, and the same with edges and rounds in another order.
fn reordered() -> impl Strategy<Value = (Evidence, Evidence)> {
    let edges = (distinct_edges(0..9), vec(any_edge(), 9)).prop_map(|(places, edges)| {
        let edge = |(place, mut edge): (LatLon, EdgeEvidence)| {
            edge.round_trips_ms.truncate(64);
            EdgeEvidence { position: Some(place), ..edge }
        };
        places.into_iter().zip(edges).map(edge).collect::<Vec<_>>()
    });
    let shuffled = edges.prop_flat_map(|edges| {
        let edge = |edge: EdgeEvidence| {
            let rounds = Just(edge.round_trips_ms.clone()).prop_shuffle();
            rounds.prop_map(move |round_trips_ms| EdgeEvidence { round_trips_ms, ..edge.clone() })
        };
        (Just(edges.clone()), edges.into_iter().map(edge).collect::<Vec<_>>().prop_shuffle())
    });
    (shuffled, any_locale(), any::<[u8; 4]>()).prop_map(|((edges, shuffled), locale, address)| {
        let whole = Evidence { address: Some(address.into()), edges, locale, ..Evidence::default() };
        let other = Evidence { edges: shuffled, ..whole.clone() };
        (whole, other)
    })
}

/// The same country and alarm, and the same masses but for rounding.
fn same(one: &Evidence, other: &Evidence) -> Result<(), TestCaseError> {
    let [one, other] = [one, other].map(|evidence| assess(evidence, &World::embedded(), NOW));
    prop_assert_eq!(one.country, other.country);
    prop_assert_eq!(one.alarm, other.alarm);
    prop_assert_eq!(&one.reasons, &other.reasons);
    prop_assert_eq!(one.location, other.location);
    prop_assert_eq!(&one.region, &other.region);
    prop_assert!((one.confidence - other.confidence).abs() < 1e-9);
    prop_assert!((one.radius_km.unwrap_or_default() - other.radius_km.unwrap_or_default()).abs() < 1e-6);
    prop_assert_eq!(one.country_masses.len(), other.country_masses.len());
    for ((code, mass), (other_code, other_mass)) in one.country_masses.iter().zip(&other.country_masses) {
        prop_assert!(code == other_code && (mass - other_mass).abs() < 1e-9, "{code} {mass} {other_mass}");
    }
    Ok(())
}

/// Assesses, and holds every promise against the answer.
fn promises(evidence: &Evidence, now: UnixTime) -> Result<(), TestCaseError> {
    let assessment = assess(evidence, &World::embedded(), now);
    invariants::check(evidence, &assessment).map_err(TestCaseError::fail)?;
    if let Some(region) = &assessment.region {
        let vertices: Vec<(f64, f64)> = region.iter().map(|vertex| (vertex.lat(), vertex.lon())).collect();
        let steps = vertices.iter().zip(vertices.iter().cycle().skip(1));
        prop_assert!(steps.clone().all(|(a, b)| (a.1 - b.1).abs() < 180.0), "wound around the Earth: {region:?}");
        prop_assert!(steps.map(|(a, b)| a.1 * b.0 - b.1 * a.0).sum::<f64>() > 0.0, "clockwise: {region:?}");
        prop_assert!(Outline::from_unwrapped(vertices).is_some_and(|outline| outline.is_simple()), "{region:?}");
    }
    prop_assert_eq!(assessment, assess(evidence, &World::embedded(), now));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_true_session_is_never_told_that_no_place_is_in_reach(edges in true_edges()) {
        let assessment = assess(&seen_by(&edges), &World::embedded(), NOW);
        prop_assert!(!assessment.reasons.contains(&Reason::NoPlaceInReach));
    }

    #[test]
    fn delay_never_narrows_the_clip_whether_the_browser_alone_has_it_or_its_connection_too(
        at in place(), rounds in vec(0.01..500.0_f64, 1..9), tcp in of(0.01..500.0_f64), delay in 0.0..500.0_f64,
    ) {
        let later: Vec<f64> = rounds.iter().map(|ms| ms + delay).collect();
        let before = clip(at, rounds, tcp);
        for after in [clip(at, later.clone(), tcp), clip(at, later, tcp.map(|ms| ms + delay))] {
            prop_assert!(after.radius_km() >= before.radius_km() - 1e-6, "{before:?} {after:?}");
        }
    }

    #[test]
    fn edges_in_a_chain_of_near_places_are_one_in_any_order(
        (chain, shuffled) in vec((0.0..0.6_f64, 1.0..50.0_f64), 1..9).prop_flat_map(|steps| {
            let lat = |at: usize| 48.0 + steps[..at].iter().map(|step| step.0).sum::<f64>();
            let edge = |at: usize| at_edge(LatLon::new(lat(at), 9.0).unwrap(), vec![steps[at].1]);
            let chain: Vec<EdgeEvidence> = (0..steps.len()).map(edge).collect();
            (Just(chain.clone()), Just(chain).prop_shuffle())
        }),
    ) {
        let [one, other] = [&chain, &shuffled].map(sightings);
        prop_assert_eq!(&one, &other);
        let apart = |a: &EdgeEvidence, b: &EdgeEvidence| distance_km(a.position.unwrap(), b.position.unwrap()) >= 60.0;
        prop_assert_eq!(one.len(), 1 + chain.windows(2).filter(|pair| apart(&pair[0], &pair[1])).count());
    }

    #[test]
    fn no_vertex_of_a_region_lies_beyond_what_light_allows(mut edges in true_edges(), liar in of((place(), 0.1..60.0_f64))) {
        edges.extend(liar.map(|(at, ms)| at_edge(at, vec![ms])));
        let region = assess(&seen_by(&edges), &World::embedded(), NOW).region.unwrap_or_default();
        for vertex in region {
            let vertex = LatLon::new(vertex.lat(), (vertex.lon() + 540.0).rem_euclid(360.0) - 180.0).unwrap();
            for one in consistent(&sightings(&edges)) {
                prop_assert!(distance_km(vertex, one.edge) <= VACUUM_KM_PER_MS * one.rtt_ms + 2.0);
            }
        }
    }

    #[test]
    fn the_answer_is_in_its_region_where_a_centre_of_a_pixel_is(edges in true_edges()) {
        let assessment = assess(&seen_by(&edges), &World::embedded(), NOW);
        let region: Vec<_> = assessment.region.iter().flatten().map(|vertex| (vertex.lat(), vertex.lon())).collect();
        let least_km = edges.iter().flat_map(|edge| &edge.round_trips_ms).fold(f64::MAX, |a, b| a.min(*b)) * VACUUM_KM_PER_MS;
        if let (Some(outline), Some(location)) = (Outline::from_unwrapped(region), assessment.location) {
            prop_assert!(least_km < 30.0 || outline.contains(location), "{location:?} {outline:?}");
        }
    }

    #[test]
    fn one_lying_edge_never_takes_the_others_away(edges in true_edges(), at in place(), ms in 0.1..60.0_f64) {
        let seen = sightings(edges.iter().chain([&at_edge(at, vec![ms])]));
        prop_assert!(consistent(&seen).len() + 1 >= seen.len());
    }

    #[test]
    fn more_edges_never_move_the_answer_outside_of_what_light_allows(
        home in home(), edges in vec((place(), 1.0..3.0_f64), 1..7),
    ) {
        // From as fast as light in vacuum: as near to the limit as the truth can be.
        let least = |edge| 0.5 + distance_km(edge, home) / VACUUM_KM_PER_MS;
        let sightings: Vec<Sighting> = edges
            .iter()
            .map(|&(edge, late)| Sighting { edge, rtt_ms: late * least(edge), jitter_ms: 0.0 })
            .collect();
        let model = Model::embedded();
        for count in 1..=sightings.len() {
            let posterior = model.locate(&sightings[..count], Access::Consumer, &OtherSources::default());
            let answer = posterior.place().unwrap();
            for sighting in &sightings[..count] {
                // A cell counts by its nearest point, and is 51 km wide where it matters.
                let limit_km = VACUUM_KM_PER_MS * sighting.rtt_ms + 100.0;
                prop_assert!(distance_km(answer, sighting.edge) <= limit_km);
                // Where few live, a node that is not split is some hundred kilometres wide.
                let within = posterior.mass_within(sighting.edge, limit_km + 500.0);
                prop_assert!(within > 0.99, "{within}");
            }
        }
    }

    #[test]
    fn the_hierarchical_posterior_is_that_of_the_dense_oracle(
        home in home(), edges in vec((place(), 0.68..3.0_f64), 1..7), offset in 0.0..60.0_f64,
    ) {
        let delay = |(edge, late): (LatLon, f64)| 1.0 + offset + late * distance_km(edge, home) / 100.0;
        let sightings: Vec<Sighting> = edges
            .into_iter()
            .map(|edge| Sighting { edge: edge.0, rtt_ms: delay(edge), jitter_ms: 0.0 })
            .collect();
        let model = Model::embedded();
        let of = |posterior: Posterior<'_>| posterior.countries();
        let quick = of(model.locate(&sightings, Access::Consumer, &OtherSources::default()));
        let dense = of(model.locate_densely(&sightings, Access::Consumer, &OtherSources::default()));
        let mass = |masses: &[(octet::CountryCode, f64)], code| masses.iter().find(|c| c.0 == code).map_or(0.0, |c| c.1);
        for &(code, probability) in &dense {
            let off = (mass(&quick, code) - probability).abs();
            prop_assert!(off < 0.01, "{code}: {off}");
        }
    }

    #[test]
    fn the_order_of_edges_and_rounds_changes_nothing((evidence, reordered) in reordered()) {
        same(&evidence, &reordered)?;
    }

    #[test]
    fn any_evidence_whatsoever_assesses_and_keeps_every_promise(evidence in any_evidence(), now in a_time()) {
        promises(&evidence, now)?;
    }

    #[test]
    fn the_assessment_of_a_true_session_keeps_every_promise(edges in true_edges()) {
        promises(&seen_by(&edges), NOW)?;
    }

    #[test]
    fn any_text_is_a_session_that_keeps_every_promise(text in any::<String>()) {
        let (evidence, now) = session::read(&text);
        promises(&evidence, now)?;
    }
}

#[test]
fn every_seed_of_the_fuzz_target_keeps_every_promise() {
    let seeds = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/assess")).unwrap();
    let texts: Vec<_> = seeds.map(|seed| std::fs::read(seed.unwrap().path()).unwrap()).collect();
    assert!(texts.len() >= 10);
    for text in texts {
        let (evidence, now) = session::read(&String::from_utf8_lossy(&text));
        promises(&evidence, now).unwrap();
    }
}
