//! An HTTP proxy as people run them: takes `CONNECT`, opens a connection of its own, and copies bytes both ways.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Serves `CONNECT` on this port to the hosts that `names` knows, until its runtime ends.
///
/// # Errors
///
/// When the port is taken.
pub async fn serve(port: u16, names: HashMap<String, Ipv4Addr>) -> std::io::Result<()> {
    let listener = TcpListener::bind(("0.0.0.0", port)).await?;
    loop {
        let (browser, _) = listener.accept().await?;
        let names = names.clone();
        // A connection that fails is the browser's to see.
        tokio::spawn(async move { tunnel(browser, &names).await });
    }
}

async fn tunnel(mut browser: TcpStream, names: &HashMap<String, Ipv4Addr>) -> std::io::Result<()> {
    browser.set_nodelay(true)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 8192 {
        head.push(browser.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head);
    let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split([':', ' ']).next());
    let Some(address) = target.and_then(|name| names.get(name)) else {
        return browser.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await;
    };
    let mut edge = TcpStream::connect((*address, 443)).await?;
    edge.set_nodelay(true)?;
    browser.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    tokio::io::copy_bidirectional(&mut browser, &mut edge).await.map(drop)
}
