//! Reference data as an argument: addresses, zones, languages, borders, cities. It knows no evidence, no rule, no
//! file and no clock: tables are bytes, and a replacement comes as bytes too.

use std::sync::{Arc, OnceLock};

use octet::CountryCode;

pub mod borders;
pub mod cities;
mod codec;
mod sources;

pub use borders::{Country, Polygon};
pub use cities::{Cities, City};
pub use codec::{TableError, Writer};
pub use sources::{ATTRIBUTION, Registry, Source};

/// The reference data that an assessment reads. Cheap to clone; a world without tables knows nothing.
#[derive(Debug, Clone, Default)]
pub struct World {
    borders: Arc<[Country]>,
    cities: Arc<Cities>,
}

impl World {
    /// The tables that come with this crate, unpacked once for the whole process.
    ///
    /// ```
    /// let world = octet_engine::World::embedded();
    /// assert!(world.cities().len() > 30_000);
    /// ```
    #[must_use]
    pub fn embedded() -> Arc<Self> {
        static EMBEDDED: OnceLock<Arc<World>> = OnceLock::new();
        let world = EMBEDDED.get_or_init(|| {
            Arc::new(Self::unpack_embedded().expect("a test holds that the tables of this crate can be read"))
        });
        Arc::clone(world)
    }

    fn unpack_embedded() -> Result<Self, TableError> {
        Ok(Self {
            borders: borders::decode(include_bytes!("../../data/borders.bin.zst"))?.into(),
            cities: Arc::new(cities::decode(include_bytes!("../../data/cities.bin.zst"))?),
        })
    }

    /// Every country and territory with its land and population, in the order of their codes.
    #[must_use]
    pub fn borders(&self) -> &[Country] {
        &self.borders
    }

    /// The country of this code.
    #[must_use]
    pub fn country(&self, code: CountryCode) -> Option<&Country> {
        let index = self.borders.binary_search_by_key(&code, |country| country.code).ok()?;
        self.borders.get(index)
    }

    /// Every city of at least 15,000 people, in the order of their countries.
    #[must_use]
    pub fn cities(&self) -> &[City] {
        &self.cities.all
    }
}
