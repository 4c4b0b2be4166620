//! A host that starts without an edge. A process of its own: what is asked is whether this one has made any.

use std::sync::Mutex;

use octet_tower::Listener;
use tokio::net::TcpStream;

#[tokio::test]
async fn a_listener_that_begins_to_accept_without_an_edge_says_once_what_to_add() {
    let log = tempfile::NamedTempFile::new().unwrap();
    tracing_subscriber::fmt().with_writer(Mutex::new(log.reopen().unwrap())).init();
    let mut listener = Listener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    for _ in 0..2 {
        let (browser, _) = tokio::join!(TcpStream::connect(address), listener.accept());
        browser.unwrap();
    }
    let log = std::fs::read_to_string(log.path()).unwrap();
    assert_eq!(log.matches("serve OctetEdgeLayer::from_env()?.layer(app)").count(), 1, "{log}");
}
