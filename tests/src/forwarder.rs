//! A proxy in front of a shop, as nginx would stand there: it adds the header that says for whom it forwards.
//! Plain HTTP/1.1 with upgrades; a test's visitor comes from the address that the test chooses.

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

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
