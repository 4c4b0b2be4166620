//! Which database the record commands work on: the one that `octet serve` would use with the same flags, variables
//! and file.

use std::path::PathBuf;
use std::sync::Arc;

use octet::Environment;
use octet_server::Records;
use octet_server::clock::SystemClock;
use octet_server::visits::VisitLog;

use super::settings::{ConfigFile, Settings};
use super::{BoxError, EnvironmentName};

#[derive(Debug, clap::Args)]
pub(crate) struct Database {
    #[command(flatten)]
    file: ConfigFile,
    /// The SQLite database with partners, keys and licences [default: octet.db]
    #[arg(long, global = true, env = "OCTET_DATABASE", value_name = "FILE")]
    database: Option<PathBuf>,
}

impl Database {
    /// Opens the database, and the visit log that belongs to it.
    pub(crate) async fn open_with_visits(&self) -> Result<(Records, VisitLog), BoxError> {
        let settings = Settings { database: self.database.clone(), ..Settings::default() }.complete(&self.file)?;
        let config = settings.to_config()?;
        let records = self.open(false).await?;
        Ok((records, config.open_visits().await?))
    }

    /// Whose traffic a command is about: what is said on the command line, or what the service is set to.
    pub(crate) fn environment(&self, said: Option<EnvironmentName>) -> Result<Environment, BoxError> {
        let settings = Settings { environment: said, ..Settings::default() }.complete(&self.file)?;
        Ok(settings.environment.ok_or("environment is not set")?.into())
    }

    /// Opens the database; only where `may_create` is it made when it is not there.
    pub(crate) async fn open(&self, may_create: bool) -> Result<Records, BoxError> {
        let settings = Settings { database: self.database.clone(), ..Settings::default() }.complete(&self.file)?;
        let path = settings.database.ok_or("database is not set")?;
        if !path.exists() {
            if !may_create {
                let path = path.display();
                return Err(
                    format!("there is no database at {path}; --database or OCTET_DATABASE says where it is").into()
                );
            }
            eprintln!("Making a new database at {}", path.display());
        }
        Ok(Records::open(Some(&path), Arc::new(SystemClock::new())).await?)
    }
}
