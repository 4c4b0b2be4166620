//! The service as a whole: opened, routed, reached in the same process, shut down. Knows each room's door and no
//! rule of theirs.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use axum::routing::{get, post};
use bytes::Bytes;
use octet::Environment;
use octet::observations::MAX_SIBLINGS;
use octet::proof::KEYS_PATH;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tower_service::Service;

use crate::attest::{Attestation, routes as attest};
use crate::bot::{self, Bot};
use crate::clock::Clock;
use crate::counts::Counters;
use crate::failure::{Failure, json};
use crate::identity::Identity;
use crate::limits::PartnerLimit;
use crate::predicates::{self, Signed};
use crate::reference::Reference;
use crate::sessions::Sessions;
use crate::shares::Shares;
use crate::siblings::{self, Siblings};
use crate::visits::VisitLog;
use crate::{
    Apps, Config, Counts, Error, Licenses, Limits, PartnerName, Partners, ProofKeys, Records, ingest, verdicts,
};

/// How often changes by other processes are looked for, and ended sessions forgotten.
const TICK: Duration = Duration::from_secs(1);

/// The Octet service. Cheap to clone; clones are the same service.
///
/// It is a tower service for requests with any body. Its background work ends with the last clone.
#[derive(Clone)]
pub struct Octet {
    shared: Arc<Shared>,
    router: Router,
}

pub(crate) struct Shared {
    pub(crate) environment: Environment,
    pub(crate) limits: Limits,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) reference: Reference,
    pub(crate) records: Records,
    pub(crate) sessions: Sessions,
    pub(crate) signals_limit: PartnerLimit,
    pub(crate) siblings: Siblings,
    pub(crate) siblings_limit: PartnerLimit,
    pub(crate) verdicts_limit: PartnerLimit,
    /// How many bundles each partner may have under way, whether read or assessed.
    pub(crate) under_way: Shares<PartnerName>,
    /// How many bundles that were read wait for their assessment, or are assessed.
    pub(crate) in_flight: Arc<Semaphore>,
    /// How many of them have the processor.
    pub(crate) assessing: Arc<Semaphore>,
    pub(crate) bot: Bot,
    pub(crate) counters: Counters,
    /// What vouches for the keys of devices.
    pub(crate) attest: Attestation,
    /// Who proofs are from.
    pub(crate) issuer: Box<str>,
    /// The proofs that the chain does not have yet.
    pub(crate) signed: Signed,
    pub(crate) shutdown: CancellationToken,
}

impl Octet {
    /// Opens the service: its records, its reference data, and its background work.
    ///
    /// # Errors
    ///
    /// When the database cannot be opened, or a data file cannot be used.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn open(config: Config) -> Result<Self, Error> {
        let log = config.open_visits().await?;
        let records = Records::open(config.database.as_deref(), Arc::clone(&config.clock)).await?;
        records.proof_keys().ensure(config.environment).await?;
        let (files, world) = (config.data, config.world);
        let reference = tokio::task::spawn_blocking(|| Reference::open(files, world))
            .await
            .map_err(|_| Error::System("the reference data could not be unpacked"))??;
        let limits = config.limits;
        let bot = Bot::open(log, &limits, &config.clock);
        let attest_limit = PartnerLimit::new(limits.signals_per_second, Arc::clone(&config.clock));
        let attest = Attestation::new(config.attest, config.environment, attest_limit);
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let shared = Arc::new(Shared {
            environment: config.environment,
            limits,
            reference,
            records,
            sessions: Sessions::new(&limits, Arc::clone(&config.clock)),
            signals_limit: PartnerLimit::new(limits.signals_per_second, Arc::clone(&config.clock)),
            siblings: Siblings::new(Arc::clone(&config.clock)),
            siblings_limit: PartnerLimit::new(
                limits.signals_per_second.saturating_mul(MAX_SIBLINGS as u32),
                Arc::clone(&config.clock),
            ),
            verdicts_limit: PartnerLimit::new(limits.verdicts_per_second, Arc::clone(&config.clock)),
            clock: config.clock,
            under_way: Shares::new(ingest::MOST_IN_FLIGHT / 2),
            in_flight: Arc::new(Semaphore::new(ingest::MOST_IN_FLIGHT)),
            assessing: Arc::new(Semaphore::new(processors)),
            bot,
            counters: Counters::default(),
            attest,
            issuer: config.issuer.into(),
            signed: Signed::default(),
            shutdown: CancellationToken::new(),
        });
        tokio::spawn(background(Arc::downgrade(&shared), shared.shutdown.clone()));
        Ok(Self { router: router(&shared), shared })
    }

    /// The service's routes, to be mounted or served.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// The partners and their keys.
    #[must_use]
    pub fn partners(&self) -> Partners {
        self.shared.records.partners()
    }

    /// The partners' apps.
    #[must_use]
    pub fn apps(&self) -> Apps {
        self.shared.records.apps()
    }

    /// The licences.
    #[must_use]
    pub fn licenses(&self) -> Licenses {
        self.shared.records.licenses()
    }

    /// This service as the transport of an edge of `partner` in the same process: no licence is needed.
    ///
    /// The partner needs no record. Without one it has the default settings; `octet partner add` makes one.
    ///
    /// # Errors
    ///
    /// When the name cannot be a partner's, or the partner was revoked.
    pub fn edge_transport(&self, partner: &str) -> Result<InProcess, Error> {
        Ok(InProcess { octet: self.clone(), identity: Identity::Edge(self.named(partner)?) })
    }

    /// This service as the transport of a client of `partner` in the same process: no partner key is needed.
    ///
    /// # Errors
    ///
    /// As for [`Self::edge_transport`].
    pub fn backend_transport(&self, partner: &str) -> Result<InProcess, Error> {
        Ok(InProcess { octet: self.clone(), identity: Identity::Backend(self.named(partner)?) })
    }

    fn named(&self, partner: &str) -> Result<PartnerName, Error> {
        let name: PartnerName = partner.parse()?;
        if self.shared.records.snapshot().is_partner_revoked(&name) {
            return Err(Error::PartnerRevoked(name.to_string()));
        }
        Ok(name)
    }

    /// The keys that sign proofs.
    #[must_use]
    pub fn proof_keys(&self) -> ProofKeys {
        self.shared.records.proof_keys()
    }

    /// The visit log.
    #[must_use]
    pub fn visits(&self) -> &VisitLog {
        self.shared.bot.log()
    }

    /// How often what happened since the service was opened.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.counters.read(self.shared.bot.log().dropped())
    }

    /// How many sessions are held.
    #[must_use]
    pub fn sessions_held(&self) -> usize {
        self.shared.sessions.len()
    }

    /// How many requests wait for a verdict.
    #[must_use]
    pub fn waiters(&self) -> usize {
        self.shared.sessions.waiters()
    }

    /// Begins the shutdown: whoever waits for a verdict is answered with 503 `shutting_down`, new bundles are
    /// refused with it, and [`Self::serve`] ends. Verdicts that are there are still given.
    pub fn shutdown(&self) {
        self.shared.shutdown.cancel();
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl fmt::Debug for Octet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Octet").field("environment", &self.shared.environment).finish_non_exhaustive()
    }
}

impl<B> Service<Request<B>> for Octet
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = axum::routing::future::RouteFuture<Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.router.call(request.map(Body::new))
    }
}

/// The service as a transport within one process, for one partner; from [`Octet::edge_transport`] or
/// [`Octet::backend_transport`]. A tower service for requests with any body.
#[derive(Debug, Clone)]
pub struct InProcess {
    octet: Octet,
    identity: Identity,
}

impl<B> Service<Request<B>> for InProcess
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = axum::routing::future::RouteFuture<Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        request.extensions_mut().insert(self.identity.clone());
        self.octet.call(request)
    }
}

fn router(shared: &Arc<Shared>) -> Router {
    let only = |methods: &'static str| move || async move { Failure::method_not_allowed(methods) };
    // To read a verdict is to settle it: a question that wants no body must not.
    Router::new()
        .route("/v1/signals", post(ingest::signals).fallback(only("POST")))
        .route("/v1/observations", post(siblings::observations).fallback(only("POST")))
        .route("/v1/edge-settings", get(ingest::edge_settings).fallback(only("GET, HEAD")))
        .route("/v1/assess", post(bot::assess).fallback(only("POST")))
        .route("/v1/pages", post(bot::pages).fallback(only("POST")))
        .route("/v1/challenge", post(bot::challenge).fallback(only("POST")))
        .route("/v1/challenge/{id}", post(bot::challenge_answer).fallback(only("POST")))
        .route("/v1/bot/verdict", get(bot::verdict).fallback(only("GET, HEAD")))
        .route("/v1/bot/stats", get(bot::stats).fallback(only("GET, HEAD")))
        .route("/v1/bot/export", get(bot::export).head(only("GET")).fallback(only("GET")))
        .route("/v1/verdict/{ref}", get(verdicts::verdict).head(only("GET")).fallback(only("GET")))
        .route("/v1/predicate", post(predicates::predicate).fallback(only("POST")))
        .route("/v1/attest/challenge", post(attest::new_challenge).fallback(only("POST")))
        .route("/v1/attest", post(attest::attest).fallback(only("POST")))
        .route("/v1/borders", get(attest::borders).fallback(only("GET, HEAD")))
        .route("/v1/borders/subdivisions/{country}", get(attest::subdivisions).fallback(only("GET, HEAD")))
        .route("/v1/borders/cities/{id}", get(attest::city).fallback(only("GET, HEAD")))
        .route(KEYS_PATH, get(predicates::keys).fallback(only("GET, HEAD")))
        .route("/healthz", get(|| async { "ok\n" }).fallback(only("GET, HEAD")))
        .route("/readyz", get(ready).fallback(only("GET, HEAD")))
        .route("/attribution", get(attribution).fallback(only("GET, HEAD")))
        .fallback(|| async { Failure::not_found() })
        .with_state(Arc::clone(shared))
}

/// Whether this node should get requests: not while it shuts down or its records cannot be read.
async fn ready(State(shared): State<Arc<Shared>>) -> Result<&'static str, Failure> {
    if shared.shutdown.is_cancelled() {
        return Err(Failure::shutting_down());
    }
    shared.records.refresh().await.map_err(|_| {
        let detail = "the database cannot be read; the log says why";
        Failure::new(octet::problem::Code::StoreUnavailable, detail).retry_after(1)
    })?;
    Ok("ready\n")
}

/// Whose data the reference tables are made of.
async fn attribution() -> Response<Body> {
    #[derive(Serialize)]
    struct Source {
        provides: &'static str,
        attribution: &'static str,
        licence: &'static str,
        package: &'static str,
        version: &'static str,
        link: &'static str,
    }

    let sources = octet_engine::world::ATTRIBUTION.iter().map(|source| Source {
        provides: source.provides,
        attribution: source.attribution,
        licence: source.licence,
        package: source.package,
        version: source.version,
        link: source.link,
    });
    json(StatusCode::OK, &sources.collect::<Vec<_>>())
}

/// Takes in what other processes changed, writes down what was signed, and has a key to sign with.
async fn upkeep(shared: &Shared) -> Result<(), Error> {
    shared.records.refresh().await?;
    shared.signed.flush(&shared.records).await?;
    shared.records.proof_keys().ensure(shared.environment).await
}

/// Takes in what other processes changed and forgets what has ended, until the service is gone.
async fn background(shared: Weak<Shared>, shutdown: CancellationToken) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = tick.tick() => {}
        }
        let Some(shared) = shared.upgrade() else { return };
        shared.sessions.sweep();
        shared.siblings.sweep();
        shared.bot.sweep();
        let refreshed = upkeep(&shared).await;
        match (&refreshed, failing) {
            (Err(error), false) => {
                tracing::error!(%error, "the records cannot be read or written: keys and licences are as before")
            }
            (Ok(()), true) => tracing::info!("the records can be read again"),
            _ => {}
        }
        failing = refreshed.is_err();
        // Reading large files takes long: never where connections are served.
        let reread = tokio::task::spawn_blocking(move || shared.reference.refresh());
        match reread.await {
            Ok(Ok(true)) => tracing::info!("data files changed and were read again"),
            Ok(Err(error)) => tracing::error!(%error, "data files are as before"),
            _ => {}
        }
    }
}
