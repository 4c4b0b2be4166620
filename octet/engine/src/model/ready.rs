//! The parameters made ready to reason with: the grid with its prior, and the path's density as a table. Built once;
//! it knows no evidence.

use std::sync::{Arc, OnceLock};

use octet::LatLon;
use octet_geometry::EARTH_RADIUS_KM;

use super::{Parameters, PathShape, path::ln_floor};
use crate::grid::{Grid, Healpix, scales};
use crate::world::cells::{self, Cells};

/// Rows of the table: ln(d/100 + 2).
const ROWS: usize = 96;
/// Columns of the table: the inflation, from [`LOWEST_INFLATION`] in steps of 1/[`COLUMNS_PER_UNIT`].
const COLUMNS: usize = 1024;
const COLUMNS_PER_UNIT: f32 = 128.0;
const LOWEST_INFLATION: f32 = -3.0;
/// Steps of the chord (0 to 2) at which the floor is tabulated: 1.5 km.
const CHORDS: usize = 8192;
/// Pixels of this order know their region.
const REGION_ORDER: u8 = 5;

/// The parameters made ready to reason with.
///
/// Building one takes some tens of milliseconds; [`Model::embedded`] does it once.
#[derive(Debug)]
pub struct Model {
    parameters: Arc<Parameters>,
    pub(crate) grid: Grid,
    pub(crate) delay: DelayTable,
    /// The region of each of the grid's countries.
    region_of_country: Vec<Option<usize>>,
    /// What each country adds to its paths' inflation.
    country_effect: Vec<f32>,
    /// The region of each pixel of order [`REGION_ORDER`].
    region_of_pixel: Vec<Option<u8>>,
}

/// ln density of a path's inflation, by distance, in a table.
#[derive(Debug)]
pub(crate) struct DelayTable {
    values: Vec<f32>,
    floors: Vec<Floor>,
}

/// What a distance means to the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Floor {
    pub(crate) ln_floor: f32,
    row: u32,
}

impl Model {
    /// The model of the parameters and cells that come with this crate, built once for the whole process.
    #[must_use]
    pub fn embedded() -> Arc<Self> {
        static EMBEDDED: OnceLock<Arc<Model>> = OnceLock::new();
        Arc::clone(EMBEDDED.get_or_init(|| Arc::new(Self::new(Parameters::embedded()))))
    }

    /// The model of these parameters, over the cells that come with this crate.
    #[must_use]
    pub fn new(parameters: Arc<Parameters>) -> Self {
        let cells = embedded_cells();
        let grid = Grid::new(cells, &parameters.prior);
        let path = &parameters.path;
        let region_of_country: Vec<_> = grid.countries.iter().map(|country| path.region(country.code)).collect();
        let country_effect =
            grid.countries.iter().map(|c| path.country.get(&c.code).copied().unwrap_or_default() as f32).collect();
        let region_of_pixel = regions_of_pixels(cells, &region_of_country);
        let delay = DelayTable::new(&path.shape);
        Self { parameters, grid, delay, region_of_country, country_effect, region_of_pixel }
    }

    /// The parameters that it was built from.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// What each country adds to the inflation of a path from an edge at this place.
    pub(crate) fn effects_from(&self, edge: LatLon) -> Vec<f32> {
        let pixel = Healpix::new(REGION_ORDER).pixel(edge) as usize;
        let Some(here) = self.region_of_pixel.get(pixel).copied().flatten().map(usize::from) else {
            return self.country_effect.clone();
        };
        let row = &self.parameters.path.between[here];
        let of = |(region, own): (&Option<usize>, &f32)| region.map_or(0.0, |region| row[region] as f32) + own;
        self.region_of_country.iter().zip(&self.country_effect).map(of).collect()
    }

    /// ln population in units of ten million, ln product per head and ln announced addresses in units of ten thousand,
    /// of each country in the order of [`Model::countries`].
    #[must_use]
    pub fn country_scales(&self) -> Vec<[f64; 3]> {
        embedded_cells().countries.iter().map(|country| scales(country, &self.parameters.prior)).collect()
    }

    /// The region at a place, as an index; `None` in a sea far from land.
    #[must_use]
    pub fn region_at(&self, place: LatLon) -> Option<usize> {
        self.region_of_pixel[Healpix::new(REGION_ORDER).pixel(place) as usize].map(usize::from)
    }
}

fn embedded_cells() -> &'static Cells {
    static CELLS: OnceLock<Cells> = OnceLock::new();
    CELLS.get_or_init(|| {
        cells::decode(include_bytes!("../../data/cells.bin.zst"))
            .expect("a test holds that the tables of this crate can be read")
    })
}

/// The region where most of each pixel's people live; a pixel without land takes it from the pixels around, coarser
/// and coarser.
fn regions_of_pixels(cells: &Cells, region_of_country: &[Option<usize>]) -> Vec<Option<u8>> {
    let mut found: Vec<Option<u8>> = Vec::new();
    for order in 2..=REGION_ORDER {
        let grid = Healpix::new(order);
        let mut most: Vec<(u64, Option<u8>)> =
            (0..grid.len()).map(|pixel| (0, found.get((pixel >> 2) as usize).copied().flatten())).collect();
        let shift = 2 * (cells::ORDER - order);
        let mut people = std::collections::BTreeMap::<(u32, u8), u64>::new();
        for cell in &cells.all {
            if let Some(region) = region_of_country[usize::from(cell.country)] {
                *people.entry((cell.pixel >> shift, region as u8)).or_default() += u64::from(cell.population) + 1;
            }
        }
        for ((pixel, region), count) in people {
            let entry = &mut most[pixel as usize];
            if count > entry.0 {
                *entry = (count, Some(region));
            }
        }
        found = most.into_iter().map(|(_, region)| region).collect();
    }
    found
}

impl DelayTable {
    fn new(shape: &PathShape) -> Self {
        let (low, high) = (ln_floor(0.0), ln_floor(octet_geometry::HALF_TURN_KM));
        let step = (high - low) / (ROWS - 1) as f64;
        let mut values = Vec::with_capacity(ROWS * COLUMNS);
        for row in 0..ROWS {
            let density = shape.at(low + step * row as f64);
            for column in 0..COLUMNS {
                let inflation = f64::from(LOWEST_INFLATION) + column as f64 / f64::from(COLUMNS_PER_UNIT);
                values.push(density.ln(inflation) as f32);
            }
        }
        let floors = (0..CHORDS)
            .map(|index| {
                let chord: f64 = (index as f64 + 0.5) * 2.0 / CHORDS as f64;
                let floor = ln_floor(2.0 * (chord / 2.0).min(1.0).asin() * EARTH_RADIUS_KM);
                let row = ((floor - low) / step).round() as u32;
                Floor { ln_floor: floor as f32, row: row.min(ROWS as u32 - 1) * COLUMNS as u32 }
            })
            .collect();
        Self { values, floors }
    }

    /// What the square of a chord, 0 to 4, means to the table.
    pub(crate) fn floor(&self, chord_squared: f32) -> Floor {
        let index = (chord_squared.max(0.0).sqrt() * (CHORDS as f32 / 2.0)) as usize;
        self.floors[index.min(CHORDS - 1)]
    }

    /// The densities at that distance.
    pub(crate) fn row(&self, floor: Floor) -> Row<'_> {
        let start = floor.row as usize;
        Row(&self.values[start..start + COLUMNS])
    }
}

/// ln densities at one distance.
pub(crate) struct Row<'a>(&'a [f32]);

impl Row<'_> {
    /// ln density of this inflation.
    pub(crate) fn ln_density(&self, inflation: f32) -> f32 {
        let column = ((inflation - LOWEST_INFLATION) * COLUMNS_PER_UNIT + 0.5) as usize;
        self.0[column.min(COLUMNS - 1)]
    }
}
