//! The relay: what an edge does with a request of its own, whichever framework hosts it. Decides nothing about a
//! visitor.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use octet::SessionRef;
use octet::handshake::CdnObservation;
use octet::observations::{Edge, EdgeObservations, Peer};
use octet::problem::Code;
use octet_transport::Transport;
use tokio::sync::Semaphore;

use crate::assess::Message;
use crate::cdn::CdnHeaders;
use crate::channel::memory::ChannelMemory;
use crate::config::{Builder, Config};
use crate::forwarded::{Client, TrustedProxies};
use crate::limits::NetworkLimit;
use crate::mac::{self, NoRandomness};
use crate::opening::Opening;
use crate::origin::{Admission, OriginRule};
use crate::page::PageSession;
use crate::pages::Pages;
use crate::peers::{self, Peers};
use crate::routes::{self, Kind, Mount, Route};
use crate::settings::Settings;
use crate::signals::{SignalsRequest, malformed, observations};
use crate::signed_ref::{Inspection, SignedRefs};
use crate::ticket::Tickets;
use crate::upstream::Upstream;
use crate::{Answer, ConfigError, Observation, assets, current};

/// How many latency channels are open at once; each lives for about a second.
const MAX_CHANNELS: u32 = 4096;

/// An edge without a web framework. Cheap to clone; clones are one edge. See the [crate's documentation](crate).
#[derive(Debug, Clone)]
pub struct Relay(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    mount: Arc<Mount>,
    origins: OriginRule,
    proxies: TrustedProxies,
    cdn: CdnHeaders,
    require_signed_refs: bool,
    signed_refs: SignedRefs,
    signals_limit: NetworkLimit,
    assess_limit: NetworkLimit,
    channels_limit: NetworkLimit,
    settings: Settings,
    pages: Pages,
    pub(crate) edge: Edge,
    pub(crate) peers: Peers,
    pub(crate) tickets: Tickets,
    pub(crate) channels: ChannelMemory,
    pub(crate) channel_slots: Arc<Semaphore>,
    pub(crate) upstream: Arc<Upstream>,
}

/// What the host has to do for a request of the edge's own.
#[derive(Debug)]
pub enum Step {
    /// Send this answer.
    Answer(Answer),
    /// Read the body, at most [`MAX_BODY`](crate::MAX_BODY) bytes, and hand it over.
    Signals(Box<SignalsRequest>),
    /// Switch protocols, and run the latency channel on what the connection becomes.
    Channel(Box<Opening>),
}

impl Relay {
    /// An edge as the environment says: `OCTET_URL`, `LICENSE` and what [`Builder::from_env`] lists.
    ///
    /// # Errors
    ///
    /// When a variable is missing or cannot be used: the error names it and says what to do.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::builder().from_env().build()
    }

    /// An edge as the code says.
    #[must_use]
    pub fn builder() -> Builder<Self> {
        Builder::default()
    }

    /// An edge with everything by default, to the Octet behind `transport`.
    #[must_use]
    pub fn over(transport: Transport) -> Self {
        Self::new(Config::over(transport))
    }

    /// Without a licence from which several processes could derive the same keys, this process has its own.
    ///
    /// # Panics
    ///
    /// When the operating system has no randomness to give: nothing secure can run there.
    pub(crate) fn new(config: Config) -> Self {
        let Config { transport, license, mount, origins, proxies, cdn, edge, peers, tuning } = config;
        let own;
        let secret = match &license {
            Some(key) => key.expose().as_bytes(),
            None => {
                own = mac::random::<32>().expect("the operating system provides randomness");
                &own[..]
            }
        };
        let upstream = Upstream::new(transport, license.as_ref(), tuning.forward_timeout, tuning.max_in_flight);
        let relay = Self(Arc::new(Inner {
            mount: Arc::new(mount),
            origins,
            proxies,
            cdn,
            require_signed_refs: tuning.require_signed_refs,
            signed_refs: SignedRefs::new(secret, tuning.session_lifetime),
            signals_limit: NetworkLimit::new(tuning.rate_limit),
            assess_limit: NetworkLimit::new(tuning.rate_limit),
            pages: Pages::new(tuning.app_key),
            channels_limit: NetworkLimit::new(tuning.rate_limit),
            settings: Settings::default(),
            tickets: Tickets::new(secret, edge.id.clone()),
            edge,
            peers,
            channels: ChannelMemory::default(),
            channel_slots: Arc::new(Semaphore::new(MAX_CHANNELS as usize)),
            upstream: Arc::new(upstream),
        }));
        relay.keep_fresh();
        relay
    }

    /// Asks Octet for this partner's settings now and then, in the background: an edge does so from its first request on,
    /// or from when it is made in a runtime. One that was made before its runtime is told by its host when that starts, so
    /// that the log says at the start what is wrong with the way to Octet, or with the licence.
    pub fn keep_fresh(&self) {
        self.0.settings.keep_fresh(&self.0.upstream);
    }

    /// The edge's own route at this path; `None` for the partner's. One comparison for a path outside the prefix.
    #[must_use]
    #[inline]
    pub fn route(&self, path: &str) -> Option<Route> {
        self.0.mount.route(path)
    }

    /// What to do for a request of the edge's own.
    #[must_use]
    pub fn begin(&self, route: Route, seen: &Observation<'_>) -> Step {
        self.keep_fresh();
        let Route(kind) = route;
        let admission = self.0.origins.admit(seen.header("origin"), seen.host());
        let step = match (seen.method, kind) {
            ("OPTIONS", _) => Step::Answer(self.options(kind, admission, seen)),
            (method, _) if !kind.methods().contains(&method) => {
                let wrong = Answer::problem(Code::MethodNotAllowed, format!("this path takes {}", kind.allow()));
                Step::Answer(wrong.header("allow", kind.allow()))
            }
            (_, Kind::Health) => Step::Answer(
                Answer::new(200).body("application/json", &br#"{"status":"ok"}"#[..]).for_method(seen.method),
            ),
            (_, Kind::Asset(asset, naming)) => {
                Step::Answer(assets::answer(asset, naming, self.0.origins.names_others(), seen))
            }
            (_, Kind::Signals) => self.signals(admission, seen, None).map_or_else(Step::Answer, Step::Signals),
            (_, Kind::Assess) => self.message(admission, seen, Some(Message::Assess)),
            (_, Kind::Challenge) => self.message(admission, seen, Some(Message::Challenge)),
            (_, Kind::ChallengeAnswer) => {
                self.message(admission, seen, routes::challenge_id(seen.path).map(Message::Answer))
            }
            (_, Kind::Channel) => self.channel(admission, seen).map_or_else(Step::Answer, Step::Channel),
        };
        match (step, admission) {
            (Step::Answer(answer), Admission::Cross(origin)) => Step::Answer(answer.for_origin(origin)),
            (step, _) => step,
        }
    }

    /// Where a request came from, by the trusted-proxy walk; `None` where the host does not tell, or a trusted
    /// proxy hides it.
    #[must_use]
    pub fn visitor(&self, seen: &Observation<'_>) -> Option<Peer> {
        let client = self.client(seen)?;
        client.ip.map(|ip| Peer { ip, forwarded: client.forwarded || seen.proxied })
    }

    /// Whether this peer is a proxy that is believed.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.0.proxies.trusts(crate::network::plain(peer))
    }

    /// The same for a host that has the peer's address and looks up the values of the one believed header itself.
    #[must_use]
    pub fn visitor_at<'a, V>(&self, peer: IpAddr, values: impl FnOnce(&str) -> V) -> Option<Peer>
    where
        V: DoubleEndedIterator<Item = &'a [u8]>,
    {
        let client = self.0.proxies.client(peer, values(self.0.proxies.header()));
        client.ip.map(|ip| Peer { ip, forwarded: client.forwarded })
    }

    /// The edge that the current request passes through, if the host says so by [`Passing`](crate::Passing).
    #[must_use]
    pub fn current() -> Option<Self> {
        current::relay()
    }

    /// A new session for the page that answers `seen`. The page must be sent with `Cache-Control: no-store`: see
    /// [`Passing::carries_reference`](crate::Passing::carries_reference).
    ///
    /// # Errors
    ///
    /// When the operating system has no randomness to give.
    pub fn open_page(&self, seen: &Observation<'_>) -> Result<PageSession, NoRandomness> {
        self.keep_fresh();
        let ip = self.client(seen).and_then(|client| client.ip);
        let session = self.0.signed_refs.mint(SystemTime::now(), ip, seen.user_agent())?;
        if self.0.settings.reports_pages() {
            self.0.pages.report(self, &session, self.client(seen), seen);
        }
        current::note_reference();
        Ok(PageSession {
            session,
            mount: Arc::clone(&self.0.mount),
            profile: self.0.settings.profile(),
            assess_profile: self.0.settings.assess_profile(),
        })
    }

    /// Waits until no latency channel is open, and what siblings' channels measured is on its way to Octet: for a host
    /// that stops, and takes no more connections. No channel opens meanwhile.
    pub async fn channels_ended(&self) {
        // Whoever has every place is alone. Nobody closes the semaphore.
        let _ = self.0.channel_slots.acquire_many(MAX_CHANNELS).await;
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// What a content delivery network says of the browser's connection, where a trusted peer forwards for it.
    pub(crate) fn cdn(&self, client: Option<Client>, seen: &Observation<'_>) -> Option<CdnObservation> {
        client.filter(|client| client.forwarded).and_then(|_| self.0.cdn.observe(seen))
    }

    fn client(&self, seen: &Observation<'_>) -> Option<Client> {
        Some(self.0.proxies.client(seen.peer?, seen.values(self.0.proxies.header())))
    }

    fn options(&self, kind: Kind, admission: Admission<'_>, seen: &Observation<'_>) -> Answer {
        let answer = Answer::new(204).header("allow", kind.allow()).header("cache-control", "no-store");
        match (seen.header("access-control-request-method"), admission) {
            (Some(_), Admission::Refused) => self.foreign(),
            (Some(_), Admission::Same | Admission::Cross(_)) => answer
                .header("access-control-allow-methods", kind.allow())
                .header("access-control-allow-headers", "content-type")
                .header("access-control-max-age", "600"),
            (None, _) => answer,
        }
    }

    /// A message for a bot verdict; none where the path does not say which.
    fn message(&self, admission: Admission<'_>, seen: &Observation<'_>, message: Option<Message>) -> Step {
        let Some(message) = message else { return Step::Answer(malformed()) };
        self.signals(admission, seen, Some(message)).map_or_else(Step::Answer, Step::Signals)
    }

    fn signals(
        &self,
        admission: Admission<'_>,
        seen: &Observation<'_>,
        message: Option<Message>,
    ) -> Result<Box<SignalsRequest>, Answer> {
        self.refuse_foreign(admission)?;
        let client = self.client(seen);
        check(if message.is_some() { &self.0.assess_limit } else { &self.0.signals_limit }, client)?;
        SignalsRequest::new(self, client, admission, seen, message).map(Box::new)
    }

    fn channel(&self, admission: Admission<'_>, seen: &Observation<'_>) -> Result<Box<Opening>, Answer> {
        let accept = crate::handshake::accept(seen)?;
        self.refuse_foreign(admission)?;
        let client = self.client(seen);
        check(&self.0.channels_limit, client)?;
        let session = session_of(seen.query)?;
        let ip = client.and_then(|client| client.ip);
        let inspection = self.inspect(&session, ip, seen.user_agent())?;
        let sibling = peers::is_sibling(seen.query)
            .then(|| EdgeObservations { session: inspection.observation(), ..observations(self, client, seen) });
        Opening::new(self, session, ip, accept, sibling, Instant::now()).map(Box::new)
    }

    /// What a reference is, or the refusal where this edge takes signed ones only.
    pub(crate) fn inspect(
        &self,
        session: &SessionRef,
        ip: Option<IpAddr>,
        user_agent: &[u8],
    ) -> Result<Inspection, Answer> {
        let inspection = self.0.signed_refs.inspect(session, SystemTime::now(), ip, user_agent);
        if self.0.require_signed_refs && inspection == Inspection::Unsigned {
            let advice = "this edge takes references only that it signed itself for a page, and that have not expired";
            return Err(Answer::problem(Code::UnsignedRef, advice));
        }
        Ok(inspection)
    }

    fn refuse_foreign(&self, admission: Admission<'_>) -> Result<(), Answer> {
        if admission == Admission::Refused { Err(self.foreign()) } else { Ok(()) }
    }

    fn foreign(&self) -> Answer {
        Answer::problem(Code::OriginRejected, self.0.origins.refusal())
    }
}

fn check(limit: &NetworkLimit, client: Option<Client>) -> Result<(), Answer> {
    match client.and_then(|client| client.ip).map_or(Ok(()), |ip| limit.check(ip)) {
        Ok(()) => Ok(()),
        Err(wait) => {
            let refusal = Answer::problem(Code::RateLimited, "too many requests from this network");
            Err(refusal.retry_after(wait.as_secs() + 1))
        }
    }
}

/// The reference in the query of an upgrade; its grammar needs no percent-encoding.
fn session_of(query: Option<&str>) -> Result<SessionRef, Answer> {
    let pairs = query.unwrap_or_default().split('&');
    let session = pairs.filter_map(|pair| pair.strip_prefix("ref=")).next().and_then(|text| text.parse().ok());
    session.ok_or_else(|| {
        Answer::problem(Code::MalformedRef, "the query must hold ref=, 1 to 128 of A-Z a-z 0-9 _ -, as the page has it")
    })
}
