//! A proxy in front of a shop, as nginx would stand there: it adds the header that says for whom it forwards.
//! Plain HTTP/1.1 with upgrades; a test's visitor comes from the address, and the distance, that the test chooses.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Forwards connections to `upstream` for a visitor at `visitor`, until the test's runtime ends.
///
/// # Panics
///
/// When loopback has no free port.
pub async fn forward(upstream: SocketAddr, visitor: IpAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let Ok(server) = TcpStream::connect(upstream).await else { return };
                let (client_read, mut client_write) = client.into_split();
                let (mut server_read, server_write) = server.into_split();
                let answers = tokio::io::copy(&mut server_read, &mut client_write);
                let requests = requests(BufReader::new(client_read), server_write, visitor);
                // Either side's end is the end of both.
                tokio::select! { _ = answers => {}, _ = requests => {} }
            });
        }
    });
    address
}

/// Forwards connections to `upstream` as over a line on which everything takes `one_way`, until the test's runtime
/// ends.
///
/// # Panics
///
/// When loopback has no free port.
pub async fn delay(upstream: SocketAddr, one_way: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let Ok(server) = TcpStream::connect(upstream).await else { return };
                let (client_read, client_write) = client.into_split();
                let (server_read, server_write) = server.into_split();
                tokio::select! {
                    () = carry(client_read, server_write, one_way) => {}
                    () = carry(server_read, client_write, one_way) => {}
                }
            });
        }
    });
    address
}

/// Carries bytes one way, each after its delay; ends with either side.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, one_way: Duration) {
    let (line, mut end) = mpsc::channel::<(Instant, Vec<u8>)>(64);
    let read = async move {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            if line.send((Instant::now() + one_way, buffer[..length].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let write = async move {
        while let Some((due, bytes)) = end.recv().await {
            tokio::time::sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(read, write);
}

async fn requests(
    mut client: BufReader<OwnedReadHalf>,
    mut server: OwnedWriteHalf,
    visitor: IpAddr,
) -> std::io::Result<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await?);
        }
        let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let header =
            |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
        let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        head.truncate(head.len() - 2);
        head.extend_from_slice(format!("X-Forwarded-For: {visitor}\r\n\r\n").as_bytes());
        server.write_all(&head).await?;
        tokio::io::copy(&mut (&mut client).take(length), &mut server).await?;
        if header("upgrade").is_some() {
            tokio::io::copy(&mut client, &mut server).await?;
            return Ok(());
        }
    }
}
