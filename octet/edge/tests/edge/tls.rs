//! HTTPS at the edge and mutual TLS to Octet, and what the edge tells Octet of a browser's connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use octet::observations::EdgeObservations;
use octet_transport::{Limits, TlsOptions, Transport};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Octet, Running, bundle, options, start};

/// An authority, and a folder for what it signs.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer, folder: TempDir::new().unwrap() }
    }

    fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Writes `NAME.pem` and `NAME.key`, for localhost, and returns their paths.
    fn sign(&self, name: &str) -> [String; 2] {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        [
            self.write(&format!("{name}.pem"), &certificate.pem()),
            self.write(&format!("{name}.key"), &key.serialize_pem()),
        ]
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// A client that believes this authority only.
fn client(edge: &Running, authority: &Authority) -> Transport {
    client_at(edge.addr.port(), authority.pem())
}

/// A client that believes these authorities.
fn client_at(port: u16, authorities: String) -> Transport {
    let url = format!("https://localhost:{port}");
    Transport::connect(&url, &TlsOptions::default().pinned_ca(authorities)).unwrap()
}

fn post(edge: &Running) -> Request<Bytes> {
    post_at(edge.addr.port())
}

fn post_at(port: u16) -> Request<Bytes> {
    let host = format!("localhost:{port}");
    let request = Request::post("/octet/v1/signals").header("origin", format!("https://{host}")).header("host", host);
    request.body(bundle().into()).unwrap()
}

#[tokio::test]
async fn over_https_octet_is_told_of_the_clienthello_and_the_http2_preface() {
    let (authority, octet) = (Authority::new(), Octet::start().await);
    let [certificate, key] = authority.sign("edge");
    let edge = octet.edge(&["--edge-tls-cert-file", &certificate, "--edge-tls-key-file", &key]);
    let answer = client(&edge, &authority).send(post(&edge), Limits::default()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let EdgeObservations { http_version, tls, http2, peer, .. } = octet.observed();
    assert_eq!(http_version.as_str(), "2");
    let tls = tls.unwrap();
    assert!(tls.ja4.as_str().starts_with("t13d") && tls.ja4.as_str()[8..10] == *"h2", "{}", tls.ja4.as_str());
    assert!(tls.server_name && !tls.grease && tls.versions.as_slice().contains(&0x0304));
    let http2 = http2.unwrap();
    assert!(http2.headers_flags.is_some() && !http2.settings.as_slice().is_empty());
    assert!(!peer.unwrap().forwarded);
    // One client has one value, on new connections and resumed ones.
    for _ in 0..3 {
        client(&edge, &authority).send(post(&edge), Limits::default()).await.unwrap();
        assert_eq!(octet.observed().tls.unwrap().ja4, tls.ja4);
    }
}

#[tokio::test]
async fn a_certificate_that_changes_on_disk_is_served_without_a_restart() {
    let (authority, other) = (Authority::new(), Authority::new());
    let [certificate, key] = authority.sign("edge");
    let edge = start(&["--edge-tls-cert-file", &certificate, "--edge-tls-key-file", &key]);
    let health = |client: Transport| async move {
        let request = Request::get("/healthz").body(Bytes::new()).unwrap();
        client.send(request, Limits::default()).await.map(|answer| answer.status().as_u16()).ok()
    };
    assert_eq!(health(client(&edge, &authority)).await, Some(200));
    assert_eq!(health(client(&edge, &other)).await, None);
    // Browsers that believe both never notice.
    let (port, both) = (edge.addr.port(), authority.pem() + &other.pem());
    let over = Arc::new(AtomicBool::new(false));
    let (seen_over, mut served) = (Arc::clone(&over), 0);
    let load = tokio::spawn(async move {
        while !seen_over.load(Ordering::Relaxed) {
            assert_eq!(health(client_at(port, both.clone())).await, Some(200), "after {served}");
            served += 1;
        }
        served
    });
    // Half written: the old one stands.
    std::fs::write(&certificate, "-----BEGIN CERTIFICATE-----").unwrap();
    assert_eq!(health(client(&edge, &authority)).await, Some(200));
    let [new_certificate, new_key] = other.sign("edge");
    std::fs::copy(new_certificate, certificate).unwrap();
    std::fs::copy(new_key, key).unwrap();
    let changed = async { while health(client(&edge, &other)).await.is_none() {} };
    tokio::time::timeout(Duration::from_secs(30), changed).await.expect("the new certificate is served");
    over.store(true, Ordering::Relaxed);
    assert!(load.await.unwrap() > 0);
}

#[tokio::test]
#[cfg(unix)]
async fn a_certificate_that_takes_the_others_place_with_its_time_and_length_is_served() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (old, new) = (authority.sign("edge"), other.sign("edge"));
    for path in old.iter().chain(&new) {
        let text = std::fs::read_to_string(path).unwrap();
        std::fs::write(path, format!("{text:\n<4096}")).unwrap();
        std::fs::File::options().write(true).open(path).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    }
    let edge = start(&["--edge-tls-cert-file", &old[0], "--edge-tls-key-file", &old[1]]);
    for (new, old) in new.iter().zip(&old) {
        std::fs::rename(new, old).unwrap();
    }
    let health = || Request::get("/healthz").body(Bytes::new()).unwrap();
    let changed = async {
        while client(&edge, &other).send(health(), Limits::default()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), changed).await.expect("the new certificate is served");
}

#[test]
fn a_certificate_that_cannot_be_used_is_named_by_its_variable() {
    let authority = Authority::new();
    let ([certificate, key], [_, other]) = (authority.sign("edge"), authority.sign("other"));
    let empty = authority.write("empty.pem", "");
    for (certificate, key, variable) in [
        (&*certificate, "", "EDGE_TLS_KEY_FILE"),
        ("", &*key, "EDGE_TLS_CERT_FILE"),
        ("/nonexistent", &key, "EDGE_TLS_CERT_FILE"),
        (&empty, &key, "EDGE_TLS_CERT_FILE"),
        (&certificate, &empty, "EDGE_TLS_KEY_FILE"),
        (&certificate, &other, "EDGE_TLS_KEY_FILE"),
    ] {
        let error =
            octet_edge::Edge::check(&options(&["--edge-tls-cert-file", certificate, "--edge-tls-key-file", key]));
        assert_eq!(error.unwrap_err().variable(), Some(variable), "{certificate} {key}");
    }
}

#[tokio::test]
async fn octet_is_reached_with_a_client_certificate_and_believed_by_its_own_authority_only() {
    let (authority, octet) = (Authority::new(), Octet::start().await);
    let [octet_certificate, octet_key] = authority.sign("octet");
    let [client_certificate, client_key] = authority.sign("client");
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![CertificateDer::from_pem_file(octet_certificate).unwrap()],
            PrivateKeyDer::from_pem_file(octet_key).unwrap(),
        )
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("--octet-url=https://localhost:{}", listener.local_addr().unwrap().port());
    let plain = octet.addr;
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut browser) = acceptor.accept(tcp).await else { return };
                let mut octet = TcpStream::connect(plain).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut browser, &mut octet).await;
            });
        }
    });
    let ca = format!("--octet-ca-file={}", authority.write("ca.pem", &authority.pem()));
    let shown =
        [format!("--edge-client-cert-file={client_certificate}"), format!("--edge-client-key-file={client_key}")];
    let foreign = Authority::new();
    let foreign = format!("--octet-ca-file={}", foreign.write("ca.pem", &foreign.pem()));
    for (settings, status) in [
        (vec![&*url, &ca, &shown[0], &shown[1]], StatusCode::ACCEPTED),
        (vec![&*url, &ca], StatusCode::SERVICE_UNAVAILABLE),
        (vec![&*url, &foreign, &shown[0], &shown[1]], StatusCode::SERVICE_UNAVAILABLE),
    ] {
        let edge = start(&settings);
        assert_eq!(crate::support::post(edge.addr, &[]).await.status(), status, "{settings:?}");
    }
}

/// What the edge tells Octet of a bundle that comes behind `header` on a connection from loopback.
async fn behind(edge: &Running, octet: &Octet, header: &[u8]) -> Option<(String, bool)> {
    let mut tcp = TcpStream::connect(edge.addr).await.unwrap();
    let body = bundle();
    let head = format!(
        "POST /octet/v1/signals HTTP/1.1\r\nhost: shop\r\norigin: http://shop\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    tcp.write_all(&[header, head.as_bytes(), body.as_bytes()].concat()).await.unwrap();
    let mut answer = Vec::new();
    // An edge that refuses the connection resets it.
    let _ = tcp.read_to_end(&mut answer).await;
    let peer = answer.starts_with(b"HTTP/1.1 202").then(|| octet.observed().peer.unwrap())?;
    Some((peer.ip.to_string(), peer.forwarded))
}

/// PROXY protocol for 192.0.2.7, versions 1 and 2.
const FORWARDED: [&[u8]; 2] = [
    b"PROXY TCP4 192.0.2.7 10.0.0.1 4711 443\r\n",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\x0a\0\0\x01\x01\x01\x01\xbb",
];

#[tokio::test]
async fn proxy_protocol_is_read_from_trusted_peers_and_from_no_other() {
    let octet = Octet::start().await;
    let trusting = octet.edge(&["--trusted-proxies=127.0.0.1"]);
    for header in FORWARDED {
        assert_eq!(behind(&trusting, &octet, header).await, Some(("192.0.2.7".into(), true)));
    }
    assert_eq!(behind(&trusting, &octet, b"").await, Some(("127.0.0.1".into(), false)));
    assert_eq!(behind(&trusting, &octet, b"PROXY UNKNOWN\r\n").await, Some(("127.0.0.1".into(), false)));
    assert_eq!(behind(&trusting, &octet, b"PROXY TCP4 nobody\r\n").await, None);
    let strict = octet.edge(&["--trusted-proxies=192.0.2.0/24"]);
    for header in FORWARDED {
        assert_eq!(behind(&strict, &octet, header).await, None);
    }
    assert_eq!(behind(&strict, &octet, b"").await, Some(("127.0.0.1".into(), false)));
}

/// A load balancer for TCP in front of `edge`, which writes `header` before what the browser says; its port.
async fn balancer(edge: SocketAddr, header: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut browser, _)) = listener.accept().await {
            let mut edge = TcpStream::connect(edge).await.unwrap();
            edge.write_all(header).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut browser, &mut edge).await });
        }
    });
    port
}

#[tokio::test]
async fn behind_a_load_balancer_for_tcp_the_edge_sees_the_browsers_address_and_its_own_handshake() {
    let (authority, octet) = (Authority::new(), Octet::start().await);
    let [certificate, key] = authority.sign("edge");
    let tls = ["--edge-tls-cert-file", &certificate, "--edge-tls-key-file", &key];
    let edge = octet.edge(&[&["--trusted-proxies=127.0.0.1"], &tls[..]].concat());
    client(&edge, &authority).send(post(&edge), Limits::default()).await.unwrap();
    let direct = octet.observed().tls.unwrap().ja4;
    for header in FORWARDED {
        let port = balancer(edge.addr, header).await;
        let answer = client_at(port, authority.pem()).send(post_at(port), Limits::default()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        let EdgeObservations { peer, tls, http2, .. } = octet.observed();
        let peer = peer.unwrap();
        assert_eq!((peer.ip.to_string().as_str(), peer.forwarded), ("192.0.2.7", true));
        assert_eq!(tls.unwrap().ja4, direct);
        assert!(http2.is_some());
    }
}

/// A browser's side of `edge` that sends the ClientHello in records of one byte; its port.
async fn crumbs(edge: SocketAddr) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut browser, _)) = listener.accept().await {
            let mut edge = TcpStream::connect(edge).await.unwrap();
            let mut head = [0; 5];
            browser.read_exact(&mut head).await.unwrap();
            let mut hello = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
            browser.read_exact(&mut hello).await.unwrap();
            let records: Vec<_> = hello.iter().flat_map(|byte| [head[0], head[1], head[2], 0, 1, *byte]).collect();
            edge.write_all(&records).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut browser, &mut edge).await });
        }
    });
    port
}

#[tokio::test]
async fn a_clienthello_in_crumbs_is_seen_as_the_whole_one_is() {
    let (authority, octet) = (Authority::new(), Octet::start().await);
    let [certificate, key] = authority.sign("edge");
    let edge = octet.edge(&["--edge-tls-cert-file", &certificate, "--edge-tls-key-file", &key]);
    client(&edge, &authority).send(post(&edge), Limits::default()).await.unwrap();
    let whole = octet.observed().tls.unwrap().ja4;
    let port = crumbs(edge.addr).await;
    client_at(port, authority.pem()).send(post_at(port), Limits::default()).await.unwrap();
    assert_eq!(octet.observed().tls.map(|tls| tls.ja4), Some(whole));
}

#[tokio::test]
async fn a_cdns_word_is_taken_from_trusted_peers_and_marked_as_its_own() {
    let octet = Octet::start().await;
    let named = ["--cdn-rtt-header=x-rtt", "--cdn-ja4-header=x-ja4", "--forwarded-header=cf-connecting-ip"];
    let says =
        [("cf-connecting-ip", "192.0.2.7"), ("x-rtt", "21.5"), ("x-ja4", "t13d1516h2_8daaf6152771_d8a2da3f94cd")];
    let edge = octet.edge(&[&["--trusted-proxies=127.0.0.0/8"], &named[..]].concat());
    crate::support::post(edge.addr, &says).await;
    let EdgeObservations { peer, cdn, tls, http2, .. } = octet.observed();
    let cdn = cdn.unwrap();
    assert_eq!((peer.unwrap().ip.to_string(), cdn.rtt_us), ("192.0.2.7".into(), Some(21_500)));
    assert!(cdn.ja4.is_some() && tls.is_none() && http2.is_none());
    let edge = octet.edge(&named);
    crate::support::post(edge.addr, &says).await;
    let EdgeObservations { peer, cdn, .. } = octet.observed();
    assert_eq!((peer.unwrap().ip.to_string(), cdn), ("127.0.0.1".into(), None));
}
