//! TLS at the edge: rustls over ring, with a certificate that is read again when its files change. Must never log or
//! print a key.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::Stream;
use crate::stream::Setup;

/// How often the files are looked at, at most; only when a browser comes.
const LOOK: Duration = Duration::from_secs(1);

/// A certificate and its key, from files. They are read again when they change; until they can be used the old ones
/// stand.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
}

/// The certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct TlsError {
    path: PathBuf,
    reason: String,
}

impl TlsError {
    /// The file that is to blame.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Tls {
    /// A certificate chain (PEM) and its private key (PEM); HTTP/1.1 is offered.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or certificate and key do not fit.
    pub fn from_files(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let files = Files { certificate: certificate.into(), key: key.into() };
        let (stamp, current) = (files.stamp(), files.read(&provider)?);
        let reason = |error: rustls::Error| TlsError { path: files.certificate.clone(), reason: error.to_string() };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().map_err(reason)?.with_no_client_auth();
        let looked = Mutex::new((Instant::now(), stamp));
        let mut config =
            builder.with_cert_resolver(Arc::new(Fresh { files, provider, current: RwLock::new(current), looked }));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config) })
    }

    /// The same with HTTP/2 offered before HTTP/1.1: for hosts that serve it.
    #[must_use]
    pub fn with_http2(mut self) -> Self {
        Arc::make_mut(&mut self.config).alpn_protocols.insert(0, b"h2".to_vec());
        self
    }

    /// Answers the handshake on a connection that another server accepted, and sees its ClientHello. Sets `TCP_NODELAY`.
    ///
    /// # Errors
    ///
    /// When the connection is gone, or there is no handshake within ten seconds.
    pub async fn open(&self, tcp: TcpStream) -> io::Result<Stream> {
        let peer = tcp.peer_addr()?;
        // Without it the connection is slower, not wrong.
        let _ = tcp.set_nodelay(true);
        Setup { relay: None, tls: Some(self.clone()) }.open(tcp, peer).await
    }

    pub(crate) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> io::Result<TlsStream<S>> {
        TlsAcceptor::from(Arc::clone(&self.config)).accept(stream).await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// By what a change of the files is noticed: when each was written, its length, and which one it is.
type Stamp = [Option<(SystemTime, u64, u64)>; 2];

#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    fn stamp(&self) -> Stamp {
        let one = |path: &Path| {
            let data = std::fs::metadata(path).ok()?;
            Some((data.modified().ok()?, data.len(), number(&data)))
        };
        [one(&self.certificate), one(&self.key)]
    }

    fn read(&self, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, TlsError> {
        let failed = |path: &Path, reason: String| TlsError { path: path.to_owned(), reason };
        let chain = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| failed(&self.certificate, error.to_string()))?;
        if chain.is_empty() {
            return Err(failed(&self.certificate, "there is no certificate (PEM) in it".into()));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| failed(&self.key, error.to_string()))?;
        let pair = CertifiedKey::from_der(chain, key, provider);
        pair.map(Arc::new).map_err(|error| failed(&self.key, format!("it does not fit the certificate: {error}")))
    }
}

/// The number of a file in its file system: one that takes another's place can have its time and its length, as where
/// every file is of the same time.
#[cfg(unix)]
fn number(data: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(data)
}

#[cfg(not(unix))]
const fn number(_: &std::fs::Metadata) -> u64 {
    0
}

/// The certificate as its files have it now.
struct Fresh {
    files: Files,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
    /// When the files were looked at last, and what they were when they were read last.
    looked: Mutex<(Instant, Stamp)>,
}

impl Fresh {
    /// Reads the files again, if they have changed.
    fn look(&self) {
        // Another thread looks already.
        let Ok(mut looked) = self.looked.try_lock() else { return };
        if looked.0.elapsed() < LOOK {
            return;
        }
        looked.0 = Instant::now();
        let stamp = self.files.stamp();
        if looked.1 == stamp {
            return;
        }
        match self.files.read(&self.provider) {
            Ok(pair) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = pair;
                looked.1 = stamp;
                tracing::info!("the certificate was read again");
            }
            Err(error) => tracing::error!(%error, "the changed certificate cannot be used; the old one stands"),
        }
    }
}

impl ResolvesServerCert for Fresh {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.look();
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl fmt::Debug for Fresh {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fresh").field("files", &self.files).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_handshake_that_does_not_end_within_ten_seconds_ends_its_connection() {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let folder = tempfile::TempDir::new().unwrap();
        let [chain, key] = ["chain.pem", "key.pem"].map(|name| folder.path().join(name));
        std::fs::write(&chain, cert.pem()).unwrap();
        std::fs::write(&key, signing_key.serialize_pem()).unwrap();
        let tls = Tls::from_files(chain, key).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // Nothing, and the beginning of a hello.
        for begin in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
            let mut browser = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            browser.write_all(begin).await.unwrap();
            let (accepted, _) = listener.accept().await.unwrap();
            // Virtual time: the clock stands still and jumps.
            let begun = tokio::time::Instant::now();
            assert_eq!(tls.open(accepted).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
            let took = begun.elapsed();
            assert!((Duration::from_secs(10)..Duration::from_secs(11)).contains(&took), "{took:?}");
            assert!(matches!(browser.read(&mut [0]).await, Ok(0) | Err(_)), "the connection is over");
        }
    }
}
