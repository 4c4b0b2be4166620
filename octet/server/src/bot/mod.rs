//! Bot verdicts on the service's side: what pages report, what they are told, and what is kept of it. Knows apps and
//! what came; how a score comes about is the engine's business.

mod answer;
mod assess;
mod challenge;
mod data;
mod evidence;
mod export;
mod pages;
mod query;
mod sessions;

use std::sync::Arc;

use octet::data::Visit;
use octet::fact::Text;
use octet::observations::EdgeObservations;
use octet_engine::bot::Sign;
use tokio::sync::Semaphore;

use crate::Limits;
use crate::clock::Clock;
use crate::failure::Failure;
use crate::records::App;
use crate::sessions::Network;
use crate::shares::Shares;
use crate::visits::{Overflow, VisitLog, Written};

pub(crate) use answer::challenge_answer;
pub(crate) use assess::assess;
pub(crate) use challenge::challenge;
pub(crate) use data::{export, stats, verdict};
pub(crate) use pages::pages;

use challenge::Challenges;
use sessions::BotSessions;

/// How many exports run at a time, and how many of one app.
const EXPORTS: usize = 8;
const EXPORTS_OF_AN_APP: usize = 2;
/// How many challenges are made at a time: each takes 8 MiB for some milliseconds.
const CHALLENGES_AT_ONCE: usize = 4;

/// Everything that bot verdicts need beside the rest of the service.
pub(crate) struct Bot {
    sessions: BotSessions,
    challenges: Challenges,
    making_challenges: Semaphore,
    log: VisitLog,
    exports: Arc<Semaphore>,
    exports_of_app: Shares<octet::AppKey>,
}

impl Bot {
    pub(crate) fn open(log: VisitLog, limits: &Limits, clock: &Arc<dyn Clock>) -> Self {
        Self {
            sessions: BotSessions::new(limits, Arc::clone(clock)),
            challenges: Challenges::new(log.clone(), limits.sessions),
            making_challenges: Semaphore::new(CHALLENGES_AT_ONCE),
            log,
            exports: Arc::new(Semaphore::new(EXPORTS)),
            exports_of_app: Shares::new(EXPORTS_OF_AN_APP),
        }
    }

    /// Records the pages whose collector did not report.
    pub(crate) fn sweep(&self) {
        self.record_unread(self.sessions.due_pages());
    }

    /// Records what is left, before the service ends.
    pub(crate) async fn finish(&self) {
        self.record_unread(self.sessions.all_pages());
        self.log.flush().await;
    }

    pub(crate) fn log(&self) -> &VisitLog {
        &self.log
    }

    /// A session's collector has reported, whatever for: its page is no unread one.
    pub(crate) fn reported(&self, key: &crate::sessions::Key) {
        self.sessions.reported(key);
    }

    fn record_unread(&self, pages: Vec<crate::visits::NewVisit>) {
        for page in pages {
            // What overflows is counted there.
            let _ = self.log.record(page);
        }
    }
}

/// Waits for what was recorded where the log is kept in step. There a row that cannot be written is no answer.
async fn written(recorded: Result<Option<Written>, Overflow>, log: &VisitLog) -> Result<(), Failure> {
    let unavailable = || {
        let detail = "the visit log cannot be written now; send it again";
        Failure::new(octet::problem::Code::StoreUnavailable, detail).retry_after(1)
    };
    match recorded {
        Ok(None) => Ok(()),
        Ok(Some(written)) => match tokio::time::timeout(LONGEST_COMMIT, written).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(unavailable()),
        },
        Err(Overflow) if log.is_in_step() => Err(unavailable()),
        Err(Overflow) => {
            tracing::warn!("more visits wait to be written than may: a row was dropped");
            Ok(())
        }
    }
}

/// How long an answer waits for its row, where the log is kept in step.
const LONGEST_COMMIT: std::time::Duration = std::time::Duration::from_secs(5);

/// The network of whoever sent a message.
fn network(observations: &EdgeObservations) -> Option<Network> {
    observations.peer.map(|peer| Network::of(peer.ip))
}

/// Invalid traffic whatever the score: a prefetch, or a crawler that says so.
fn is_invalid(signs: &[Sign], purpose: Option<&Text>) -> bool {
    let prefetched = purpose.is_some_and(|purpose| purpose.as_str().to_ascii_lowercase().contains("prefetch"));
    prefetched || signs.contains(&Sign::Crawler)
}

/// The visit as the Data API shows it, when it is an app's.
fn visible(app: &App, visit: Option<(octet::AppKey, Visit)>) -> Option<Visit> {
    visit.filter(|(key, _)| *key == app.key).map(|(_, visit)| visit)
}
