//! JA4, the summary of a TLS ClientHello by FoxIO (BSD 3-Clause; technical_details/JA4.md of github.com/FoxIO-LLC/ja4).
//! Only this one of the JA4+ family: the others are under another licence.

use std::fmt::Write;

use ring::digest::{SHA256, digest};

const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;

/// What the summary is made of, all without GREASE.
pub(super) struct Parts<'a> {
    pub(super) versions: &'a [u16],
    pub(super) cipher_suites: &'a [u16],
    pub(super) extensions: &'a [u16],
    pub(super) signature_algorithms: &'a [u16],
    /// The first protocol.
    pub(super) alpn: Option<&'a [u8]>,
}

impl Parts<'_> {
    /// Such as `t13d1516h2_8daaf6152771_d8a2da3f94cd`: over TCP, version, whether a server is named, how many cipher
    /// suites and extensions, first protocol; the suites; the extensions and signature algorithms.
    pub(super) fn summary(&self) -> String {
        let version = match self.versions.iter().max() {
            Some(0x0304) => "13",
            Some(0x0303) => "12",
            Some(0x0302) => "11",
            Some(0x0301) => "10",
            Some(0x0300) => "s3",
            Some(0x0002) => "s2",
            _ => "00",
        };
        let named = if self.extensions.contains(&SERVER_NAME) { 'd' } else { 'i' };
        let suites = self.cipher_suites.len().min(99);
        let extensions = self.extensions.len().min(99);
        let [first, last] = ends(self.alpn);
        let kinds: Vec<_> =
            self.extensions.iter().copied().filter(|kind| ![SERVER_NAME, ALPN].contains(kind)).collect();
        let mut kinds = hex(&sorted(&kinds));
        if !self.signature_algorithms.is_empty() {
            kinds = format!("{kinds}_{}", hex(self.signature_algorithms));
        }
        let (b, c) =
            (hash(&hex(&sorted(self.cipher_suites))), if self.extensions.is_empty() { hash("") } else { hash(&kinds) });
        format!("t{version}{named}{suites:02}{extensions:02}{first}{last}_{b}_{c}")
    }
}

/// The first and the last character of a protocol's name; of its hexadecimal form where they are no letters or digits.
fn ends(name: Option<&[u8]>) -> [char; 2] {
    let Some((first, last)) = name.and_then(|name| name.first().zip(name.last())) else { return ['0', '0'] };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [char::from(*first), char::from(*last)];
    }
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or('0');
    [digit(first >> 4), digit(last & 0x0f)]
}

fn sorted(numbers: &[u16]) -> Vec<u16> {
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    numbers
}

fn hex(numbers: &[u16]) -> String {
    numbers.iter().map(|number| format!("{number:04x}")).collect::<Vec<_>>().join(",")
}

/// The first twelve digits of the SHA-256; zeros of nothing.
fn hash(text: &str) -> String {
    if text.is_empty() {
        return "000000000000".to_owned();
    }
    digest(&SHA256, text.as_bytes()).as_ref()[..6].iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
