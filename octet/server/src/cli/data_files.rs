//! Which files `octet serve` reads reference data and parameters from: the table `data` of its settings. It opens none.

use std::path::PathBuf;

use octet_server::DataFiles;
use serde::{Deserialize, Serialize};

/// Files that take the place of what is embedded, read again when they change.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Data {
    /// Tor's exits: an address or CIDR a line
    #[arg(long = "data-tor-list", env = "OCTET_DATA_TOR_LIST", value_name = "FILE")]
    tor_list: Option<PathBuf>,
    /// VPN and hosting networks beside the embedded ones: an address or CIDR a line
    #[arg(long = "data-hosting", env = "OCTET_DATA_HOSTING", value_name = "FILE")]
    hosting: Option<PathBuf>,
    /// A private relay's egress networks: CSV of network, country, region, city
    #[arg(long = "data-private-relay", env = "OCTET_DATA_PRIVATE_RELAY", value_name = "FILE")]
    private_relay: Option<PathBuf>,
    /// A country database (mmdb) in the place of the embedded one
    #[arg(long = "data-country", env = "OCTET_DATA_COUNTRY", value_name = "FILE")]
    country: Option<PathBuf>,
    /// A database of autonomous systems (mmdb) in the place of the embedded one
    #[arg(long = "data-asn", env = "OCTET_DATA_ASN", value_name = "FILE")]
    asn: Option<PathBuf>,
    /// A city database (mmdb)
    #[arg(long = "data-city", env = "OCTET_DATA_CITY", value_name = "FILE")]
    city: Option<PathBuf>,
    /// The engine's parameters (TOML)
    #[arg(long = "data-parameters", env = "OCTET_DATA_PARAMETERS", value_name = "FILE")]
    parameters: Option<PathBuf>,
    /// A calibration that `octet data labels` wrote (TOML)
    #[arg(long = "data-calibration", env = "OCTET_DATA_CALIBRATION", value_name = "FILE")]
    calibration: Option<PathBuf>,
    /// The weights of the bot verdict (TOML)
    #[arg(long = "data-bot-weights", env = "OCTET_DATA_BOT_WEIGHTS", value_name = "FILE")]
    bot_weights: Option<PathBuf>,
}

impl Data {
    pub(crate) fn over(self, lower: Self) -> Self {
        Self {
            tor_list: self.tor_list.or(lower.tor_list),
            hosting: self.hosting.or(lower.hosting),
            private_relay: self.private_relay.or(lower.private_relay),
            country: self.country.or(lower.country),
            asn: self.asn.or(lower.asn),
            city: self.city.or(lower.city),
            parameters: self.parameters.or(lower.parameters),
            calibration: self.calibration.or(lower.calibration),
            bot_weights: self.bot_weights.or(lower.bot_weights),
        }
    }

    pub(crate) fn to_files(&self) -> DataFiles {
        let mut files = DataFiles::default();
        files.tor_list.clone_from(&self.tor_list);
        files.hosting.clone_from(&self.hosting);
        files.private_relay.clone_from(&self.private_relay);
        files.country.clone_from(&self.country);
        files.asn.clone_from(&self.asn);
        files.city.clone_from(&self.city);
        files.parameters.clone_from(&self.parameters);
        files.calibration.clone_from(&self.calibration);
        files.bot_weights.clone_from(&self.bot_weights);
        files
    }
}
