//! The kernel's view of a TCP connection (`TCP_INFO`). The one module with `unsafe`, for one system call; where
//! the kernel does not tell, the answer is "not observed".

#![expect(unsafe_code, reason = "getsockopt has no safe wrapper for TCP_INFO with tcpi_min_rtt")]

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use octet::observations::TcpInfo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub use self::platform::{Probe, Socket};

/// A connection that can be asked for its [`TcpInfo`] by others, through its [`Probe`], as long as it lives.
///
/// Reads and writes pass through untouched.
#[derive(Debug)]
pub struct Observed<S> {
    // Before the socket: it forgets the descriptor before that is closed.
    guard: platform::Guard,
    socket: S,
}

impl<S: Socket> Observed<S> {
    /// Makes `socket` observable.
    pub fn new(socket: S) -> Self {
        Self { guard: platform::Guard::new(&socket), socket }
    }

    /// A way to ask, which does not keep the connection open.
    #[must_use]
    pub fn probe(&self) -> Probe {
        self.guard.probe()
    }

    /// The connection itself.
    pub const fn get_ref(&self) -> &S {
        &self.socket
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Observed<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Observed<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

#[cfg(target_os = "linux")]
mod platform {
    use std::mem::{MaybeUninit, offset_of, size_of};
    use std::os::fd::{AsFd, AsRawFd, RawFd};
    use std::sync::{Arc, Mutex, PoisonError};

    use super::TcpInfo;

    /// What has a descriptor.
    pub trait Socket: AsFd {}

    impl<S: AsFd> Socket for S {}

    /// Asks a connection for its [`TcpInfo`] while it lives.
    #[derive(Debug, Clone)]
    pub struct Probe(Arc<Mutex<Option<RawFd>>>);

    /// Takes the descriptor away from its probes when the connection goes.
    #[derive(Debug)]
    pub(super) struct Guard(Probe);

    impl Guard {
        pub(super) fn new(socket: &impl Socket) -> Self {
            Self(Probe(Arc::new(Mutex::new(Some(socket.as_fd().as_raw_fd())))))
        }

        pub(super) fn probe(&self) -> Probe {
            self.0.clone()
        }
    }

    impl Drop for Guard {
        fn drop(&mut self) {
            *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    impl Probe {
        /// The kernel's view of the connection now; `None` once it is gone, or when it is no TCP connection.
        #[must_use]
        pub fn read(&self) -> Option<TcpInfo> {
            // Held while the kernel is asked, so that the descriptor is not closed and given to another meanwhile.
            let descriptor = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            tcp_info((*descriptor)?)
        }
    }

    fn tcp_info(descriptor: RawFd) -> Option<TcpInfo> {
        let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
        let mut length = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).ok()?;
        // SAFETY: the kernel writes at most `length` bytes to `info`, which has that many.
        let result = unsafe {
            libc::getsockopt(descriptor, libc::IPPROTO_TCP, libc::TCP_INFO, info.as_mut_ptr().cast(), &raw mut length)
        };
        if result != 0 {
            return None;
        }
        // SAFETY: plain numbers, all of them zeroed before the kernel wrote any.
        let info = unsafe { info.assume_init() };
        let has = |end: usize| usize::try_from(length).is_ok_and(|length| length >= end);
        let min_rtt_end = offset_of!(libc::tcp_info, tcpi_min_rtt) + size_of::<u32>();
        // The kernel's minimum is all ones before its first measurement.
        let min_rtt_us = Some(info.tcpi_min_rtt).filter(|min| has(min_rtt_end) && *min != 0 && *min != u32::MAX);
        let measured = has(offset_of!(libc::tcp_info, tcpi_rttvar) + size_of::<u32>()) && info.tcpi_rtt != 0;
        measured.then_some(TcpInfo { rtt_us: info.tcpi_rtt, rtt_var_us: info.tcpi_rttvar, min_rtt_us })
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use super::TcpInfo;

    /// Anything: this kernel is not asked.
    pub trait Socket {}

    impl<S> Socket for S {}

    /// Asks nobody: this kernel does not tell.
    #[derive(Debug, Clone)]
    pub struct Probe(());

    #[derive(Debug)]
    pub(super) struct Guard(());

    impl Guard {
        pub(super) fn new(_: &impl Socket) -> Self {
            Self(())
        }

        pub(super) fn probe(&self) -> Probe {
            Probe(())
        }
    }

    impl Probe {
        /// Nothing: not observed.
        #[must_use]
        pub fn read(&self) -> Option<TcpInfo> {
            None
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_live_connection_tells_and_a_closed_one_does_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        for _ in 0..4 {
            client.write_all(b"x").unwrap();
            server.read_exact(&mut [0]).unwrap();
            server.write_all(b"y").unwrap();
            client.read_exact(&mut [0]).unwrap();
        }
        let observed = Observed::new(server);
        let probe = observed.probe();
        let info = probe.read().unwrap();
        assert!(info.rtt_us < 1_000_000, "{info:?}");
        assert!(info.min_rtt_us.is_none_or(|min| min <= info.rtt_us.saturating_mul(4)), "{info:?}");
        drop(observed);
        assert_eq!(probe.read(), None);
    }

    #[test]
    fn what_is_no_tcp_connection_is_not_observed() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        assert_eq!(Observed::new(socket).probe().read(), None);
    }
}
