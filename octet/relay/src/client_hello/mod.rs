//! A TLS ClientHello as it stands on the wire, read beside the TLS library that answers it: bounded, without a socket.
//! Changes no byte, and concludes nothing.
//!
//! ```
//! use octet_relay::client_hello::Reader;
//!
//! let mut reader = Reader::default();
//! // What a browser sends, in pieces of any size.
//! assert!(reader.feed(b"GET / HTTP/1.1\r\n").is_done());
//! assert!(reader.observation().is_none(), "no TLS");
//! ```

mod hello;
mod ja4;

use octet::handshake::TlsObservation;

use self::hello::ClientHello;
use crate::progress::Progress;

/// The longest ClientHello that is read, in bytes: the longest that rustls answers, in however many records, so that
/// nobody hides it and is served. Those of browsers have about 2,000.
const MAX_HELLO: usize = MESSAGE_HEAD + 0xffff;
const RECORD_HEAD: usize = 5;
const MESSAGE_HEAD: usize = 4;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;

/// Reads the ClientHello that a connection begins with, from pieces of any size.
#[derive(Debug, Default)]
pub struct Reader {
    head: Vec<u8>,
    /// What is still to come of the current record.
    record_left: usize,
    /// The handshake message, out of its records.
    message: Vec<u8>,
    done: bool,
}

impl Reader {
    /// Takes the next bytes of the connection.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Progress {
        while !self.done && !bytes.is_empty() {
            bytes = if self.record_left == 0 { self.record_head(bytes) } else { self.record_body(bytes) };
        }
        if self.done { Progress::Done } else { Progress::More }
    }

    /// What the hello offered; `None` where the connection began with none, or a malformed one.
    #[must_use]
    pub fn observation(&self) -> Option<TlsObservation> {
        let body = self.message.get(MESSAGE_HEAD..self.length()?)?;
        ClientHello::parse(body).map(|hello| hello.observation())
    }

    fn record_head<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (taken, rest) = bytes.split_at(bytes.len().min(RECORD_HEAD - self.head.len()));
        self.head.extend_from_slice(taken);
        // The kind is known with the first byte, so that nothing is kept of what is no TLS.
        if self.head[0] != HANDSHAKE {
            return self.give_up();
        }
        if let [_, _, _, high, low] = self.head[..] {
            self.record_left = usize::from(u16::from_be_bytes([high, low]));
            self.head.clear();
            if self.record_left == 0 {
                return self.give_up();
            }
        }
        rest
    }

    fn record_body<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (taken, rest) = bytes.split_at(bytes.len().min(self.record_left));
        self.record_left -= taken.len();
        self.message.extend_from_slice(&taken[..taken.len().min(MAX_HELLO - self.message.len())]);
        if self.message.first().is_some_and(|kind| *kind != CLIENT_HELLO) {
            return self.give_up();
        }
        match self.length() {
            Some(length) if length > MAX_HELLO => self.give_up(),
            Some(length) if self.message.len() >= length => {
                self.done = true;
                rest
            }
            _ => rest,
        }
    }

    /// The message's length with its head, once that is there.
    fn length(&self) -> Option<usize> {
        let [_, high, middle, low] = *self.message.first_chunk()?;
        usize::try_from(u32::from_be_bytes([0, high, middle, low])).ok()?.checked_add(MESSAGE_HEAD)
    }

    fn give_up<'a>(&mut self) -> &'a [u8] {
        *self = Self { done: true, ..Self::default() };
        &[]
    }
}

#[cfg(test)]
mod tests;
