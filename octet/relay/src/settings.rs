//! What Octet has set for this partner, fetched in the background and never on a page's path. The standard
//! profile stands until Octet has said otherwise.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use octet::{EdgeSettings, Profile};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::upstream::Upstream;

const REFRESH: Duration = Duration::from_secs(5 * 60);
/// The first wait after a failure; it doubles up to [`REFRESH`].
const RETRY: Duration = Duration::from_secs(5);

const PROFILES: [Profile; 3] = [Profile::Essential, Profile::Standard, Profile::Full];

/// The settings that the edge knows now.
#[derive(Debug)]
pub(crate) struct Settings {
    known: Arc<Known>,
    started: AtomicBool,
    /// The background task ends when this goes.
    alive: Mutex<Option<oneshot::Sender<()>>>,
}

#[derive(Debug)]
struct Known {
    profile: AtomicU8,
    assess_profile: AtomicU8,
    pages: AtomicBool,
}

impl Known {
    fn set(&self, settings: &EdgeSettings) {
        self.profile.store(settings.profile as u8, Ordering::Relaxed);
        self.assess_profile.store(settings.assess_profile.unwrap_or(Profile::Full) as u8, Ordering::Relaxed);
        self.pages.store(settings.pages, Ordering::Relaxed);
    }
}

impl Default for Settings {
    fn default() -> Self {
        let known = Known { profile: AtomicU8::default(), assess_profile: AtomicU8::default(), pages: false.into() };
        known.set(&EdgeSettings::default());
        Self { known: Arc::new(known), started: AtomicBool::new(false), alive: Mutex::default() }
    }
}

fn read(profile: &AtomicU8) -> Profile {
    let index = usize::from(profile.load(Ordering::Relaxed));
    PROFILES.get(index).copied().unwrap_or_default()
}

impl Settings {
    pub(crate) fn profile(&self) -> Profile {
        read(&self.known.profile)
    }

    /// What the pages of the partner's apps have collected for a bot verdict.
    pub(crate) fn assess_profile(&self) -> Profile {
        read(&self.known.assess_profile)
    }

    /// Whether Octet wants to hear which pages were served.
    pub(crate) fn reports_pages(&self) -> bool {
        self.known.pages.load(Ordering::Relaxed)
    }

    /// Starts the refresh in the background, once; without a runtime to run it in, a later call does.
    pub(crate) fn keep_fresh(&self, upstream: &Arc<Upstream>) {
        if self.started.load(Ordering::Relaxed) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        if self.started.swap(true, Ordering::Relaxed) {
            return;
        }
        let (sender, owner) = oneshot::channel();
        *self.alive.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        runtime.spawn(refresh(Arc::clone(&self.known), Arc::clone(upstream), owner));
    }
}

async fn refresh(known: Arc<Known>, upstream: Arc<Upstream>, mut owner: oneshot::Receiver<()>) {
    let mut retry = RETRY;
    loop {
        let wait = if let Some(settings) = upstream.settings().await {
            known.set(&settings);
            retry = RETRY;
            REFRESH
        } else {
            let wait = retry;
            retry = (retry * 2).min(REFRESH);
            wait
        };
        if tokio::time::timeout(wait, &mut owner).await.is_ok() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::AtomicUsize;

    use bytes::Bytes;
    use http::{Request, Response};
    use http_body_util::Full;
    use octet_transport::Transport;

    use super::*;

    /// Octet as a service that answers the calls in turn, the last one for ever.
    fn octet(answers: &'static [(u16, &'static str)]) -> (Arc<Upstream>, Arc<AtomicUsize>) {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let service = tower::service_fn(move |request: Request<Full<Bytes>>| {
            assert_eq!(request.uri().path(), "/v1/edge-settings");
            let call = counted.fetch_add(1, Ordering::Relaxed);
            let (status, body) = answers[call.min(answers.len() - 1)];
            let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
            *response.status_mut() = status.try_into().unwrap();
            std::future::ready(Ok::<_, Infallible>(response))
        });
        (Arc::new(Upstream::new(Transport::over(service), None, Duration::from_secs(1), 1)), calls)
    }

    async fn after(time: Duration) {
        // Virtual time: the clock stands still and jumps.
        tokio::time::sleep(time).await;
    }

    #[tokio::test(start_paused = true)]
    async fn the_standard_profile_stands_until_octet_says_otherwise() {
        let (upstream, _) = octet(&[(503, ""), (200, r#"{"profile":"full","more":1}"#), (500, "")]);
        let settings = Settings::default();
        settings.keep_fresh(&upstream);
        settings.keep_fresh(&upstream);
        after(Duration::from_secs(1)).await;
        assert_eq!(settings.profile(), Profile::Standard);
        after(RETRY).await;
        assert_eq!(settings.profile(), Profile::Full);
        after(REFRESH * 3).await;
        assert_eq!(settings.profile(), Profile::Full);
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_at_octet_arrives_within_minutes_and_a_dropped_edge_asks_no_more() {
        let (upstream, calls) = octet(&[(200, r#"{"profile":"essential"}"#), (200, "{}")]);
        let settings = Settings::default();
        settings.keep_fresh(&upstream);
        after(Duration::from_secs(1)).await;
        assert_eq!(settings.profile(), Profile::Essential);
        after(REFRESH).await;
        assert_eq!(settings.profile(), Profile::Standard);
        drop(settings);
        after(Duration::from_secs(1)).await;
        let asked = calls.load(Ordering::Relaxed);
        after(REFRESH * 3).await;
        assert_eq!(calls.load(Ordering::Relaxed), asked);
    }
}
