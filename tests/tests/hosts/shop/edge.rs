//! The shop behind `octet-edge`, which stands before it as a reverse proxy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use clap::Parser;
use octet_edge::{Edge, Options};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Setup;

pub(super) async fn serve(setup: &Setup, made: Arc<AtomicU64>) -> SocketAddr {
    let app = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = app.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(app, super::axum::plain(made)).await });
    let flag = |(name, value): &(&str, String)| format!("--{}={value}", name.to_lowercase().replace('_', "-"));
    let flags = [
        "octet-edge".to_owned(),
        "--bind=127.0.0.1".to_owned(),
        "--port=0".to_owned(),
        "--workers=1".to_owned(),
        format!("--upstream-url=http://{upstream}"),
    ];
    let tls = setup.tls_files().map(|[chain, key]| {
        [("cert", chain), ("key", key)].map(|(name, file)| format!("--edge-tls-{name}-file={}", file.display()))
    });
    let flags = flags.into_iter().chain(tls.into_iter().flatten()).chain(setup.settings.iter().map(flag));
    let edge = Edge::bind(&Options::parse_from(flags)).unwrap();
    let addr = edge.local_addr().unwrap();
    tokio::spawn(edge.run(CancellationToken::new()));
    addr
}
