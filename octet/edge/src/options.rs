//! What the edge is told, each setting a flag and a variable. Checked as a whole before anything is served; an error
//! names the variable and says what to do.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use clap::CommandFactory;
use http::HeaderName;
use octet_relay::Relay;
use octet_tower::{Tls, TlsError};

use crate::Error;
use crate::log::{LogFormat, LogLevel};
use crate::proxy::App;

const EXAMPLES: &str = "\
Examples:
  octet-edge --octet-url https://octet.internal --license KEY --upstream-url http://127.0.0.1:3000
  OCTET_URL=https://octet.internal LICENSE=KEY octet-edge --check-config

Without --upstream-url the edge serves its own routes only, under the prefix and at the root.
An empty variable counts as unset.";

/// Octet's edge: serves the collector, measures the latency channel, forwards bundles to Octet, and passes everything
/// else to your app.
#[allow(rustdoc::bare_urls, rustdoc::broken_intra_doc_links, reason = "`--help` shows these texts as they stand")]
#[derive(Clone, clap::Parser)]
#[command(name = "octet-edge", version, after_help = EXAMPLES, max_term_width = 110, args_override_self = true)]
pub struct Options {
    /// Octet's API base URL, such as https://octet.internal; required
    #[arg(long, env = "OCTET_URL", value_name = "URL")]
    pub octet_url: Option<String>,
    /// The licence key that `octet license issue` printed; required
    #[arg(long, env = "LICENSE", value_name = "KEY", hide_env_values = true)]
    pub license: Option<String>,
    /// The app behind this edge, such as http://127.0.0.1:3000; without it only the edge's own routes are served
    #[arg(long, env = "UPSTREAM_URL", value_name = "URL")]
    pub upstream_url: Option<String>,
    /// Port to listen on [default: 8080]
    #[arg(long, env = "PORT", value_name = "PORT")]
    pub port: Option<String>,
    /// Address to listen on; [::] takes IPv4 and IPv6 [default: [::]]
    #[arg(long, env = "BIND", value_name = "ADDRESS")]
    pub bind: Option<String>,
    /// The certificate chain (PEM) to serve HTTPS with; read again when the file changes
    #[arg(long, env = "EDGE_TLS_CERT_FILE", value_name = "FILE")]
    pub edge_tls_cert_file: Option<String>,
    /// Its private key (PEM)
    #[arg(long, env = "EDGE_TLS_KEY_FILE", value_name = "FILE")]
    pub edge_tls_key_file: Option<String>,
    /// The path under which the edge's routes stand [default: /octet]
    #[arg(long, env = "OCTET_PREFIX", value_name = "PATH")]
    pub octet_prefix: Option<String>,
    /// Origins whose pages may talk to the edge, comma-separated [default: the same origin as the request's Host]
    #[arg(long, env = "ALLOWED_ORIGIN", value_name = "ORIGINS")]
    pub allowed_origin: Option<String>,
    /// Proxies that are believed, addresses or CIDRs, comma-separated [default: none]
    #[arg(long, env = "TRUSTED_PROXIES", value_name = "CIDRS")]
    pub trusted_proxies: Option<String>,
    /// The one header in which they say whom they forward [default: x-forwarded-for]
    #[arg(long, env = "FORWARDED_HEADER", value_name = "NAME")]
    pub forwarded_header: Option<String>,
    /// The header in which a content delivery network among them says its round-trip time, in milliseconds
    #[arg(long, env = "CDN_RTT_HEADER", value_name = "NAME")]
    pub cdn_rtt_header: Option<String>,
    /// The header in which it says the JA4 of the browser's ClientHello
    #[arg(long, env = "CDN_JA4_HEADER", value_name = "NAME")]
    pub cdn_ja4_header: Option<String>,
    /// What the app is told of the scheme where a proxy in front of this edge ends TLS: http or https [default: what
    /// this edge serves]
    #[arg(long, env = "PUBLIC_SCHEME", value_name = "SCHEME")]
    pub public_scheme: Option<String>,
    /// The name of this edge [default: edge]
    #[arg(long, env = "EDGE_ID", value_name = "NAME")]
    pub edge_id: Option<String>,
    /// Where this machine stands, in degrees [default: unknown]
    #[arg(long, env = "EDGE_LOCATION", value_name = "LAT,LON", allow_hyphen_values = true)]
    pub edge_location: Option<String>,
    /// Sibling edges on your own domain that a browser measures too: the wss:// URLs of their channels,
    /// comma-separated [default: none]
    #[arg(long, env = "EDGE_PEERS", value_name = "URLS")]
    pub edge_peers: Option<String>,
    /// A PEM file with the only authority that Octet's certificate is believed from [default: the public ones]
    #[arg(long, env = "OCTET_CA_FILE", value_name = "FILE")]
    pub octet_ca_file: Option<String>,
    /// The certificate chain (PEM) that this edge shows to Octet
    #[arg(long, env = "EDGE_CLIENT_CERT_FILE", value_name = "FILE")]
    pub edge_client_cert_file: Option<String>,
    /// Its private key (PEM)
    #[arg(long, env = "EDGE_CLIENT_KEY_FILE", value_name = "FILE")]
    pub edge_client_key_file: Option<String>,
    /// How long the app may take to answer, in seconds [default: 60]
    #[arg(long, env = "UPSTREAM_TIMEOUT_SECONDS", value_name = "SECONDS")]
    pub upstream_timeout_seconds: Option<String>,
    /// How long open requests, WebSockets and latency channels may take to end after a stop, in seconds [default: 30]
    #[arg(long, env = "DRAIN_SECONDS", value_name = "SECONDS")]
    pub drain_seconds: Option<String>,
    /// How many connections are open at a time [default: 16384]
    #[arg(long, env = "MAX_CONNECTIONS", value_name = "NUMBER")]
    pub max_connections: Option<String>,
    /// How many threads serve [default: one a processor]
    #[arg(long, env = "WORKERS", value_name = "NUMBER")]
    pub workers: Option<String>,
    /// How much is logged: error, warn, info or debug [default: info]
    #[arg(long, env = "EDGE_LOG", value_name = "LEVEL")]
    pub edge_log: Option<String>,
    /// How it is written: text or json [default: text]
    #[arg(long, env = "EDGE_LOG_FORMAT", value_name = "FORMAT")]
    pub edge_log_format: Option<String>,
    /// Say what is configured, or what is wrong with it, and end
    #[arg(long)]
    pub check_config: bool,
}

impl fmt::Debug for Options {
    /// Without the licence key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("octet_url", &self.octet_url).finish_non_exhaustive()
    }
}

/// The settings, checked.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) address: SocketAddr,
    /// Whether another address may take its place: it was not asked for.
    pub(crate) any_address: bool,
    pub(crate) relay: Relay,
    pub(crate) app: Option<App>,
    pub(crate) tls: Option<Tls>,
    /// What the app is told.
    pub(crate) scheme: Scheme,
    /// The headers that this edge was told to believe of trusted proxies.
    pub(crate) believed: Vec<HeaderName>,
    pub(crate) drain: Duration,
    pub(crate) max_connections: usize,
    pub(crate) workers: usize,
}

/// What the app is told of the browser's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Options {
    /// How much is logged.
    ///
    /// # Errors
    ///
    /// When it is none of the levels.
    pub fn log_level(&self) -> Result<LogLevel, Error> {
        match set(&self.edge_log).map(str::to_ascii_lowercase).as_deref() {
            Some("error") => Ok(LogLevel::Error),
            Some("warn") => Ok(LogLevel::Warn),
            None | Some("info") => Ok(LogLevel::Info),
            Some("debug") => Ok(LogLevel::Debug),
            Some(_) => Err(Error::setting("EDGE_LOG", "write error, warn, info or debug")),
        }
    }

    /// How it is written.
    ///
    /// # Errors
    ///
    /// When it is none of the formats.
    pub fn log_format(&self) -> Result<LogFormat, Error> {
        match set(&self.edge_log_format).map(str::to_ascii_lowercase).as_deref() {
            None | Some("text") => Ok(LogFormat::Text),
            Some("json") => Ok(LogFormat::Json),
            Some(_) => Err(Error::setting("EDGE_LOG_FORMAT", "write text or json")),
        }
    }

    pub(crate) fn check(&self) -> Result<Settings, Error> {
        self.log_level().and(self.log_format())?;
        let relay = Relay::builder()
            .also_at_root(set(&self.upstream_url).is_none())
            .from_lookup(|name| self.by_variable(name))
            .build()?;
        let bind = set(&self.bind).map(|text| {
            let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
            bare.parse::<IpAddr>().map_err(|_| Error::setting("BIND", "write an address, such as [::] or 127.0.0.1"))
        });
        let port = number("PORT", &self.port, 8080, 0..=65535)?;
        let bind = bind.transpose()?;
        let timeout = number("UPSTREAM_TIMEOUT_SECONDS", &self.upstream_timeout_seconds, 60, 1..=86_400)?;
        let app = set(&self.upstream_url).map(|url| App::new(url, Duration::from_secs(timeout as u64))).transpose()?;
        let address = SocketAddr::new(bind.unwrap_or(Ipv6Addr::UNSPECIFIED.into()), u16::try_from(port).unwrap_or(0));
        if app.as_ref().is_some_and(|app| app.is_at(address)) {
            return Err(Error::setting(
                "UPSTREAM_URL",
                "this edge itself listens there; name the app, or choose another PORT",
            ));
        }
        let tls = self.tls()?;
        let scheme = match set(&self.public_scheme) {
            None if tls.is_some() => Scheme::Https,
            None | Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            Some(_) => return Err(Error::setting("PUBLIC_SCHEME", "write http or https")),
        };
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Ok(Settings {
            address,
            any_address: bind.is_none(),
            relay,
            app,
            tls,
            scheme,
            // The relay has checked them.
            believed: [&self.forwarded_header, &self.cdn_rtt_header, &self.cdn_ja4_header]
                .into_iter()
                .filter_map(|name| set(name)?.parse().ok())
                .collect(),
            drain: Duration::from_secs(number("DRAIN_SECONDS", &self.drain_seconds, 30, 0..=3600)? as u64),
            max_connections: number("MAX_CONNECTIONS", &self.max_connections, 16_384, 1..=1_000_000)?,
            workers: number("WORKERS", &self.workers, processors, 1..=1024)?,
        })
    }

    fn tls(&self) -> Result<Option<Tls>, Error> {
        match (set(&self.edge_tls_cert_file), set(&self.edge_tls_key_file)) {
            (None, None) => Ok(None),
            (Some(_), None) => {
                Err(Error::setting("EDGE_TLS_KEY_FILE", "not set, and the certificate is: name its key"))
            }
            (None, Some(_)) => {
                Err(Error::setting("EDGE_TLS_CERT_FILE", "not set, and the key is: name its certificate"))
            }
            (Some(certificate), Some(key)) => {
                let tls = Tls::from_files(certificate, key);
                let named = |error: &TlsError| {
                    if error.path() == Path::new(certificate) { "EDGE_TLS_CERT_FILE" } else { "EDGE_TLS_KEY_FILE" }
                };
                tls.map(|tls| Some(tls.with_http2())).map_err(|error| Error::setting(named(&error), &error))
            }
        }
    }

    /// Every variable that is set, and to what; of a licence only that it is.
    pub(crate) fn all_set(&self) -> Vec<(String, String)> {
        let command = Self::command();
        let variables = command.get_arguments().filter_map(|argument| argument.get_env()?.to_str());
        let set = variables.filter_map(|variable| {
            let value = self.by_variable(variable);
            let value = if variable == "LICENSE" { set(&value).map(|_| "(a key)") } else { set(&value) };
            Some((variable.to_owned(), value?.to_owned()))
        });
        set.collect()
    }

    /// The settings by the names of their variables.
    fn by_variable(&self, name: &str) -> Option<String> {
        match name {
            "OCTET_URL" => &self.octet_url,
            "LICENSE" => &self.license,
            "OCTET_PREFIX" => &self.octet_prefix,
            "ALLOWED_ORIGIN" => &self.allowed_origin,
            "TRUSTED_PROXIES" => &self.trusted_proxies,
            "FORWARDED_HEADER" => &self.forwarded_header,
            "CDN_RTT_HEADER" => &self.cdn_rtt_header,
            "CDN_JA4_HEADER" => &self.cdn_ja4_header,
            "EDGE_ID" => &self.edge_id,
            "EDGE_LOCATION" => &self.edge_location,
            "EDGE_PEERS" => &self.edge_peers,
            "OCTET_CA_FILE" => &self.octet_ca_file,
            "EDGE_CLIENT_CERT_FILE" => &self.edge_client_cert_file,
            "EDGE_CLIENT_KEY_FILE" => &self.edge_client_key_file,
            "UPSTREAM_URL" => &self.upstream_url,
            "PORT" => &self.port,
            "BIND" => &self.bind,
            "EDGE_TLS_CERT_FILE" => &self.edge_tls_cert_file,
            "EDGE_TLS_KEY_FILE" => &self.edge_tls_key_file,
            "PUBLIC_SCHEME" => &self.public_scheme,
            "UPSTREAM_TIMEOUT_SECONDS" => &self.upstream_timeout_seconds,
            "DRAIN_SECONDS" => &self.drain_seconds,
            "MAX_CONNECTIONS" => &self.max_connections,
            "WORKERS" => &self.workers,
            "EDGE_LOG" => &self.edge_log,
            "EDGE_LOG_FORMAT" => &self.edge_log_format,
            _ => &None,
        }
        .clone()
    }
}

/// The text of a setting; an empty one counts as none.
pub(crate) fn set(setting: &Option<String>) -> Option<&str> {
    setting.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

fn number(
    variable: &'static str,
    text: &Option<String>,
    default: usize,
    range: std::ops::RangeInclusive<usize>,
) -> Result<usize, Error> {
    let Some(text) = set(text) else { return Ok(default) };
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| {
        Error::setting(variable, format!("write a whole number from {} to {}", range.start(), range.end()))
    })
}
