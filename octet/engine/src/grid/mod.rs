//! The grid on which a posterior stands: equal-area cells of land, coarse to fine.

mod healpix;
mod nodes;
mod zones;

pub use healpix::Healpix;
pub(crate) use nodes::{Grid, Node, ln_sum, scales};
pub(crate) use zones::ALIKE_AT;
pub use zones::ZoneHint;
