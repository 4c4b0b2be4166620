//! The same client has one JA4, however often it connects: real clients, of which only the ClientHello is read.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use octet::handshake::TlsObservation;
use octet_relay::client_hello::Reader;
use octet_tests::browser::{self, Visitor};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::Notify;

/// Reads the ClientHello of each connection, and closes it.
#[derive(Clone, Default)]
pub(crate) struct Hellos {
    seen: Arc<Mutex<Vec<TlsObservation>>>,
    came: Arc<Notify>,
}

impl Hellos {
    pub(crate) async fn listen(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, hellos) = (listener.local_addr().unwrap(), self.clone());
        tokio::spawn(async move {
            while let Ok((mut tcp, _)) = listener.accept().await {
                let (mut reader, mut bytes) = (Reader::default(), [0; 1024]);
                while let Ok(length @ 1..) = tcp.read(&mut bytes).await
                    && !reader.feed(&bytes[..length]).is_done()
                {}
                hellos.seen.lock().unwrap().extend(reader.observation());
                hellos.came.notify_one();
            }
        });
        address
    }

    /// Waits for so many, and takes them.
    pub(crate) async fn take(&self, many: usize) -> Vec<TlsObservation> {
        let enough = async {
            while self.seen.lock().unwrap().len() < many {
                self.came.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), enough).await.expect("the client connects");
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

/// The one JA4 of these hellos.
pub(crate) fn one_ja4(client: &str, hellos: &[TlsObservation]) -> String {
    let mut counts = BTreeMap::new();
    hellos.iter().for_each(|hello| *counts.entry(hello.ja4.as_str()).or_insert(0) += 1);
    assert_eq!(counts.len(), 1, "{client}: {counts:?}");
    println!("{client}: {} over {} connections", hellos[0].ja4.as_str(), hellos.len());
    hellos[0].ja4.as_str().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_client_has_one_ja4_over_ten_connections() {
    let hellos = Hellos::default();
    let address = hellos.listen().await;
    let mut values = Vec::new();
    let (url, at) = (format!("https://{address}/"), address.to_string());
    for command in [&["/usr/bin/curl", "-sk", &url][..], &["/usr/bin/openssl", "s_client", "-connect", &at]] {
        if !Path::new(command[0]).exists() {
            println!("skipped: {} is not installed", command[0]);
            continue;
        }
        for _ in 0..10 {
            let mut client = Command::new(command[0]);
            client.args(&command[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            client.status().await.unwrap();
        }
        let seen = hellos.take(10).await;
        assert!(seen.iter().all(|hello| !hello.grease));
        values.push(one_ja4(command[0], &seen));
    }
    if let Some(browser) = browser::open(Visitor::BERLIN).await {
        browser.goto("about:blank").await.unwrap();
        browser.run(&format!("for (let i = 0; i < 10; i++) await fetch('{url}').catch(() => {{}});")).await;
        let seen = hellos.take(10).await;
        assert!(seen.iter().all(|hello| hello.grease));
        values.push(one_ja4("chromium", &seen));
        browser.quit().await;
    }
    let all = values.len();
    values.dedup();
    assert_eq!(values.len(), all, "different clients differ: {values:?}");
}
