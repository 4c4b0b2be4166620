//! A WebSocket between browser and app: bytes both ways, until either side ends. Understands none of them.

use std::sync::Arc;

use http::{Method, Request, Version, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

use crate::edge::Place;

/// Whether the browser asks for a WebSocket. Nothing else is tunnelled: behind another protocol the edge would no
/// longer see what is asked of the app.
pub(crate) fn wanted<B>(request: &Request<B>) -> bool {
    let token = |name, token: &[u8]| {
        let values = request.headers().get_all(name).iter();
        let mut tokens = values.flat_map(|value: &http::HeaderValue| value.as_bytes().split(|byte| *byte == b','));
        tokens.any(|found| found.trim_ascii().eq_ignore_ascii_case(token))
    };
    request.version() == Version::HTTP_11
        && request.method() == Method::GET
        && request.headers().contains_key(header::UPGRADE)
        && token(header::UPGRADE, b"websocket")
        && token(header::CONNECTION, b"upgrade")
}

/// Joins both sides once both have switched. The browser's place among the open connections is held meanwhile.
pub(crate) fn open(browser: OnUpgrade, app: OnUpgrade, place: Arc<Place>) {
    tokio::spawn(async move {
        let (Ok(browser), Ok(app)) = tokio::join!(browser, app) else { return };
        let (mut browser, mut app) = (TokioIo::new(browser), TokioIo::new(app));
        if copy_bidirectional(&mut browser, &mut app).await.is_err() {
            tracing::debug!("a tunnelled connection broke off");
        }
        drop(place);
    });
}
