//! The settings of an edge as they came, and the checks that make a [`Config`] of them.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use octet::observations::Edge;
use octet::{Environment, LicenseKey};
use octet_transport::{TlsOptions, Transport};

use super::{Config, ConfigError, Tuning};
use crate::cdn::CdnHeaders;
use crate::forwarded::TrustedProxies;
use crate::origin::OriginRule;
use crate::peers;
use crate::routes::Mount;

/// What was set, unchecked.
#[derive(Clone, Default)]
pub(super) struct Raw {
    pub(super) url: Option<String>,
    pub(super) license: Option<String>,
    pub(super) prefix: Option<String>,
    pub(super) collector_name: Option<String>,
    pub(super) allowed_origin: Option<String>,
    pub(super) trusted_proxies: Option<String>,
    pub(super) forwarded_header: Option<String>,
    pub(super) cdn_rtt_header: Option<String>,
    pub(super) cdn_ja4_header: Option<String>,
    pub(super) edge_id: Option<String>,
    pub(super) edge_location: Option<String>,
    pub(super) edge_peers: Option<String>,
    pub(super) transport: Option<Transport>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) client_cert_file: Option<PathBuf>,
    pub(super) client_key_file: Option<PathBuf>,
}

impl Raw {
    /// Takes every variable that `lookup` knows and that is not empty.
    pub(super) fn fill(&mut self, lookup: impl Fn(&'static str) -> Option<String>) {
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
        set(&mut self.cdn_rtt_header, "CDN_RTT_HEADER");
        set(&mut self.cdn_ja4_header, "CDN_JA4_HEADER");
        set(&mut self.edge_id, "EDGE_ID");
        set(&mut self.edge_location, "EDGE_LOCATION");
        set(&mut self.edge_peers, "EDGE_PEERS");
        let set_path = |slot: &mut Option<PathBuf>, name| {
            let mut text = None;
            set(&mut text, name);
            *slot = text.map(PathBuf::from).or(slot.take());
        };
        set_path(&mut self.ca_file, "OCTET_CA_FILE");
        set_path(&mut self.client_cert_file, "EDGE_CLIENT_CERT_FILE");
        set_path(&mut self.client_key_file, "EDGE_CLIENT_KEY_FILE");
    }

    pub(super) fn check(self, tuning: Tuning) -> Result<Config, ConfigError> {
        let license = self.license.as_deref().map(|text| parse::<LicenseKey>("LICENSE", text)).transpose()?;
        let origins = OriginRule::parse(self.allowed_origin.as_deref().unwrap_or_default())
            .map_err(|error| ConfigError::new("ALLOWED_ORIGIN", error))?;
        let live = license.as_ref().is_some_and(|key| key.environment() == Environment::Live);
        if live && origins == OriginRule::Any {
            let advice =
                "* is refused with a live licence; name the origins of your pages, such as https://shop.example";
            return Err(ConfigError::new("ALLOWED_ORIGIN", advice));
        }
        let mut mount = Mount::default();
        if let Some(prefix) = &self.prefix {
            mount = mount.at(prefix).map_err(|error| ConfigError::new("OCTET_PREFIX", error))?;
        }
        if let Some(name) = &self.collector_name {
            mount = mount.named(name).map_err(|error| ConfigError::new("collector_name", error))?;
        }
        if tuning.also_at_root {
            mount = mount.also_at_root();
        }
        let edge = Edge {
            id: self.edge_id.as_deref().map(|text| parse("EDGE_ID", text)).transpose()?.unwrap_or_default(),
            position: self.edge_location.as_deref().map(|text| parse("EDGE_LOCATION", text)).transpose()?,
        };
        let peers = peers::parse(self.edge_peers.as_deref().unwrap_or_default())
            .map_err(|error| ConfigError::new("EDGE_PEERS", error))?;
        let proxies = TrustedProxies::new(
            ranges(self.trusted_proxies.as_deref().unwrap_or_default())?,
            &header_name("FORWARDED_HEADER", self.forwarded_header.as_deref().unwrap_or("x-forwarded-for"))?,
        );
        let named =
            |variable, text: &Option<String>| text.as_deref().map(|text| header_name(variable, text)).transpose();
        let cdn = CdnHeaders::new(
            named("CDN_RTT_HEADER", &self.cdn_rtt_header)?,
            named("CDN_JA4_HEADER", &self.cdn_ja4_header)?,
        );
        let transport = self.reach()?;
        if license.is_none() && transport.needs_license {
            let advice = "not set; give the licence key that `octet license issue` printed";
            return Err(ConfigError::new("LICENSE", advice));
        }
        Ok(Config { transport: transport.way, license, mount, origins, proxies, cdn, edge, peers, tuning })
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
            let range = entry.parse().or_else(|_| entry.parse::<IpAddr>().map(IpNet::from));
            if range.as_ref().is_ok_and(|range| IpNet::prefix_len(range) == 0) {
                tracing::warn!(
                    "TRUSTED_PROXIES: {entry} believes every visitor's header, unless only proxies get here"
                );
            }
            range.map(plain).map_err(|_| {
                let advice = format!("{entry:?} is no address and no CIDR; write 10.0.0.0/8 or 2001:db8::/32");
                ConfigError::new("TRUSTED_PROXIES", advice)
            })
        })
        .collect()
}

/// A range of IPv4-mapped addresses as the one of IPv4 that it is, which is how peers are compared.
fn plain(range: IpNet) -> IpNet {
    let mapped = range.prefix_len().checked_sub(96).zip(match range.addr() {
        IpAddr::V6(ip) => ip.to_ipv4_mapped(),
        IpAddr::V4(_) => None,
    });
    mapped.and_then(|(length, ip)| IpNet::new(ip.into(), length).ok()).unwrap_or(range)
}

fn header_name(variable: &'static str, text: &str) -> Result<String, ConfigError> {
    let name = http::HeaderName::from_bytes(text.trim().as_bytes()).map_err(|_| {
        ConfigError::new(variable, format!("{text:?} is no header's name; write one, such as x-forwarded-for"))
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
    use crate::{Builder, Relay};

    const LIVE: &str = "octet_live_v4.public.abc";
    const TEST: &str = "octet_test_v4.public.abc";

    fn build(settings: &[(&str, &str)]) -> Result<Relay, ConfigError> {
        let find = |name| settings.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        Builder::<Relay>::default().from_lookup(find).build()
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
            ("CDN_RTT_HEADER", "x rtt"),
            ("CDN_JA4_HEADER", "x ja4"),
            ("EDGE_ID", "a b"),
            ("EDGE_LOCATION", "north"),
            ("EDGE_PEERS", "nyc.shop.example"),
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
    fn a_trusted_range_may_be_written_as_ipv4_mapped() {
        for (text, trusted) in
            [("::ffff:10.0.0.0/104", "10.255.0.1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("2001:db8::/32", "2001:db8::1")]
        {
            let relay = build(&[("OCTET_URL", "http://127.0.0.1:1"), ("LICENSE", TEST), ("TRUSTED_PROXIES", text)]);
            let relay = relay.unwrap();
            assert!(relay.trusts(trusted.parse().unwrap()) && !relay.trusts("11.0.0.1".parse().unwrap()), "{text}");
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
