//! Which zone's clocks hang in each node of the grid, by its country's cities. It knows no session and no rule of what a
//! zone is worth.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use octet_geometry::UnitVector;

use super::{Grid, Node};
use crate::UnixTime;
use crate::world::World;

/// Zones are alike whose clocks go alike in the year of this: 21 November 2026.
pub(crate) const ALIKE_AT: UnixTime = UnixTime(1_795_219_200);
/// How many devices show the largest of the zones that go alike in place of their own: Windows knows no other.
const BORROWED_ZONE: f32 = 0.5;

/// The share of each node's people by their clocks' zone, of the countries that have several.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ZoneMap {
    /// IANA's names, in order.
    names: Vec<String>,
    /// Of each zone, the largest of its country whose clocks go alike.
    largest: Vec<Zone>,
    /// Of each node, a zone, or after [`MIXED`] an index into `mixed`, or [`NONE`].
    nodes: Vec<u32>,
    mixed: Vec<Shares>,
    /// Of each of the grid's countries; empty of one that has one zone.
    countries: Vec<Shares>,
}

type Zone = u16;
type Shares = Vec<(Zone, f32)>;
/// The cities of one country.
type Clocks = Vec<(UnitVector, Zone)>;

const MIXED: u32 = 1 << 16;
const NONE: u32 = u32::MAX;

impl ZoneMap {
    /// The map of the cells and cities that come with this crate, made once: parameters move no cell.
    pub(crate) fn of(grid: &Grid) -> &'static Self {
        static MAP: OnceLock<ZoneMap> = OnceLock::new();
        MAP.get_or_init(|| Self::new(grid, &World::embedded()))
    }

    fn new(grid: &Grid, world: &World) -> Self {
        let mut people: BTreeMap<&str, u64> = BTreeMap::new();
        for city in world.cities() {
            if let Some(zone) = world.city_zone(city) {
                *people.entry(&zone.name).or_default() += u64::from(city.population) + 1;
            }
        }
        let names: Vec<String> = people.keys().map(|&name| name.to_owned()).collect();
        let index = |name: &str| names.binary_search_by(|known| known.as_str().cmp(name)).ok().map(|at| at as Zone);
        let mut cities = vec![Clocks::new(); grid.countries.len()];
        for city in world.cities() {
            let zone = world.city_zone(city).and_then(|zone| index(&zone.name));
            if let Some((country, zone)) = grid.country(city.country).zip(zone) {
                cities[country].push((city.place.into(), zone));
            }
        }
        let mut map = Self {
            largest: largest_alike(world, &names, &people, &cities),
            names,
            nodes: vec![NONE; grid.nodes.len()],
            mixed: Vec::new(),
            countries: vec![Shares::new(); grid.countries.len()],
        };
        for root in 0..grid.roots {
            let country = usize::from(grid.nodes[root].country);
            let own = &cities[country];
            if own.iter().any(|city| city.1 != own[0].1) {
                let share = grid.nodes[root].ln_share.exp();
                let shares = map.fill(grid, root, own);
                add(&mut map.countries[country], &shares, share);
            }
        }
        map
    }

    /// Gives a node and all within it the zones of the cities nearest to them, and returns the node's.
    fn fill(&mut self, grid: &Grid, index: usize, cities: &[(UnitVector, Zone)]) -> Shares {
        let node = &grid.nodes[index];
        let at = node.vector();
        let distances: Vec<f64> = cities.iter().map(|city| at.distance_km(city.0)).collect();
        let nearest = distances.iter().copied().fold(f64::MAX, f64::min);
        // A city that is nearest to any place of the node is at most so far from its middle.
        let reach = nearest + if node.children > 0 { 2.0 * f64::from(node.radius_km) } else { 0.0 };
        let near: Clocks = cities.iter().zip(distances).filter(|(_, km)| *km <= reach).map(|(city, _)| *city).collect();
        let zone = near[0].1;
        if node.children == 0 || near.iter().all(|city| city.1 == zone) {
            self.paint(grid, index, zone);
            return vec![(zone, 1.0)];
        }
        let mut shares = Shares::new();
        for child in node.child_range() {
            let share = (grid.nodes[child].ln_share - node.ln_share).exp();
            let own = self.fill(grid, child, &near);
            add(&mut shares, &own, share);
        }
        self.nodes[index] = MIXED + self.mixed.len() as u32;
        self.mixed.push(shares.clone());
        shares
    }

    fn paint(&mut self, grid: &Grid, index: usize, zone: Zone) {
        self.nodes[index] = zone.into();
        for child in grid.nodes[index].child_range() {
            self.paint(grid, child, zone);
        }
    }

    fn shows(&self, shown: Zone, own: Zone) -> f32 {
        if shown == own {
            1.0
        } else if self.largest[usize::from(own)] == shown {
            BORROWED_ZONE
        } else {
            0.0
        }
    }

    fn share(&self, shown: Zone, shares: &[(Zone, f32)]) -> f32 {
        shares.iter().map(|&(own, share)| share * self.shows(shown, own)).sum()
    }
}

fn add(sum: &mut Shares, shares: &[(Zone, f32)], weight: f32) {
    for &(zone, share) in shares {
        match sum.iter_mut().find(|known| known.0 == zone) {
            Some(known) => known.1 += weight * share,
            None => sum.push((zone, weight * share)),
        }
    }
}

fn largest_alike(world: &World, names: &[String], people: &BTreeMap<&str, u64>, cities: &[Clocks]) -> Vec<Zone> {
    let clocks: Vec<_> = names.iter().map(|name| world.zone_offsets(name, ALIKE_AT)).collect();
    let people: Vec<u64> = names.iter().map(|name| people[name.as_str()]).collect();
    let mut largest: Vec<Zone> = (0..names.len() as Zone).collect();
    for own in cities {
        let mut zones: Vec<Zone> = own.iter().map(|city| city.1).collect();
        zones.sort_unstable();
        zones.dedup();
        for &zone in &zones {
            let alike = zones.iter().filter(|&&other| clocks[usize::from(other)] == clocks[usize::from(zone)]);
            largest[usize::from(zone)] = alike.copied().max_by_key(|&other| people[usize::from(other)]).unwrap_or(zone);
        }
    }
    largest
}

/// What one zone's name says of places within its country.
#[derive(Debug, Clone, PartialEq)]
pub struct ZoneHint {
    map: &'static ZoneMap,
    zone: Zone,
    wrong: f32,
    /// How many of each country's people show it; 0 where that says nothing.
    shown: Vec<f32>,
}

impl ZoneHint {
    /// The hint of a zone's IANA name, that is wrong so often; `None` where it says nothing of any country's places.
    pub(crate) fn new(grid: &Grid, name: &str, wrong: f64) -> Option<Self> {
        let map = ZoneMap::of(grid);
        let zone = map.names.binary_search_by(|known| known.as_str().cmp(name)).ok()? as Zone;
        let shown: Vec<f32> = map.countries.iter().map(|shares| map.share(zone, shares)).collect();
        shown.iter().any(|share| *share > 0.0).then_some(Self { map, zone, wrong: wrong as f32, shown })
    }

    /// Its ln likelihood for a client at this node beside its country's other places, and how much higher that may be
    /// somewhere within. Its country as a whole gets nothing from it: what it says of countries is said elsewhere.
    pub(crate) fn ln_at(&self, index: usize, node: &Node) -> (f64, f64) {
        let shown = self.shown[usize::from(node.country)];
        if shown <= 0.0 {
            return (0.0, 0.0);
        }
        let ln = |share: f32| f64::from((self.wrong + (1.0 - self.wrong) * share / shown).ln());
        match self.map.nodes[index] {
            NONE => (0.0, 0.0),
            mixed if mixed >= MIXED => {
                let here = ln(self.map.share(self.zone, &self.map.mixed[(mixed - MIXED) as usize]));
                (here, ln(1.0) - here)
            }
            own => (ln(self.map.shows(self.zone, own as Zone)), 0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use octet::LatLon;

    use crate::grid::ZoneHint;
    use crate::locate::{Access, OtherSources, Sighting};
    use crate::model::Model;

    fn located(zone: Option<&str>, country: &str) -> (LatLon, f64) {
        let model = Model::embedded();
        let one = |code: octet::CountryCode| if code == *country { 0.0 } else { -40.0 };
        let others = OtherSources {
            by_country: model.countries().map(one).collect(),
            zone: zone.and_then(|zone| ZoneHint::new(&model.grid, zone, 0.035)),
            ..OtherSources::default()
        };
        let posterior = model.locate(&[], Access::Consumer, &others);
        let place = posterior.place().unwrap();
        (place, posterior.radius_km(place, 0.5))
    }

    #[test]
    fn a_zone_moves_the_answer_to_where_its_clocks_hang() {
        for (zone, country, lat, lon) in [
            ("America/Los_Angeles", "US", 36.0, -120.0),
            ("America/New_York", "US", 38.5, -79.0),
            ("Pacific/Honolulu", "US", 21.0, -157.5),
            ("Europe/Kaliningrad", "RU", 54.7, 20.5),
            ("Asia/Yekaterinburg", "RU", 56.0, 60.0),
            ("Atlantic/Canary", "ES", 28.3, -16.0),
        ] {
            let (place, _) = located(Some(zone), country);
            let km = octet_geometry::distance_km(place, LatLon::new(lat, lon).unwrap());
            assert!(km < 700.0, "{zone}: {place:?} is {km:.0} km off");
        }
    }

    #[test]
    fn a_zone_that_all_of_a_country_shares_says_nothing_of_places_within() {
        assert_eq!(located(Some("Europe/Paris"), "FR"), located(None, "FR"));
        assert_eq!(located(Some("America/New_York"), "FR"), located(None, "FR"));
    }

    #[test]
    fn the_hierarchical_posterior_under_a_zone_is_that_of_the_dense_oracle() {
        let model = Model::embedded();
        let seen =
            |lat: f64, lon: f64, rtt_ms: f64| Sighting { edge: LatLon::new(lat, lon).unwrap(), rtt_ms, jitter_ms: 0.0 };
        let from_chicago = [seen(41.88, -87.63, 24.0), seen(40.71, -74.01, 41.0), seen(37.34, -121.89, 62.0)];
        let from_moscow = [seen(55.75, 37.62, 35.0), seen(50.11, 8.68, 70.0)];
        let (chicago, moscow): (&[Sighting], &[Sighting]) = (&from_chicago, &from_moscow);
        for (name, sightings) in [
            ("America/Chicago", chicago),
            ("America/Los_Angeles", chicago),
            ("Asia/Yekaterinburg", moscow),
            ("Europe/Kaliningrad", moscow),
            ("America/Manaus", &[]),
        ] {
            let others = OtherSources { zone: ZoneHint::new(&model.grid, name, 0.035), ..OtherSources::default() };
            let quick = model.locate(sightings, Access::Consumer, &others).countries();
            for (code, mass) in model.locate_densely(sightings, Access::Consumer, &others).countries() {
                let off =
                    (quick.iter().find(|country| country.0 == code).map_or(0.0, |country| country.1) - mass).abs();
                assert!(off < 0.01, "{name} {code}: {off}");
            }
        }
    }

    #[test]
    fn what_a_zone_says_within_a_country_takes_nothing_from_the_country() {
        let model = Model::embedded();
        let others = |zone: Option<&str>| OtherSources {
            zone: zone.map(|zone| ZoneHint::new(&model.grid, zone, 0.035).unwrap()),
            ..OtherSources::default()
        };
        let masses = |zone| model.locate_densely(&[], Access::Consumer, &others(zone)).countries();
        let without = masses(None);
        for zone in ["America/Denver", "Asia/Yakutsk", "America/Manaus"] {
            for (with, without) in masses(Some(zone)).iter().zip(&without) {
                assert!(with.0 == without.0 && (with.1 - without.1).abs() < 1e-4, "{zone}: {with:?} {without:?}");
            }
        }
    }
}
