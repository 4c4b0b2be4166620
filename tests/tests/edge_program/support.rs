//! A shop, an edge and a proxy as programs, for one test each.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use axum::Router;
use clap::Parser;
use octet::LicenseKey;
use octet_client::OctetClient;
use octet_edge::{Edge, Options};
use octet_server::NewLicense;
use octet_tests::stack::Stack;
use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

/// An edge of `stack`'s Octet in this process.
pub(crate) async fn edge(stack: &Stack, more: &[&str]) -> SocketAddr {
    let octet = [format!("--octet-url=http://{}", stack.octet), format!("--license={}", license(stack).await.expose())];
    let flags = ["octet-edge", &octet[0], &octet[1], "--bind=127.0.0.1", "--port=0", "--edge-id=fra-1"];
    let edge = Edge::bind(&Options::try_parse_from([&flags[..], more].concat()).unwrap()).unwrap();
    let address = edge.local_addr().unwrap();
    tokio::spawn(edge.run(CancellationToken::new()));
    address
}

/// A licence of the stack's shop.
pub(crate) async fn license(stack: &Stack) -> LicenseKey {
    stack.service.licenses().issue(NewLicense::browser("shop")).await.unwrap().key
}

/// Writes `chain.pem` and `key.pem` for 127.0.0.1.
pub(crate) fn certificate(folder: &Path) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(folder.join("chain.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}

/// The shop of an example on a port of its own.
pub(crate) async fn shop(of: fn(OctetClient) -> Router, stack: &Stack) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, shop) = (listener.local_addr().unwrap(), of(stack.client.clone()));
    tokio::spawn(async move { axum::serve(listener, shop).await });
    address
}

/// A proxy as an example configures it, on a port of its own.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    _process: Child,
    _folder: TempDir,
}

/// Starts `program` with the example's `file`, in which the ports are those of this test; `None` where it is not
/// installed.
pub(crate) async fn proxy(program: &str, file: &str, edge: SocketAddr, shop: SocketAddr) -> Option<Proxy> {
    let installed = ["/usr/sbin", "/usr/bin"].map(|folder| format!("{folder}/{program}"));
    let Some(installed) = installed.into_iter().find(|path| Path::new(path).exists()) else {
        let missing = format!("{program} is not installed; `cargo xtask test` installs it");
        assert!(std::env::var_os("OCTET_TESTS_REQUIRE_BROWSER").is_none(), "{missing}");
        println!("skipped: {missing}");
        return None;
    };
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../examples/edge-behind-{program}/{file}"));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut text = std::fs::read_to_string(example).unwrap();
    for (port, own) in [("8443", free.port()), ("127.0.0.1:8080", edge.port()), ("127.0.0.1:3000", shop.port())] {
        assert!(text.contains(port), "the example's ports");
        let own = if port.contains(':') { format!("127.0.0.1:{own}") } else { own.to_string() };
        text = text.replace(port, &own);
    }
    let folder = TempDir::new().unwrap();
    certificate(folder.path());
    std::fs::write(folder.path().join(file), text).unwrap();
    let mut command = Command::new(installed);
    command.current_dir(folder.path()).env("HOME", folder.path()).stderr(Stdio::null()).kill_on_drop(true);
    match program {
        "nginx" => command.arg("-p").arg(folder.path()).args(["-c", file, "-g", "daemon off; master_process off;"]),
        _ => command.args(["run", "--config", file, "--adapter", "caddyfile"]),
    };
    let process = command.spawn().unwrap();
    listens(free).await;
    Some(Proxy { address: free, _process: process, _folder: folder })
}

/// Waits until somebody listens at `address`.
pub(crate) async fn listens(address: SocketAddr) {
    let listening = async {
        while TcpStream::connect(address).await.is_err() {
            tokio::task::yield_now().await
        }
    };
    tokio::time::timeout(Duration::from_secs(30), listening).await.expect("the proxy listens");
}

/// What the edge said with the last bundle.
pub(crate) fn observed(stack: &Stack) -> Value {
    stack.bundles().last().expect("a bundle came")["observations"].clone()
}
