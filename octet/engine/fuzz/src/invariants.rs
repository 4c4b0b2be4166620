//! What holds of every assessment, whatever the evidence. It knows no method: only what a verdict promises.

use octet::Alarm;
use octet_engine::{Assessment, Evidence};

/// Whether the assessment keeps every promise, and if not, which it breaks.
pub(crate) fn check(evidence: &Evidence, assessment: &Assessment) -> Result<(), String> {
    let holds = |promise: bool, what: &str| {
        if promise { Ok(()) } else { Err(format!("{what}: {assessment:?} of {evidence:?}")) }
    };
    let Assessment { country, confidence, alarm, location, radius_km, region, country_masses, .. } = assessment;
    holds((0.0..=1.0).contains(confidence), "confidence is a probability")?;
    let masses: Vec<f64> = country_masses.iter().map(|country| country.1).collect();
    holds(masses.iter().all(|mass| (0.0..=1.0 + 1e-9).contains(mass)), "masses are probabilities")?;
    holds(masses.iter().sum::<f64>() <= 1.0 + 1e-6, "masses sum to at most 1")?;
    holds(masses.windows(2).all(|pair| pair[0] >= pair[1]), "the most probable country is first")?;
    let first = country_masses.first().map(|country| country.0);
    holds(country.is_none() || *country == first, "the country is the most probable")?;
    holds(location.is_some() == radius_km.is_some(), "a place has a radius")?;
    holds(radius_km.is_none_or(|km| km >= 20.0), "a radius is never below 20 km")?;
    holds(radius_km.is_none_or(f64::is_finite), "a radius is a number")?;
    if let Some(region) = region {
        holds((3..=64).contains(&region.len()), "a region has 3 to 64 vertices")?;
    }
    if evidence.omissions.any() {
        holds(*confidence <= 0.5 && *alarm >= Alarm::Low, "omission is not free")?;
    }
    Ok(())
}
