//! The parameters made ready to reason with: the grid with its prior, and the path's density as a table. Built once;
//! it knows no evidence.

use std::sync::{Arc, OnceLock};

use octet::LatLon;
use octet_geometry::EARTH_RADIUS_KM;

use super::detours::DetourMap;
use super::{Parameters, PathDensity, PathShape, path::ln_floor};
use crate::grid::{Grid, scales};
use crate::world::cells::{self, Cells};

/// Rows of the table: ln(d/100 + 2).
const ROWS: usize = 96;
/// Columns of the table: how far the inflation is above its mode, from [`LOWEST`] in steps of 1/[`COLUMNS_PER_UNIT`].
const COLUMNS: usize = 1024;
const COLUMNS_PER_UNIT: f32 = 128.0;
const LOWEST: f32 = -3.5;
/// 2²³: from here on every f32 is a whole number.
const TO_WHOLE: f32 = 8_388_608.0;
/// Steps of the chord (0 to 2) at which the floor is tabulated: 1.5 km.
const CHORDS: usize = 8192;
/// Pixels finer than this, 204 km wide, have their parent's detours.
const DETOUR_ORDER: u8 = 5;

/// The parameters made ready to reason with.
///
/// Building one takes some tens of milliseconds; [`Model::embedded`] does it once.
#[derive(Debug)]
pub struct Model {
    parameters: Arc<Parameters>,
    pub(crate) grid: Grid,
    pub(crate) delay: DelayTable,
    pub(crate) detours: DetourMap,
}

/// ln density of a path's inflation, by distance, in a table.
#[derive(Debug)]
pub(crate) struct DelayTable {
    values: Vec<[f32; COLUMNS]>,
    floors: Vec<Floor>,
}

/// What a distance means to the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Floor {
    /// The most probable ln(t + 2) without a detour.
    pub(crate) ln_path: f32,
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
        let mut grid = Grid::new(cells, &parameters.prior);
        let delay = DelayTable::new(&parameters.path.shape);
        let detours = DetourMap::new(&parameters.path.detours);
        // Parents come first: a coarse node has detours of its own, a fine one its parent's.
        for index in 0..grid.nodes.len() {
            let node = &mut grid.nodes[index];
            if node.order <= DETOUR_ORDER {
                node.around = detours.around(node.vector());
            }
            let node = *node;
            grid.nodes[node.child_range()].iter_mut().for_each(|child| child.around = node.around);
        }
        Self { parameters, grid, delay, detours }
    }

    /// The parameters that it was built from.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// What the detours between two places add to the inflation of a path, and natural logarithm of how much wider its
    /// density is, as too little was told of its ends.
    #[must_use]
    pub fn detour(&self, one: LatLon, other: LatLon) -> (f64, f64) {
        let ends = [one, other].map(|end| self.detours.around(end.into()));
        (ends[1].of(&self.detours.from(&ends[0])).into(), f64::from(ends[0].ln_wider + ends[1].ln_wider))
    }

    /// The density of ln(t + 2) of a path between two places whose distance is given as ln(d/100 + 2).
    #[must_use]
    pub fn ln_path(&self, one: LatLon, other: LatLon, ln_floor: f64) -> PathDensity {
        let (detour, ln_wider) = self.detour(one, other);
        self.parameters.path.shape.at(ln_floor).moved(ln_floor + detour, ln_wider.exp())
    }

    /// ln population in units of ten million, ln product per head and ln announced addresses in units of ten thousand,
    /// ln autonomous systems in hundreds, of each country in the order of [`Model::countries`].
    #[must_use]
    pub fn country_scales(&self) -> Vec<[f64; 4]> {
        embedded_cells().countries.iter().map(|country| scales(country, &self.parameters.prior)).collect()
    }
}

fn embedded_cells() -> &'static Cells {
    static CELLS: OnceLock<Cells> = OnceLock::new();
    CELLS.get_or_init(|| {
        cells::decode(include_bytes!("../../data/cells.bin.zst"))
            .expect("a test holds that the tables of this crate can be read")
    })
}

impl DelayTable {
    fn new(shape: &PathShape) -> Self {
        let (low, high) = (ln_floor(0.0), ln_floor(octet_geometry::HALF_TURN_KM));
        let step = (high - low) / (ROWS - 1) as f64;
        let row = |row: usize| {
            let density = shape.at(low + step * row as f64);
            let off = |column: usize| f64::from(LOWEST) + column as f64 / f64::from(COLUMNS_PER_UNIT);
            std::array::from_fn(|column| density.ln(density.mode + off(column)) as f32)
        };
        let values = (0..ROWS).map(row).collect();
        let floors = (0..CHORDS)
            .map(|index| {
                let chord: f64 = (index as f64 + 0.5) * 2.0 / CHORDS as f64;
                let floor = ln_floor(2.0 * (chord / 2.0).min(1.0).asin() * EARTH_RADIUS_KM);
                let row = ((floor - low) / step).round() as u32;
                let ln_path = (floor + shape.at(floor).mode) as f32;
                Floor { ln_path, row: row.min(ROWS as u32 - 1) }
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
        Row(&self.values[floor.row as usize])
    }
}

/// ln densities at one distance.
pub(crate) struct Row<'a>(&'a [f32; COLUMNS]);

impl Row<'_> {
    /// ln density of an inflation that is so far above the mode.
    pub(crate) fn ln_density(&self, off: f32) -> f32 {
        const LAST: f32 = (COLUMNS - 1) as f32;
        let column = (off - LOWEST) * COLUMNS_PER_UNIT;
        // What the inner loop of all does is said in comparisons of one step each, and by a number so large that adding it
        // rounds to a whole one in the lowest bits.
        let column = if column > 0.0 { column } else { 0.0 };
        let column = if column < LAST { column } else { LAST };
        self.0[(column + TO_WHOLE).to_bits() as usize % COLUMNS]
    }
}
