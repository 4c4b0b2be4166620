//! Tells Octet which pages were served, so that a page whose collector never reports is known too. In the background,
//! bounded, and given up under load: no page ever waits for it.

use std::sync::Arc;

use octet::page::PageServed;
use octet::{AppKey, SessionRef};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::Observation;
use crate::forwarded::Client;
use crate::observation::text;
use crate::relay::Relay;
use crate::signals::observations;

/// How many pages are told of at a time; any more are not.
const AT_ONCE: usize = 64;

#[derive(Debug)]
pub(crate) struct Pages {
    slots: Arc<Semaphore>,
    app: Option<AppKey>,
}

impl Pages {
    pub(crate) fn new(app: Option<AppKey>) -> Self {
        Self { slots: Arc::new(Semaphore::new(AT_ONCE)), app }
    }

    /// Tells of a page that is being served, when there is a runtime and room for it.
    pub(crate) fn report(&self, relay: &Relay, session: &SessionRef, client: Option<Client>, seen: &Observation<'_>) {
        let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else { return };
        let Ok(runtime) = Handle::try_current() else { return };
        let page = PageServed {
            session_ref: session.clone(),
            app_key: self.app.clone(),
            host: seen.host().map(text),
            purpose: seen.header("sec-purpose").or(seen.header("purpose")).map(text),
            observations: observations(relay, client, seen),
        };
        let Ok(body) = serde_json::to_vec(&page) else { return };
        let upstream = Arc::clone(&relay.inner().upstream);
        runtime.spawn(async move {
            upstream.tell("/v1/pages", body.into()).await;
            drop(slot);
        });
    }
}
