//! The lists inside a ClientHello (RFC 8446, section 4.1.2), read in bounds. What is malformed is none.

use octet::fact::AtMost;
use octet::handshake::TlsObservation;

use super::ja4;
use crate::observation::text;

const SERVER_NAME: u16 = 0;
const GROUPS: u16 = 10;
const SIGNATURE_ALGORITHMS: u16 = 13;
const ALPN: u16 = 16;
const PRE_SHARED_KEY: u16 = 41;
const EARLY_DATA: u16 = 42;
const SUPPORTED_VERSIONS: u16 = 43;

/// What a ClientHello offers, each list in its order and with its GREASE.
#[derive(Debug, Default)]
pub(super) struct ClientHello {
    version: u16,
    cipher_suites: Vec<u16>,
    extensions: Vec<u16>,
    versions: Vec<u16>,
    groups: Vec<u16>,
    signature_algorithms: Vec<u16>,
    alpn: Vec<Vec<u8>>,
}

impl ClientHello {
    /// Reads a whole message without its head.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(body);
        let version = bytes.number()?;
        bytes.take(32)?; // the random
        bytes.short()?; // the session id
        let cipher_suites = bytes.long()?.numbers()?;
        bytes.short()?; // the compression methods
        let mut hello = Self { version, cipher_suites, ..Self::default() };
        if !bytes.0.is_empty() {
            let mut extensions = bytes.long()?;
            while !extensions.0.is_empty() {
                let kind = extensions.number()?;
                hello.extension(kind, extensions.long()?)?;
            }
        }
        Some(hello)
    }

    fn extension(&mut self, kind: u16, mut body: Bytes<'_>) -> Option<()> {
        self.extensions.push(kind);
        match kind {
            GROUPS => self.groups = body.long()?.numbers()?,
            SIGNATURE_ALGORITHMS => self.signature_algorithms = body.long()?.numbers()?,
            SUPPORTED_VERSIONS => self.versions = body.short()?.numbers()?,
            ALPN => {
                let mut names = body.long()?;
                while !names.0.is_empty() {
                    self.alpn.push(names.short()?.0.to_vec());
                }
            }
            _ => {}
        }
        Some(())
    }

    /// The lists without GREASE, within their bounds, and their summary.
    pub(super) fn observation(self) -> TlsObservation {
        let lists = [&self.cipher_suites, &self.extensions, &self.versions, &self.groups, &self.signature_algorithms];
        let grease = lists.into_iter().flatten().any(|number| is_grease(*number));
        let cipher_suites = plain(self.cipher_suites);
        let extensions = plain(self.extensions);
        let mut versions = plain(self.versions);
        if versions.is_empty() {
            versions.push(self.version);
        }
        let signature_algorithms = plain(self.signature_algorithms);
        let alpn: Vec<_> = self.alpn.into_iter().filter(|name| !is_grease_name(name)).collect();
        // What only a resumption adds says nothing of the client.
        let full: Vec<_> =
            extensions.iter().copied().filter(|kind| ![PRE_SHARED_KEY, EARLY_DATA].contains(kind)).collect();
        let ja4 = ja4::Parts {
            versions: &versions,
            cipher_suites: &cipher_suites,
            extensions: &full,
            signature_algorithms: &signature_algorithms,
            alpn: alpn.first().map(Vec::as_slice),
        };
        TlsObservation {
            ja4: text(ja4.summary().as_bytes()),
            server_name: extensions.contains(&SERVER_NAME),
            versions: AtMost::first(versions),
            cipher_suites: AtMost::first(cipher_suites),
            extensions: AtMost::first(extensions),
            groups: AtMost::first(plain(self.groups)),
            signature_algorithms: AtMost::first(signature_algorithms),
            alpn: AtMost::first(alpn.iter().map(|name| text(name))),
            grease,
        }
    }
}

fn plain(numbers: Vec<u16>) -> Vec<u16> {
    numbers.into_iter().filter(|number| !is_grease(*number)).collect()
}

/// A value that browsers mix in so that servers learn to ignore what they do not know (RFC 8701).
fn is_grease(number: u16) -> bool {
    let [high, low] = number.to_be_bytes();
    high == low && high & 0x0f == 0x0a
}

fn is_grease_name(name: &[u8]) -> bool {
    matches!(*name, [high, low] if is_grease(u16::from_be_bytes([high, low])))
}

/// Bytes that are still to be read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u16> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u16::from_be_bytes(*number))
    }

    /// A part whose length stands before it in one byte.
    fn short(&mut self) -> Option<Self> {
        let length = self.take(1)?[0];
        self.take(length.into()).map(Bytes)
    }

    /// A part whose length stands before it in two bytes.
    fn long(&mut self) -> Option<Self> {
        let length = self.number()?;
        self.take(length.into()).map(Bytes)
    }

    /// All of it as numbers of two bytes.
    fn numbers(self) -> Option<Vec<u16>> {
        let (numbers, rest) = self.0.as_chunks();
        rest.is_empty().then(|| numbers.iter().map(|number| u16::from_be_bytes(*number)).collect())
    }
}
