//! The builder of an edge: every setting by the name of its variable.

use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::time::Duration;

use octet::AppKey;
use octet_transport::Transport;

use super::raw::Raw;
use super::{ConfigError, Tuning};
use crate::{RateLimit, Relay};

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
    raw: Raw,
    tuning: Tuning,
    makes: PhantomData<fn() -> E>,
}

impl<E> Default for Builder<E> {
    fn default() -> Self {
        Self { raw: Raw::default(), tuning: Tuning::default(), makes: PhantomData }
    }
}

macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident => $field:ident: $type:ty;)*) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(mut self, value: impl Into<$type>) -> Self {
                self.raw.$field = Some(value.into());
                self
            }
        )*
    };
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
        /// What the names of the collector's files begin with; `octet-collector` by default.
        collector_name => collector_name: String;
        /// The origins whose pages may talk to the edge (`ALLOWED_ORIGIN`), comma-separated; by default the edge's
        /// own. `*` admits every page, and not with a live licence.
        allowed_origin => allowed_origin: String;
        /// The proxies that are believed (`TRUSTED_PROXIES`): addresses or CIDRs, comma-separated; none by default.
        trusted_proxies => trusted_proxies: String;
        /// The one header in which they say whom they forward (`FORWARDED_HEADER`); `x-forwarded-for` by default.
        forwarded_header => forwarded_header: String;
        /// The header in which a content delivery network among them says its round-trip time to the browser, in
        /// milliseconds (`CDN_RTT_HEADER`); none by default.
        cdn_rtt_header => cdn_rtt_header: String;
        /// The header in which it says the JA4 of the browser's ClientHello (`CDN_JA4_HEADER`); none by default.
        cdn_ja4_header => cdn_ja4_header: String;
        /// The edge's name (`EDGE_ID`); `edge` by default.
        edge_id => edge_id: String;
        /// Where the edge stands (`EDGE_LOCATION`), `lat,lon` in degrees.
        edge_location => edge_location: String;
        /// Sibling edges (`EDGE_PEERS`): the `wss://` URLs of their channels on your own domain, comma-separated; at
        /// most 8.
        edge_peers => edge_peers: String;
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

    /// Whether the edge's routes stand at the root of the site too, besides the prefix. Not by default: an app that
    /// the edge is part of has its own paths there.
    #[must_use]
    pub const fn also_at_root(mut self, at_root: bool) -> Self {
        self.tuning.also_at_root = at_root;
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

    /// The app that this edge's pages belong to, for those whose collector never reports. Without it, it is the only app
    /// of the partner, or the only one that names the page's host among its origins.
    #[must_use]
    pub fn app_key(mut self, app: AppKey) -> Self {
        self.tuning.app_key = Some(app);
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
    /// `TRUSTED_PROXIES`, `FORWARDED_HEADER`, `CDN_RTT_HEADER`, `CDN_JA4_HEADER`, `EDGE_ID`, `EDGE_LOCATION`,
    /// `EDGE_PEERS`, `OCTET_CA_FILE`, `EDGE_CLIENT_CERT_FILE` and `EDGE_CLIENT_KEY_FILE`. An empty variable counts as
    /// unset.
    #[must_use]
    pub fn from_env(self) -> Self {
        self.from_lookup(|name| std::env::var(name).ok())
    }

    /// The same from anything that knows values by the variables' names.
    #[must_use]
    pub fn from_lookup(mut self, lookup: impl Fn(&'static str) -> Option<String>) -> Self {
        self.raw.fill(lookup);
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
        Ok(E::from(Relay::new(self.raw.check(self.tuning)?)))
    }
}

impl<E> fmt::Debug for Builder<E> {
    /// Without the licence key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Raw { url, prefix, .. } = &self.raw;
        f.debug_struct("Builder").field("octet_url", url).field("prefix", prefix).finish_non_exhaustive()
    }
}
