//! The edge from its settings to its end: one listening socket, threads that serve it, and a shutdown that lets open
//! requests finish. Knows no route.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use octet_tower::{Listener, OctetEdgeLayer, Tls};
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::front::Front;
use crate::options::Settings;
use crate::{Error, Options};

/// How many connections wait in the kernel to be accepted.
const BACKLOG: i32 = 4096;
/// How long a connection may be silent until the kernel asks whether its other end is still there, and how long that end
/// may leave unread what it was sent.
const PATIENCE_MS: u32 = 60_000;

/// An edge that listens, and serves once it is [run](Self::run).
#[derive(Debug)]
pub struct Edge {
    socket: std::net::TcpListener,
    settings: Settings,
}

impl Edge {
    /// Checks every setting and says what would run, and with which settings.
    ///
    /// # Errors
    ///
    /// When a setting is missing or cannot be used: the error names its variable and says what to do.
    pub fn check(options: &Options) -> Result<String, Error> {
        let Settings { address, app, workers, tls, .. } = options.check()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let app = app.map_or_else(|| "no app behind it".to_owned(), |app| format!("the app at {app}"));
        let mut said = format!("the settings are sound: {scheme}://{address}, {app}, {workers} threads\n");
        for (variable, value) in options.all_set() {
            said.push_str(&format!("{variable}={value}\n"));
        }
        Ok(said + "and all else as it is by default")
    }

    /// Checks every setting and listens.
    ///
    /// # Errors
    ///
    /// When a setting cannot be used, or the address cannot be listened at.
    pub fn bind(options: &Options) -> Result<Self, Error> {
        use io::ErrorKind::{AddrInUse, PermissionDenied};

        let settings = options.check()?;
        let SocketAddr::V6(_) = settings.address else { return Self::at(settings.address, settings) };
        let unspecified = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), settings.address.port());
        match listen(settings.address) {
            // A machine without IPv6, whose operator did not ask for it. Where the port is another's, or not to be had,
            // visitors over IPv6 would come to somebody else.
            Err(error) if settings.any_address && !matches!(error.kind(), AddrInUse | PermissionDenied) => {
                Self::at(unspecified, settings)
            }
            Err(source) => Err(Error::Listen { address: settings.address, source }),
            Ok(socket) => Ok(Self { socket, settings }),
        }
    }

    fn at(address: SocketAddr, settings: Settings) -> Result<Self, Error> {
        let socket = listen(address).map_err(|source| Error::Listen { address, source })?;
        Ok(Self { socket, settings })
    }

    /// Where it listens: with the port that the system chose, if 0 was asked for.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn local_addr(&self) -> Result<SocketAddr, Error> {
        self.socket.local_addr().map_err(Error::Start)
    }

    /// Whether it serves HTTPS.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.settings.tls.is_some()
    }

    /// Serves until `stop` is cancelled; then takes no more connections, lets open requests, WebSockets and latency channels
    /// end within the drain limit, and returns.
    ///
    /// Each thread has its own runtime and its own connections to the app, so that a request never changes threads.
    ///
    /// # Errors
    ///
    /// When the system gives no threads.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        self.settings.relay.keep_fresh();
        let slots = Arc::new(Semaphore::new(self.settings.max_connections));
        let connections = TaskTracker::new();
        let mut threads = Vec::new();
        for index in 0..self.settings.workers {
            let worker = Worker {
                socket: self.socket.try_clone().map_err(Error::Start)?,
                front: Front::new(&self.settings),
                edge: OctetEdgeLayer::from(self.settings.relay.clone()),
                tls: self.settings.tls.clone(),
                slots: Arc::clone(&slots),
                connections: connections.clone(),
                stop: stop.child_token(),
                drain: self.settings.drain,
            };
            let (ended, end) = tokio::sync::oneshot::channel();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Start)?;
            std::thread::Builder::new()
                .name(format!("octet-edge-{index}"))
                .spawn(move || {
                    let served = runtime.block_on(worker.serve());
                    // Whatever still runs is over its time.
                    runtime.shutdown_background();
                    let _ = ended.send(served);
                })
                .map_err(Error::Start)?;
            threads.push(end);
        }
        drop(self.socket);
        for end in threads {
            if let Ok(served) = end.await {
                served.map_err(Error::Start)?;
            }
        }
        Ok(())
    }
}

fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    // Its connections inherit both: a browser that is gone, or asks and never reads, would else keep its place for ever,
    // and a connection of the app with it.
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(Duration::from_millis(PATIENCE_MS.into())))?;
    #[cfg(target_os = "linux")]
    rustix::net::sockopt::set_tcp_user_timeout(&socket, PATIENCE_MS)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// A connection's place among the open ones: held as long as it lives, as a tunnel too, and a stop waits for it.
#[derive(Debug)]
pub(crate) struct Place {
    _slot: OwnedSemaphorePermit,
    _open: TaskTrackerToken,
}

/// One thread's share of the edge.
struct Worker {
    socket: std::net::TcpListener,
    front: Front,
    edge: OctetEdgeLayer,
    tls: Option<Tls>,
    slots: Arc<Semaphore>,
    /// Of all threads: they share their connections to Octet, so that none leaves before all are done.
    connections: TaskTracker,
    stop: CancellationToken,
    drain: Duration,
}

impl Worker {
    async fn serve(self) -> io::Result<()> {
        let mut listener = Listener::from(TcpListener::from_std(self.socket)?).proxy_protocol(&self.edge);
        if let Some(tls) = self.tls {
            listener = listener.tls(tls);
        }
        loop {
            // A connection over the bound waits here for a slot, and those behind it in the kernel's queue, which is
            // bounded too. No thread holds a slot that it has no connection for: another could have one that waits.
            let next = async {
                let accepted = listener.accept().await;
                (accepted, Arc::clone(&self.slots).acquire_owned().await)
            };
            let ((stream, connection), slot) = tokio::select! {
                next = next => next,
                () = self.stop.cancelled() => break,
            };
            let Ok(slot) = slot else { break };
            let place = Place { _slot: slot, _open: self.connections.token() };
            tokio::spawn(self.front.clone().serve(stream, connection, place, self.stop.clone()));
            // Another thread may be idle: it takes the next one, if this one has work now.
            tokio::task::yield_now().await;
        }
        drop(listener);
        self.connections.close();
        let all_ended = async {
            self.connections.wait().await;
            self.edge.relay().channels_ended().await;
        };
        if tokio::time::timeout(self.drain, all_ended).await.is_err() {
            tracing::warn!(open = self.connections.len(), "connections did not end in time and are closed");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use socket2::SockRef;

    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_kernel_ends_connections_whose_browser_is_gone_or_never_reads() {
        let listener = listen(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0)).unwrap();
        listener.set_nonblocking(false).unwrap();
        let _browser = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        assert!(SockRef::from(&accepted).keepalive().unwrap());
        assert_eq!(rustix::net::sockopt::tcp_user_timeout(&accepted).unwrap(), PATIENCE_MS);
    }
}
