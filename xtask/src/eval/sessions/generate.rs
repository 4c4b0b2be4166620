//! Generated sessions around real round trips. Each scenario says who is where and what is made up; the round trips
//! are those of real hosts, the addresses those of one database's countries, which the engine does not get to see.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context, Result, bail, ensure};
use octet::{CountryCode, LatLon};
use octet_engine::locate::Sighting;
use octet_engine::model::{Model, ln_floor};
use octet_engine::world::{Polygon, Zone};
use octet_engine::{EdgeEvidence, Evidence, LocaleEvidence, TcpRoundTrip, UnixTime, World};
use octet_geometry::distance_km;

use crate::eval::data::Target;
use crate::eval::metrics::Random;

/// When all sessions take place: 21 November 2026.
pub(super) const NOW: UnixTime = UnixTime(1_795_219_200);
/// Addresses are drawn until so many were looked at.
const DRAWN_ADDRESSES: usize = 2_000_000;
/// After so many draws of the wrong kind there is none of the right.
const TRIES: usize = 1_000_000;
/// At most so many addresses of one kind and country are kept.
const KEPT: usize = 400;
/// VPN exits whose address no list knows: an assumption, since no list tells.
const UNLISTED: f64 = 0.1;

/// One kind of session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scenario {
    Home,
    Traveller,
    Expatriate,
    PrivacyUtc,
    Mobile,
    Roaming,
    ForgedZone,
    NeighbourAddress,
    ForeignAddress,
    VpnNear,
    VpnMiddle,
    VpnFar,
    RelayNear,
    RelayFar,
    Tor,
    HostingBot,
    Shaped,
}

impl Scenario {
    pub(super) const ALL: [Self; 17] = [
        Self::Home,
        Self::Traveller,
        Self::Expatriate,
        Self::PrivacyUtc,
        Self::Mobile,
        Self::Roaming,
        Self::ForgedZone,
        Self::NeighbourAddress,
        Self::ForeignAddress,
        Self::VpnNear,
        Self::VpnMiddle,
        Self::VpnFar,
        Self::RelayNear,
        Self::RelayFar,
        Self::Tor,
        Self::HostingBot,
        Self::Shaped,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Home => "honest at home",
            Self::Traveller => "honest traveller",
            Self::Expatriate => "expatriate's languages",
            Self::PrivacyUtc => "privacy browser in UTC",
            Self::Mobile => "phone at home",
            Self::Roaming => "phone abroad, network at home",
            Self::ForgedZone => "forged zone",
            Self::NeighbourAddress => "foreign address < 500 km",
            Self::ForeignAddress => "foreign address > 500 km",
            Self::VpnNear => "VPN exit < 500 km",
            Self::VpnMiddle => "VPN exit 500-1500 km",
            Self::VpnFar => "VPN exit > 1500 km",
            Self::RelayNear => "TCP relay < 1500 km",
            Self::RelayFar => "TCP relay > 1500 km",
            Self::Tor => "Tor",
            Self::HostingBot => "hosting-based bot",
            Self::Shaped => "delay shaped to another country",
        }
    }
}

/// One session and the truth of it.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) evidence: Evidence,
    /// Where the device is.
    pub(super) country: CountryCode,
    pub(super) place: LatLon,
    /// The country that the session pretends to be in, where it pretends.
    pub(super) pretended: Option<CountryCode>,
}

impl Session {
    /// As it is seen where no public address reaches the edge.
    pub(super) fn without_address(&self) -> Self {
        let mut evidence = Evidence { address: None, visitor_address: None, ..self.evidence.clone() };
        evidence.edges.iter_mut().for_each(|edge| edge.address = None);
        Self { evidence, ..*self }
    }

    /// As it is seen where the browser tells no zone.
    pub(super) fn without_zone(&self) -> Self {
        let languages = self.evidence.locale.languages.clone();
        let locale = LocaleEvidence { languages, ..LocaleEvidence::default() };
        Self { evidence: Evidence { locale, ..self.evidence.clone() }, ..*self }
    }
}

/// Whether every answer can have come from the target's place; else its place, not its session, is made up.
fn is_where_it_says(target: &Target) -> bool {
    target.sightings.iter().all(|sighting| distance_km(sighting.edge, target.place) <= 100.0 * (sighting.rtt_ms + 1.0))
}

/// What sessions are made of.
pub(super) struct Generator<'a> {
    world: &'a World,
    model: &'a Model,
    lines: BTreeMap<CountryCode, Vec<IpAddr>>,
    mobile: BTreeMap<CountryCode, Vec<IpAddr>>,
    hosting: BTreeMap<CountryCode, Vec<IpAddr>>,
    people: Vec<&'a Target>,
    machines: Vec<&'a Target>,
    random: Random,
}

impl<'a> Generator<'a> {
    /// A generator over these real hosts; `world` has the database that draws the addresses.
    ///
    /// # Errors
    ///
    /// When there are too few of them to make sessions of.
    pub(super) fn new(world: &'a World, model: &'a Model, targets: &'a [Target], seed: u64) -> Result<Self> {
        let mut random = Random(seed);
        let (mut lines, mut mobile, mut hosting) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for _ in 0..DRAWN_ADDRESSES {
            let address = IpAddr::from(Ipv4Addr::from(random.bits() as u32));
            let facts = world.address(address);
            if let (Some(country), Some(_)) = (facts.dbip, facts.asn) {
                let kept: &mut BTreeMap<CountryCode, Vec<IpAddr>> = match facts {
                    // Nobody's line, and no exit either.
                    _ if facts.delivery_network || facts.gateway => continue,
                    _ if facts.hosting => &mut hosting,
                    _ if facts.mobile => &mut mobile,
                    _ => &mut lines,
                };
                let kept = kept.entry(country).or_default();
                if kept.len() < KEPT {
                    kept.push(address);
                }
            }
        }
        let has_line = |target: &&Target| lines.contains_key(&target.country);
        let people = targets.iter().filter(|target| target.kind != "datacentre" && is_where_it_says(target));
        let people: Vec<&Target> = people.filter(has_line).collect();
        let machines = targets.iter().filter(|target| target.kind == "datacentre" && target.sightings.len() > 4);
        let machines: Vec<&Target> = machines.filter(has_line).collect();
        let countries: BTreeSet<CountryCode> = people.iter().map(|target| target.country).collect();
        ensure!(
            countries.len() > 1 && !machines.is_empty(),
            "sessions are made of people (access lan, wifi, …) in two countries or more, and of machines (access \
             datacentre) seen by five edges or more: the data has people in {} countries, and {} machines",
            countries.len(),
            machines.len()
        );
        Ok(Self { world, model, lines, mobile, hosting, people, machines, random })
    }

    /// What drawing goes by.
    pub(super) const fn model(&self) -> &'a Model {
        self.model
    }

    /// From now on people live only in those countries of theirs that have the least land.
    pub(super) fn keep_smallest(&mut self, count: usize) {
        let land = |polygon: &Polygon| polygon.square_degrees() * polygon.bounds().0.lat().to_radians().cos();
        let inhabited: BTreeSet<CountryCode> = self.people.iter().map(|target| target.country).collect();
        let mut by_land: Vec<(f64, CountryCode)> = inhabited
            .into_iter()
            .filter_map(|code| Some((self.world.country(code)?.polygons.iter().map(land).sum(), code)))
            .collect();
        by_land.sort_by(|a, b| a.0.total_cmp(&b.0));
        by_land.truncate(count);
        self.people.retain(|target| by_land.iter().any(|(_, code)| *code == target.country));
    }

    /// One session of this scenario, seen by this many edges.
    pub(super) fn session(&mut self, scenario: Scenario, edges: usize) -> Result<Session> {
        match scenario {
            Scenario::Home
            | Scenario::Traveller
            | Scenario::Expatriate
            | Scenario::PrivacyUtc
            | Scenario::ForgedZone => self.direct(scenario, edges),
            Scenario::NeighbourAddress => self.foreign_address(edges, 0.0, 500.0),
            Scenario::ForeignAddress => self.foreign_address(edges, 500.0, 20_000.0),
            Scenario::Mobile => self.phone(edges),
            Scenario::Roaming => self.roaming(edges),
            Scenario::VpnNear => self.through(scenario, edges, 0.0, 500.0),
            Scenario::VpnMiddle => self.through(scenario, edges, 500.0, 1500.0),
            Scenario::VpnFar | Scenario::Tor => self.through(scenario, edges, 1500.0, 20_000.0),
            Scenario::RelayNear => self.through(scenario, edges, 0.0, 1500.0),
            Scenario::RelayFar => self.through(scenario, edges, 1500.0, 20_000.0),
            Scenario::HostingBot => self.bot(edges),
            Scenario::Shaped => self.shaped(edges),
        }
    }

    /// A person whose connection is their own.
    fn direct(&mut self, scenario: Scenario, edges: usize) -> Result<Session> {
        let target = self.person();
        let stranger = self.other_country(target.country);
        let mut locale = self.computer(target.place, target.country)?;
        match scenario {
            Scenario::Traveller | Scenario::Expatriate => {
                locale.languages = self.languages(stranger.country);
                if scenario == Scenario::Traveller && self.random.unit() < 0.1 {
                    // A tenth never set their clock.
                    locale = self.computer(stranger.place, stranger.country)?;
                }
            }
            Scenario::PrivacyUtc => {
                locale.time_zone = Some("UTC".into());
                (locale.offset_now_min, locale.offset_january_min, locale.offset_july_min) =
                    (Some(0), Some(0), Some(0));
            }
            Scenario::ForgedZone => {
                let own = locale.clone();
                locale = LocaleEvidence { languages: own.languages, ..self.locale(stranger.place, stranger.country)? };
                // Half of the forgers change the name and forget the offsets.
                if self.random.unit() < 0.5 {
                    locale.offset_now_min = own.offset_now_min;
                    locale.offset_january_min = own.offset_january_min;
                    locale.offset_july_min = own.offset_july_min;
                }
            }
            _ => {}
        }
        let sightings = self.some(&target.sightings, edges);
        let address = self.line(target.country)?;
        Ok(self.unrelayed(target, address, &sightings, locale))
    }

    /// A session whose round trips are the target's own, from this address.
    fn unrelayed(
        &mut self,
        target: &Target,
        address: IpAddr,
        sightings: &[Sighting],
        locale: LocaleEvidence,
    ) -> Session {
        Session {
            evidence: Evidence {
                address: Some(address),
                edges: sightings.iter().map(|sighting| self.edge(sighting, 0.0, 0.0)).collect(),
                locale,
                ..Evidence::default()
            },
            country: target.country,
            place: target.place,
            pretended: None,
        }
    }

    /// A person of whom the address alone is another country's, that far away, and on no list: round trips, clock and
    /// languages are their own.
    fn foreign_address(&mut self, edges: usize, from_km: f64, to_km: f64) -> Result<Session> {
        for _ in 0..TRIES {
            let (target, abroad) = (self.person(), self.person());
            let is_there = (from_km..to_km).contains(&distance_km(target.place, abroad.place));
            if is_there && target.country != abroad.country {
                let locale = self.computer(target.place, target.country)?;
                let address = self.line(abroad.country)?;
                let sightings = self.some(&target.sightings, edges);
                let session = self.unrelayed(target, address, &sightings, locale);
                return Ok(Session { pretended: Some(abroad.country), ..session });
            }
        }
        bail!("nobody lives {from_km} to {to_km} km from somebody in another country")
    }

    /// A phone in the network of its own country.
    fn phone(&mut self, edges: usize) -> Result<Session> {
        let target = self.subscriber()?;
        let locale = self.locale(target.place, target.country)?;
        let address = self.carrier(target.country)?;
        let sightings = self.some(&target.sightings, edges);
        let air_ms = self.air_ms(target);
        let sightings: Vec<_> =
            sightings.into_iter().map(|seen| Sighting { rtt_ms: seen.rtt_ms + air_ms, ..seen }).collect();
        Ok(self.unrelayed(target, address, &sightings, locale))
    }

    /// A phone abroad, whose traffic goes by its own network at home: as that country's in all but its clock.
    fn roaming(&mut self, edges: usize) -> Result<Session> {
        let home = self.subscriber()?;
        let visited = self.other_country(home.country);
        let clock = self.locale(visited.place, visited.country)?;
        let locale = LocaleEvidence { languages: self.languages(home.country), ..clock };
        let address = self.carrier(home.country)?;
        let way_ms = self.path_ms(visited.place, home.place) + self.air_ms(home);
        let sightings = self.some(&home.sightings, edges);
        let sightings: Vec<_> =
            sightings.into_iter().map(|seen| Sighting { rtt_ms: seen.rtt_ms + way_ms, ..seen }).collect();
        let session = self.unrelayed(home, address, &sightings, locale);
        Ok(Session { country: visited.country, place: visited.place, ..session })
    }

    /// A person in a country whose mobile carriers have addresses of their own.
    fn subscriber(&mut self) -> Result<&'a Target> {
        for _ in 0..TRIES {
            let target = self.person();
            if self.mobile.contains_key(&target.country) {
                return Ok(target);
            }
        }
        bail!("nobody lives in a country whose mobile carriers have addresses of their own")
    }

    fn carrier(&mut self, country: CountryCode) -> Result<IpAddr> {
        let addresses = self.mobile.get(&country).with_context(|| format!("no carrier of {country}"))?;
        Ok(addresses[self.random.below(addresses.len())])
    }

    /// What the air adds to a line: 14 ms at the median and 27 in one of ten, as cellular probes of access-2023 have
    /// beyond those on a LAN; nothing where the host itself is such a probe.
    fn air_ms(&mut self, target: &Target) -> f64 {
        if target.kind == "cellular" { 0.0 } else { 5.0 + 27.0 * self.random.unit().powf(1.5) }
    }

    /// A person behind an exit so far away: a VPN, a relay that ends the TCP connection, or Tor.
    fn through(&mut self, scenario: Scenario, edges: usize, from_km: f64, to_km: f64) -> Result<Session> {
        let (target, exit) = self.behind(from_km, to_km)?;
        let mut locale = self.computer(target.place, target.country)?;
        let hops = if scenario == Scenario::Tor { 3.0 } else { 1.0 };
        if scenario == Scenario::Tor {
            locale.time_zone = Some("UTC".into());
            (locale.offset_now_min, locale.offset_january_min, locale.offset_july_min) = (Some(0), Some(0), Some(0));
            locale.languages = vec!["en-US".into(), "en".into()];
        }
        let tunnel_ms = hops * self.path_ms(target.place, exit.place) + self.last_mile_ms();
        let relayed = matches!(scenario, Scenario::RelayNear | Scenario::RelayFar);
        let unlisted = scenario != Scenario::Tor && self.random.unit() < UNLISTED;
        let address = if unlisted { self.line(exit.country)? } else { self.hosting(exit.country)? };
        let sightings = self.some(&exit.sightings, edges);
        Ok(Session {
            evidence: Evidence {
                address: Some(address),
                edges: sightings
                    .iter()
                    .map(|sighting| self.edge(sighting, tunnel_ms, if relayed { tunnel_ms } else { 0.0 }))
                    .collect(),
                locale,
                ..Evidence::default()
            },
            country: target.country,
            place: target.place,
            pretended: Some(exit.country),
        })
    }

    /// A person, and a machine abroad that is so far away.
    fn behind(&mut self, from_km: f64, to_km: f64) -> Result<(&'a Target, &'a Target)> {
        for _ in 0..TRIES {
            let target = self.person();
            let exit = self.machines[self.random.below(self.machines.len())];
            let km = distance_km(target.place, exit.place);
            let rented = self.hosting.contains_key(&exit.country);
            if (from_km..to_km).contains(&km) && target.country != exit.country && rented {
                return Ok((target, exit));
            }
        }
        bail!("nobody lives {from_km} to {to_km} km from a machine in another country")
    }

    /// A browser in a data centre that says nothing of itself.
    fn bot(&mut self, edges: usize) -> Result<Session> {
        let target = self.machines[self.random.below(self.machines.len())];
        let sightings = self.some(&target.sightings, edges);
        let locale = LocaleEvidence {
            time_zone: Some("UTC".into()),
            offset_now_min: Some(0),
            offset_january_min: Some(0),
            offset_july_min: Some(0),
            languages: vec!["en-US".into()],
            ..LocaleEvidence::default()
        };
        let address = self.hosting(target.country)?;
        Ok(self.unrelayed(target, address, &sightings, locale))
    }

    /// A person who wants to be taken for one in another country: its locale, an unlisted address there, and every
    /// answer held back until it comes as late as one from there would. What cannot be hurried stays.
    fn shaped(&mut self, edges: usize) -> Result<Session> {
        let target = self.person();
        let wanted = self.other_country(target.country);
        let sightings = self.some(&target.sightings, edges);
        let mut evidence_edges = Vec::new();
        for sighting in &sightings {
            let expected = self.path_ms(sighting.edge, wanted.place) + self.last_mile_ms();
            let shaped = Sighting { rtt_ms: sighting.rtt_ms.max(expected), ..*sighting };
            evidence_edges.push(self.edge(&shaped, 0.0, 0.0));
        }
        Ok(Session {
            evidence: Evidence {
                address: Some(self.line(wanted.country)?),
                edges: evidence_edges,
                locale: self.locale(wanted.place, wanted.country)?,
                ..Evidence::default()
            },
            country: target.country,
            place: target.place,
            pretended: Some(wanted.country),
        })
    }

    fn person(&mut self) -> &'a Target {
        self.people[self.random.below(self.people.len())]
    }

    fn other_country(&mut self, country: CountryCode) -> &'a Target {
        loop {
            let other = self.person();
            if other.country != country {
                return other;
            }
        }
    }

    fn line(&mut self, country: CountryCode) -> Result<IpAddr> {
        let lines = self.lines.get(&country).with_context(|| format!("no address of {country}"))?;
        Ok(lines[self.random.below(lines.len())])
    }

    /// A hosting address of the country; a line's where it has none.
    fn hosting(&mut self, country: CountryCode) -> Result<IpAddr> {
        match self.hosting.get(&country) {
            Some(addresses) => Ok(addresses[self.random.below(addresses.len())]),
            None => self.line(country),
        }
    }

    /// The locale of a person of this country at this place.
    fn locale(&mut self, place: LatLon, country: CountryCode) -> Result<LocaleEvidence> {
        let own = self.world.cities().iter().filter(|city| city.country == country);
        let away = own.map(|city| (distance_km(city.place, place), city));
        let nearest = away.min_by(|a, b| a.0.total_cmp(&b.0));
        let (_, city) = nearest.with_context(|| format!("no city in {country}"))?;
        let zone = self.world.city_zone(city).context("a city without a zone")?.name.clone();
        let offsets = self.world.zone_offsets(&zone, NOW).context("a zone without rules")?;
        Ok(LocaleEvidence {
            time_zone: Some(zone),
            offset_now_min: Some(offsets.now_min),
            offset_january_min: Some(offsets.january_min),
            offset_july_min: Some(offsets.july_min),
            languages: self.languages(country),
            ..LocaleEvidence::default()
        })
    }

    /// The same of a computer, whose system may lend it the zone of another country with the same clocks.
    fn computer(&mut self, place: LatLon, country: CountryCode) -> Result<LocaleEvidence> {
        let own = self.locale(place, country)?;
        if self.random.unit() >= self.model.parameters().locale.lent_zone {
            return Ok(own);
        }
        let offsets = own.time_zone.as_ref().and_then(|zone| self.world.zone_offsets(zone, NOW));
        let is_lent =
            |zone: &&Zone| zone.also.contains(&country) && self.world.zone_offsets(&zone.name, NOW) == offsets;
        let lent = self.world.zones().iter().find(is_lent).map(|zone| zone.name.clone());
        Ok(LocaleEvidence { time_zone: lent.or(own.time_zone), ..own })
    }

    /// Languages of a person of this country: drawn from CLDR's shares, mostly with the region, often with English.
    fn languages(&mut self, country: CountryCode) -> Vec<String> {
        let mut at = self.random.unit();
        let mut language = "en";
        for candidate in self.world.languages() {
            if let Some(share) = candidate.shares.iter().find(|share| share.country == country) {
                at -= f64::from(share.likelihood);
                if at <= 0.0 {
                    language = &candidate.tag;
                    break;
                }
            }
        }
        let mut languages = vec![language.to_owned()];
        if self.random.unit() < 0.7 {
            languages.insert(0, format!("{language}-{country}"));
        }
        if self.random.unit() < 0.1 {
            languages = vec!["en-US".to_owned()];
        } else if self.random.unit() < 0.5 {
            languages.push("en".to_owned());
        }
        languages
    }

    fn some(&mut self, sightings: &[Sighting], edges: usize) -> Vec<Sighting> {
        let mut left = sightings.to_vec();
        // The nearest edge is where the page came from; the others are its siblings.
        left.sort_by(|a, b| a.rtt_ms.total_cmp(&b.rtt_ms));
        while left.len() > edges.max(1) {
            left.remove(1 + self.random.below(left.len() - 1));
        }
        left.truncate(edges);
        left
    }

    /// A round trip between two places: the path's median for the distance, with its own spread.
    fn path_ms(&mut self, a: LatLon, b: LatLon) -> f64 {
        let floor = ln_floor(distance_km(a, b));
        let density = self.model.parameters().path.shape.at(floor);
        let spread = self.random.unit() + self.random.unit() - 0.7;
        (floor + density.mode + spread * density.right).exp() - 2.0
    }

    /// 4 to 40 ms, mostly near 12.
    fn last_mile_ms(&mut self) -> f64 {
        4.0 + 36.0 * self.random.unit().powi(3)
    }

    /// What an edge sees at the end of this path: six rounds, each with a browser's own delay.
    fn edge(&mut self, sighting: &Sighting, tunnel_ms: f64, behind_relay_ms: f64) -> EdgeEvidence {
        let path = sighting.rtt_ms + tunnel_ms;
        let rounds = (0..6).map(|_| path + 0.3 + 4.0 * self.random.unit().powi(2)).collect();
        let tcp = (path - behind_relay_ms + 0.5 * self.random.unit()).max(0.05);
        EdgeEvidence {
            position: Some(sighting.edge),
            round_trips_ms: rounds,
            tcp: Some(TcpRoundTrip { min_ms: tcp, smoothed_ms: tcp * 1.1, variance_ms: tcp * 0.1 }),
            ..EdgeEvidence::default()
        }
    }
}
