//! What holds for any bytes that a browser or a proxy sends, whatever they are. The fuzz targets look for bytes that
//! break it; a plain test holds it for the committed ones.

#![allow(dead_code, reason = "a fuzz target uses one of them")]

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use octet_relay::channel::{Channel, MAX_DURATION, MAX_ROUNDS, Message};
use octet_relay::proxy_protocol::{MAX_HEADER, Start, parse};
use octet_relay::{Relay, client_hello, preface};

/// In one piece or byte by byte, the same is read of a ClientHello; GREASE stands in no list.
pub(crate) fn client_hello(bytes: &[u8]) {
    let mut whole = client_hello::Reader::default();
    whole.feed(bytes);
    let mut pieces = client_hello::Reader::default();
    bytes.iter().for_each(|byte| {
        pieces.feed(std::slice::from_ref(byte));
    });
    let seen = whole.observation();
    assert!(seen == pieces.observation(), "the same in any pieces");
    let Some(seen) = seen else { return };
    assert_eq!(seen.ja4.as_str().len(), 36);
    let lists = [seen.cipher_suites.as_slice(), seen.extensions.as_slice(), seen.groups.as_slice()];
    let grease = |number: &u16| number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff;
    assert!(!lists.concat().iter().any(grease), "GREASE stands in a list");
}

/// In one piece or byte by byte, the same is read of an HTTP/2 preface.
pub(crate) fn preface(bytes: &[u8]) {
    let mut whole = preface::Reader::default();
    whole.feed(bytes);
    let mut pieces = preface::Reader::default();
    bytes.iter().for_each(|byte| {
        pieces.feed(std::slice::from_ref(byte));
    });
    assert!(whole.observation() == pieces.observation(), "the same in any pieces");
}

/// A PROXY protocol header is bounded, and what follows it changes nothing.
pub(crate) fn proxy_protocol(bytes: &[u8]) {
    let start = parse(bytes);
    if let Ok(Start::Header { length, .. }) = start {
        assert!(length <= bytes.len() && length <= MAX_HEADER);
        assert_eq!(parse(&bytes[..length]), start);
        assert_eq!(parse(&[&bytes[..length], b"GET / HTTP/1.1\r\n"].concat()), start);
    }
    if start == Ok(Start::Incomplete) {
        assert!(bytes.len() < MAX_HEADER, "it ends");
    }
}

/// What a proxy appends decides, whatever stands left of it.
pub(crate) fn forwarded(bytes: &[u8]) {
    static EDGES: OnceLock<[Relay; 2]> = OnceLock::new();
    let edges = EDGES.get_or_init(|| {
        ["x-forwarded-for", "forwarded"].map(|header| {
            let edge = Relay::builder().octet_url("http://127.0.0.1:1").license("octet_test_v4.public.abc");
            edge.trusted_proxies("10.0.0.0/8").forwarded_header(header).build().expect("the settings are sound")
        })
    });
    let visitor =
        |edge: &Relay, values: &[&[u8]]| edge.visitor_at(IpAddr::from([10, 0, 0, 1]), |_| values.iter().copied());
    for (edge, hop) in edges.iter().zip([&b"198.51.100.9"[..], b"for=198.51.100.9"]) {
        visitor(edge, &[bytes]);
        let seen = visitor(edge, &[bytes, hop]).expect("the last hop names an address");
        assert_eq!((seen.ip, seen.forwarded), (IpAddr::from([198, 51, 100, 9]), true));
    }
}

/// Any conversation ends in time, and counts at most the rounds that there are. Each message is a byte of delay in
/// milliseconds, a byte of length, and so many bytes; an odd delay makes it a text.
pub(crate) fn channel(mut bytes: &[u8]) {
    let start = Instant::now();
    let mut now = start;
    let mut channel = Channel::open("ticket", [[7; 16]; MAX_ROUNDS], start);
    loop {
        while channel.poll_transmit(now).is_some() {}
        if let [delay, length, rest @ ..] = bytes {
            let (message, rest) = rest.split_at(rest.len().min(usize::from(*length)));
            bytes = rest;
            now += Duration::from_millis(u64::from(*delay));
            match std::str::from_utf8(message) {
                Ok(text) if delay % 2 == 1 => channel.receive(now, Message::Text(text)),
                _ => channel.receive(now, Message::Binary(message)),
            }
        } else {
            match channel.poll_timeout() {
                Some(wake) => now = now.max(wake),
                None => break,
            }
        }
    }
    assert!(channel.is_finished());
    let rounds = channel.rounds();
    assert!(rounds.len() <= MAX_ROUNDS);
    let longest = u32::try_from((MAX_DURATION + Duration::from_millis(255)).as_micros()).unwrap_or(u32::MAX);
    assert!(rounds.iter().all(|round| usize::from(round.round) < MAX_ROUNDS && round.rtt_us <= longest));
}
