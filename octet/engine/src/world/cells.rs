//! Cells of land: how much of each country lies in each pixel of the grid, who lives there and where. It knows
//! nothing of evidence.

use octet::{CountryCode, LatLon};

use super::TableError;
use super::codec::{Unpacked, Writer};

pub(crate) const TABLE: &str = "cells";

/// The order of the grid's finest pixels: 51 km wide.
pub const ORDER: u8 = 7;

/// One country's part of one pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// The pixel, in nested order.
    pub pixel: u32,
    /// Which of [`Cells::countries`].
    pub country: u16,
    /// Where its people live on average.
    pub place: LatLon,
    /// Its land in km²; at least 1.
    pub land_km2: u32,
    /// How many people live there.
    pub population: u32,
}

/// What the cells know of a country.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CellCountry {
    /// Its code.
    pub code: CountryCode,
    /// How many people live there; at least 1.
    pub population: u64,
    /// Gross domestic product per head in dollars at purchasing power; 0 when nobody counted.
    pub product_per_head: u32,
}

/// All cells, in the order of their pixels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cells {
    /// In the order of their codes.
    pub countries: Vec<CellCountry>,
    /// In the order of their pixels, then of their countries.
    pub all: Vec<Cell>,
}

/// The table of these cells.
///
/// # Errors
///
/// When the compressor fails.
pub fn encode(cells: &Cells) -> std::io::Result<Vec<u8>> {
    let mut writer = Writer::new(TABLE);
    writer.count(cells.countries.len());
    for country in &cells.countries {
        writer.country(country.code);
        writer.unsigned(country.population);
        writer.unsigned(country.product_per_head.into());
    }
    writer.count(cells.all.len());
    let mut last = 0;
    for cell in &cells.all {
        writer.unsigned((cell.pixel - last).into());
        last = cell.pixel;
    }
    for cell in &cells.all {
        writer.unsigned(cell.country.into());
    }
    for cell in &cells.all {
        writer.place(cell.place);
    }
    for cell in &cells.all {
        writer.unsigned(cell.land_km2.into());
    }
    for cell in &cells.all {
        writer.unsigned(cell.population.into());
    }
    writer.finish()
}

/// The cells of a table.
///
/// # Errors
///
/// When the bytes are no such table.
pub fn decode(table: &[u8]) -> Result<Cells, TableError> {
    let unpacked = Unpacked::new(table)?;
    let mut reader = unpacked.reader(TABLE)?;
    let countries = reader.list(|reader| {
        Ok(CellCountry {
            code: reader.country()?,
            population: reader.unsigned()?.max(1),
            product_per_head: reader.number("product per head")?,
        })
    })?;
    let mut pixel = 0_u32;
    let pixels = reader.list(|reader| {
        pixel = pixel.checked_add(reader.number("pixel")?).ok_or(TableError::Malformed { what: "pixel" })?;
        Ok(pixel)
    })?;
    let of_country = pixels.iter().map(|_| reader.number("country")).collect::<Result<Vec<u16>, _>>()?;
    let places = pixels.iter().map(|_| reader.place()).collect::<Result<Vec<_>, _>>()?;
    let lands = pixels.iter().map(|_| reader.number("land")).collect::<Result<Vec<u32>, _>>()?;
    let populations = pixels.iter().map(|_| reader.number("population")).collect::<Result<Vec<u32>, _>>()?;
    reader.finish()?;
    if of_country.iter().any(|&country| usize::from(country) >= countries.len()) {
        return Err(TableError::Malformed { what: "country of a cell" });
    }
    let all = (0..pixels.len())
        .map(|at| Cell {
            pixel: pixels[at],
            country: of_country[at],
            place: places[at],
            land_km2: lands[at].max(1),
            population: populations[at],
        })
        .collect();
    Ok(Cells { countries, all })
}
