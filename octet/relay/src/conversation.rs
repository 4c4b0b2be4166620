//! The latency channel on a host's WebSocket: the state machine says what, this file when the clock strikes.
//! Measures nothing itself, and knows no WebSocket library.

use std::future::Future;
use std::time::{Duration, Instant};

use bytes::Bytes;
use octet::observations::TcpInfo;
use tokio::time::{timeout, timeout_at};

use crate::channel::{MAX_DURATION, MAX_ROUNDS, Message, Transmit};
use crate::{OpenChannel, Opening};

/// No message of a browser is near this, in bytes; what is larger is malformed.
pub const MAX_FRAME: usize = 64;
/// How many control frames are read from one browser; its script can send none.
const MAX_CONTROL: usize = 2 * MAX_ROUNDS;
/// How long the browser has for its side of the closing handshake.
const LINGER: Duration = Duration::from_secs(1);

/// A host's WebSocket, on which the protocols have switched. It takes frames of at most [`MAX_FRAME`] bytes.
pub trait Socket {
    /// Sends one message, at once.
    fn send(&mut self, transmit: Transmit) -> impl Future<Output = Result<(), Broken>>;

    /// What the browser says next; `None` when it has closed, or is gone. Loses nothing when it is dropped.
    fn next(&mut self) -> impl Future<Output = Option<Heard>>;
}

/// What came on a [`Socket`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A binary message.
    Binary(Bytes),
    /// A ping or a pong; the host answers pings.
    Control,
    /// Anything else: a text, a fragment, or what is too large.
    Malformed,
}

/// The connection is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken;

/// Runs the channel on `socket`, from its first message to the closing handshake. `tcp` asks the kernel for its view
/// of the connection that carries it.
pub async fn converse(opening: Opening, mut socket: impl Socket, tcp: impl Fn() -> Option<TcpInfo>) {
    let mut channel = opening.begin(Instant::now());
    // A browser that reads nothing must not hold the channel open.
    let _ = timeout(MAX_DURATION + LINGER, exchange(&mut channel, &mut socket, tcp)).await;
}

async fn exchange(
    channel: &mut OpenChannel,
    socket: &mut impl Socket,
    tcp: impl Fn() -> Option<TcpInfo>,
) -> Result<(), Broken> {
    let mut control = 0;
    while let Some(wake) = channel.poll_timeout() {
        while let Some(transmit) = channel.poll_transmit(Instant::now()) {
            socket.send(transmit).await?;
        }
        if channel.is_finished() {
            break;
        }
        let Ok(heard) = timeout_at(wake.into(), socket.next()).await else { continue };
        let now = Instant::now();
        match heard {
            None => return Ok(()),
            Some(Heard::Binary(bytes)) => channel.receive(now, Message::Binary(&bytes), tcp()),
            Some(Heard::Control) if control < MAX_CONTROL => control += 1,
            // A flood of pings is malformed, like any message that the protocol does not have.
            Some(Heard::Control | Heard::Malformed) => channel.receive(now, Message::Binary(&[]), tcp()),
        }
    }
    // The answer to the closing handshake, behind what was under way already.
    for _ in 0..MAX_CONTROL {
        if socket.next().await.is_none() {
            break;
        }
    }
    Ok(())
}
