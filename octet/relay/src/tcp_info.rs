//! The kernel's view of a TCP connection (`TCP_INFO`). The one module with `unsafe`, for one system call; where
//! the kernel does not tell, the answer is "not observed".

#![expect(unsafe_code, reason = "getsockopt has no safe wrapper for TCP_INFO with tcpi_min_rtt")]

pub use self::platform::{Probe, Socket};

#[cfg(target_os = "linux")]
mod platform {
    use std::mem::{MaybeUninit, offset_of, size_of};
    use std::os::fd::{AsFd, AsRawFd, RawFd};

    use octet::observations::TcpInfo;

    /// What has a descriptor.
    pub trait Socket: AsFd {}

    impl<S: AsFd> Socket for S {}

    /// Asks a connection for its [`TcpInfo`] while it lives; does not keep it open.
    ///
    /// The descriptor may be closed and given to another connection meanwhile. The kernel's cookie of a socket is
    /// never given again, so another one's answer is not taken for this one's.
    #[derive(Debug, Clone, Copy)]
    pub struct Probe {
        descriptor: RawFd,
        cookie: u64,
    }

    impl Probe {
        /// A way to ask `socket`; `None` where the kernel names no sockets (Linux before 4.12).
        #[must_use]
        pub fn new(socket: &impl Socket) -> Option<Self> {
            let descriptor = socket.as_fd().as_raw_fd();
            Some(Self { descriptor, cookie: cookie(descriptor)? })
        }

        /// The kernel's view of the connection now; `None` once it is gone, or when it is no TCP connection.
        #[must_use]
        pub fn read(&self) -> Option<TcpInfo> {
            let info = tcp_info(self.descriptor);
            // Asked afterwards: if it is this socket still, it was when its view was read.
            info.filter(|_| cookie(self.descriptor) == Some(self.cookie))
        }
    }

    fn cookie(descriptor: RawFd) -> Option<u64> {
        let (cookie, length) = option::<u64>(descriptor, libc::SOL_SOCKET, libc::SO_COOKIE)?;
        (length == size_of::<u64>()).then_some(cookie)
    }

    fn tcp_info(descriptor: RawFd) -> Option<TcpInfo> {
        let (info, length) = option::<libc::tcp_info>(descriptor, libc::IPPROTO_TCP, libc::TCP_INFO)?;
        let min_rtt_end = offset_of!(libc::tcp_info, tcpi_min_rtt) + size_of::<u32>();
        // The kernel's minimum is all ones before its first measurement.
        let min_rtt_us = Some(info.tcpi_min_rtt).filter(|min| length >= min_rtt_end && *min != 0 && *min != u32::MAX);
        let measured = length >= offset_of!(libc::tcp_info, tcpi_rttvar) + size_of::<u32>() && info.tcpi_rtt != 0;
        measured.then_some(TcpInfo { rtt_us: info.tcpi_rtt, rtt_var_us: info.tcpi_rttvar, min_rtt_us })
    }

    /// What a socket option may be read as: plain numbers, of which any bytes are a value.
    trait Numbers: Copy {}

    impl Numbers for u64 {}

    impl Numbers for libc::tcp_info {}

    /// A socket's option, and how many bytes of it the kernel wrote; `None` where there is no such socket.
    fn option<T: Numbers>(descriptor: RawFd, level: libc::c_int, name: libc::c_int) -> Option<(T, usize)> {
        let mut value = MaybeUninit::<T>::zeroed();
        let mut length = libc::socklen_t::try_from(size_of::<T>()).ok()?;
        // SAFETY: the kernel writes at most `length` bytes to `value`, which has that many.
        let result = unsafe { libc::getsockopt(descriptor, level, name, value.as_mut_ptr().cast(), &raw mut length) };
        if result != 0 {
            return None;
        }
        // SAFETY: plain numbers, all of them zeroed before the kernel wrote any.
        Some((unsafe { value.assume_init() }, usize::try_from(length).ok()?))
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use octet::observations::TcpInfo;

    /// Anything: this kernel is not asked.
    pub trait Socket {}

    impl<S> Socket for S {}

    /// Asks nobody: this kernel does not tell.
    #[derive(Debug, Clone, Copy)]
    pub struct Probe(());

    impl Probe {
        /// Nothing: not observed.
        #[must_use]
        pub fn new(_: &impl Socket) -> Option<Self> {
            None
        }

        /// Nothing: not observed.
        #[must_use]
        pub fn read(&self) -> Option<TcpInfo> {
            None
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;

    use super::*;

    /// Two ends of a connection that has measured itself.
    fn connected() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        for _ in 0..4 {
            client.write_all(b"x").unwrap();
            server.read_exact(&mut [0]).unwrap();
            server.write_all(b"y").unwrap();
            client.read_exact(&mut [0]).unwrap();
        }
        (client, server)
    }

    #[test]
    fn a_live_connection_tells_and_a_closed_one_does_not() {
        let (_client, server) = connected();
        let probe = Probe::new(&server).unwrap();
        let info = probe.read().unwrap();
        assert!(info.rtt_us < 1_000_000, "{info:?}");
        assert!(info.min_rtt_us.is_none_or(|min| min <= info.rtt_us.saturating_mul(4)), "{info:?}");
        drop(server);
        assert_eq!(probe.read(), None);
    }

    #[test]
    fn a_connection_that_got_the_descriptor_of_another_does_not_answer_for_it() {
        let (_client, server) = connected();
        let (_other, heir) = connected();
        let (probe, descriptor) = (Probe::new(&server).unwrap(), server.as_raw_fd());
        // SAFETY: `server` owns the descriptor before and after: what it stands for changes, as when it is used again.
        assert_eq!(unsafe { libc::dup2(heir.as_raw_fd(), descriptor) }, descriptor);
        assert!(Probe::new(&server).unwrap().read().is_some());
        assert_eq!(probe.read(), None);
    }

    #[test]
    fn what_is_no_tcp_connection_is_not_observed() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        assert_eq!(Probe::new(&socket).unwrap().read(), None);
    }
}
