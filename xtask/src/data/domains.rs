//! Table `domains`: country-coder's shapes, which have every exclave and islet with the sea around it, made one for each
//! country. Measured against GeoNames' settlements; it knows nothing of land.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use octet::{CountryCode, LatLon};
use octet_engine::world::{Domain, borders, domains};
use octet_geometry::{Disc, Land, Relation, Territory};

use super::Inputs;
use super::borders::{at_the_antimeridian, half, polygon};
use super::country_coder::CountryCoder;
use super::subdivisions::dissolve::dissolved;
use super::subdivisions::vetting::{Settlement, settlements};
use super::topojson::Rings;

/// How far true borders may be from these. Of settlements that neither side claims, none is farther from its country,
/// but for a dozen of which GeoNames has a wrong place.
const PRECISION_KM: f64 = 3.0;

/// Shapes that the map of land counts to another country, or this map to none: to whom GeoNames counts them. Where the
/// two maps differ, nothing is said about either country. By their number at Wikidata: Crimea, Northern Cyprus.
const CLAIMED: [(&str, &str); 2] = [("Q7835", "UA"), ("Q23681", "CY")];
/// Western Sahara, as far as Morocco holds it, is what lies south of its border of 1956.
const SAHARA: (&str, &str, f64) = ("MA", "EH", 27.667);

/// Russia is cut at the antimeridian on one side, and a kilometre beside it on the other.
const BESIDE_DEGREES: f64 = 179.98;

/// One settlement in so many may be denied to be in its country: some are held by another, and GeoNames has errors.
const DENIED_ONE_IN: usize = 10_000;

pub(super) fn build(inputs: &Inputs) -> Result<Vec<u8>> {
    let coder: CountryCoder = inputs.package("@rapideditor/country-coder")?.json("src/data/borders.json")?;
    let mut shapes: BTreeMap<CountryCode, Vec<Rings>> = BTreeMap::new();
    for shape in coder.shapes() {
        let claimed = CLAIMED.iter().find(|(number, _)| *number == shape.number).map(|(_, code)| *code);
        let Some(code) = claimed.or(shape.owner) else { continue };
        for mut rings in shape.polygons()? {
            rings.iter_mut().flatten().for_each(to_the_antimeridian);
            if code == SAHARA.0 {
                shapes.entry(SAHARA.1.parse()?).or_default().push(part(&rings, |lat| SAHARA.2 - lat));
                shapes.entry(code.parse()?).or_default().push(part(&rings, |lat| lat - SAHARA.2));
            } else {
                shapes.entry(code.parse()?).or_default().push(rings);
            }
        }
    }
    let domains = shapes.iter().map(|(&code, shapes)| Domain { code, land: land(shapes) });
    // Where one is smaller than the table's step, its land stands for it.
    let domains: Vec<_> = domains.filter(|domain| domain.land.rings().next().is_some()).collect();
    measure(&domains, inputs)?;
    Ok(domains::encode(&domains)?)
}

/// Moves what is cut beside the antimeridian onto it, so that the cut is no border.
fn to_the_antimeridian(vertex: &mut LatLon) {
    if vertex.lon().abs() > BESIDE_DEGREES {
        *vertex = LatLon::new(vertex.lat(), 180.0_f64.copysign(vertex.lon())).unwrap_or(*vertex);
    }
}

/// The part of the shape where the height over a parallel is not below 0.
fn part(rings: &Rings, height: impl Fn(f64) -> f64) -> Rings {
    let part = |ring: &Vec<LatLon>| {
        let flat: Vec<_> = ring.iter().map(|vertex| (vertex.lat(), vertex.lon())).collect();
        half(&flat, |vertex| height(vertex.0)).into_iter().filter_map(|(lat, lon)| LatLon::new(lat, lon).ok()).collect()
    };
    rings.iter().map(part).filter(|ring: &Vec<LatLon>| !ring.is_empty()).collect()
}

/// The shapes made one.
fn land(shapes: &[Rings]) -> Land {
    let pieces: Vec<_> = shapes.iter().flat_map(at_the_antimeridian).filter_map(|rings| polygon(&rings)).collect();
    let rings = pieces.iter().enumerate().flat_map(|(index, piece)| piece.rings().map(move |ring| (index, ring)));
    dissolved(rings, PRECISION_KM)
}

/// What settlements are told about the country that GeoNames counts them to.
fn measure(domains: &[Domain], inputs: &Inputs) -> Result<()> {
    let countries = borders::decode(&inputs.table("borders")?)?;
    let lands: BTreeMap<CountryCode, Land> = countries.iter().map(|country| (country.code, country.land())).collect();
    let domains: BTreeMap<CountryCode, &Land> = domains.iter().map(|domain| (domain.code, &domain.land)).collect();
    let settlements = settlements(inputs)?;
    let relation = |settlement: &Settlement| {
        let code = settlement.country();
        let land = lands.get(&code)?;
        let country = Territory::new(land, domains.get(&code).copied().unwrap_or(land));
        Some(country.relation_of(&Disc::new(settlement.place(), 0.05)))
    };
    let mut unknown = 0;
    let mut denied = Vec::new();
    for settlement in &settlements {
        match relation(settlement) {
            Some(Relation::Inside) => {}
            Some(Relation::Disjoint) => denied.push(format!("{} {:?}", settlement.country(), settlement.place())),
            Some(Relation::Neither) | None => unknown += 1,
        }
    }
    let all = settlements.len();
    println!("of {all} settlements {unknown} cannot be told to be in their country, {} are denied:", denied.len());
    println!("    {}", denied.join("\n    "));
    ensure!(denied.len() * DENIED_ONE_IN < all, "too many settlements are denied to be in their country");
    Ok(())
}
