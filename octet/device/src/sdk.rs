//! A session on a device: started once, asked many times, stopped. Holds its state and the order in which it is set up;
//! how a question is answered is `loc`'s business.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use octet::timeline::{Reading, Timeline};
use octet::{LicenseKey, Region, SessionRef};
use octet_transport::Transport;

use crate::attestation::{self, Asked, Attestor, Vouched};
use crate::clock::Clock;
use crate::fix::{Fix, FixSink, FixSource};
use crate::loc::Loc;
use crate::maps::{self, Maps};
use crate::signer::{DeviceKey, SoftwareKey};
use crate::{OctetConfig, StartError, license, motion};

/// How many fixes are kept for questions about the past.
const MOST_FIXES: usize = 512;
/// How long after an outage Octet is asked again to vouch for the key.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// A session on this device. Cheap to clone; clones are one session, which ends with [`Self::stop`] or with the last.
#[derive(Debug, Clone)]
pub struct Octet {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) session: SessionRef,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) key: Arc<dyn DeviceKey>,
    pub(crate) maps: Maps,
    license: LicenseKey,
    transport: Transport,
    attestor: Arc<dyn Attestor>,
    source: Option<Arc<dyn FixSource>>,
    state: Mutex<State>,
    /// One at a time asks Octet to vouch for the key.
    asking: tokio::sync::Mutex<()>,
}

/// What changes in a session.
pub(crate) struct State {
    pub(crate) timeline: Timeline<Fix>,
    pub(crate) vouched: Standing,
    /// The last fix that was plausible.
    last: Option<(Reading, Fix)>,
}

/// What Octet says of the device's key.
#[derive(Debug, Clone)]
pub(crate) enum Standing {
    Vouched(Arc<Vouched>),
    Refused,
    /// Octet could not be reached at this reading.
    Unreachable(Duration),
}

impl Octet {
    /// Starts a session: checks the licence, makes a key, and has Octet vouch for it.
    ///
    /// That Octet cannot be reached, or does not vouch for the key, is no error: questions are then answered with
    /// `ATTESTATION_FAILED`, and Octet is asked again later when it could not be reached.
    ///
    /// # Errors
    ///
    /// What the app's developer has to mend: see [`StartError`].
    pub async fn start(config: OctetConfig) -> Result<Self, StartError> {
        let OctetConfig { license, issuers, url, tls, transport, source, key, attestor, borders, clock } = config;
        license::check(&license, &issuers, clock.read().wall)?;
        let transport = match (transport, url.or_else(|| std::env::var("OCTET_URL").ok())) {
            (Some(transport), _) => transport,
            (None, Some(url)) => Transport::connect(&url, &tls)?,
            (None, None) => return Err(StartError::NoUrl),
        };
        let key = match key {
            Some(key) => key,
            None => Arc::new(SoftwareKey::generate()?),
        };
        let borders = match borders {
            Some(borders) => borders,
            None => maps::fetch("/v1/borders", &transport, &license).await.unwrap_or_default(),
        };
        let session = SessionRef::mint();
        let mut timeline = Timeline::new(MOST_FIXES);
        timeline.start();
        let state = State { timeline, vouched: Standing::Unreachable(Duration::ZERO), last: None };
        let inner = Inner {
            session,
            clock,
            key,
            maps: Maps::new(borders),
            license,
            transport,
            attestor,
            source,
            state: Mutex::new(state),
            asking: tokio::sync::Mutex::new(()),
        };
        let sdk = Self { inner: Arc::new(inner) };
        sdk.inner.ask().await;
        if let Some(source) = &sdk.inner.source {
            source.start(sdk.fixes());
        }
        Ok(sdk)
    }

    /// Questions about where the device is.
    #[must_use]
    pub fn loc(&self) -> Loc<'_> {
        Loc(&self.inner)
    }

    /// The session's reference, for the app's backend: proofs carry its digest.
    #[must_use]
    pub fn session(&self) -> &SessionRef {
        &self.inner.session
    }

    /// Where fixes are pushed in.
    #[must_use]
    pub fn fixes(&self) -> FixSink {
        FixSink(Arc::downgrade(&self.inner))
    }

    /// Ends the session: fixes are forgotten, and every question is answered with `SDK_NOT_RUNNING` from now on.
    pub fn stop(&self) {
        self.inner.state().timeline.stop();
        if let Some(source) = &self.inner.source {
            source.stop();
        }
    }
}

impl Inner {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is left half done under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a fix in, unless nothing can have moved so.
    pub(crate) fn take(&self, fix: Fix) {
        if !fix.is_usable() {
            return;
        }
        let now = self.clock.read();
        let mut state = self.state();
        if !state.timeline.is_running() {
            return;
        }
        let plausible = state
            .last
            .is_none_or(|(then, last)| motion::is_plausible(&last, &fix, now.monotonic.saturating_sub(then.monotonic)));
        if plausible {
            state.timeline.push(now, fix);
        } else {
            // Which of the two is wrong is not known: neither counts.
            state.timeline.start();
        }
        state.last = Some((now, fix));
    }

    /// Sees to it that the map is here that a question about this region needs, where there is one.
    pub(crate) async fn provide(&self, region: &Region) {
        self.maps.provide(region, &self.transport, &self.license, self.clock.read().monotonic).await;
    }

    /// What Octet says of the key; asks again after an outage.
    pub(crate) async fn vouched(&self) -> Standing {
        let standing = self.state().vouched.clone();
        match standing {
            Standing::Unreachable(at) if self.clock.read().monotonic.saturating_sub(at) >= RETRY_AFTER => {
                self.ask().await;
                self.state().vouched.clone()
            }
            standing => standing,
        }
    }

    async fn ask(&self) {
        let Ok(_turn) = self.asking.try_lock() else { return };
        let asked =
            attestation::ask(&self.transport, &self.license, &self.session, self.key.as_ref(), self.attestor.as_ref());
        let standing = match asked.await {
            Asked::Vouched(vouched) => Standing::Vouched(Arc::from(vouched)),
            Asked::Refused => Standing::Refused,
            Asked::Unreachable => Standing::Unreachable(self.clock.read().monotonic),
        };
        self.state().vouched = standing;
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(source) = &self.source {
            source.stop();
        }
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").finish_non_exhaustive()
    }
}
