//! The service on a socket of its own: a bounded number of connections, headers in bounded time, and a shutdown that
//! answers before it closes. Knows no route.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::Octet;

/// How long a client may take for the head of its next request: longer than our own clients keep an idle connection,
/// so that it is they who close it and no request meets a connection that is being closed.
const SLOWEST_HEAD: Duration = Duration::from_secs(60);
/// How often an HTTP/2 client shows that it is still there, and how long it may take for that.
const SIGN_OF_LIFE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));
/// How long connections may take to end once the shutdown began.
const LONGEST_FAREWELL: Duration = Duration::from_secs(10);

impl Octet {
    /// Serves on `listener`, HTTP/1.1 and HTTP/2 without TLS, until `shutdown` completes or [`Octet::shutdown`] is
    /// called: then it takes no more connections, answers the waiters, and returns when all are answered.
    ///
    /// # Errors
    ///
    /// When the listener itself fails; a failing connection ends alone.
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> std::io::Result<()> {
        let connections = Arc::new(Semaphore::new(self.shared().limits.connections));
        let graceful = GracefulShutdown::new();
        let mut shutdown = std::pin::pin!(shutdown);
        let stopped = self.shared().shutdown.clone();
        loop {
            // A connection over the bound waits in the kernel's queue, which is bounded too.
            let next = async {
                let permit = Arc::clone(&connections).acquire_owned().await.map_err(std::io::Error::other)?;
                Ok::<_, std::io::Error>((permit, accept(&listener).await?))
            };
            let (permit, stream) = tokio::select! {
                next = next => next?,
                () = &mut shutdown => break,
                () = stopped.cancelled() => break,
            };
            let mut builder = auto::Builder::new(TokioExecutor::new());
            builder.http1().timer(TokioTimer::new()).header_read_timeout(SLOWEST_HEAD).max_headers(64);
            builder
                .http2()
                .timer(TokioTimer::new())
                .keep_alive_interval(SIGN_OF_LIFE.0)
                .keep_alive_timeout(SIGN_OF_LIFE.1)
                .max_concurrent_streams(1024)
                .max_header_list_size(16 * 1024);
            let service = TowerToHyperService::new(self.clone());
            let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
            let connection = graceful.watch(connection);
            tokio::spawn(async move {
                if connection.await.is_err() {
                    tracing::debug!("a connection broke off");
                }
                drop(permit);
            });
        }
        drop(listener);
        self.shutdown();
        tracing::info!("shutting down");
        if tokio::time::timeout(LONGEST_FAREWELL, graceful.shutdown()).await.is_err() {
            tracing::warn!("connections did not end in time and are closed");
        }
        Ok(())
    }
}

/// The next connection. What fails for one of them, or for want of resources that come back, is not the listener's end.
async fn accept(listener: &TcpListener) -> std::io::Result<TcpStream> {
    use std::io::ErrorKind;

    const EMFILE: i32 = 24;
    const ENFILE: i32 = 23;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small and whole: nothing to wait for.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => match (error.kind(), error.raw_os_error()) {
                (ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted, _) => {}
                (_, Some(EMFILE | ENFILE)) | (ErrorKind::OutOfMemory, _) => {
                    tracing::error!("out of file descriptors or memory; no new connections for a moment");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                _ => return Err(error),
            },
        }
    }
}
