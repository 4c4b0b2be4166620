//! Table `carriers`: which autonomous systems are mobile carriers', by the names in the table of systems. A carrier whose
//! phones and lines share one system (Vodafone, Orange) is not told apart, and is left out.

use std::collections::BTreeSet;

use anyhow::Result;
use octet_engine::world::carriers;

use super::Inputs;
use super::addresses::rows;

/// Words of which a mobile carrier's name has one. "Wireless" is none of them: most who say so are fixed providers.
const WORDS: &[&str] = &[
    "3g",
    "airtel",
    "celcom",
    "cellco",
    "cellular",
    "celular",
    "docomo",
    "gsm",
    "hutchison",
    "jio",
    "kyivstar",
    "lifecell",
    "megafon",
    "mobifone",
    "mobil",
    "mobile",
    "mobiles",
    "mobilink",
    "mobilis",
    "mobility",
    "mobinil",
    "mobitel",
    "movel",
    "movil",
    "moviles",
    "movilnet",
    "movistar",
    "mtn",
    "pcs",
    "radiomovil",
    "rwandacell",
    "safaricom",
    "smartone",
    "t-mobile",
    "telecel",
    "telemovil",
    "turkcell",
    "vietnamobile",
    "vodacom",
    "zain",
];
/// Names of carriers that have none of the words.
const NAMES: &[&str] = &["advanced wireless network", "afghan wireless"];
/// What others are called that have one.
const OTHERS: &[&str] = &[
    "business",
    "exxon",
    "health",
    "hosting",
    "media",
    "services, for",
    "software",
    "solutions",
    "technologies",
    "television",
];
/// Carriers whose systems the table calls by their parents' names (Verizon Business, AT&T Enterprises). Their own names at
/// the registry are CELLCO-PART, ATT-MOBILITY-LLC-AS20057 and CELLCO.
const NUMBERS: [u32; 3] = [6167, 20057, 22394];

pub(super) fn build(inputs: &Inputs) -> Result<Vec<u8>> {
    let package = inputs.package("@ip-location-db/asn")?;
    let named = rows(&package, "asn", |number, name| Ok(is_carrier(name).then_some(number.parse::<u32>()?)))?;
    let systems: BTreeSet<u32> = named.into_iter().map(|(_, system)| system).chain(NUMBERS).collect();
    Ok(carriers::encode(systems)?)
}

fn is_carrier(name: &str) -> bool {
    let name = name.to_lowercase();
    let mut words = name.split(|letter: char| !(letter.is_alphanumeric() || letter == '-'));
    let carries = words.any(|word| WORDS.contains(&word)) || NAMES.iter().any(|known| name.contains(known));
    carries && !OTHERS.iter().any(|other| name.contains(other))
}

#[cfg(test)]
mod tests {
    use super::is_carrier;

    #[test]
    fn carriers_are_told_by_their_names_and_fixed_providers_are_not_taken_for_them() {
        for name in
            ["T-Mobile USA, Inc.", "Free Mobile SAS", "PJSC MegaFon", "ADVANCED WIRELESS NETWORK COMPANY LIMITED"]
        {
            assert!(is_carrier(name), "{name}");
        }
        for name in
            ["Exxon Mobil Corporation", "PSA AUTOMOBILES SA", "JAB Wireless, INC.", "MTN Business Kenya", "Orange S.A."]
        {
            assert!(!is_carrier(name), "{name}");
        }
    }
}
