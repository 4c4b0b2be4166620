//! The engine's fitted numbers: read from one file that a deployment can replace. It knows no evidence.

mod calibration;
mod detours;
mod labels;
mod path;
mod ready;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use octet::CountryCode;
use serde::{Deserialize, Serialize};

pub use calibration::{Calibration, Caps, EvidenceClass};
pub use detours::Detours;
pub(crate) use detours::{Around, ByKnot};
pub use labels::{Label, Lesson, Taught, logistic};
pub use path::{Path, PathDensity, PathShape, ln_floor};
pub use ready::Model;

/// Everything that was fitted, by `cargo xtask fit` and `cargo xtask eval sessions`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// How much longer than a straight fibre a path's round trip is.
    pub path: Path,
    /// What the last mile adds, by kind of access.
    pub access: AccessParameters,
    /// Where hosts are before any evidence.
    pub prior: Prior,
    /// How far an address can be believed.
    pub address: AddressReliability,
    /// How far a locale can be believed.
    pub locale: LocaleReliability,
    /// Where the alarm's levels begin.
    pub alarm: AlarmThresholds,
    /// How far the most is believed, and sessions that contradict themselves.
    pub confidence: Caps,
    /// What maps a raw posterior to a calibrated confidence, by class of evidence.
    pub calibration: BTreeMap<String, Calibration>,
}

/// What the last mile adds, and how far its edges can be trusted to be independent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessParameters {
    /// The offsets that a client may have, in milliseconds, ascending.
    pub offsets_ms: Vec<f64>,
    /// A machine in a data centre.
    pub hosting: Access,
    /// Anything else.
    pub consumer: Access,
}

/// One kind of access.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// The prior probability of each offset.
    pub offset_weights: Vec<f64>,
    /// The likelihood's power with one edge.
    pub temper: f64,
    /// How the power falls with the number of edges: as its negative power.
    pub temper_decay: f64,
}

/// Where clients are before any evidence: what is counted of a country, each to a power.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prior {
    /// The power of a cell's population within its country.
    pub density: f64,
    /// Where machines in data centres are.
    pub hosting: CountryPrior,
    /// Where all others are.
    pub consumer: CountryPrior,
    /// How many IPv4 addresses are announced in each country, in units of ten thousand.
    #[serde(default)]
    pub addresses: BTreeMap<CountryCode, f64>,
    /// How many autonomous systems have most of their announced IPv4 addresses in each country.
    #[serde(default)]
    pub systems: BTreeMap<CountryCode, f64>,
}

/// How probable a country is before any evidence: what is counted of it, and where hosts of this kind were seen (the mean
/// of a Dirichlet distribution).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountryPrior {
    /// The power of its population.
    pub population: f64,
    /// The power of its product per head.
    pub product: f64,
    /// The power of its announced addresses.
    #[serde(default)]
    pub addresses: f64,
    /// The power of its autonomous systems.
    #[serde(default)]
    pub systems: f64,
    /// What a host that was fitted on counts for, beside 1 for all that the powers say.
    #[serde(default)]
    pub host: f64,
    /// How many hosts were fitted on in each country.
    #[serde(default)]
    pub hosts: BTreeMap<CountryCode, f64>,
}

/// How often each case of an address's databases is right, and how often a client is where its address is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressReliability {
    /// Both databases and the allocation name this country.
    pub all_agree: f64,
    /// Both databases name this country, the allocation another or none.
    pub two_agree: f64,
    /// The allocation alone names this country.
    pub outvoted_allocation: f64,
    /// The databases differ, and this is DB-IP's.
    pub dbip_alone: f64,
    /// The databases differ, and this is the whois database's.
    pub geo_whois_alone: f64,
    /// The whois database and the allocation name this country, and DB-IP is not there.
    pub registries_agree: f64,
    /// What an agreement is worth in hosting space, as a factor.
    pub hosting: f64,
    /// Only one source knows the address.
    pub one_source: f64,
    /// The client of an ordinary address is where that is.
    pub honest: f64,
    /// The same, of a mobile carrier.
    pub honest_mobile: f64,
    /// How often a phone is abroad while its network is at home.
    pub roaming: f64,
    /// How often a client is where its address is, of a company's gateway or a delivery network.
    pub honest_shared: f64,
    /// The same, of a private relay.
    pub honest_private_relay: f64,
    /// The same, of a hosting provider.
    pub honest_hosting: f64,
    /// The same, of a VPN.
    pub honest_vpn: f64,
    /// The same, of a Tor exit.
    pub honest_tor: f64,
}

/// How often each part of a locale is that of the place where the device is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocaleReliability {
    /// The zone is the place's.
    pub zone: f64,
    /// The same of a phone, whose network sets its clock.
    pub zone_mobile: f64,
    /// A computer shows a zone that its system lends to the country, as it was not told where it is.
    pub lent_zone: f64,
    /// The offset of a device whose zone has no country is the place's.
    pub offset: f64,
    /// A zone whose offsets are not its own is the place's.
    pub forged_zone: f64,
    /// The languages are drawn from those of the place.
    pub language: f64,
    /// The region of a language tag is the place, among those whose languages are drawn from it.
    pub language_region: f64,
}

/// Where the alarm's levels begin: a level is reached when no country explains all sources together better than this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmThresholds {
    /// Agreement below which the alarm is `low`.
    pub low: f64,
    /// Agreement below which it is `medium`.
    pub medium: f64,
    /// Agreement below which it is `high`.
    pub high: f64,
    /// How often an honest device's zone is not its place's.
    pub wrong_zone: f64,
    /// How often an honest person's languages are none of their place's.
    pub foreign_language: f64,
    /// What round trips count for beside the other sources, as a power.
    pub delay_power: f64,
    /// A common offset above this, in ms, is large.
    pub large_offset_ms: f64,
    /// A large offset of more than this probability is `low`.
    pub offset_low: f64,
    /// A large offset of more than this probability is `medium`.
    pub offset_medium: f64,
}

/// Why a file of parameters is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// It is no TOML, or lacks a field, or has one that is unknown.
    #[error("the parameters cannot be read: {0}")]
    Syntax(String),
    /// A value is out of its range, or a list has the wrong length.
    #[error("the parameters hold an impossible {0}")]
    Range(&'static str),
}

impl Parameters {
    /// The parameters that come with this crate.
    #[must_use]
    pub fn embedded() -> Arc<Self> {
        static EMBEDDED: OnceLock<Arc<Parameters>> = OnceLock::new();
        let parameters = EMBEDDED.get_or_init(|| {
            let text = include_str!("../../parameters/engine.toml");
            Arc::new(Self::from_toml(text).expect("a test holds that the parameters of this crate can be read"))
        });
        Arc::clone(parameters)
    }

    /// The parameters of a TOML text.
    ///
    /// # Errors
    ///
    /// When the text is no TOML, or a value is impossible.
    pub fn from_toml(text: &str) -> Result<Self, ParameterError> {
        let parameters: Self = toml::from_str(text).map_err(|error| ParameterError::Syntax(error.message().into()))?;
        parameters.check()?;
        Ok(parameters)
    }

    /// As TOML.
    ///
    /// # Errors
    ///
    /// Never for parameters that were read; a number that TOML cannot hold is one.
    pub fn to_toml(&self) -> Result<String, ParameterError> {
        toml::to_string(self).map_err(|error| ParameterError::Syntax(error.to_string()))
    }

    fn check(&self) -> Result<(), ParameterError> {
        self.path.shape.check()?;
        self.path.detours.check()?;
        let offsets = &self.access.offsets_ms;
        if offsets.is_empty() || offsets.len() > 64 || offsets.iter().any(|ms| !(0.0..=5000.0).contains(ms)) {
            return Err(ParameterError::Range("offset"));
        }
        for access in [&self.access.hosting, &self.access.consumer] {
            let weights = &access.offset_weights;
            if weights.len() != offsets.len() || weights.iter().any(|weight| !(1e-9..=1.0).contains(weight)) {
                return Err(ParameterError::Range("weight of an offset"));
            }
            if !(0.01..=2.0).contains(&access.temper) || !(0.0..=1.0).contains(&access.temper_decay) {
                return Err(ParameterError::Range("temper"));
            }
        }
        let prior = &self.prior;
        let powers = [&prior.hosting, &prior.consumer].map(|of| [of.population, of.product, of.addresses, of.systems]);
        if powers.as_flattened().iter().chain([&prior.density]).any(|power| !(0.0..=3.0).contains(power)) {
            return Err(ParameterError::Range("power of the prior"));
        }
        for of in [&prior.hosting, &prior.consumer] {
            if !(0.0..=1.0).contains(&of.host) || of.hosts.values().any(|count| !(0.0..=1e6).contains(count)) {
                return Err(ParameterError::Range("number of hosts"));
            }
        }
        if prior.addresses.values().any(|count| !(0.0..=1e6).contains(count)) {
            return Err(ParameterError::Range("number of addresses"));
        }
        let address = &self.address;
        let locale = &self.locale;
        let alarm = &self.alarm;
        let probabilities = [
            address.all_agree,
            address.two_agree + address.outvoted_allocation,
            address.dbip_alone + address.geo_whois_alone + address.outvoted_allocation,
            address.one_source + address.outvoted_allocation,
            address.registries_agree,
            address.hosting,
            address.honest,
            address.honest_mobile,
            address.roaming,
            address.honest_shared,
            address.honest_private_relay,
            address.honest_hosting,
            address.honest_vpn,
            address.honest_tor,
            locale.zone,
            locale.zone_mobile,
            locale.lent_zone,
            locale.offset,
            locale.forged_zone,
            locale.language,
            locale.language_region,
            alarm.low,
            alarm.medium,
            alarm.high,
            alarm.wrong_zone,
            alarm.foreign_language,
            alarm.delay_power,
            alarm.offset_low,
            alarm.offset_medium,
        ];
        if probabilities.iter().any(|probability| !(0.0..=1.0).contains(probability)) {
            return Err(ParameterError::Range("probability"));
        }
        self.confidence.check()?;
        self.calibration.values().try_for_each(Calibration::check)
    }
}
