//! The latency channel's WebSocket on an upgraded connection. Moves messages; reads none.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use octet_relay::channel::Transmit;
use octet_relay::{Broken, Heard, MAX_FRAME, Opening};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::Connection;

/// How long the protocols may take to switch.
const SWITCH: Duration = Duration::from_secs(10);

/// Runs the channel from the upgrade to the closing handshake.
pub(crate) async fn run(opening: Opening, upgrade: OnUpgrade, connection: Option<Connection>) {
    let Ok(Ok(upgraded)) = timeout(SWITCH, upgrade).await else { return };
    // Buffers of the size of the messages: the library's own would hold 128 KiB a channel.
    let config = WebSocketConfig::default()
        .read_buffer_size(1024)
        .write_buffer_size(0)
        .max_write_buffer_size(16 * 1024)
        .max_message_size(Some(MAX_FRAME))
        .max_frame_size(Some(MAX_FRAME));
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    octet_relay::converse(opening, Socket(socket), || connection.as_ref().and_then(Connection::tcp_info)).await;
}

struct Socket(WebSocketStream<TokioIo<Upgraded>>);

impl octet_relay::Socket for Socket {
    async fn send(&mut self, transmit: Transmit) -> Result<(), Broken> {
        let message = match transmit {
            Transmit::Text(text) => Message::text(text),
            Transmit::Binary(bytes) => Message::Binary(bytes),
            Transmit::Close(code) => {
                Message::Close(Some(CloseFrame { code: CloseCode::from(code), reason: Default::default() }))
            }
        };
        self.0.send(message).await.map_err(|_| Broken)
    }

    async fn next(&mut self) -> Option<Heard> {
        match self.0.next().await? {
            Ok(Message::Binary(bytes)) => Some(Heard::Binary(bytes)),
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => Some(Heard::Control),
            Ok(Message::Text(_)) | Err(Error::Capacity(_) | Error::Utf8(_)) => Some(Heard::Malformed),
            Ok(Message::Close(_)) | Err(_) => None,
        }
    }
}
