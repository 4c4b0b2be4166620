//! The service on a socket of its own: a bounded number of connections, no peer with most of them, headers in bounded
//! time, and a shutdown that answers before it closes. Knows no route.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::Request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tower_service::Service;

use crate::Octet;
use crate::shares::Shares;

/// How long a client may take for its first request's head, whatever it speaks.
const SLOWEST_FIRST_HEAD: Duration = Duration::from_secs(10);
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
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let connections = Arc::new(Semaphore::new(self.shared().limits.connections));
        let shares = Shares::new(self.shared().limits.connections / 2);
        let graceful = GracefulShutdown::new();
        let mut shutdown = std::pin::pin!(shutdown);
        let stopped = self.shared().shutdown.clone();
        loop {
            // A connection over the bound waits in the kernel's queue, which is bounded too.
            let next = async {
                let permit = Arc::clone(&connections).acquire_owned().await.map_err(io::Error::other)?;
                Ok::<_, io::Error>((permit, accept(&listener).await?))
            };
            let (permit, (stream, peer)) = tokio::select! {
                next = next => next?,
                () = &mut shutdown => break,
                () = stopped.cancelled() => break,
            };
            // A proxy on this machine stands for many.
            let share = if peer.is_loopback() { None } else { Some(shares.take(peer)) };
            if share.as_ref().is_some_and(Option::is_none) {
                tracing::debug!("a peer has as many connections as it may");
                continue;
            }
            let mut builder = auto::Builder::new(TokioExecutor::new());
            builder.http1().timer(TokioTimer::new()).header_read_timeout(SLOWEST_HEAD).max_headers(64);
            builder
                .http2()
                .timer(TokioTimer::new())
                .keep_alive_interval(SIGN_OF_LIFE.0)
                .keep_alive_timeout(SIGN_OF_LIFE.1)
                .max_concurrent_streams(1024)
                .max_header_list_size(16 * 1024);
            let asked = Arc::new(Notify::new());
            let service = TowerToHyperService::new(Announced { octet: self.clone(), asked: Arc::clone(&asked) });
            let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
            let connection = graceful.watch(connection);
            tokio::spawn(async move {
                let silence = async {
                    if tokio::time::timeout(SLOWEST_FIRST_HEAD, asked.notified()).await.is_ok() {
                        std::future::pending::<()>().await;
                    }
                };
                tokio::select! {
                    ended = connection => if ended.is_err() {
                        tracing::debug!("a connection broke off");
                    },
                    () = silence => tracing::debug!("a connection asked nothing"),
                }
                drop((permit, share));
            });
        }
        drop(listener);
        self.shutdown();
        tracing::info!("shutting down");
        if tokio::time::timeout(LONGEST_FAREWELL, graceful.shutdown()).await.is_err() {
            tracing::warn!("connections did not end in time and are closed");
        }
        if let Err(error) = self.shared().signed.flush(&self.shared().records).await {
            tracing::error!(%error, "the last proofs are not in the chain");
        }
        self.shared().bot.finish().await;
        Ok(())
    }
}

/// The service of one connection, which says when its first request is there.
#[derive(Clone)]
struct Announced {
    octet: Octet,
    asked: Arc<Notify>,
}

impl<B> Service<Request<B>> for Announced
where
    Octet: Service<Request<B>>,
{
    type Response = <Octet as Service<Request<B>>>::Response;
    type Error = <Octet as Service<Request<B>>>::Error;
    type Future = <Octet as Service<Request<B>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.octet.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.asked.notify_one();
        self.octet.call(request)
    }
}

/// The next connection. Whatever fails for one of them, or for want of resources that come back, is not the
/// listener's end.
async fn accept(listener: &TcpListener) -> io::Result<(TcpStream, IpAddr)> {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are small and whole: nothing to wait for.
                let _ = stream.set_nodelay(true);
                return Ok((stream, peer.ip().to_canonical()));
            }
            Err(error) if is_the_listeners_end(&error) => return Err(error),
            Err(error) if is_one_connections(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection could be taken; no new ones for a moment");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Whether the client alone is to blame, and the next connection may be there already.
fn is_one_connections(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

/// Whether the listener's socket is none any more. All else passes: accept(2) hands on what the network did too.
fn is_the_listeners_end(error: &io::Error) -> bool {
    const EBADF: i32 = 9;
    const EINVAL: i32 = 22;
    matches!(error.raw_os_error(), Some(EBADF | EINVAL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_listener_that_is_none_any_more_ends_the_service() {
        let ends = |errno: i32| is_the_listeners_end(&io::Error::from_raw_os_error(errno));
        assert!(ends(9) && ends(22));
        // On Linux EPERM, EMFILE, EPROTO, ENETDOWN, ENOBUFS, ECONNABORTED, EHOSTUNREACH.
        for errno in [1, 24, 71, 100, 105, 103, 113] {
            assert!(!ends(errno), "{errno}");
        }
    }
}
