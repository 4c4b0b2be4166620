//! The latency channel, version 1, as a state machine without clock and socket: messages and instants in,
//! messages, round trips and the next deadline out. Measures; what a round trip means is not known here.
//!
//! The edge sends a nonce that nobody can guess; the browser sends it back at once; the time between is a round
//! trip that can be made longer and never shorter. Up to 16 rounds overlap, so that a far browser gets several
//! within the 1.2 seconds, and a near one is done after a few tens of milliseconds.
//!
//! | direction | message |
//! | --- | --- |
//! | edge to browser, first | text `{"type":"hello","ticket":"…","peers":["wss://…"]}`: the sibling edges' channels |
//! | edge to browser | binary `01`, round, 16 random bytes |
//! | browser to edge | binary `02`, round, the same 16 bytes |
//! | edge to browser | binary `03`, round: the right echo came |
//! | edge to browser, last | text `{"type":"end"}`, then close with 1000; with 1008 after anything malformed |
//!
//! ```
//! use std::time::Instant;
//! use octet_relay::channel::{Channel, Message, Transmit};
//!
//! let start = Instant::now();
//! let mut channel = Channel::open("ticket", [[7; 16]; 16], start);
//! assert!(matches!(channel.poll_transmit(start), Some(Transmit::Text(hello)) if hello.contains("hello")));
//! let Some(Transmit::Binary(nonce)) = channel.poll_transmit(start) else { panic!() };
//! let echo: Vec<u8> = [&[2, nonce[1]], &nonce[2..]].concat();
//! channel.receive(start + std::time::Duration::from_millis(20), Message::Binary(&echo));
//! assert_eq!(channel.rounds()[0].rtt_us, 20_000);
//! ```

pub(crate) mod memory;

use std::time::{Duration, Instant};

use bytes::Bytes;
use octet::observations::EdgeRound;
use serde_json::json;

/// How many rounds there are at most.
pub const MAX_ROUNDS: usize = 16;
/// How many rounds are measured before the channel ends early.
pub const MIN_ROUNDS: usize = 4;
/// How long a channel lasts at most.
pub const MAX_DURATION: Duration = Duration::from_millis(1200);
/// The largest message that a browser has to say, in bytes.
pub const MAX_MESSAGE: usize = 18;

/// A nonce follows the one before after this long, while that one is unanswered.
const SPACING: Duration = Duration::from_millis(40);
/// A nonce follows the one before at the earliest after this long.
const MIN_SPACING: Duration = Duration::from_millis(5);
/// How many messages are read from one browser: an echo and a repeated echo for each round.
const MAX_MESSAGES: usize = 2 * MAX_ROUNDS;

const NONCE: u8 = 1;
const ECHO: u8 = 2;
const ACKNOWLEDGEMENT: u8 = 3;

/// One latency channel, on the edge's side.
#[derive(Debug)]
pub struct Channel {
    hello: Option<Hello>,
    nonces: [[u8; 16]; MAX_ROUNDS],
    rounds: [Round; MAX_ROUNDS],
    started: Instant,
    last_nonce: Option<Instant>,
    acknowledge: Vec<u8>,
    messages: usize,
    phase: Phase,
}

#[derive(Debug)]
struct Hello {
    ticket: String,
    /// JSON.
    peers: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    Unsent,
    Pending(Instant),
    Measured(Duration),
    Void,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// The closing handshake is still to be begun, with this code.
    Closing(u16),
    Finished,
}

/// What the edge has to say next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transmit {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Bytes),
    /// The closing handshake with this code; nothing follows.
    Close(u16),
}

/// What the browser said.
#[derive(Debug, Clone, Copy)]
pub enum Message<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
}

impl Channel {
    /// A channel that begins now. `ticket` goes into JSON as it stands; `nonces` must be unpredictable.
    #[must_use]
    pub fn open(ticket: &str, nonces: [[u8; 16]; MAX_ROUNDS], now: Instant) -> Self {
        Self {
            hello: Some(Hello { ticket: ticket.to_owned(), peers: "[]".to_owned() }),
            nonces,
            rounds: [Round::Unsent; MAX_ROUNDS],
            started: now,
            last_nonce: None,
            acknowledge: Vec::new(),
            messages: 0,
            phase: Phase::Open,
        }
    }

    /// The same naming the URLs of sibling edges' channels.
    #[must_use]
    pub fn with_peers(mut self, peers: &[impl AsRef<str>]) -> Self {
        if let Some(hello) = &mut self.hello {
            hello.peers = json!(peers.iter().map(AsRef::as_ref).collect::<Vec<&str>>()).to_string();
        }
        self
    }

    /// What is to be sent now; to be asked until it says `None`. The time of a nonce is the `now` of this call,
    /// so it must be sent at once.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        if let Some(Hello { ticket, peers }) = self.hello.take() {
            return Some(Transmit::Text(format!(r#"{{"type":"hello","ticket":"{ticket}","peers":{peers}}}"#)));
        }
        if let Some(round) = self.acknowledge.pop() {
            return Some(Transmit::Binary(Bytes::copy_from_slice(&[ACKNOWLEDGEMENT, round])));
        }
        match self.phase {
            Phase::Open if self.is_over(now) => {
                self.phase = Phase::Closing(1000);
                Some(Transmit::Text(r#"{"type":"end"}"#.to_owned()))
            }
            Phase::Open => {
                let round = self.next_unsent().filter(|_| self.next_nonce_at() <= now)?;
                self.rounds[round] = Round::Pending(now);
                self.last_nonce = Some(now);
                let mut message = [0; MAX_MESSAGE];
                message[0] = NONCE;
                message[1] = u8::try_from(round).unwrap_or(u8::MAX);
                message[2..].copy_from_slice(&self.nonces[round]);
                Some(Transmit::Binary(Bytes::copy_from_slice(&message)))
            }
            Phase::Closing(code) => {
                self.phase = Phase::Finished;
                Some(Transmit::Close(code))
            }
            Phase::Finished => None,
        }
    }

    /// Takes in a message that came at `now`.
    pub fn receive(&mut self, now: Instant, message: Message<'_>) {
        if self.phase != Phase::Open {
            return;
        }
        self.messages += 1;
        match echo(message).filter(|_| self.messages <= MAX_MESSAGES) {
            Some((round, nonce)) => self.take_echo(now, round, nonce),
            None => {
                self.acknowledge.clear();
                self.phase = Phase::Closing(1008);
            }
        }
    }

    /// When [`poll_transmit`](Self::poll_transmit) is to be asked again although nothing came; `None` once the
    /// channel is finished.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Open => {
                let end = self.started + MAX_DURATION;
                Some(self.next_unsent().map_or(end, |_| self.next_nonce_at().min(end)))
            }
            Phase::Closing(_) => Some(self.started),
            Phase::Finished => None,
        }
    }

    /// Whether the last message was handed out.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.phase == Phase::Finished
    }

    /// The rounds that count, in their order.
    #[must_use]
    pub fn rounds(&self) -> Vec<EdgeRound> {
        let measured = |(index, round): (usize, &Round)| match round {
            Round::Measured(rtt) => Some(EdgeRound {
                round: u8::try_from(index).ok()?,
                rtt_us: u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX),
            }),
            Round::Unsent | Round::Pending(_) | Round::Void => None,
        };
        self.rounds.iter().enumerate().filter_map(measured).collect()
    }

    /// How many rounds are void: a wrong, early or repeated echo.
    #[must_use]
    pub fn void_rounds(&self) -> u8 {
        u8::try_from(self.rounds.iter().filter(|round| **round == Round::Void).count()).unwrap_or(u8::MAX)
    }

    fn take_echo(&mut self, now: Instant, round: u8, nonce: &[u8]) {
        let index = usize::from(round);
        self.rounds[index] = match self.rounds[index] {
            Round::Pending(sent) if self.nonces[index] == nonce => {
                self.acknowledge.push(round);
                Round::Measured(now.saturating_duration_since(sent))
            }
            _ => Round::Void,
        };
    }

    fn next_unsent(&self) -> Option<usize> {
        self.rounds.iter().position(|round| *round == Round::Unsent)
    }

    fn next_nonce_at(&self) -> Instant {
        let unanswered = self.rounds.iter().any(|round| matches!(round, Round::Pending(_)));
        self.last_nonce.map_or(self.started, |last| last + if unanswered { SPACING } else { MIN_SPACING })
    }

    /// Whether more rounds would say little: the time is over, all are answered, or the quickest agree.
    fn is_over(&self, now: Instant) -> bool {
        let waiting = |round: &Round| matches!(round, Round::Unsent | Round::Pending(_));
        now >= self.started + MAX_DURATION || !self.rounds.iter().any(waiting) || self.is_settled()
    }

    /// Whether enough rounds are measured and the three quickest are within a millisecond, or a twentieth.
    fn is_settled(&self) -> bool {
        let mut measured: Vec<Duration> = self
            .rounds
            .iter()
            .filter_map(|round| match round {
                Round::Measured(rtt) => Some(*rtt),
                Round::Unsent | Round::Pending(_) | Round::Void => None,
            })
            .collect();
        measured.sort_unstable();
        match measured[..] {
            [best, _, third, _, ..] => third - best <= (best / 20).max(Duration::from_millis(1)),
            _ => false,
        }
    }
}

/// Round and bytes of an echo; `None` for anything else.
fn echo(message: Message<'_>) -> Option<(u8, &[u8])> {
    match message {
        Message::Binary([ECHO, round, nonce @ ..]) if nonce.len() == 16 && usize::from(*round) < MAX_ROUNDS => {
            Some((*round, nonce))
        }
        Message::Binary(_) | Message::Text(_) => None,
    }
}

#[cfg(test)]
mod tests;
