//! How an edge is configured: from the environment, or by a builder with the same names. Everything is checked
//! before the first request; an error names the variable and says what to do. No key is ever printed.

use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use octet::observations::Edge;
use octet::{Environment, LicenseKey};
use octet_transport::{TlsOptions, Transport};

use crate::forwarded::TrustedProxies;
use crate::limits::RateLimit;
use crate::origin::OriginRule;
use crate::relay::Relay;
use crate::routes::Prefix;

/// What an edge is made of, once everything is checked.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) transport: Transport,
    pub(crate) license: Option<LicenseKey>,
    pub(crate) prefix: Prefix,
    pub(crate) origins: OriginRule,
    pub(crate) proxies: TrustedProxies,
    pub(crate) edge: Edge,
    pub(crate) tuning: Tuning,
}

/// What has a good default.
#[derive(Debug, Clone)]
pub(crate) struct Tuning {
    pub(crate) require_signed_refs: bool,
    pub(crate) session_lifetime: Duration,
    pub(crate) rate_limit: RateLimit,
    pub(crate) forward_timeout: Duration,
    pub(crate) max_in_flight: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            require_signed_refs: false,
            session_lifetime: Duration::from_secs(60 * 60),
            rate_limit: RateLimit::default(),
            forward_timeout: Duration::from_secs(2),
            max_in_flight: 512,
        }
    }
}

impl Config {
    /// Octet behind `transport`, and everything else as it is by default.
    pub(crate) fn over(transport: Transport) -> Self {
        Self {
            transport,
            license: None,
            prefix: Prefix::default(),
            origins: OriginRule::default(),
            proxies: TrustedProxies::default(),
            edge: Edge::default(),
            tuning: Tuning::default(),
        }
    }
}

/// A setting of an edge cannot be used. Its text names the variable and says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{variable}: {advice}")]
pub struct ConfigError {
    variable: &'static str,
    advice: String,
}

impl ConfigError {
    fn new(variable: &'static str, advice: impl fmt::Display) -> Self {
        Self { variable, advice: advice.to_string() }
    }

    /// The environment variable of the setting.
    #[must_use]
    pub const fn variable(&self) -> &'static str {
        self.variable
    }
}

/// Builds an edge `E`; every setting takes what its environment variable takes, and [`build`](Self::build)
/// checks them all.
///
/// ```
/// let relay = octet_relay::Relay::builder()
///     .octet_url("https://octet.internal")
///     .license("octet_test_v4.public.…".replace('…', "x"))
///     .trusted_proxies("10.0.0.0/8")
///     .edge_location("50.11,8.68")
///     .build()?;
/// # Ok::<(), octet_relay::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Builder<E = Relay> {
    url: Option<String>,
    transport: Option<Transport>,
    license: Option<String>,
    prefix: Option<String>,
    allowed_origin: Option<String>,
    trusted_proxies: Option<String>,
    forwarded_header: Option<String>,
    edge_id: Option<String>,
    edge_location: Option<String>,
    ca_file: Option<PathBuf>,
    client_cert_file: Option<PathBuf>,
    client_key_file: Option<PathBuf>,
    tuning: Tuning,
    makes: PhantomData<fn() -> E>,
}

macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident => $field:ident: $type:ty;)*) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(mut self, value: impl Into<$type>) -> Self {
                self.$field = Some(value.into());
                self
            }
        )*
    };
}

impl<E> Default for Builder<E> {
    fn default() -> Self {
        Self {
            url: None,
            transport: None,
            license: None,
            prefix: None,
            allowed_origin: None,
            trusted_proxies: None,
            forwarded_header: None,
            edge_id: None,
            edge_location: None,
            ca_file: None,
            client_cert_file: None,
            client_key_file: None,
            tuning: Tuning::default(),
            makes: PhantomData,
        }
    }
}

impl<E> Builder<E> {
    settings! {
        /// Octet's API base URL (`OCTET_URL`), such as `https://octet.internal`.
        octet_url => url: String;
        /// A way to Octet in the place of a URL; no licence is needed with it.
        transport => transport: Transport;
        /// The licence key (`LICENSE`).
        license => license: String;
        /// The path under which the edge's routes stand (`OCTET_PREFIX`); `/octet` by default.
        prefix => prefix: String;
        /// The origins whose pages may talk to the edge (`ALLOWED_ORIGIN`), comma-separated; by default the edge's
        /// own. `*` admits every page, and not with a live licence.
        allowed_origin => allowed_origin: String;
        /// The proxies that are believed (`TRUSTED_PROXIES`): addresses or CIDRs, comma-separated; none by default.
        trusted_proxies => trusted_proxies: String;
        /// The one header in which they say whom they forward (`FORWARDED_HEADER`); `x-forwarded-for` by default.
        forwarded_header => forwarded_header: String;
        /// The edge's name (`EDGE_ID`); `edge` by default.
        edge_id => edge_id: String;
        /// Where the edge stands (`EDGE_LOCATION`), `lat,lon` in degrees.
        edge_location => edge_location: String;
        /// A PEM file with the only authority that Octet's certificate is believed from (`OCTET_CA_FILE`).
        ca_file => ca_file: PathBuf;
        /// The certificate chain (PEM) shown to Octet (`EDGE_CLIENT_CERT_FILE`); needs the key too.
        client_cert_file => client_cert_file: PathBuf;
        /// Its private key (PEM; `EDGE_CLIENT_KEY_FILE`).
        client_key_file => client_key_file: PathBuf;
    }

    /// Whether only session references are taken that this edge's own extractor signed; others get 403. Not by
    /// default: a backend may mint its own.
    #[must_use]
    pub const fn require_signed_refs(mut self, required: bool) -> Self {
        self.tuning.require_signed_refs = required;
        self
    }

    /// How long a signed reference can be used; an hour by default.
    #[must_use]
    pub const fn session_lifetime(mut self, lifetime: Duration) -> Self {
        self.tuning.session_lifetime = lifetime;
        self
    }

    /// How many bundles, and how many channels, one network may send.
    #[must_use]
    pub const fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.tuning.rate_limit = limit;
        self
    }

    /// How long one attempt to reach Octet may take; 2 seconds by default, and there are two.
    #[must_use]
    pub const fn forward_timeout(mut self, timeout: Duration) -> Self {
        self.tuning.forward_timeout = timeout;
        self
    }

    /// How many bundles are on their way to Octet at once; 512 by default. Over it the browser gets 503.
    #[must_use]
    pub const fn max_in_flight(mut self, bundles: usize) -> Self {
        self.tuning.max_in_flight = bundles;
        self
    }

    /// Takes every setting that the environment holds: `OCTET_URL`, `LICENSE`, `OCTET_PREFIX`, `ALLOWED_ORIGIN`,
    /// `TRUSTED_PROXIES`, `FORWARDED_HEADER`, `EDGE_ID`, `EDGE_LOCATION`, `OCTET_CA_FILE`,
    /// `EDGE_CLIENT_CERT_FILE` and `EDGE_CLIENT_KEY_FILE`. An empty variable counts as unset.
    #[must_use]
    pub fn from_env(self) -> Self {
        self.from_lookup(|name| std::env::var(name).ok())
    }

    /// The same from anything that knows values by the variables' names.
    #[must_use]
    pub fn from_lookup(mut self, lookup: impl Fn(&'static str) -> Option<String>) -> Self {
        let set = |slot: &mut Option<String>, name| {
            if let Some(value) = lookup(name).filter(|value| !value.trim().is_empty()) {
                *slot = Some(value);
            }
        };
        set(&mut self.url, "OCTET_URL");
        set(&mut self.license, "LICENSE");
        set(&mut self.prefix, "OCTET_PREFIX");
        set(&mut self.allowed_origin, "ALLOWED_ORIGIN");
        set(&mut self.trusted_proxies, "TRUSTED_PROXIES");
        set(&mut self.forwarded_header, "FORWARDED_HEADER");
        set(&mut self.edge_id, "EDGE_ID");
        set(&mut self.edge_location, "EDGE_LOCATION");
        let set_path = |slot: &mut Option<PathBuf>, name| {
            let mut text = None;
            set(&mut text, name);
            *slot = text.map(PathBuf::from).or(slot.take());
        };
        set_path(&mut self.ca_file, "OCTET_CA_FILE");
        set_path(&mut self.client_cert_file, "EDGE_CLIENT_CERT_FILE");
        set_path(&mut self.client_key_file, "EDGE_CLIENT_KEY_FILE");
        self
    }

    /// Checks every setting and makes the edge. Nothing is sent yet, but for the edge's settings, which are
    /// fetched in the background.
    ///
    /// # Errors
    ///
    /// When a setting is missing or cannot be used: the error names its variable and says what to do.
    pub fn build(self) -> Result<E, ConfigError>
    where
        E: From<Relay>,
    {
        Ok(E::from(Relay::new(self.check()?)))
    }

    fn check(self) -> Result<Config, ConfigError> {
        let license = self.license.as_deref().map(|text| parse::<LicenseKey>("LICENSE", text)).transpose()?;
        let origins = OriginRule::parse(self.allowed_origin.as_deref().unwrap_or_default())
            .map_err(|error| ConfigError::new("ALLOWED_ORIGIN", error))?;
        let live = license.as_ref().is_some_and(|key| key.environment() == Environment::Live);
        if live && origins == OriginRule::Any {
            let advice =
                "* is refused with a live licence; name the origins of your pages, such as https://shop.example";
            return Err(ConfigError::new("ALLOWED_ORIGIN", advice));
        }
        let prefix = self.prefix.as_deref().map_or_else(|| Ok(Prefix::default()), Prefix::parse);
        let prefix = prefix.map_err(|error| ConfigError::new("OCTET_PREFIX", error))?;
        let edge = Edge {
            id: self.edge_id.as_deref().map(|text| parse("EDGE_ID", text)).transpose()?.unwrap_or_default(),
            position: self.edge_location.as_deref().map(|text| parse("EDGE_LOCATION", text)).transpose()?,
        };
        let proxies = TrustedProxies::new(
            ranges(self.trusted_proxies.as_deref().unwrap_or_default())?,
            &header_name(self.forwarded_header.as_deref().unwrap_or("x-forwarded-for"))?,
        );
        let tuning = self.tuning.clone();
        let transport = self.reach()?;
        if license.is_none() && transport.needs_license {
            let advice = "not set; give the licence key that `octet license issue` printed";
            return Err(ConfigError::new("LICENSE", advice));
        }
        Ok(Config { transport: transport.way, license, prefix, origins, proxies, edge, tuning })
    }

    fn reach(self) -> Result<Reach, ConfigError> {
        if let Some(way) = self.transport {
            return Ok(Reach { way, needs_license: false });
        }
        let Some(url) = self.url else {
            let advice = "not set; give Octet's API base URL, such as https://octet.internal";
            return Err(ConfigError::new("OCTET_URL", advice));
        };
        let mut tls = TlsOptions::default();
        if let Some(path) = &self.ca_file {
            tls = tls.pinned_ca(read("OCTET_CA_FILE", path)?);
        }
        match (&self.client_cert_file, &self.client_key_file) {
            (Some(chain), Some(key)) => {
                tls = tls.client_certificate(read("EDGE_CLIENT_CERT_FILE", chain)?, read("EDGE_CLIENT_KEY_FILE", key)?);
            }
            (None, None) => {}
            (Some(_), None) => return Err(ConfigError::new("EDGE_CLIENT_KEY_FILE", "not set, and the certificate is")),
            (None, Some(_)) => return Err(ConfigError::new("EDGE_CLIENT_CERT_FILE", "not set, and the key is")),
        }
        let way = Transport::connect(&url, &tls).map_err(|error| {
            let variable = match error {
                octet_transport::ConfigError::Ca => "OCTET_CA_FILE",
                octet_transport::ConfigError::ClientCertificate(_) => "EDGE_CLIENT_CERT_FILE",
                _ => "OCTET_URL",
            };
            ConfigError::new(variable, error)
        })?;
        Ok(Reach { way, needs_license: true })
    }
}

impl<E> fmt::Debug for Builder<E> {
    /// Without the licence key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("octet_url", &self.url).field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

struct Reach {
    way: Transport,
    needs_license: bool,
}

fn parse<T: std::str::FromStr>(variable: &'static str, text: &str) -> Result<T, ConfigError>
where
    T::Err: fmt::Display,
{
    text.trim().parse().map_err(|error| ConfigError::new(variable, error))
}

fn ranges(text: &str) -> Result<Vec<IpNet>, ConfigError> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    entries
        .map(|entry| {
            let range = entry.parse().or_else(|_| entry.parse::<std::net::IpAddr>().map(IpNet::from));
            range.map_err(|_| {
                let advice = format!("{entry:?} is no address and no CIDR; write 10.0.0.0/8 or 2001:db8::/32");
                ConfigError::new("TRUSTED_PROXIES", advice)
            })
        })
        .collect()
}

fn header_name(text: &str) -> Result<String, ConfigError> {
    let name = http::HeaderName::from_bytes(text.trim().as_bytes()).map_err(|_| {
        ConfigError::new(
            "FORWARDED_HEADER",
            format!("{text:?} is no header's name; write one, such as x-forwarded-for"),
        )
    })?;
    Ok(name.as_str().to_owned())
}

fn read(variable: &'static str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(path)
        .map_err(|error| ConfigError::new(variable, format!("{} cannot be read: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVE: &str = "octet_live_v4.public.abc";
    const TEST: &str = "octet_test_v4.public.abc";

    fn build(settings: &[(&str, &str)]) -> Result<Relay, ConfigError> {
        let find = |name| settings.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        Builder::default().from_lookup(find).build()
    }

    fn variable(settings: &[(&str, &str)]) -> &'static str {
        build(settings).expect_err("it cannot be used").variable()
    }

    #[test]
    fn an_error_names_the_variable_and_says_what_to_do() {
        assert_eq!(variable(&[]), "OCTET_URL");
        assert_eq!(variable(&[("OCTET_URL", "http://127.0.0.1:1")]), "LICENSE");
        assert_eq!(variable(&[("OCTET_URL", " "), ("LICENSE", TEST)]), "OCTET_URL");
        let sound = [("OCTET_URL", "http://127.0.0.1:1"), ("LICENSE", TEST)];
        assert!(build(&sound).is_ok());
        for (name, value) in [
            ("OCTET_URL", "octet.internal"),
            ("LICENSE", "abc"),
            ("OCTET_PREFIX", "octet"),
            ("ALLOWED_ORIGIN", "shop.example"),
            ("TRUSTED_PROXIES", "10.0.0.0/8, all"),
            ("FORWARDED_HEADER", "x forwarded"),
            ("EDGE_ID", "a b"),
            ("EDGE_LOCATION", "north"),
            ("OCTET_CA_FILE", "/nonexistent/ca.pem"),
            ("EDGE_CLIENT_KEY_FILE", "/nonexistent/key.pem"),
        ] {
            let error = build(&[&[(name, value)][..], &sound].concat()).unwrap_err();
            let blamed = if name == "EDGE_CLIENT_KEY_FILE" { "EDGE_CLIENT_CERT_FILE" } else { name };
            assert_eq!(error.variable(), blamed, "{error}");
            assert!(error.to_string().starts_with(blamed) && !error.to_string().contains(TEST), "{error}");
        }
    }

    #[test]
    fn every_page_is_admitted_with_a_test_licence_only() {
        let with =
            |license| build(&[("OCTET_URL", "http://127.0.0.1:1"), ("LICENSE", license), ("ALLOWED_ORIGIN", "*")]);
        assert!(with(TEST).is_ok());
        assert_eq!(with(LIVE).unwrap_err().variable(), "ALLOWED_ORIGIN");
    }

    #[test]
    fn the_licence_is_not_printed() {
        let builder = Builder::<Relay>::default().octet_url("http://127.0.0.1:1").license(TEST);
        assert!(!format!("{builder:?}").contains("abc"));
        assert!(!format!("{:?}", builder.build().unwrap()).contains("abc"));
    }
}
