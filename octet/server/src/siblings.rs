//! What sibling edges saw of a session, each under its own licence, until the bundle comes that brings their channels'
//! tickets. Bounded in number and time; draws no conclusion from any of it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use octet::fact::Text;
use octet::observations::{Accepted, EdgeObservations, MAX_SIBLINGS, SiblingObservations, Ticket};
use octet::signals::CollectorSignals;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::PartnerName;
use crate::clock::Clock;
use crate::failure::{Failure, json};
use crate::identity;
use crate::ingest::{busy, parse, read};
use crate::omissions::is_complete;
use crate::service::Shared;
use crate::sessions::Key;
use crate::shares::Shares;

/// How long a complete bundle waits for the siblings that it names.
const LONGEST_WAIT: Duration = Duration::from_millis(300);
/// How long a report waits for its bundle: a collection lasts at most 3 seconds, and is sent twice.
const LIFETIME: Duration = Duration::from_secs(20);
/// How many sessions have reports at a time; no partner has more than half as many.
const MOST_SESSIONS: usize = 1 << 15;
/// How many bundles of one partner wait for siblings at a time; over it, the next take what is there.
const MOST_WAITING: usize = 256;

/// `POST /v1/observations`.
pub(crate) async fn observations(
    State(shared): State<Arc<Shared>>,
    request: Request<Body>,
) -> Result<Response<Body>, Failure> {
    let taken = take(&shared, request).await.inspect_err(|failure| {
        shared.counters.edge_refusals.add();
        tracing::debug!(code = failure.code().as_str(), "a sibling's report refused");
    })?;
    if !taken {
        shared.counters.siblings_dropped.add();
    }
    tracing::debug!(taken, "a sibling's report");
    Ok(json(StatusCode::ACCEPTED, &Accepted {}))
}

async fn take(shared: &Shared, request: Request<Body>) -> Result<bool, Failure> {
    if shared.shutdown.is_cancelled() {
        return Err(Failure::shutting_down());
    }
    let (parts, body) = request.into_parts();
    let edge = identity::edge(shared, &parts)?;
    shared.siblings_limit.check(&edge.partner)?;
    let _share = shared.siblings.reporting.take(edge.partner.clone()).ok_or_else(busy)?;
    let report: SiblingObservations = parse(&read(&parts.headers, body).await?)?;
    edge.covers(&report.observations.edge)?;
    let key = Key { partner: edge.partner, session: report.session_ref.clone() };
    Ok(shared.siblings.report(&key, report))
}

/// The reports that wait for their bundles.
#[derive(Debug)]
pub(crate) struct Siblings {
    state: Mutex<Held>,
    clock: Arc<dyn Clock>,
    waiting: Shares<PartnerName>,
    reporting: Shares<PartnerName>,
}

#[derive(Debug, Default)]
struct Held {
    sessions: HashMap<Key, Reports>,
    of_partner: HashMap<PartnerName, usize>,
    /// When each session's reports are forgotten; oldest first.
    ends: VecDeque<(Duration, Key)>,
}

#[derive(Debug, Default)]
struct Reports {
    came: Vec<SiblingObservations>,
    arrival: Arc<Notify>,
    /// Nothing is taken any more from this time on: set by the first complete bundle.
    until: Option<Instant>,
}

impl Siblings {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            state: Mutex::default(),
            clock,
            waiting: Shares::new(MOST_WAITING),
            reporting: Shares::new(MOST_WAITING),
        }
    }

    /// Keeps a report, unless it is too late, its edge has reported already, or there are too many.
    fn report(&self, key: &Key, mut report: SiblingObservations) -> bool {
        let mut state = self.current();
        let Some(reports) = state.entry(key, self.clock.monotonic()) else { return false };
        let known = |other: &SiblingObservations| other.observations.edge.id == report.observations.edge.id;
        let late = reports.until.is_some_and(|until| Instant::now() >= until);
        if late || reports.came.len() >= MAX_SIBLINGS || reports.came.iter().any(known) {
            return false;
        }
        shrink(&mut report.observations);
        reports.came.push(report);
        reports.arrival.notify_waiters();
        true
    }

    /// What the siblings saw whose tickets the bundle brings. A complete bundle waits for those that are still to
    /// report, and the first of a session says until when.
    pub(crate) async fn join(
        &self,
        shared: &Shared,
        partner: &PartnerName,
        signals: &CollectorSignals,
    ) -> Vec<SiblingObservations> {
        let tickets: Vec<&Text> =
            signals.siblings.as_slice().iter().filter_map(|report| report.ticket.as_ref()).collect();
        if tickets.is_empty() {
            return Vec::new();
        }
        let expected = shared.records.snapshot().expected(partner, shared.clock.now());
        let place = is_complete(signals, &expected).then(|| self.waiting.take(partner.clone())).flatten();
        let key = Key { partner: partner.clone(), session: signals.session_ref.clone() };
        let joined = self.gather(&key, &tickets, place.is_some()).await;
        joined.iter().for_each(|_| shared.counters.siblings_joined.add());
        joined
    }

    async fn gather(&self, key: &Key, tickets: &[&Text], patient: bool) -> Vec<SiblingObservations> {
        loop {
            let (found, until, arrival) = {
                let mut state = self.current();
                let Some(reports) = state.entry(key, self.clock.monotonic()) else { return Vec::new() };
                let until = match reports.until {
                    None if patient => *reports.until.insert(Instant::now() + LONGEST_WAIT),
                    until => until.unwrap_or_else(Instant::now),
                };
                let brought = |report: &&SiblingObservations| tickets.contains(&&report.ticket);
                let found: Vec<_> = reports.came.iter().filter(brought).cloned().collect();
                // From here on: what arrives before it is awaited wakes too.
                (found, until, Arc::clone(&reports.arrival).notified_owned())
            };
            if !patient || found.len() >= tickets.len() || Instant::now() >= until {
                return found;
            }
            tokio::select! {
                () = arrival => {}
                () = tokio::time::sleep_until(until) => {}
            }
        }
    }

    /// Forgets what no bundle came for.
    pub(crate) fn sweep(&self) {
        drop(self.current());
    }

    fn current(&self) -> MutexGuard<'_, Held> {
        // The state is whole at every step.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.monotonic();
        while state.ends.front().is_some_and(|(end, _)| *end <= now) {
            let Some((_, key)) = state.ends.pop_front() else { break };
            state.end(&key);
        }
        state
    }
}

impl Held {
    /// The reports of a session; none where there is no room for another session.
    fn entry(&mut self, key: &Key, now: Duration) -> Option<&mut Reports> {
        if !self.sessions.contains_key(key) {
            let of_partner = self.of_partner.get(&key.partner).copied().unwrap_or(0);
            if self.sessions.len() >= MOST_SESSIONS || of_partner >= MOST_SESSIONS / 2 {
                return None;
            }
            self.of_partner.insert(key.partner.clone(), of_partner + 1);
            self.ends.push_back((now.saturating_add(LIFETIME), key.clone()));
        }
        Some(self.sessions.entry(key.clone()).or_default())
    }

    fn end(&mut self, key: &Key) {
        self.sessions.remove(key);
        if let Some(held) = self.of_partner.get_mut(&key.partner) {
            *held -= 1;
            if *held == 0 {
                self.of_partner.remove(&key.partner);
            }
        }
    }
}

/// Keeps only what evidence is made of. That the bundle brings the ticket is what it is joined by.
fn shrink(observations: &mut EdgeObservations) {
    observations.channel.ticket = Ticket::Valid;
    observations.header_names = None;
    observations.headers = Default::default();
}
