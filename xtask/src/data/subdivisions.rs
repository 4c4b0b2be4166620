//! Table `subdivisions`: Natural Earth's states and provinces, the United States from their Census Bureau, and what they
//! are parts of. Only what GeoNames' settlements bear out is let in: see `vetting`.

mod codes;
pub(super) mod dissolve;
mod maps;
pub(super) mod vetting;

use anyhow::Result;
use octet_engine::world::{Country, borders, subdivisions};

use super::Inputs;
use codes::Codes;

pub(super) fn build(inputs: &Inputs) -> Result<Vec<u8>> {
    let codes = Codes::read(inputs)?;
    let pieces = maps::read(inputs, &codes)?;
    let settlements = vetting::settlements(inputs)?;
    let countries = borders::decode(&inputs.table("borders")?)?;
    let land = |country: &Country| (country.code, country.land());
    let released = vetting::released(&pieces, &settlements, &codes, &countries.iter().map(land).collect());
    println!("{} subdivisions of {} on the maps are borne out", released.len(), pieces.len());
    Ok(subdivisions::encode(&released)?)
}
