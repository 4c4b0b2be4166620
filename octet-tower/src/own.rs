//! A request for one of the edge's own routes: the relay decides, this file moves the bytes.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Once;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::Request;
use http_body::Body;
use http_body_util::BodyExt;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use octet_relay::{Answer, BODY_TIMEOUT, BodyError, MAX_BODY, Opening, Relay, Route, Step};
use tokio::time::timeout;

use crate::Connection;
use crate::observe::{Head, connection, observe};

/// How long the protocols may take to switch.
const SWITCH: Duration = Duration::from_secs(10);

/// Says once what a host that tells of no connection, or of the browser's address alone, lacks.
static UNTOLD: Once = Once::new();

/// The edge's answer to `request`, to be awaited. Made apart from the call of the service: this future is some kilobytes,
/// and inlined there it would have every request that passes through make room for it on the stack.
#[inline(never)]
pub(crate) fn boxed<B>(relay: Relay, route: Route, request: Request<B>) -> Pin<Box<dyn Future<Output = Answer> + Send>>
where
    B: Body + Send + 'static,
    B::Data: Send,
{
    Box::pin(answer(relay, route, request))
}

async fn answer<B>(relay: Relay, route: Route, request: Request<B>) -> Answer
where
    B: Body + Send + 'static,
    B::Data: Send,
{
    let (mut parts, body) = request.into_parts();
    let step = relay.begin(route, &observe(&Head::from(&parts), true));
    match step {
        Step::Answer(answer) => answer,
        Step::Signals(signals) => {
            let read = timeout(BODY_TIMEOUT, read(body));
            let body = read.await.unwrap_or(Err(BodyError::Incomplete));
            signals.finish(body).await
        }
        Step::Channel(opening) => {
            let answer = opening.switch();
            // The relay opens a channel only where the connection can be upgraded.
            if let Some(upgrade) = parts.extensions.remove::<OnUpgrade>() {
                let connection = connection(&parts.extensions);
                if !matches!(connection, Some(Cow::Borrowed(_))) {
                    UNTOLD.call_once(|| {
                        tracing::warn!(
                            "connections are not observed: serve the app with octet_tower::axum::serve, or with \
                             octet_tower::Connection as its connect info (another host puts a Connection into the \
                             request's extensions)"
                        );
                    });
                }
                let connection = connection.map(Cow::into_owned);
                tokio::spawn(channel(*opening, upgrade, connection));
            }
            answer
        }
    }
}

/// The latency channel, from the upgrade to the closing handshake.
async fn channel(opening: Opening, upgrade: OnUpgrade, connection: Option<Connection>) {
    let Ok(Ok(upgraded)) = timeout(SWITCH, upgrade).await else { return };
    opening.run(TokioIo::new(upgraded), || connection.as_ref().and_then(Connection::tcp_info)).await;
}

/// The whole body, if it is small enough.
async fn read<B: Body>(body: B) -> Result<Bytes, BodyError> {
    let mut body = std::pin::pin!(body);
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| BodyError::Incomplete)?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.len().saturating_add(data.remaining()) > MAX_BODY {
            return Err(BodyError::TooLarge);
        }
        bytes::BufMut::put(&mut whole, data);
    }
    Ok(whole.freeze())
}
