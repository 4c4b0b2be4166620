//! One bundle on its way: checked as what a collector sends, joined with what the edge saw, and forwarded with the
//! collector's own bytes untouched. Reads no fact of it but the ticket and the session.

use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use octet::SessionRef;
use octet::observations::{ChannelObservation, EdgeObservations, Peer, SessionObservation, SignalBundle, Ticket};
use octet::problem::Code;
use octet::signals::CollectorSignals;
use serde_json::value::RawValue;

use crate::assess::{self, Message};
use crate::forwarded::Client;
use crate::observation::text;
use crate::origin::Admission;
use crate::relay::{Inner, Relay};
use crate::{Answer, Observation};

/// The largest body that a browser may post, in bytes.
pub const MAX_BODY: usize = 64 * 1024;
/// How long a body may take to arrive.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// A message of the collector whose body is still to be read: a bundle, or one of those for a bot verdict.
#[derive(Debug)]
pub struct SignalsRequest {
    sender: Sender,
    /// None for a bundle.
    message: Option<Message>,
    cross_origin: Option<String>,
}

/// Who sent a message, as the edge saw it.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) relay: Relay,
    observations: EdgeObservations,
    user_agent: Vec<u8>,
}

/// Why a body did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyError {
    /// It is larger than [`MAX_BODY`].
    TooLarge,
    /// It broke off, or took too long.
    Incomplete,
}

impl SignalsRequest {
    pub(crate) fn new(
        relay: &Relay,
        client: Option<Client>,
        admission: Admission<'_>,
        seen: &Observation<'_>,
        message: Option<Message>,
    ) -> Result<Self, Answer> {
        let length = seen.header("content-length").and_then(|value| std::str::from_utf8(value).ok());
        if length.is_some_and(|length| length.parse::<u64>().map_or(true, |length| length > MAX_BODY as u64)) {
            return Err(refusal(BodyError::TooLarge));
        }
        let mut observations = observations(relay, client, seen);
        if message.is_some() {
            observations.origin = seen.header("origin").map(text);
        }
        Ok(Self {
            sender: Sender { relay: relay.clone(), observations, user_agent: seen.user_agent().to_vec() },
            message,
            cross_origin: match admission {
                Admission::Cross(origin) => Some(origin.to_owned()),
                Admission::Same | Admission::Refused => None,
            },
        })
    }

    /// Takes the body, or why there is none, and gives the answer to the browser.
    pub async fn finish(mut self, body: Result<Bytes, BodyError>) -> Answer {
        let origin = self.cross_origin.take();
        let answer = match body.map_err(refusal) {
            Ok(body) => self.forward(&body).await.unwrap_or_else(|refused| refused),
            Err(refused) => refused,
        };
        match origin {
            Some(origin) => answer.for_origin(&origin),
            None => answer,
        }
    }

    async fn forward(self, body: &[u8]) -> Result<Answer, Answer> {
        let Self { sender, message, .. } = self;
        if let Some(message) = message {
            return assess::relay(message, sender, body).await;
        }
        let relay = sender.relay.clone();
        let bundle = bundle(sender, body)?;
        Ok(relay.inner().upstream.forward("/v1/signals", bundle).await)
    }
}

impl Sender {
    /// What the edge saw, for a message about this session; or the refusal of its reference.
    pub(crate) fn observe(self, session: &SessionRef) -> Result<EdgeObservations, Answer> {
        let ip = self.observations.peer.map(|peer| peer.ip);
        let session = self.relay.inspect(session, ip, &self.user_agent)?.observation();
        Ok(EdgeObservations { session, ..self.observations })
    }
}

/// The bundle for Octet.
fn bundle(sender: Sender, body: &[u8]) -> Result<Bytes, Answer> {
    let text = std::str::from_utf8(body).map_err(|_| malformed())?;
    let signals: CollectorSignals = serde_json::from_str(text).map_err(|_| malformed())?;
    let relay = sender.relay.clone();
    let mut observations = sender.observe(&signals.session_ref)?;
    observations.channel = channel(relay.inner(), &signals, observations.peer.map(|peer| peer.ip));
    let signals: Box<RawValue> = serde_json::from_str(text).map_err(|_| malformed())?;
    let bundle = serde_json::to_vec(&SignalBundle { signals, observations }).map_err(|_| malformed())?;
    Ok(bundle.into())
}

/// What the edge sees of one request.
pub(crate) fn observations(relay: &Relay, client: Option<Client>, seen: &Observation<'_>) -> EdgeObservations {
    let by_header = client.is_some_and(|client| client.forwarded);
    EdgeObservations {
        edge: relay.inner().edge.clone(),
        observed_at_ms: millis(SystemTime::now()),
        peer: client.and_then(|client| Some(Peer { ip: client.ip?, forwarded: by_header || seen.proxied })),
        http_version: text(seen.http_version.as_bytes()),
        header_names: seen.header_names(),
        headers: seen.browser_headers(),
        tcp: seen.tcp,
        // Through a proxy that speaks HTTP, both are the proxy's own.
        tls: seen.tls.filter(|_| !by_header).cloned(),
        http2: seen.http2.filter(|_| !by_header).cloned(),
        cdn: relay.cdn(client, seen),
        channel: ChannelObservation::default(),
        session: SessionObservation::default(),
        origin: None,
    }
}

/// What the edge measured for this session, if the bundle comes from the page that opened the channel.
fn channel(edge: &Inner, signals: &CollectorSignals, ip: Option<IpAddr>) -> ChannelObservation {
    let session = &signals.session_ref;
    let measured = edge.channels.get(session, Instant::now());
    let ticket = match &signals.channel.ticket {
        Some(ticket) if edge.tickets.is_valid(ticket.as_str(), session, ip, SystemTime::now()) => Ticket::Valid,
        Some(_) => Ticket::Invalid,
        None if measured.is_some() => Ticket::Missing,
        None => Ticket::NoChannel,
    };
    let measured = measured.unwrap_or_default();
    let contested = measured.contested;
    if ticket != Ticket::Valid {
        return ChannelObservation { ticket, contested, ..ChannelObservation::default() };
    }
    measured.observation(ticket)
}

fn refusal(error: BodyError) -> Answer {
    match error {
        BodyError::TooLarge => Answer::problem(Code::BodyTooLarge, "a bundle has at most 65536 bytes"),
        BodyError::Incomplete => {
            Answer::problem(Code::MalformedBundle, "the body did not arrive whole, or not in time")
        }
    }
}

pub(crate) fn malformed() -> Answer {
    Answer::problem(Code::MalformedBundle, "the body is not what a collector of this release sends to this path")
}

fn millis(time: SystemTime) -> u64 {
    u64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
