//! What `octet serve` is told, with one precedence: flags, then environment, then the file, then defaults. An
//! unknown or impossible key is an error that names it.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use octet_server::visits::VisitOptions;
use octet_server::{Config, Limits};
use serde::{Deserialize, Serialize};

use super::attest::Attest;
use super::data_files::Data;
use super::log::{LogFormat, LogLevel};
use super::{BoxError, EnvironmentName};

/// Where the file is.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ConfigFile {
    /// A TOML file with settings; flags and environment go before it
    #[arg(long, global = true, env = "OCTET_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// The settings: each one a flag, a variable and a key of the file.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Address and port to listen on [default: 127.0.0.1:7080]
    #[arg(long, env = "OCTET_LISTEN", value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// The SQLite database with partners, keys and licences [default: octet.db]
    #[arg(long, env = "OCTET_DATABASE", value_name = "FILE")]
    pub(crate) database: Option<PathBuf>,
    /// Which licences this service takes [default: live]
    #[arg(long, env = "OCTET_ENVIRONMENT")]
    pub(crate) environment: Option<EnvironmentName>,
    /// Who proofs say that they are from, such as the service's URL [default: octet]
    #[arg(long, env = "OCTET_ISSUER", value_name = "NAME")]
    pub(crate) issuer: Option<String>,
    /// How long a session and its verdict are held, in seconds [default: 300]
    #[arg(long, env = "OCTET_VERDICT_TTL_SECONDS", value_name = "SECONDS")]
    pub(crate) verdict_ttl_seconds: Option<u32>,
    /// How many sessions are held at a time [default: 200000]
    #[arg(long, env = "OCTET_MAX_SESSIONS", value_name = "NUMBER")]
    pub(crate) max_sessions: Option<u32>,
    /// How many verdict requests of one partner wait at a time [default: 2000]
    #[arg(long, env = "OCTET_MAX_WAITERS_PER_PARTNER", value_name = "NUMBER")]
    pub(crate) max_waiters_per_partner: Option<u32>,
    /// How many verdict requests one partner may make in a second [default: 500]
    #[arg(long, env = "OCTET_VERDICTS_PER_SECOND", value_name = "NUMBER")]
    pub(crate) verdicts_per_second: Option<u32>,
    /// How many bundles one partner's edges may forward in a second [default: 500]
    #[arg(long, env = "OCTET_SIGNALS_PER_SECOND", value_name = "NUMBER")]
    pub(crate) signals_per_second: Option<u32>,
    /// How many connections are open at a time [default: 4096]
    #[arg(long, env = "OCTET_MAX_CONNECTIONS", value_name = "NUMBER")]
    pub(crate) max_connections: Option<u32>,
    /// How much is logged [default: info]
    #[arg(long, env = "OCTET_LOG", value_name = "LEVEL")]
    pub(crate) log: Option<LogLevel>,
    /// How it is written [default: text]
    #[arg(long, env = "OCTET_LOG_FORMAT", value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
    /// How the visit log is kept
    #[command(flatten)]
    #[serde(default)]
    pub(crate) visits: Visits,
    /// Files of reference data.
    #[command(flatten)]
    #[serde(default)]
    pub(crate) data: Data,
    /// Whose word is taken for the keys of devices.
    #[command(flatten)]
    #[serde(default)]
    pub(crate) attest: Attest,
}

/// How the visit log is kept: the table `visits` of the file.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Visits {
    /// The SQLite database of visits [default: beside the database, as octet-visits.db]
    #[arg(long = "visits-database", env = "OCTET_VISITS_DATABASE", value_name = "FILE")]
    #[serde(rename = "database")]
    pub(crate) visits_database: Option<PathBuf>,
    /// For how many days rows are kept [default: 90]
    #[arg(long = "visits-retention-days", env = "OCTET_VISITS_RETENTION_DAYS", value_name = "DAYS")]
    pub(crate) retention_days: Option<u32>,
    /// Whether a verdict waits until its row is on disk [default: false]
    #[arg(long = "visits-sync", env = "OCTET_VISITS_SYNC", value_name = "BOOL")]
    pub(crate) sync: Option<bool>,
}

impl Visits {
    fn over(self, lower: Self) -> Self {
        Self {
            visits_database: self.visits_database.or(lower.visits_database),
            retention_days: self.retention_days.or(lower.retention_days),
            sync: self.sync.or(lower.sync),
        }
    }
}

impl Settings {
    /// These settings, which come from flags and environment, over those of the file, if there is one, over the
    /// defaults.
    pub(crate) fn complete(self, file: &ConfigFile) -> Result<Self, BoxError> {
        let file = file.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let settings = self.over(file).over(Self::defaults());
        settings.check()?;
        Ok(settings)
    }

    fn over(self, lower: Self) -> Self {
        Self {
            listen: self.listen.or(lower.listen),
            database: self.database.or(lower.database),
            environment: self.environment.or(lower.environment),
            issuer: self.issuer.or(lower.issuer),
            verdict_ttl_seconds: self.verdict_ttl_seconds.or(lower.verdict_ttl_seconds),
            max_sessions: self.max_sessions.or(lower.max_sessions),
            max_waiters_per_partner: self.max_waiters_per_partner.or(lower.max_waiters_per_partner),
            verdicts_per_second: self.verdicts_per_second.or(lower.verdicts_per_second),
            signals_per_second: self.signals_per_second.or(lower.signals_per_second),
            max_connections: self.max_connections.or(lower.max_connections),
            log: self.log.or(lower.log),
            log_format: self.log_format.or(lower.log_format),
            visits: self.visits.over(lower.visits),
            data: self.data.over(lower.data),
            attest: self.attest.over(lower.attest),
        }
    }

    fn defaults() -> Self {
        let limits = Limits::default();
        let number = |number: usize| u32::try_from(number).ok();
        Self {
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 7080))),
            database: Some(PathBuf::from("octet.db")),
            environment: Some(EnvironmentName::Live),
            issuer: Some("octet".to_owned()),
            verdict_ttl_seconds: u32::try_from(limits.verdict_ttl.as_secs()).ok(),
            max_sessions: number(limits.sessions),
            max_waiters_per_partner: number(limits.waiters_per_partner),
            verdicts_per_second: Some(limits.verdicts_per_second),
            signals_per_second: Some(limits.signals_per_second),
            max_connections: number(limits.connections),
            log: Some(LogLevel::Info),
            log_format: Some(LogFormat::Text),
            visits: Visits { visits_database: None, retention_days: Some(90), sync: Some(false) },
            data: Data::default(),
            attest: Attest::default(),
        }
    }

    fn check(&self) -> Result<(), BoxError> {
        let numbers: [(&str, Option<u32>, RangeInclusive<u32>); 7] = [
            ("verdict_ttl_seconds", self.verdict_ttl_seconds, 1..=86_400),
            ("max_sessions", self.max_sessions, 1..=100_000_000),
            ("max_waiters_per_partner", self.max_waiters_per_partner, 0..=1_000_000),
            ("verdicts_per_second", self.verdicts_per_second, 1..=1_000_000),
            ("signals_per_second", self.signals_per_second, 1..=1_000_000),
            ("max_connections", self.max_connections, 1..=1_000_000),
            ("visits.retention_days", self.visits.retention_days, 1..=36_500),
        ];
        for (key, value, range) in numbers {
            if value.is_some_and(|value| !range.contains(&value)) {
                return Err(format!("{key} must be from {} to {}", range.start(), range.end()).into());
            }
        }
        let is_name =
            |name: &String| (1..=200).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
        if !self.issuer.as_ref().is_none_or(is_name) {
            return Err("issuer must be 1 to 200 visible ASCII characters".into());
        }
        Ok(())
    }

    /// What the library is told of them.
    pub(crate) fn to_config(&self) -> Result<Config, BoxError> {
        let default = Limits::default();
        let number = |setting: Option<u32>, default: usize| {
            setting.and_then(|number| usize::try_from(number).ok()).unwrap_or(default)
        };
        let ttl = self.verdict_ttl_seconds.map_or(default.verdict_ttl, |seconds| Duration::from_secs(seconds.into()));
        let limits = Limits {
            verdict_ttl: ttl,
            sessions: number(self.max_sessions, default.sessions),
            waiters_per_partner: number(self.max_waiters_per_partner, default.waiters_per_partner),
            verdicts_per_second: self.verdicts_per_second.unwrap_or(default.verdicts_per_second),
            signals_per_second: self.signals_per_second.unwrap_or(default.signals_per_second),
            connections: number(self.max_connections, default.connections),
        };
        let environment = self.environment.unwrap_or(EnvironmentName::Live).into();
        let mut visits = VisitOptions { sync: self.visits.sync.unwrap_or(false), ..VisitOptions::default() };
        if let Some(days) = self.visits.retention_days {
            visits.retention = Duration::from_secs(u64::from(days) * 24 * 3600);
        }
        let config = Config::embedded(self.database.as_deref().unwrap_or(Path::new("octet.db")))
            .environment(environment)
            .issuer(self.issuer.as_deref().unwrap_or("octet"))
            .limits(limits)
            .visits(visits)
            .data(self.data.to_files())
            .attest(self.attest.to_config()?);
        Ok(match &self.visits.visits_database {
            Some(path) => config.visits_database(path),
            None => config,
        })
    }
}

fn read(path: &Path) -> Result<Settings, BoxError> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()).into())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Flags {
        #[command(flatten)]
        settings: Settings,
    }

    fn with_file(text: &str, flags: &[&str]) -> Result<Settings, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("octet.toml");
        std::fs::write(&path, text).unwrap();
        let flags = Flags::try_parse_from([&["octet"], flags].concat()).map_err(|error| error.to_string())?;
        flags.settings.complete(&ConfigFile { config: Some(path) }).map_err(|error| error.to_string())
    }

    #[test]
    fn flags_go_before_the_file_and_the_file_before_defaults() {
        let file = "listen = \"127.0.0.1:1\"\nmax_sessions = 7\n";
        let settings = with_file(file, &["--listen", "127.0.0.1:2"]).unwrap();
        assert_eq!(settings.listen.unwrap().port(), 2);
        assert_eq!(settings.max_sessions, Some(7));
        assert_eq!(settings.verdict_ttl_seconds, Some(300));
    }

    #[test]
    fn an_unknown_key_is_named_beside_the_known_ones() {
        let error = with_file("lisen = \"127.0.0.1:1\"", &[]).unwrap_err();
        assert!(error.contains("`lisen`") && error.contains("`listen`") && error.contains("octet.toml"), "{error}");
    }

    #[test]
    fn an_impossible_value_is_named_by_its_key() {
        for (file, key) in [
            ("verdict_ttl_seconds = 0", "verdict_ttl_seconds"),
            ("max_sessions = -1", "max_sessions"),
            ("listen = \"nowhere\"", "listen"),
            ("environment = \"prod\"", "environment"),
            ("issuer = \"\"", "issuer"),
            ("log = 3", "log"),
        ] {
            let error = with_file(file, &[]).unwrap_err();
            assert!(error.contains(key), "{error}");
        }
        assert!(with_file("", &["--max-connections", "many"]).unwrap_err().contains("--max-connections"));
    }

    #[test]
    fn what_is_printed_as_the_configuration_can_be_read_as_one() {
        let settings = Settings::default().complete(&ConfigFile::default()).unwrap();
        let text = toml::to_string(&settings).unwrap();
        assert_eq!(with_file(&text, &[]).unwrap(), settings);
    }
}
