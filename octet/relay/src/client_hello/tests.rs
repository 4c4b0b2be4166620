use octet::fact::Text;
use proptest::prelude::*;

use super::*;

/// A ClientHello in one record.
fn record(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).unwrap().to_be_bytes();
    [&[22, 3, 1, length[0], length[1]], message].concat()
}

fn numbers(list: &[u16]) -> Vec<u8> {
    list.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn long(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

fn short(bytes: &[u8]) -> Vec<u8> {
    [&[u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

/// What a hello is made of.
#[derive(Clone, Default)]
struct Made<'a> {
    suites: &'a [u16],
    extensions: &'a [u16],
    versions: &'a [u16],
    signatures: &'a [u16],
    groups: &'a [u16],
    alpn: &'a [&'a [u8]],
}

impl Made<'_> {
    fn message(&self) -> Vec<u8> {
        let mut extensions = Vec::new();
        for kind in self.extensions {
            let body = match kind {
                10 => long(&numbers(self.groups)),
                13 => long(&numbers(self.signatures)),
                16 => long(&self.alpn.iter().flat_map(|name| short(name)).collect::<Vec<_>>()),
                43 => short(&numbers(self.versions)),
                _ => Vec::new(),
            };
            extensions.extend([numbers(&[*kind]), long(&body)].concat());
        }
        let fixed = [&[3, 3], &[7; 32][..], &short(&[9; 32])].concat();
        let body = [fixed, long(&numbers(self.suites)), short(&[0]), long(&extensions)].concat();
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&[1], &length[1..], &body].concat()
    }
}

/// Chrome 143, as published with its JA4.
const CHROME: Made<'_> = Made {
    suites: &[
        0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x9c, 0x9d, 0x2f, 0x35,
    ],
    extensions: &[0x2d, 0x33, 0x10, 0xfe0d, 0x17, 0x44cd, 0, 0x0b, 0x0a, 0x2b, 0xff01, 0x23, 0x12, 5, 0x0d, 0x1b],
    versions: &[0x0304, 0x0303],
    signatures: &[0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601],
    groups: &[4588, 29, 23, 24],
    alpn: &[b"h2", b"http/1.1"],
};
const CHROME_JA4: &str = "t13d1516h2_8daaf6152771_d8a2da3f94cd";

fn read(bytes: &[u8]) -> Option<TlsObservation> {
    let mut reader = Reader::default();
    reader.feed(bytes);
    reader.observation()
}

fn ja4(made: &Made<'_>) -> String {
    read(&record(&made.message())).unwrap().ja4.as_str().to_owned()
}

#[test]
fn published_hellos_have_their_published_ja4() {
    assert_eq!(ja4(&CHROME), CHROME_JA4);
    // The example of the specification: with padding and an older number for application settings, in any order.
    let mut extensions = [0x15, 0x4469, 0, 5, 0x0a, 0x0b, 0x0d, 0x10, 0x12, 0x17, 0x1b, 0x23, 0x2b, 0x2d, 0x33, 0xff01];
    extensions.reverse();
    assert_eq!(ja4(&Made { extensions: &extensions, ..CHROME }), "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

#[test]
fn grease_is_seen_and_counts_in_no_list() {
    let with = |list: &[u16], grease: u16| [&[grease], list, &[grease]].concat();
    let suites = with(CHROME.suites, 0x0a0a);
    let extensions = with(CHROME.extensions, 0xfafa);
    let versions = with(CHROME.versions, 0x7a7a);
    let signatures = with(CHROME.signatures, 0x2a2a);
    let groups = with(CHROME.groups, 0xeaea);
    let greasy = Made {
        suites: &suites,
        extensions: &extensions,
        versions: &versions,
        signatures: &signatures,
        groups: &groups,
        alpn: &[&[0x4a, 0x4a], b"h2", b"http/1.1"],
    };
    let seen = read(&record(&greasy.message())).unwrap();
    let plain = read(&record(&CHROME.message())).unwrap();
    assert!(seen.grease && !plain.grease);
    assert_eq!(TlsObservation { grease: false, ..seen }, plain);
    assert_eq!(plain.ja4.as_str(), CHROME_JA4);
    assert_eq!(plain.groups.as_slice(), CHROME.groups);
    assert_eq!(plain.alpn.as_slice().iter().map(Text::as_str).collect::<Vec<_>>(), ["h2", "http/1.1"]);
}

#[test]
fn a_resumption_has_the_ja4_of_the_full_handshake() {
    let resumed = [CHROME.extensions, &[42, 41]].concat();
    let seen = read(&record(&Made { extensions: &resumed, ..CHROME }.message())).unwrap();
    assert_eq!(seen.ja4.as_str(), CHROME_JA4);
    assert!(seen.extensions.as_slice().ends_with(&[42, 41]));
}

#[test]
fn what_a_hello_does_not_have_is_written_as_the_specification_says() {
    let bare = Made { suites: &[0x2f], ..Made::default() };
    assert!(ja4(&bare).starts_with("t12i010000_") && ja4(&bare).ends_with("_000000000000"));
    assert!(ja4(&Made::default()).starts_with("t12i000000_000000000000_"));
    for (name, ends) in [(&b"h"[..], "hh"), (b"\xab", "ab"), (b"\xab\xcd", "ad"), (b"0\xab", "3b"), (b"http/1.1", "h1")]
    {
        let made = Made { extensions: &[16], alpn: &[name], ..Made::default() };
        assert_eq!(&ja4(&made)[8..10], ends, "{name:?}");
    }
}

#[test]
fn what_rustls_would_answer_is_read_however_long_and_in_however_many_records() {
    let names = vec![&[b'x'; 250][..]; 240];
    let message = Made { alpn: &names, ..CHROME }.message();
    let pieces: Vec<_> = message.chunks(16).flat_map(record).collect();
    assert!(message.len() > 60_000);
    assert_eq!(read(&pieces).unwrap().ja4.as_str(), "t13d1516xx_8daaf6152771_d8a2da3f94cd");
}

#[test]
fn what_is_no_hello_is_none() {
    let message = CHROME.message();
    for bytes in [
        &b""[..],
        b"GET / HTTP/1.1\r\n\r\n",
        &[22, 3, 1, 0, 0],                                  // an empty record
        &record(&[2, 0, 0, 0]),                             // a ServerHello
        &record(&[1, 0xff, 0xff, 0xff]),                    // longer than any
        &record(&message)[..message.len()],                 // cut
        &record(&[&[1, 0, 0, 3], &message[4..7]].concat()), // too short for what it says
    ] {
        assert_eq!(read(bytes), None, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn a_hello_in_any_pieces_and_records_is_the_same(cuts in prop::collection::vec(1_usize..40, 0..12), sizes in prop::collection::vec(1_usize..60, 1..8)) {
        let message = CHROME.message();
        let mut records = Vec::new();
        let mut left = &message[..];
        for cut in cuts {
            let (piece, rest) = left.split_at(cut.min(left.len() - 1));
            if !piece.is_empty() {
                records.extend(record(piece));
            }
            left = rest;
        }
        records.extend(record(left));
        // What follows is not the hello's.
        records.extend(b"more");
        let mut reader = Reader::default();
        let (mut bytes, mut sizes) = (&records[..], sizes.into_iter().cycle());
        while !reader.feed(&[]).is_done() && !bytes.is_empty() {
            let (piece, rest) = bytes.split_at(sizes.next().unwrap().min(bytes.len()));
            reader.feed(piece);
            bytes = rest;
        }
        prop_assert_eq!(reader.observation(), read(&record(&message)));
        prop_assert!(reader.observation().is_some());
    }

    #[test]
    fn no_bytes_make_the_reader_fail(mut bytes in prop::collection::vec(any::<u8>(), 0..400), whole: bool) {
        if whole {
            let mut message = vec![1, 0, 0, 0];
            message[2..4].copy_from_slice(&u16::try_from(bytes.len()).unwrap().to_be_bytes());
            message.append(&mut bytes);
            bytes = record(&message);
        }
        read(&bytes);
    }

    #[test]
    fn a_hello_that_is_changed_anywhere_does_not_make_the_reader_fail(at in 0_usize..300, byte: u8) {
        let mut bytes = record(&CHROME.message());
        let at = at % bytes.len();
        bytes[at] = byte;
        read(&bytes);
    }
}
