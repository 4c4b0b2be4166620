//! One source of a session is made up, and the others agree: the answer is theirs, or an alarm says that something is
//! wrong. It knows the engine from outside only.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use octet::{Alarm, CountryCode, LatLon};
use octet_engine::model::{Parameters, ln_floor};
use octet_engine::world::{AddressFacts, City};
use octet_engine::{Assessment, EdgeEvidence, Evidence, LocaleEvidence, UnixTime, World, assess};
use octet_geometry::distance_km;

const NOW: UnixTime = UnixTime(1_795_000_000);
/// Frankfurt, Virginia, Singapore.
const EDGES: [(f64, f64); 3] = [(50.11, 8.68), (38.95, -77.45), (1.35, 103.82)];

/// What an honest visitor from the largest city of a country is seen as, by three edges.
fn visitor(country: CountryCode, address: IpAddr) -> Option<Evidence> {
    let world = World::embedded();
    let cities = world.cities().iter().filter(|city| city.country == country);
    let home = cities.max_by_key(|city| city.population)?;
    let edges = EDGES.iter().map(|&(lat, lon)| edge(LatLon::new(lat, lon).ok()?, home.place)).collect::<Option<_>>()?;
    Some(Evidence { address: Some(address), locale: locale(country, home)?, edges, ..Evidence::default() })
}

/// The zone of the city, and the language that most of the country's browsers ask for.
fn locale(country: CountryCode, home: &City) -> Option<LocaleEvidence> {
    let world = World::embedded();
    let zone = &world.city_zone(home)?.name;
    let offsets = world.zone_offsets(zone, NOW)?;
    let share = |tag: &str| world.language(tag)?.language.shares.iter().find(|share| share.country == country).copied();
    let tags = world.languages().iter().map(|language| &language.tag);
    let shares = tags.filter_map(|tag| Some((share(tag)?.likelihood, tag)));
    let (_, language) = shares.max_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(LocaleEvidence {
        time_zone: Some(zone.clone()),
        offset_now_min: Some(offsets.now_min),
        offset_january_min: Some(offsets.january_min),
        offset_july_min: Some(offsets.july_min),
        languages: vec![format!("{language}-{country}"), language.clone()],
        ..LocaleEvidence::default()
    })
}

/// An edge that is answered as soon as most paths of that length allow.
fn edge(at: LatLon, home: LatLon) -> Option<EdgeEvidence> {
    let floor = ln_floor(distance_km(at, home));
    let ms = 4.0 + (floor + Parameters::embedded().path.shape.at(floor).mode).exp();
    Some(EdgeEvidence { position: Some(at), round_trips_ms: vec![ms + 1.0, ms, ms + 3.0], ..EdgeEvidence::default() })
}

/// A visitor of every country that has a line of which both databases and the allocation say so.
fn visitors() -> BTreeMap<CountryCode, Evidence> {
    let world = World::embedded();
    let is_line = |facts: &AddressFacts| {
        let agree = facts.dbip == facts.geo_whois && facts.dbip == facts.allocation && facts.asn.is_some();
        agree && !(facts.hosting || facts.vpn || facts.mobile || facts.gateway || facts.delivery_network)
    };
    let mut lines = BTreeMap::new();
    // Addresses from a linear congruential generator: all over the space, the same in every run.
    let mut state = 1_u32;
    for _ in 0..2_000_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let address = IpAddr::from(Ipv4Addr::from(state.rotate_left(7)));
        let facts = world.address(address);
        if let Some(country) = facts.dbip.filter(|_| is_line(&facts)) {
            lines.entry(country).or_insert(address);
        }
    }
    lines.into_iter().filter_map(|(country, address)| Some((country, visitor(country, address)?))).collect()
}

/// Makes something up, as another visitor has it.
type Lie = fn(&mut Evidence, &Evidence);

const LIES: [(&str, Lie); 4] = [
    ("address", |session, other| session.address = other.address),
    ("zone", |session, other| {
        let languages = std::mem::take(&mut session.locale.languages);
        session.locale = LocaleEvidence { languages, ..other.locale.clone() };
    }),
    ("languages", |session, other| session.locale.languages.clone_from(&other.locale.languages)),
    ("delay", |session, _| {
        session.edges.iter_mut().flat_map(|edge| &mut edge.round_trips_ms).for_each(|ms| *ms += 100.0)
    }),
];

fn assessed(session: &Evidence) -> Assessment {
    assess(session, &World::embedded(), NOW)
}

/// Whether the estimated location is near some city of the country that is named, where that is more than a guess.
fn is_in_its_country(assessment: &Assessment) -> bool {
    let (Some(country), Some(place)) = (assessment.country, assessment.location) else { return true };
    let world = World::embedded();
    let mut cities = world.cities().iter().filter(|city| city.country == country);
    assessment.country_masses[0].1 < 0.5 || cities.any(|city| distance_km(city.place, place) < 1200.0)
}

#[test]
fn an_honest_visitor_of_any_country_is_named_without_alarm() {
    for (country, session) in visitors() {
        for edges in [0, 1, 3] {
            let seen = Evidence { edges: session.edges[..edges].to_vec(), ..session.clone() };
            let assessment = assessed(&seen);
            assert_eq!((assessment.country, assessment.alarm), (Some(country), Alarm::None), "{edges}: {assessment:?}");
            assert!(assessment.confidence > 0.8, "{country} {edges}: {}", assessment.confidence);
        }
    }
}

#[test]
fn the_others_outweigh_any_one_that_is_made_up_and_the_alarm_says_so_where_they_do_not() {
    let visitors: Vec<(CountryCode, Evidence)> = visitors().into_iter().collect();
    for (kind, lie) in LIES {
        for edges in [0, 1, 3] {
            let (mut all, mut named, mut above_low) = (0, 0, 0);
            for (index, (country, session)) in visitors.iter().enumerate() {
                for step in [1, 7, 31, 83] {
                    let (_, other) = &visitors[(index + step) % visitors.len()];
                    let mut seen = Evidence { edges: session.edges[..edges].to_vec(), ..session.clone() };
                    lie(&mut seen, other);
                    let assessment = assessed(&seen);
                    let is_named = assessment.country == Some(*country);
                    assert!(is_named || assessment.alarm > Alarm::None, "{kind} {country} {seen:?}: {assessment:?}");
                    assert!(is_in_its_country(&assessment), "{kind} {country} {seen:?}: {assessment:?}");
                    all += 1;
                    named += usize::from(is_named);
                    above_low += usize::from(assessment.alarm > Alarm::Low);
                }
            }
            println!("{kind}, {edges} edges: {named} of {all}, {above_low} alarms above low");
            assert!(named * 100 >= all * 99, "{kind}, {edges} edges: {named} of {all}");
        }
    }
}

#[test]
fn an_address_of_where_the_same_clocks_are_lent_is_doubted() {
    let (visitors, world) = (visitors(), World::embedded());
    let (mut all, mut named, mut sure) = (0, 0, 0);
    for (home, session) in &visitors {
        let zone = session.locale.time_zone.as_ref().and_then(|name| world.zone(name)).unwrap();
        // A privacy mode shows Iceland's: no contradiction is made of it.
        let lent = zone.also.iter().filter(|_| zone.name != "Atlantic/Reykjavik");
        for neighbour in lent.filter_map(|code| visitors.get(code)) {
            let seen = Evidence { address: neighbour.address, edges: Vec::new(), ..session.clone() };
            let assessment = assessed(&seen);
            assert!(assessment.alarm > Alarm::None, "{home} {seen:?}: {assessment:?}");
            all += 1;
            named += usize::from(assessment.country == Some(*home));
            sure += usize::from(assessment.country != Some(*home) && assessment.confidence > 0.8);
        }
    }
    println!("{named} of {all}, {sure} surely wrong");
    assert!(all > 100 && named * 10 >= all * 8 && sure * 10 <= all, "{named} of {all}, {sure} surely wrong");
}
