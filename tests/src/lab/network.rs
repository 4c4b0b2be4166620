//! Hosts, and the lines between them. Forwards IPv4 packets by their destination, each after its line's delay.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fmt;
use std::fs::File;
use std::future::Future;
use std::io;
use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, setns, unshare};
use tappers::{Interface, Tun};

/// How many packets are on their way at a time; over it, the next are lost.
const MOST_UNDER_WAY: usize = 4096;
const MTU: usize = 1500;

/// A line between two hosts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Line {
    /// There and back.
    pub round_trip: Duration,
    /// The most that a packet takes longer, each way.
    pub jitter: Duration,
    /// Which share of packets is lost.
    pub loss: f64,
}

impl Line {
    /// A line without jitter and loss.
    #[must_use]
    pub const fn of_ms(round_trip: u64) -> Self {
        Self { round_trip: Duration::from_millis(round_trip), jitter: Duration::ZERO, loss: 0.0 }
    }
}

/// The hosts and lines. Cheap to clone.
#[derive(Clone, Default)]
pub struct Network(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    due: Condvar,
}

#[derive(Default)]
struct State {
    devices: HashMap<Ipv4Addr, Arc<Tun>>,
    lines: HashMap<(Ipv4Addr, Ipv4Addr), Line>,
    /// When the last packet of each direction comes out: a line keeps its order.
    last: HashMap<(Ipv4Addr, Ipv4Addr), Instant>,
    under_way: BinaryHeap<Reverse<Packet>>,
    sent: u64,
}

/// When it is due, its number, where it goes, and its bytes.
type Packet = (Instant, u64, Ipv4Addr, Vec<u8>);

impl Network {
    /// A network without hosts, whose forwarder runs until the process ends.
    ///
    /// # Panics
    ///
    /// When the system gives no thread.
    #[must_use]
    pub fn new() -> Self {
        let network = Self::default();
        let forwarder = network.clone();
        std::thread::spawn(move || forwarder.deliver());
        network
    }

    /// A new host at `address`, in a namespace of its own.
    ///
    /// # Errors
    ///
    /// Without root or `/dev/net/tun`, or where `ip` is not installed.
    pub fn host(&self, address: Ipv4Addr) -> io::Result<Host> {
        let made = std::thread::spawn(move || -> io::Result<(File, Tun)> {
            unshare(CloneFlags::CLONE_NEWNET)?;
            let tun = Tun::new_named(Interface::new("tun0")?)?;
            for command in [
                "link set lo up".to_owned(),
                format!("addr add {address}/32 dev tun0"),
                format!("link set tun0 up mtu {MTU}"),
                "route add default dev tun0".to_owned(),
            ] {
                let done = Command::new("ip").args(command.split(' ')).status()?;
                if !done.success() {
                    return Err(io::Error::other(format!("ip {command}: {done}")));
                }
            }
            Ok((File::open("/proc/thread-self/ns/net")?, tun))
        });
        let (namespace, tun) = made.join().map_err(|_| io::Error::other("the host's thread failed"))??;
        let tun = Arc::new(tun);
        self.state().devices.insert(address, Arc::clone(&tun));
        let network = self.clone();
        std::thread::spawn(move || network.take_from(&tun));
        Ok(Host { namespace: Arc::new(namespace), address })
    }

    /// Joins two hosts, or changes the line between them.
    pub fn join(&self, one: &Host, other: &Host, line: Line) {
        let mut state = self.state();
        state.lines.insert((one.address, other.address), line);
        state.lines.insert((other.address, one.address), line);
    }

    /// Puts each packet that a host sends onto its line.
    fn take_from(&self, tun: &Tun) {
        let mut random = fastrand::Rng::with_seed(7);
        let mut buffer = [0; MTU];
        while let Ok(length) = tun.recv(&mut buffer) {
            let packet = &buffer[..length];
            let Some((from, to)) = addresses(packet) else { continue };
            let mut state = self.state();
            let Some(line) = state.lines.get(&(from, to)).copied() else { continue };
            if random.f64() < line.loss || state.under_way.len() >= MOST_UNDER_WAY {
                continue;
            }
            let due = Instant::now() + line.round_trip / 2 + line.jitter.mul_f64(random.f64());
            let due = state.last.get(&(from, to)).map_or(due, |last| due.max(*last));
            state.last.insert((from, to), due);
            state.sent += 1;
            let number = state.sent;
            state.under_way.push(Reverse((due, number, to, packet.to_vec())));
            self.0.due.notify_one();
        }
    }

    /// Hands over each packet when it is due.
    fn deliver(&self) {
        let mut state = self.state();
        loop {
            let now = Instant::now();
            state = match state.under_way.peek().map(|Reverse(next)| next.0) {
                Some(due) if due <= now => {
                    if let Some(Reverse((_, _, to, packet))) = state.under_way.pop()
                        && let Some(tun) = state.devices.get(&to)
                    {
                        // A host that takes no packets loses them.
                        let _ = tun.send(&packet);
                    }
                    state
                }
                Some(due) => self.0.due.wait_timeout(state, due - now).unwrap_or_else(PoisonError::into_inner).0,
                None => self.0.due.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("hosts", &self.state().devices.keys()).finish_non_exhaustive()
    }
}

/// Source and destination of an IPv4 packet.
fn addresses(packet: &[u8]) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let version = packet.first()? >> 4;
    let address = |at: usize| <[u8; 4]>::try_from(packet.get(at..at + 4)?).ok().map(Ipv4Addr::from);
    (version == 4).then_some((address(12)?, address(16)?))
}

/// A host: what runs in it has its sockets on its network.
#[derive(Debug, Clone)]
pub struct Host {
    namespace: Arc<File>,
    address: Ipv4Addr,
}

impl Host {
    /// Its address.
    #[must_use]
    pub const fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Runs `work` in this host, on a runtime and thread of its own, and waits for it. Programs that it starts are in
    /// the host too.
    ///
    /// # Panics
    ///
    /// When `work` panics.
    pub fn run<T: Send + 'static, F: Future<Output = T>>(&self, work: impl FnOnce() -> F + Send + 'static) -> T {
        match self.start(work).join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// Runs `work` in this host, in the background.
    ///
    /// # Panics
    ///
    /// When the system gives no thread.
    pub fn start<T: Send + 'static, F: Future<Output = T>>(
        &self,
        work: impl FnOnce() -> F + Send + 'static,
    ) -> std::thread::JoinHandle<T> {
        let namespace = Arc::clone(&self.namespace);
        std::thread::spawn(move || {
            setns(&*namespace, CloneFlags::CLONE_NEWNET).expect("root may enter a namespace");
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("the system gives a runtime").block_on(work())
        })
    }
}
