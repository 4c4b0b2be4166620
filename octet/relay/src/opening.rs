//! A latency channel from its upgrade request to its end: the ticket, the place in the memory, and the protocol.
//! The host moves the messages.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use octet::SessionRef;
use octet::observations::{EdgeObservations, TcpInfo};
use octet::problem::Code;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

use crate::channel::{Channel, Message, Transmit};
use crate::handshake::Accept;
use crate::peers::Report;
use crate::relay::Relay;
use crate::{Answer, handshake, mac};

/// A channel that may open: send [`switch`](Self::switch), then [`begin`](Self::begin) on the upgraded connection.
#[derive(Debug)]
pub struct Opening {
    relay: Relay,
    session: SessionRef,
    accept: Accept,
    ticket: String,
    nonces: [[u8; 16]; 16],
    /// What the edge saw of a sibling's channel.
    sibling: Option<EdgeObservations>,
    slot: OwnedSemaphorePermit,
}

impl Opening {
    pub(crate) fn new(
        relay: &Relay,
        session: SessionRef,
        ip: Option<IpAddr>,
        accept: Accept,
        sibling: Option<EdgeObservations>,
        now: Instant,
    ) -> Result<Self, Answer> {
        let busy = |what| Answer::problem(Code::RateLimited, what).retry_after(2);
        let edge = relay.inner();
        let Ok(slot) = edge.channel_slots.clone().try_acquire_owned() else {
            return Err(busy("this edge has as many latency channels open as it may"));
        };
        let random = || -> Result<_, mac::NoRandomness> {
            let bytes = mac::random::<256>()?;
            let mut nonces = [[0; 16]; 16];
            for (nonce, bytes) in nonces.iter_mut().zip(bytes.chunks_exact(16)) {
                nonce.copy_from_slice(bytes);
            }
            Ok((edge.tickets.issue(&session, ip, SystemTime::now())?, nonces))
        };
        let (ticket, nonces) = random().map_err(|_| busy("this edge can measure nothing now"))?;
        edge.channels.open(&session, now).map_err(|_| {
            Answer::problem(Code::ChannelTaken, "a latency channel is or was open for this session; there is one only")
        })?;
        Ok(Self { relay: relay.clone(), session, accept, ticket, nonces, sibling, slot })
    }

    /// The answer with which the protocols switch: 101, or on a stream of HTTP/2 200.
    #[must_use]
    pub fn switch(&self) -> Answer {
        handshake::switch(&self.accept)
    }

    /// The channel, from now on.
    #[must_use]
    pub fn begin(self, now: Instant) -> OpenChannel {
        let channel = Channel::open(&self.ticket, self.nonces, now);
        let (channel, report) = match self.sibling {
            Some(observations) => (channel, Some(Report { ticket: self.ticket, observations })),
            None => (channel.with_peers(&self.relay.inner().peers), None),
        };
        OpenChannel { relay: self.relay, session: self.session, channel, report, slot: Arc::new(self.slot) }
    }
}

/// A [`Channel`] whose measurements are kept for the bundle of its session, or, of a sibling's, sent to Octet when it
/// ends or is dropped.
#[derive(Debug)]
pub struct OpenChannel {
    relay: Relay,
    session: SessionRef,
    channel: Channel,
    report: Option<Report>,
    slot: Arc<OwnedSemaphorePermit>,
}

impl OpenChannel {
    /// As [`Channel::poll_transmit`].
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        let transmit = self.channel.poll_transmit(now);
        if self.channel.is_finished() {
            self.report();
        }
        transmit
    }

    /// As [`Channel::poll_timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.channel.poll_timeout()
    }

    /// As [`Channel::is_finished`].
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.channel.is_finished()
    }

    /// As [`Channel::receive`], and keeps what was measured, with the kernel's view of this very connection.
    pub fn receive(&mut self, now: Instant, message: Message<'_>, tcp: Option<TcpInfo>) {
        self.channel.receive(now, message);
        let (rounds, void) = (self.channel.rounds(), self.channel.void_rounds());
        self.relay.inner().channels.record(&self.session, now, rounds, void, tcp);
    }

    /// Sends what a sibling saw, once and in the background; the channel's slot bounds how many are under way.
    fn report(&mut self) {
        let Some(report) = self.report.take() else { return };
        let edge = self.relay.inner();
        let measured = edge.channels.get(&self.session, Instant::now()).unwrap_or_default();
        let (Some(body), Ok(runtime)) = (report.body(&self.session, measured), Handle::try_current()) else { return };
        let (upstream, slot) = (Arc::clone(&edge.upstream), Arc::clone(&self.slot));
        runtime.spawn(async move {
            upstream.forward("/v1/observations", body).await;
            drop(slot);
        });
    }
}

impl Drop for OpenChannel {
    fn drop(&mut self) {
        self.report();
    }
}
