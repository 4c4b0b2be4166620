//! What the service reasons with: reference data and the engine's parameters, as embedded or from files, which are read
//! again when they change. It knows no session and no rule.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use octet_engine::World;
use octet_engine::bot::Weights;
use octet_engine::model::{Model, Parameters};
use octet_engine::world::CountryDatabase;

use crate::Error;

/// Files that take the place of what is embedded; none by default.
///
/// Each is read when the service opens, which fails when one cannot be read, and again when it changes. A changed file
/// that cannot be read is logged, and what was read before stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DataFiles {
    /// Tor's exits: one address or CIDR a line, `#` begins a comment.
    pub tor_list: Option<PathBuf>,
    /// VPN and hosting networks beside the embedded ones, in the same form.
    pub hosting: Option<PathBuf>,
    /// A private relay's egress networks, as its vendor publishes them: CSV of network, country, region and city.
    pub private_relay: Option<PathBuf>,
    /// A country database in MaxMind's format, in the place of the embedded DB-IP one.
    pub country: Option<PathBuf>,
    /// A database of autonomous systems in MaxMind's format.
    pub asn: Option<PathBuf>,
    /// A city database in MaxMind's format; nothing of the kind is embedded.
    pub city: Option<PathBuf>,
    /// The engine's parameters, as `octet/engine/parameters/engine.toml` has them.
    pub parameters: Option<PathBuf>,
    /// A calibration, as `octet data labels` writes it; it goes before the parameters' own.
    pub calibration: Option<PathBuf>,
    /// The weights of the bot verdict, as `octet/engine/parameters/bot.toml` has them.
    pub bot_weights: Option<PathBuf>,
}

/// What is reasoned with at one moment.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) world: World,
    pub(crate) model: Arc<Model>,
    pub(crate) bot_weights: Arc<Weights>,
}

/// What is reasoned with, replaced as a whole when a file changes.
pub(crate) struct Reference {
    files: DataFiles,
    base: Arc<World>,
    now: ArcSwap<Loaded>,
    stamps: std::sync::Mutex<Vec<Stamp>>,
}

/// A file's time and length: when neither changed, it is not read again.
type Stamp = Option<(SystemTime, u64)>;

/// No file of these is larger: the largest city databases have a few hundred MB.
const MAX_BYTES: u64 = 1 << 30;

impl DataFiles {
    fn all(&self) -> [&Option<PathBuf>; 9] {
        let Self { tor_list, hosting, private_relay, country, asn, city, parameters, calibration, bot_weights } = self;
        [tor_list, hosting, private_relay, country, asn, city, parameters, calibration, bot_weights]
    }

    fn stamps(&self) -> Vec<Stamp> {
        let stamp = |path: &PathBuf| {
            let data = std::fs::metadata(path).ok()?;
            Some((data.modified().ok()?, data.len()))
        };
        self.all().into_iter().map(|path| path.as_ref().and_then(stamp)).collect()
    }

    fn load(&self, base: &World) -> Result<Loaded, Error> {
        let mut world = base.clone();
        if let Some(path) = &self.tor_list {
            world = world.with_tor_exits(&read(path)?).map_err(|error| unusable(path, &error))?;
        }
        if let Some(path) = &self.hosting {
            world = world.with_vpn_networks(&read(path)?).map_err(|error| unusable(path, &error))?;
        }
        if let Some(path) = &self.private_relay {
            world = world.with_private_relay(&read(path)?).map_err(|error| unusable(path, &error))?;
        }
        if let Some(path) = &self.country {
            world =
                world.with_country_mmdb(CountryDatabase::Dbip, &read(path)?).map_err(|error| unusable(path, &error))?;
        }
        if let Some(path) = &self.asn {
            world = world.with_asn_mmdb(&read(path)?).map_err(|error| unusable(path, &error))?;
        }
        if let Some(path) = &self.city {
            world = world.with_city_mmdb(read(path)?).map_err(|error| unusable(path, &error))?;
        }
        let bot_weights = match &self.bot_weights {
            Some(path) => Arc::new(Weights::from_toml(&text(path)?).map_err(|error| unusable(path, &error))?),
            None => Weights::embedded(),
        };
        Ok(Loaded { world, model: self.model()?, bot_weights })
    }

    fn model(&self) -> Result<Arc<Model>, Error> {
        if self.parameters.is_none() && self.calibration.is_none() {
            return Ok(Model::embedded());
        }
        let mut parameters = match &self.parameters {
            Some(path) => Parameters::from_toml(&text(path)?).map_err(|error| unusable(path, &error))?,
            None => (*Parameters::embedded()).clone(),
        };
        if let Some(path) = &self.calibration {
            parameters.calibrate(&text(path)?).map_err(|error| unusable(path, &error))?;
        }
        Ok(Arc::new(Model::new(Arc::new(parameters))))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    match std::fs::metadata(path).map(|data| data.len()) {
        Ok(length) if length > MAX_BYTES => Err(unusable(path, &"it is larger than 1 GiB")),
        Ok(_) => std::fs::read(path).map_err(|error| unusable(path, &error)),
        Err(error) => Err(unusable(path, &error)),
    }
}

fn text(path: &Path) -> Result<String, Error> {
    String::from_utf8(read(path)?).map_err(|_| unusable(path, &"it is no UTF-8 text"))
}

fn unusable(path: &Path, why: &dyn std::fmt::Display) -> Error {
    Error::DataFile { path: path.display().to_string(), why: why.to_string() }
}

impl Reference {
    /// Reads everything; blocks.
    pub(crate) fn open(files: DataFiles, base: Option<Arc<World>>) -> Result<Self, Error> {
        let base = base.unwrap_or_else(World::embedded);
        let stamps = files.stamps();
        let now = ArcSwap::from_pointee(files.load(&base)?);
        Ok(Self { files, base, now, stamps: stamps.into() })
    }

    pub(crate) fn now(&self) -> Arc<Loaded> {
        self.now.load_full()
    }

    /// Reads everything again when a file has changed since it was read, whether or not that went well; blocks.
    ///
    /// Returns whether anything was replaced.
    pub(crate) fn refresh(&self) -> Result<bool, Error> {
        let Ok(mut known) = self.stamps.lock() else { return Ok(false) };
        let stamps = self.files.stamps();
        if *known == stamps {
            return Ok(false);
        }
        *known = stamps;
        self.now.store(Arc::new(self.files.load(&self.base)?));
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changes_is_read_again_and_a_broken_one_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tor.txt");
        std::fs::write(&path, "# exits\n198.51.99.7\n").unwrap();
        let files = DataFiles { tor_list: Some(path.clone()), ..DataFiles::default() };
        let reference = Reference::open(files, Some(Arc::default())).unwrap();
        let is_exit = |last: u8| reference.now().world.address([198, 51, 99, last].into()).tor;
        assert!(is_exit(7) && !is_exit(8));
        assert!(!reference.refresh().unwrap());
        std::fs::write(&path, "198.51.99.7\n198.51.99.8\n").unwrap();
        assert!(reference.refresh().unwrap() && is_exit(8));
        std::fs::write(&path, "nobody\n").unwrap();
        assert!(reference.refresh().unwrap_err().to_string().contains("tor.txt"));
        assert!(is_exit(8) && !reference.refresh().unwrap());
    }

    #[test]
    fn a_file_that_is_missing_or_no_such_table_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("any");
        let open = |files: DataFiles| Reference::open(files, Some(Arc::default())).err().unwrap().to_string();
        let missing = open(DataFiles { city: Some(path.clone()), ..DataFiles::default() });
        assert!(missing.contains("any"), "{missing}");
        std::fs::write(&path, "hello").unwrap();
        let file = Some(path);
        for files in [
            DataFiles { city: file.clone(), ..DataFiles::default() },
            DataFiles { asn: file.clone(), ..DataFiles::default() },
            DataFiles { country: file.clone(), ..DataFiles::default() },
            DataFiles { parameters: file.clone(), ..DataFiles::default() },
            DataFiles { calibration: file.clone(), ..DataFiles::default() },
            DataFiles { bot_weights: file.clone(), ..DataFiles::default() },
        ] {
            assert!(open(files).contains("any"));
        }
    }
}
