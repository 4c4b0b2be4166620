//! The latency channel's messages on a real WebSocket: the state machine says what, this file when the clock strikes.
//! Measures nothing itself.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use octet::observations::TcpInfo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::channel::{MAX_DURATION, MAX_ROUNDS, Message as Said, Transmit};
use crate::{OpenChannel, Opening};

/// No message of a browser is near this; what is larger is malformed.
const MAX_MESSAGE: usize = 64;
/// How many control frames are read from one browser; its script can send none.
const MAX_CONTROL: usize = 2 * MAX_ROUNDS;
/// How long the browser has for its side of the closing handshake.
const LINGER: Duration = Duration::from_secs(1);

impl Opening {
    /// Runs the channel on `io`, a connection on which the protocols have switched, to the closing handshake. `tcp`
    /// asks the kernel for its view of that very connection.
    pub async fn run(self, io: impl AsyncRead + AsyncWrite + Unpin, tcp: impl Fn() -> Option<TcpInfo>) {
        // Buffers of the size of the messages: the library's own would hold 128 KiB a channel.
        let config = WebSocketConfig::default()
            .read_buffer_size(1024)
            .write_buffer_size(0)
            .max_write_buffer_size(16 * 1024)
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE));
        let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        let channel = self.begin(Instant::now());
        // A browser that reads nothing must not hold the channel open.
        let _ = timeout(MAX_DURATION + LINGER, converse(channel, socket, tcp)).await;
    }
}

async fn converse<S>(
    mut channel: OpenChannel,
    mut socket: WebSocketStream<S>,
    tcp: impl Fn() -> Option<TcpInfo>,
) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut control = 0;
    while let Some(wake) = channel.poll_timeout() {
        while let Some(transmit) = channel.poll_transmit(Instant::now()) {
            socket.send(message(transmit)).await?;
        }
        if channel.is_finished() {
            break;
        }
        let Ok(received) = timeout_at(wake.into(), socket.next()).await else { continue };
        let now = Instant::now();
        match received {
            Some(Ok(Message::Binary(bytes))) => channel.receive(now, Said::Binary(&bytes), tcp()),
            Some(Ok(Message::Text(text))) => channel.receive(now, Said::Text(&text), tcp()),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) if control < MAX_CONTROL => control += 1,
            // The closing handshake is the browser's, and answered below.
            Some(Ok(Message::Close(_))) => break,
            // Too large, no text, no WebSocket, or a flood of pings: malformed, like any message that the protocol does
            // not have.
            Some(
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))
                | Err(Error::Capacity(_) | Error::Utf8(_) | Error::Protocol(_)),
            ) => channel.receive(now, Said::Binary(&[]), tcp()),
            None => return Ok(()),
            Some(Err(error)) => return Err(error),
        }
    }
    // The answer to the closing handshake, behind what was under way already.
    for _ in 0..MAX_CONTROL {
        if !matches!(socket.next().await, Some(Ok(_))) {
            break;
        }
    }
    Ok(())
}

fn message(transmit: Transmit) -> Message {
    match transmit {
        Transmit::Text(text) => Message::text(text),
        Transmit::Binary(bytes) => Message::Binary(bytes),
        Transmit::Close(code) => {
            Message::Close(Some(CloseFrame { code: CloseCode::from(code), reason: Default::default() }))
        }
    }
}
