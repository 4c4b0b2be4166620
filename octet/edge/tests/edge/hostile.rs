//! A client that means harm, frame by frame: what it sends costs itself its connection, and nobody else anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Running, before, get, start, upgrade};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ENHANCE_YOUR_CALM: u8 = 11;
/// `GET http://shop/`, packed.
const REQUEST: &[u8] = b"\x82\x86\x84\x41\x04shop";

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// An app that never answers, and how often it was asked.
async fn silent() -> (Running, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let app = Router::new().fallback(move || {
        count.fetch_add(1, Ordering::Relaxed);
        std::future::pending::<&str>()
    });
    (before(app, &[]).await, asked)
}

/// Sends these frames behind a preface, and returns the reason for which the edge ends the connection: none where it
/// says none.
async fn reason(edge: &Running, frames: &[u8]) -> Option<u8> {
    let mut tcp = TcpStream::connect(edge.addr).await.unwrap();
    let preface = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(SETTINGS, 0, 0, &[])].concat();
    let (mut hears, mut says) = tcp.split();
    let mut heard = Vec::new();
    // It may be closed before all is said, and what was heard before still counts.
    let talk = async {
        let _ = says.write_all(&preface).await;
        let _ = says.write_all(frames).await;
        std::future::pending::<()>().await
    };
    let listen = async { while matches!(hears.read_buf(&mut heard).await, Ok(1..)) {} };
    let ended = async {
        tokio::select! { () = talk => {}, () = listen => {} }
    };
    tokio::time::timeout(Duration::from_secs(30), ended).await.expect("the edge ends the connection");
    let mut rest = &heard[..];
    while let [a, b, c, kind, _, _, _, _, _, payload @ ..] = rest {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        if *kind == GOAWAY {
            return payload.get(7).copied();
        }
        rest = payload.get(length..).unwrap_or_default();
    }
    None
}

#[tokio::test]
async fn requests_that_are_taken_back_at_once_hardly_reach_the_app_and_end_the_connection() {
    let (edge, asked) = silent().await;
    let storm: Vec<u8> = (0..5000)
        .flat_map(|index| {
            let stream = 2 * index + 1;
            let begin = frame(HEADERS, END_HEADERS | END_STREAM, stream, REQUEST);
            [begin, frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
        })
        .collect();
    assert_eq!(reason(&edge, &storm).await, Some(ENHANCE_YOUR_CALM));
    assert!(asked.load(Ordering::Relaxed) < 500, "{asked:?} reached the app");
    assert_eq!(get(edge.addr, "/octet/healthz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_head_that_is_continued_without_end_ends_the_connection() {
    let (edge, asked) = silent().await;
    // A header of 16 KiB that is not remembered, again and again.
    let value = vec![b'x'; 16_000];
    let part = [&b"\x00\x01a\x7f\x81\x7c"[..], &value].concat();
    let begin = frame(HEADERS, END_STREAM, 1, REQUEST);
    let flood = [begin, frame(CONTINUATION, 0, 1, &part).repeat(400)].concat();
    assert!(reason(&edge, &flood).await.is_some());
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert_eq!(get(edge.addr, "/octet/healthz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn empty_frames_for_a_stream_that_nobody_opened_end_the_connection() {
    let (edge, asked) = silent().await;
    assert!(reason(&edge, &frame(DATA, 0, 1, &[]).repeat(1000)).await.is_some());
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert_eq!(get(edge.addr, "/octet/healthz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_latency_channel_is_closed_with_a_reason_whatever_its_browser_does() {
    let edge = start(&[]);
    let closing = |code: u16| [&[0x88, 2][..], &code.to_be_bytes()].concat();
    for (says, end) in [
        // A browser closes it: the handshake is completed (RFC 6455, section 5.5.1).
        (&[0x88, 0x82, 0, 0, 0, 0, 3, 0xe8][..], closing(1000)),
        // Not masked, an extension that nobody agreed on, an opcode that there is not, a ping in pieces.
        (&[0x82, 1, 7], closing(1008)),
        (&[0xc2, 0x81, 0, 0, 0, 0, 7], closing(1008)),
        (&[0x83, 0x80, 0, 0, 0, 0], closing(1008)),
        (&[0x09, 0x80, 0, 0, 0, 0], closing(1008)),
    ] {
        let (mut channel, _) = upgrade(edge.addr, &format!("/octet/v1/ws?ref=s{}", says[0]), "websocket").await;
        channel.write_all(says).await.unwrap();
        let mut heard = Vec::new();
        channel.read_to_end(&mut heard).await.unwrap();
        assert!(heard.ends_with(&end), "{says:02x?}: {heard:02x?}");
    }
}
