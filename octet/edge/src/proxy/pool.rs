//! One thread's connections to the app: used again while they live, opened when there is none. Knows no header.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::App;
use super::upload::Upload;

/// How many connections wait for their next request.
const MAX_IDLE: usize = 128;
/// How long one waits: less than what common servers keep it (Node.js five seconds), so that it is the edge that closes
/// it and no request meets a connection that is being closed.
const LONGEST_IDLE: Duration = Duration::from_secs(4);
/// How long the app may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// The largest head of an answer, in bytes.
const MAX_HEAD: usize = 256 * 1024;

type Sender = SendRequest<Upload>;

/// The app's connections of one thread.
#[derive(Debug)]
pub(crate) struct Pool {
    app: App,
    /// The one that was used last at the end.
    idle: Mutex<Vec<(Instant, Sender)>>,
}

/// Why the app gave no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It does not accept connections.
    Connect(io::Error),
    /// It took too long.
    TimedOut,
    /// The browser's own body broke off, or is malformed.
    Upload,
    /// It broke off, or sent what is no HTTP.
    Broke(hyper::Error),
}

impl fmt::Display for Failure {
    /// Nothing of the request.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => write!(f, "no connection came about: {error}"),
            Self::TimedOut => f.write_str("it took too long"),
            Self::Upload => f.write_str("the browser's body broke off"),
            Self::Broke(error) => write!(f, "it broke off: {error}"),
        }
    }
}

/// A connection in use; given back when the answer has been read, and closed otherwise.
#[derive(Debug)]
pub(crate) struct Lease {
    pool: Arc<Pool>,
    sender: Sender,
}

impl Lease {
    /// The connection is free for the next request.
    pub(crate) fn give_back(self) {
        if self.sender.is_closed() {
            return;
        }
        let now = Instant::now();
        let mut idle = self.pool.idle();
        let over = idle.iter().take_while(|(since, _)| now.duration_since(*since) > LONGEST_IDLE).count();
        idle.drain(..over);
        if idle.len() < MAX_IDLE {
            idle.push((now, self.sender));
        }
    }
}

impl Pool {
    pub(crate) fn new(app: App) -> Self {
        Self { app, idle: Mutex::default() }
    }

    /// The app's own name, for a request that names no host.
    pub(crate) fn host(&self) -> HeaderValue {
        HeaderValue::from_str(self.app.authority.as_str()).unwrap_or(HeaderValue::from_static("localhost"))
    }

    /// Sends a request and waits for the head of its answer: as long as the app may take, and longer while the
    /// request's own body moves.
    pub(crate) async fn send(
        self: &Arc<Self>,
        request: Request<Upload>,
    ) -> Result<(Response<Incoming>, Lease), Failure> {
        let moved = request.body().moved();
        let mut exchange = std::pin::pin!(self.exchange(request));
        loop {
            match tokio::time::timeout(self.app.timeout, exchange.as_mut()).await {
                Ok(answered) => return answered,
                Err(_) if moved.as_ref().is_some_and(|moved| moved.take()) => {}
                Err(_) => return Err(Failure::TimedOut),
            }
        }
    }

    async fn exchange(self: &Arc<Self>, mut request: Request<Upload>) -> Result<(Response<Incoming>, Lease), Failure> {
        let mut repeated = false;
        loop {
            let waiting = if repeated { None } else { self.take() };
            let (mut sender, used) = match waiting {
                Some(sender) => (sender, true),
                None => (self.connect().await?, false),
            };
            // One that died while it waited is no failure of this request.
            if sender.ready().await.is_err() && used {
                continue;
            }
            let again = if used { again(&request) } else { None };
            match sender.try_send_request(request).await {
                Ok(response) => return Ok((response, Lease { pool: Arc::clone(self), sender })),
                Err(mut error) => match (error.take_message(), again) {
                    (Some(unsent), _) if used => request = unsent,
                    // The app closed the connection while this request was on its way to it. Once, and on a connection
                    // of its own: it could be this very request at which the app ends.
                    (None, Some(again)) if !error.error().is_parse() => (request, repeated) = (again, true),
                    _ if error.error().is_user() => return Err(Failure::Upload),
                    _ => return Err(Failure::Broke(error.into_error())),
                },
            }
        }
    }

    /// A connection that waits, the one that was used last.
    fn take(&self) -> Option<Sender> {
        let mut idle = self.idle();
        while let Some((since, sender)) = idle.pop() {
            if since.elapsed() > LONGEST_IDLE {
                idle.clear();
            } else if sender.is_ready() {
                return Some(sender);
            }
            // Closed, or still busy with a body that the app answered early: nobody else is to wait for that.
        }
        None
    }

    async fn connect(&self) -> Result<Sender, Failure> {
        let connecting = TcpStream::connect((&*self.app.host, self.app.port));
        let tcp = match tokio::time::timeout(CONNECT, connecting).await {
            Ok(connected) => connected.map_err(Failure::Connect)?,
            Err(_) => return Err(Failure::TimedOut),
        };
        // Without it the connection is slower, not wrong.
        let _ = tcp.set_nodelay(true);
        let mut builder = Builder::new();
        builder.max_buf_size(MAX_HEAD);
        let (sender, connection) = builder.handshake(TokioIo::new(tcp)).await.map_err(Failure::Broke)?;
        tokio::spawn(async move {
            if connection.with_upgrades().await.is_err() {
                tracing::debug!("a connection to the app broke off");
            }
        });
        Ok(sender)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Instant, Sender)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The request once more, where it does no harm that the app may have seen it already (RFC 9110, section 9.2.2).
fn again(request: &Request<Upload>) -> Option<Request<Upload>> {
    if !request.method().is_idempotent() {
        return None;
    }
    let mut again = Request::new(request.body().again()?);
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.headers_mut() = request.headers().clone();
    Some(again)
}
