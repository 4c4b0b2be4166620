//! A host that starts without an edge. A process of its own: what is asked is whether this one has made any.

use std::io::{self, Write};
use std::sync::Mutex;

use octet_tower::Listener;
use tokio::net::TcpStream;

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap().write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_listener_that_begins_to_accept_without_an_edge_says_once_what_to_add() {
    tracing_subscriber::fmt().with_writer(|| Log).init();
    let mut listener = Listener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    for _ in 0..2 {
        let (browser, _) = tokio::join!(TcpStream::connect(address), listener.accept());
        browser.unwrap();
    }
    let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
    assert_eq!(log.matches("add .layer(OctetEdgeLayer::from_env()?)").count(), 1, "{log}");
}
