//! The client and how it is built: where Octet is, who asks, how patient it is. Knows no single question.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body::Body;
use http_body_util::Full;
use octet::{AppKey, AppSecret, PartnerKey, SessionRef};
use octet_transport::{TlsOptions, Transport};
use tower_service::Service;

use crate::budget::Budget;
use crate::{Error, VerdictRequest};

/// Asks Octet for verdicts. Cheap to clone; clones share connections and retry budget.
///
/// See the [crate's documentation](crate) for an example.
#[derive(Clone)]
pub struct OctetClient {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) transport: Transport,
    pub(crate) key: Option<HeaderValue>,
    pub(crate) app: Option<(HeaderValue, HeaderValue)>,
    pub(crate) timeout: Duration,
    pub(crate) budget: Budget,
}

impl OctetClient {
    /// The client that the environment describes.
    ///
    /// | variable | meaning |
    /// | --- | --- |
    /// | `OCTET_URL` | required: Octet's API base URL |
    /// | `OCTET_PARTNER_KEY` | required: the partner key |
    /// | `OCTET_APP_KEY`, `OCTET_APP_SECRET` | an app's key and secret, for bot verdicts |
    /// | `OCTET_CA_FILE` | trust the certificates in this PEM file and no other authority |
    ///
    /// # Errors
    ///
    /// When a variable is missing or cannot be used; the message names it and never holds the key.
    pub fn from_env() -> Result<Self, Error> {
        let required = |name: &str, what: &str| {
            let set = std::env::var(name).ok().filter(|text| !text.trim().is_empty());
            set.ok_or_else(|| Error::configuration(format!("{name} is not set: give {what}")))
        };
        let url = required("OCTET_URL", "Octet's API base URL, such as https://octet.internal")?;
        let mut builder = Self::builder().url(url);
        let key = required("OCTET_PARTNER_KEY", "the key that `octet partner add` printed")?;
        let key = key.trim().parse().map_err(|error| Error::configuration(format!("OCTET_PARTNER_KEY: {error}")))?;
        builder = builder.partner_key(key);
        if let (Ok(app), Ok(secret)) = (std::env::var("OCTET_APP_KEY"), std::env::var("OCTET_APP_SECRET")) {
            let app = app.trim().parse().map_err(|error| Error::configuration(format!("OCTET_APP_KEY: {error}")))?;
            let secret = secret.trim().parse();
            let secret = secret.map_err(|error| Error::configuration(format!("OCTET_APP_SECRET: {error}")))?;
            builder = builder.app(app, secret);
        }
        if let Some(path) = std::env::var_os("OCTET_CA_FILE") {
            let pem = std::fs::read(&path)
                .map_err(|error| Error::configuration(format!("OCTET_CA_FILE, {}: {error}", path.display())))?;
            builder = builder.tls(TlsOptions::default().pinned_ca(pem));
        }
        builder.build()
    }

    /// A client with everything said in code.
    ///
    /// ```
    /// use octet_client::OctetClient;
    /// let octet = OctetClient::builder()
    ///     .url("https://octet.internal")
    ///     .partner_key("opk_0123456789abcdef".parse()?)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder() -> Builder {
        Builder {
            to: None,
            key: None,
            app: None,
            tls: TlsOptions::default(),
            timeout: Duration::from_secs(3),
            retries: 2,
            retry_percent: 10,
        }
    }

    /// A client over a tower service in the place of a connection, with the defaults of [`Self::builder`] and
    /// without a key: Octet in the same process, or a test's own answers.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::{Request, Response};
    /// use http_body_util::Full;
    /// use octet_client::{Lookup, OctetClient, SessionRef};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let octet = OctetClient::over(tower::service_fn(|_: Request<Full<Bytes>>| async {
    ///     let body = r#"{ "country": "DE", "confidence": 0.91, "alarm": "none" }"#;
    ///     Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from(body))))
    /// }));
    /// let session: SessionRef = "sess_1".parse()?;
    /// assert!(matches!(octet.verdict(&session).await?, Lookup::Ready(verdict) if verdict.country_in(["DE"])));
    /// # Ok(())
    /// # }
    /// ```
    pub fn over<S, B>(service: S) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        S::Future: Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let builder = Self::builder();
        builder.connected(Transport::over(service), None, None)
    }

    /// Asks for the verdict about `session`: `.await` it for what is known now, or give it a
    /// [`wait`](VerdictRequest::wait) first.
    pub fn verdict(&self, session: impl AsRef<SessionRef>) -> VerdictRequest {
        VerdictRequest::new(self.clone(), session.as_ref().clone())
    }
}

impl fmt::Debug for OctetClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OctetClient").field("transport", &self.inner.transport).finish_non_exhaustive()
    }
}

/// Builds an [`OctetClient`]; from [`OctetClient::builder`].
#[derive(Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct Builder {
    to: Option<To>,
    key: Option<PartnerKey>,
    app: Option<(AppKey, AppSecret)>,
    tls: TlsOptions,
    timeout: Duration,
    retries: u32,
    retry_percent: u32,
}

#[derive(Debug)]
enum To {
    Url(String),
    Transport(Transport),
}

impl Builder {
    /// Octet's API base URL.
    pub fn url(mut self, base_url: impl Into<String>) -> Self {
        self.to = Some(To::Url(base_url.into()));
        self
    }

    /// Another way to reach Octet than by its URL; see [`Transport`].
    pub fn transport(mut self, transport: Transport) -> Self {
        self.to = Some(To::Transport(transport));
        self
    }

    /// The partner key. Over a transport in the same process none is needed.
    pub fn partner_key(mut self, key: PartnerKey) -> Self {
        self.key = Some(key);
        self
    }

    /// An app's key and secret, for bot verdicts, figures and exports.
    pub fn app(mut self, key: AppKey, secret: AppSecret) -> Self {
        self.app = Some((key, secret));
        self
    }

    /// Whom to trust, and the client certificate to show.
    pub fn tls(mut self, options: TlsOptions) -> Self {
        self.tls = options;
        self
    }

    /// How much longer than its [`wait`](VerdictRequest::wait) a call may take, retries included; 3 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How often one call is asked again at most (2 by default), and how many calls in a hundred may be, over
    /// time (10 by default).
    pub fn retries(mut self, of_one_call: u32, percent_of_calls: u32) -> Self {
        self.retries = of_one_call;
        self.retry_percent = percent_of_calls;
        self
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// When there is no URL, or the URL, the key or the TLS options cannot be used.
    pub fn build(mut self) -> Result<OctetClient, Error> {
        let key = self.key.take().map(|key| HeaderValue::from_str(key.expose())).transpose();
        let mut key = key.map_err(|_| Error::configuration("the partner key cannot stand in a header"))?;
        if let Some(key) = &mut key {
            key.set_sensitive(true);
        }
        let app = self.app.take().map(|(app, secret)| {
            let mut secret = HeaderValue::from_str(secret.expose())?;
            secret.set_sensitive(true);
            Ok::<_, http::header::InvalidHeaderValue>((HeaderValue::from_str(app.as_str())?, secret))
        });
        let app = app.transpose().map_err(|_| Error::configuration("the app's secret cannot stand in a header"))?;
        let transport = match self.to.take() {
            Some(To::Transport(transport)) => transport,
            Some(To::Url(_)) if key.is_none() && app.is_none() => {
                return Err(Error::configuration("a partner key is needed; `octet partner add` prints one"));
            }
            Some(To::Url(url)) => Transport::connect(&url, &self.tls)
                .map_err(|error| Error::configuration(format!("Octet's URL or its TLS options: {error}")))?,
            None => return Err(Error::configuration("Octet's API base URL is needed, such as https://octet.internal")),
        };
        Ok(self.connected(transport, key, app))
    }

    fn connected(
        self,
        transport: Transport,
        key: Option<HeaderValue>,
        app: Option<(HeaderValue, HeaderValue)>,
    ) -> OctetClient {
        let budget = Budget::new(self.retries, self.retry_percent);
        OctetClient { inner: Arc::new(Inner { transport, key, app, timeout: self.timeout, budget }) }
    }
}
