//! The engine's one verb: joins what each source says into one assessment. It knows no clock and no wire format.

use std::net::IpAddr;

use octet::{Alarm, LatLon, Vertex};
use octet_geometry::{HALF_TURN_KM, Outline, destination, distance_km};

use crate::address::AddressKind;
use crate::alarm::{self, Contradictions};
use crate::elsewhere::{Elsewhere, Seen};
use crate::evidence::{Evidence, Omissions};
use crate::fuse::{self, Source};
use crate::grid::Healpix;
use crate::locate::{self, Access, OtherSources, Posterior, Sighting};
use crate::model::{EvidenceClass, Model};
use crate::world::AddressFacts;
use crate::{Assessment, UnixTime, World, address, locale};

/// Confidence never passes this where expected facts are missing.
const OMISSION_CONFIDENCE_CAP: f64 = 0.5;
/// With less confidence than this no country is named.
const LEAST_CONFIDENCE: f64 = 0.1;
/// The outline is drawn around what holds the truth this probably.
const REGION_PROBABILITY: f64 = 0.9;
/// A radius is never below this.
const LEAST_RADIUS_KM: f64 = 20.0;
/// No circle and no region holds fewer people than this.
const LEAST_PEOPLE: f64 = 50_000.0;
/// A cell's place is known no better than this.
const CELL_PLACE_KM: f64 = 1.0;
/// A region is drawn with this many edges or more.
const EDGES_FOR_REGION: usize = 3;
/// Places are given to the centre of a pixel of this order…
const SNAP_ORDER: u8 = 9;
/// …this wide.
const SNAP_KM: f64 = 13.0;

/// Assesses one session at `now` against `world`, with the parameters that come with this crate.
///
/// Any evidence whatsoever gives an answer, in bounded time; too little gives one without a country.
#[must_use]
pub fn assess(evidence: &Evidence, world: &World, now: UnixTime) -> Assessment {
    assess_with(evidence, world, &Model::embedded(), now)
}

/// Assesses one session as [`assess`] does, with a model of one's own.
#[must_use]
pub fn assess_with(evidence: &Evidence, world: &World, model: &Model, now: UnixTime) -> Assessment {
    let parameters = model.parameters();
    let grid = &model.grid;
    let facts = evidence.address.or(evidence.visitor_address).map(|address| world.address(address));
    let address = facts.and_then(|facts| address::says(&facts, &parameters.address));
    let is_phone = address.as_ref().is_some_and(|says| says.kind == AddressKind::Mobile);
    let zone = locale::zone(&evidence.locale, world, grid, &parameters.locale, is_phone, now);
    let languages = locale::languages(&evidence.locale, world, grid, &parameters.locale);
    let strangers = strangers(evidence, world);
    let all = locate::sightings(evidence.edges.iter().zip(&strangers).filter(|(_, out)| !**out).map(|(edge, _)| edge));
    let sightings = locate::consistent(&all);
    let hosting = address.as_ref().is_some_and(address::AddressSays::is_hosting);
    let access = if hosting { Access::Hosting } else { Access::Consumer };
    let address_source = address.as_ref().map(|says| says.by_country(grid, access));

    let sources: [Option<&Source>; 3] = [
        address_source.as_ref(),
        zone.as_ref().map(|zone| &zone.source),
        languages.as_ref().map(|languages| &languages.source),
    ];
    if sources.iter().all(Option::is_none) && sightings.is_empty() {
        return nothing_known(evidence);
    }
    let others = OtherSources {
        by_country: fuse::joined(sources.iter().copied().flatten()),
        city: facts.zip(address.as_ref()).and_then(|(facts, says)| address::city(&facts, says, grid)),
        zone: zone.as_ref().and_then(|zone| zone.within.clone()),
    };
    let posterior = model.locate(&sightings, access, &others);
    let seen = Seen { address: address.as_ref(), zone: zone.as_ref(), languages: languages.as_ref(), others: &others };
    let elsewhere = Elsewhere::beside(&posterior, model, &seen);
    let countries = match &elsewhere {
        Some(elsewhere) => elsewhere.countries(posterior.countries()),
        None => posterior.countries(),
    };

    let contradictions = Contradictions {
        evidence,
        parameters: &parameters.alarm,
        posterior: &posterior,
        address: address.as_ref(),
        grid,
        access,
        others: &others.by_country,
        zone: zone.as_ref(),
        languages: languages.as_ref(),
        left_out: sightings.len() < all.len() || !posterior.reaches_land(),
        edges_disagree: strangers.contains(&true),
        visitor_disagrees: evidence.visitor_address.is_some_and(|visitor| is_elsewhere(evidence, visitor, world)),
        sightings: &sightings,
    };
    let (alarm, reasons) = alarm::judge(&contradictions);

    let class = EvidenceClass { address: address.is_some(), locale: zone.is_some(), edges: sightings.len(), hosting };
    let calibration = parameters.calibration(class);
    let raw = countries.first().map_or(0.0, |country| country.1);
    let caps = &parameters.confidence;
    let most = if class.address { caps.most } else { caps.most_without_address };
    let credence = alarm::credence(alarm, &reasons, caps.contradicted);
    let confidence = capped(credence * calibration.confidence(raw).min(most), evidence.omissions);
    let country = countries.first().map(|country| country.0).filter(|_| confidence >= LEAST_CONFIDENCE);
    // Most probably elsewhere: the round trips tell of the address' place, not of the visitor's.
    let (posterior, edges) = match elsewhere.filter(|elsewhere| elsewhere.probability > 0.5) {
        Some(elsewhere) => (elsewhere.posterior, 0),
        None => (posterior, sightings.len()),
    };
    let place = posterior.place();
    let share = calibration.share(REGION_PROBABILITY, raw);
    let outline =
        place.filter(|_| edges >= EDGES_FOR_REGION).and_then(|place| outline(&posterior, place, share, &sightings));
    let location = place.map(|place| snapped(place, outline.as_ref()));
    Assessment {
        country,
        confidence,
        alarm,
        reasons,
        location,
        radius_km: location.map(|place| radius_km(&posterior, place, calibration.circle)),
        region: outline.and_then(|outline| vertices(&outline)),
        country_masses: countries,
        class,
    }
}

/// Which edges saw another network and another country than the session's own address: they measured someone else.
fn strangers(evidence: &Evidence, world: &World) -> Vec<bool> {
    let is_stranger = |address: IpAddr| is_elsewhere(evidence, address, world);
    evidence.edges.iter().map(|edge| edge.address.is_some_and(is_stranger)).collect()
}

/// Whether this address is of another network and another country than the session's own. Countries that no table
/// knows do not differ.
fn is_elsewhere(evidence: &Evidence, address: IpAddr, world: &World) -> bool {
    let Some(own) = evidence.address.filter(|own| *own != address) else { return false };
    let [own, other] = [own, address].map(|address| world.address(address));
    let countries = |facts: &AddressFacts| [facts.private_relay, facts.dbip, facts.geo_whois, facts.allocation];
    let same_system = own.asn.is_some() && own.asn == other.asn;
    let known = |facts: &AddressFacts| countries(facts).iter().any(Option::is_some);
    let shared = countries(&own).iter().flatten().any(|code| countries(&other).contains(&Some(*code)));
    !same_system && known(&own) && known(&other) && !shared
}

fn capped(confidence: f64, omissions: Omissions) -> f64 {
    if omissions.any() { confidence.min(OMISSION_CONFIDENCE_CAP) } else { confidence }
}

fn nothing_known(evidence: &Evidence) -> Assessment {
    let (alarm, reasons) = alarm::of_arrival(evidence);
    Assessment { alarm: alarm.max(Alarm::None), reasons, ..Assessment::default() }
}

/// The place to the nearest centre of a pixel that is in the outline, so that no answer is finer than the engine can know.
fn snapped(place: LatLon, outline: Option<&Outline>) -> LatLon {
    let grid = Healpix::new(SNAP_ORDER);
    let center = |place| grid.center(grid.pixel(place));
    let around = (0..8).map(|eighth| center(destination(place, 45.0 * f64::from(eighth), SNAP_KM)));
    let is_in = |center: &LatLon| outline.is_none_or(|outline| outline.contains(*center));
    let centers = std::iter::once(center(place)).chain(around).filter(is_in);
    let nearest = centers.min_by(|a, b| distance_km(place, *a).total_cmp(&distance_km(place, *b)));
    nearest.unwrap_or_else(|| center(place))
}

/// The radius of the region, never so small that it shows where few people live.
fn radius_km(posterior: &Posterior<'_>, place: LatLon, share: f64) -> f64 {
    let radius = posterior.radius_km(place, share).max(LEAST_RADIUS_KM);
    let of_people = posterior.people_within(place, HALF_TURN_KM, LEAST_PEOPLE, |_| true);
    radius.max(of_people.map_or(HALF_TURN_KM, |km| km + CELL_PLACE_KM)).min(HALF_TURN_KM)
}

/// The outline of the region, where it is none of few people.
fn outline(posterior: &Posterior<'_>, place: LatLon, share: f64, sightings: &[Sighting]) -> Option<Outline> {
    let outline = posterior.outline(place, share, sightings)?;
    posterior.people_live_in(&outline, place, LEAST_PEOPLE).then_some(outline)
}

fn vertices(outline: &Outline) -> Option<Vec<Vertex>> {
    outline.vertices().iter().map(|&(lat, lon)| Vertex::new(lat, lon).ok()).collect()
}
