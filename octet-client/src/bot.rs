//! Questions to the Data API: is this visit a bot's, how many were, and which. Asks, retries and reads; knows nothing of
//! how a verdict comes about.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use jiff::Timestamp;
use jiff::civil::Date;
use octet::data::{BotStats, Data, Visit};
use octet::problem::{Code, Problem};
use octet::{BotVerdict, ClickToken, SessionRef, header};
use octet_transport::Limits;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

use crate::budget::{LONGEST_PAUSE, pause};
use crate::verdict::retry_after;
use crate::{Error, OctetClient};

/// How many visits are fetched at a time, and how large they are at most together.
const PAGE: usize = 1_000;
const LARGEST_PAGE: usize = 1024 * 1024;
/// How often a visit is looked for while it is not there yet.
const LOOK: Duration = Duration::from_millis(200);

/// What Octet knows of a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BotLookup {
    /// The verdict, fully computed.
    Known(Visit),
    /// The verdict could not be fully computed: unknown, not clean. Of a page whose collector never reported it says what
    /// the connection alone gives; see [`BotVerdict::is_unread`].
    Degraded(Visit),
    /// There is no such visit, or none yet: unknown, not clean.
    Unknown,
}

impl BotLookup {
    /// The verdict; the degraded one where there is none.
    #[must_use]
    pub fn verdict(&self) -> BotVerdict {
        match self {
            Self::Known(visit) | Self::Degraded(visit) => visit.verdict,
            Self::Unknown => BotVerdict::degraded(),
        }
    }
}

/// A period: days of UTC, both of which belong to it, or instants, the second of which does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// Whole days of UTC.
    Days(Date, Date),
    /// From the first instant to before the second.
    Instants(Timestamp, Timestamp),
}

impl Period {
    fn query(&self) -> String {
        match self {
            Self::Days(from, to) => format!("from={from}&to={to}"),
            Self::Instants(from, to) => format!("from={from}&to={to}"),
        }
    }
}

impl OctetClient {
    /// Asks whether the visit of `session` is a bot's. Needs the app's key and secret; see
    /// [`Builder::app`](crate::Builder::app).
    pub fn bot_verdict(&self, session: impl AsRef<SessionRef>) -> BotVerdictRequest {
        let path = format!("/v1/bot/verdict?cid={}", session.as_ref().as_str());
        BotVerdictRequest { client: self.clone(), path, wait: Duration::ZERO }
    }

    /// Asks for the first visit that carried `token`; its `visits` says how many did.
    pub fn bot_verdict_of_click(&self, token: &ClickToken) -> BotVerdictRequest {
        let path = format!("/v1/bot/verdict?click_token={}", token.expose());
        BotVerdictRequest { client: self.clone(), path, wait: Duration::ZERO }
    }

    /// The figures of a period.
    ///
    /// # Errors
    ///
    /// When Octet cannot be reached, or refuses key, secret or period.
    pub async fn bot_stats(&self, period: Period) -> Result<BotStats, Error> {
        let response = self.ask_data(&format!("/v1/bot/stats?{}", period.query()), 64 * 1024).await?;
        read::<Data<BotStats>>(&response).map(|answer| answer.data)
    }

    /// The visits of a period, oldest first, however many: a thousand at a time are in memory.
    #[must_use]
    pub fn bot_export(&self, period: Period) -> BotExport {
        BotExport { client: self.clone(), period, cursor: None, fetched: VecDeque::new(), ended: false }
    }

    /// Asks the Data API, again where that can help and the budget allows it.
    async fn ask_data(&self, path: &str, max_body: usize) -> Result<Response<Bytes>, Error> {
        let inner = &self.inner;
        inner.budget.deposit();
        let begun = Instant::now();
        let mut retries = 0;
        loop {
            let left = inner.timeout.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(Error::timeout());
            }
            let error = match self.ask_data_once(path, Limits { timeout: left, max_body }).await {
                Err(error) if error.is_transient() => error,
                answer => return answer,
            };
            let pause = error.retry_after().unwrap_or_else(|| pause(retries));
            let hopeless = pause > LONGEST_PAUSE || begun.elapsed() + pause >= inner.timeout;
            if hopeless || !inner.budget.withdraw(retries) {
                return Err(error);
            }
            retries += 1;
            sleep(pause).await;
        }
    }

    async fn ask_data_once(&self, path: &str, limits: Limits) -> Result<Response<Bytes>, Error> {
        let Some((key, secret)) = &self.inner.app else {
            return Err(Error::configuration("an app's key and secret are needed; `octet app add` prints them"));
        };
        let request = Request::get(path).header(header::APP_KEY, key).header(header::APP_SECRET, secret);
        let request = request.body(Bytes::new()).map_err(|error| Error::configuration(error.to_string()))?;
        let response = self.inner.transport.send(request, limits).await.map_err(Error::transport)?;
        let problem = || serde_json::from_slice::<Problem>(response.body()).ok();
        match response.status() {
            StatusCode::OK => Ok(response),
            StatusCode::NOT_FOUND if problem().is_some_and(|problem| problem.code == Code::VisitUnknown) => {
                Ok(response)
            }
            status => Err(Error::status(status.as_u16(), problem(), retry_after(&response))),
        }
    }
}

fn read<T: DeserializeOwned>(response: &Response<Bytes>) -> Result<T, Error> {
    let unreadable =
        |error: serde_json::Error| Error::protocol(format!("the answer cannot be read: {:?}", error.classify()));
    serde_json::from_slice(response.body()).map_err(unreadable)
}

/// A question for a bot verdict; ask it with `.await`.
///
/// ```no_run
/// # async fn checkout(octet: octet_client::OctetClient, session: octet_client::SessionRef) -> bool {
/// use std::time::Duration;
/// // Whatever happens there is a verdict: without an answer it is degraded, which is unknown and not clean.
/// let verdict = octet.bot_verdict(&session).wait(Duration::from_secs(2)).or_degraded().await;
/// verdict.is_degraded() || verdict.is_bot()
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a question is asked when it is awaited"]
pub struct BotVerdictRequest {
    client: OctetClient,
    path: String,
    wait: Duration,
}

impl BotVerdictRequest {
    /// Looks again for as long while there is no such visit. Without it, the answer comes at once.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// The policy for outages: the verdict, and the degraded one whenever there is none, for whatever reason.
    pub async fn or_degraded(self) -> BotVerdict {
        self.await.map_or_else(|_| BotVerdict::degraded(), |lookup| lookup.verdict())
    }

    async fn look(self) -> Result<BotLookup, Error> {
        let begun = Instant::now();
        loop {
            let response = self.client.ask_data(&self.path, 64 * 1024).await?;
            if response.status() == StatusCode::OK {
                let visit = read::<Data<Visit>>(&response)?.data;
                let degraded = visit.verdict.is_degraded();
                return Ok(if degraded { BotLookup::Degraded(visit) } else { BotLookup::Known(visit) });
            }
            let left = self.wait.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(BotLookup::Unknown);
            }
            sleep(LOOK.min(left)).await;
        }
    }
}

impl IntoFuture for BotVerdictRequest {
    type Output = Result<BotLookup, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.look())
    }
}

/// The visits of a period, one after the other; from [`OctetClient::bot_export`].
///
/// ```no_run
/// # async fn reconcile(octet: octet_client::OctetClient, june: octet_client::Period) -> Result<(), octet_client::Error> {
/// let mut visits = octet.bot_export(june);
/// while let Some(visit) = visits.next().await? {
///     println!("{} {}", visit.time, visit.verdict.score());
/// }
/// # Ok(())
/// # }
/// ```
pub struct BotExport {
    client: OctetClient,
    period: Period,
    cursor: Option<String>,
    fetched: VecDeque<Line>,
    ended: bool,
}

#[derive(Deserialize)]
struct Line {
    #[serde(flatten)]
    visit: Visit,
    cursor: String,
}

impl BotExport {
    /// Goes on where another export came to: after the visit at which [`Self::cursor`] was this text.
    #[must_use]
    pub fn after(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }

    /// Where to go on after the last visit that was given; none before the first.
    #[must_use]
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// The next visit; none when all were given.
    ///
    /// # Errors
    ///
    /// When Octet cannot be reached, or refuses key, secret, period or cursor. The next call tries again.
    pub async fn next(&mut self) -> Result<Option<Visit>, Error> {
        if self.fetched.is_empty() && !self.ended {
            self.fetch().await?;
        }
        let line = self.fetched.pop_front();
        Ok(line.map(|line| {
            self.cursor = Some(line.cursor);
            line.visit
        }))
    }

    async fn fetch(&mut self) -> Result<(), Error> {
        let cursor = self.cursor.as_ref().map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        let path = format!("/v1/bot/export?{}&format=ndjson&limit={PAGE}{cursor}", self.period.query());
        let response = self.client.ask_data(&path, LARGEST_PAGE).await?;
        let lines = serde_json::Deserializer::from_slice(response.body()).into_iter();
        let lines: Result<VecDeque<Line>, _> = lines.collect();
        self.fetched =
            lines.map_err(|error| Error::protocol(format!("the export cannot be read: {:?}", error.classify())))?;
        self.ended = self.fetched.len() < PAGE;
        Ok(())
    }
}

impl fmt::Debug for BotExport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BotExport").field("period", &self.period).finish_non_exhaustive()
    }
}
