//! The latency channel over a real WebSocket, and what becomes of its measurements.

use futures_util::{SinkExt, StreamExt};
use http::{Request, Response, StatusCode, header};
use octet::observations::Ticket;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::shop::{Host, Setup};
use crate::support::{Octet, Shop, bundle, bundle_with, fresh};

type Browser = WebSocketStream<TcpStream>;

/// Opens the channel of `session` as a page of the shop does; `Err` is the refusal.
async fn open(shop: &Shop, session: &str) -> Result<Browser, Response<Option<Vec<u8>>>> {
    open_from(shop, session, &shop.origin()).await
}

async fn open_from(shop: &Shop, session: &str, origin: &str) -> Result<Browser, Response<Option<Vec<u8>>>> {
    let request = Request::get(format!("ws://{}/octet/v1/ws?ref={session}", shop.addr))
        .header(header::HOST, shop.addr.to_string())
        .header(header::ORIGIN, origin)
        .header(header::CONNECTION, "keep-alive, Upgrade")
        .header(header::UPGRADE, "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", generate_key())
        .body(())
        .unwrap();
    let tcp = TcpStream::connect(shop.addr).await.unwrap();
    tcp.set_nodelay(true).unwrap();
    match tokio_tungstenite::client_async(request, tcp).await {
        Ok((browser, _)) => Ok(browser),
        Err(Error::Http(refusal)) => Err(*refusal),
        Err(other) => panic!("{other}"),
    }
}

/// What a browser saw of a channel.
#[derive(Default)]
struct Seen {
    ticket: String,
    acknowledged: Vec<u8>,
    ended: bool,
    closed: Option<u16>,
}

/// Answers like a collector; `echo` may change an echo.
async fn converse(mut browser: Browser, mut echo: impl FnMut(Vec<u8>) -> Vec<Message>) -> Seen {
    let mut seen = Seen::default();
    while let Some(Ok(message)) = browser.next().await {
        match message {
            Message::Text(text) => {
                let said: serde_json::Value = serde_json::from_str(&text).unwrap();
                match said["type"].as_str() {
                    Some("hello") => said["ticket"].as_str().unwrap().clone_into(&mut seen.ticket),
                    Some("end") => seen.ended = true,
                    other => panic!("{other:?}"),
                }
            }
            Message::Binary(nonce) if nonce[0] == 1 => {
                assert_eq!(nonce.len(), 18);
                for reply in echo([&[2], &nonce[1..]].concat()) {
                    // The edge may close while the browser still talks.
                    let _ = browser.send(reply).await;
                }
            }
            Message::Binary(acknowledgement) => {
                assert_eq!((acknowledgement.len(), acknowledgement[0]), (2, 3));
                seen.acknowledged.push(acknowledgement[1]);
            }
            Message::Close(frame) => seen.closed = frame.map(|frame| u16::from(frame.code)),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
    seen
}

fn honest(echo: Vec<u8>) -> Vec<Message> {
    vec![Message::binary(echo)]
}

fn with_ticket(session: &str, ticket: &str) -> String {
    bundle_with(session, &json!({ "channel": { "state": "complete", "ticket": ticket } }))
}

pub(crate) async fn the_rounds_of_a_channel_come_with_the_bundle_that_brings_its_ticket(host: Host) {
    let (shop, session) = (Shop::open(host).await, fresh());
    let seen = converse(open(&shop, &session).await.unwrap(), honest).await;
    assert!(seen.ended && seen.closed == Some(1000) && seen.ticket.len() <= 512);
    assert!(seen.acknowledged.len() >= 4, "{:?}", seen.acknowledged);

    assert_eq!(shop.post(with_ticket(&session, &seen.ticket)).await.status(), StatusCode::ACCEPTED);
    let channel = shop.octet.observed().channel;
    assert_eq!((channel.ticket, channel.contested, channel.void_rounds), (Ticket::Valid, false, 0));
    assert!(channel.rounds.as_slice().len() >= 4);
    assert!(channel.rounds.as_slice().iter().all(|round| round.rtt_us > 0 && round.rtt_us < 1_200_000));
    assert_eq!(channel.tcp.is_some(), cfg!(target_os = "linux"));
}

pub(crate) async fn a_bundle_without_the_ticket_or_with_anothers_gets_no_rounds(host: Host) {
    let shop = Shop::open(host).await;
    let (mine, other) = (fresh(), fresh());
    let seen = converse(open(&shop, &mine).await.unwrap(), honest).await;
    let others = converse(open(&shop, &other).await.unwrap(), honest).await;
    for (body, expected) in [
        (bundle(&mine), Ticket::Missing),
        (with_ticket(&mine, &others.ticket), Ticket::Invalid),
        (with_ticket(&mine, "made-up"), Ticket::Invalid),
        (bundle(&fresh()), Ticket::NoChannel),
        (with_ticket(&fresh(), &seen.ticket), Ticket::Invalid),
    ] {
        assert_eq!(shop.post(body).await.status(), StatusCode::ACCEPTED);
        let channel = shop.octet.observed().channel;
        assert_eq!((channel.ticket, channel.rounds.as_slice().len()), (expected, 0));
    }
}

pub(crate) async fn there_is_one_channel_for_a_session_and_a_second_contests_it(host: Host) {
    let (shop, session) = (Shop::open(host).await, fresh());
    let first = open(&shop, &session).await.unwrap();
    let refusal = open(&shop, &session).await.unwrap_err();
    assert_eq!(refusal.status(), StatusCode::CONFLICT);
    assert!(String::from_utf8_lossy(refusal.body().as_deref().unwrap_or_default()).contains("channel_taken"));
    let seen = converse(first, honest).await;
    assert!(seen.ended);
    assert_eq!(open(&shop, &session).await.unwrap_err().status(), StatusCode::CONFLICT);
    shop.post(with_ticket(&session, &seen.ticket)).await;
    let channel = shop.octet.observed().channel;
    assert!(channel.contested && channel.ticket == Ticket::Valid && channel.rounds.as_slice().len() >= 4);
}

pub(crate) async fn a_wrong_or_repeated_echo_voids_its_round(host: Host) {
    let (shop, session) = (Shop::open(host).await, fresh());
    let seen = converse(open(&shop, &session).await.unwrap(), |echo| {
        let mut wrong = echo.clone();
        wrong[9] ^= 0xff;
        match echo[1] {
            0 => vec![Message::binary(wrong)],
            1 => vec![Message::binary(echo.clone()), Message::binary(echo)],
            _ => honest(echo),
        }
    });
    let seen = seen.await;
    assert!(seen.ended && !seen.acknowledged.contains(&0));
    shop.post(with_ticket(&session, &seen.ticket)).await;
    let channel = shop.octet.observed().channel;
    assert_eq!(channel.void_rounds, 2);
    assert!(channel.rounds.as_slice().iter().all(|round| round.round > 1));
}

pub(crate) async fn a_malformed_or_oversized_message_closes_the_channel_with_1008(host: Host) {
    let shop = Shop::open(host).await;
    for bad in [
        Message::text("hi"),
        Message::binary(vec![2, 0]),
        Message::binary(vec![2; 65]),
        Message::binary(vec![2; 70_000]),
    ] {
        let seen = converse(open(&shop, &fresh()).await.unwrap(), |_| vec![bad.clone()]).await;
        assert_eq!((seen.closed, seen.ended), (Some(u16::from(CloseCode::Policy)), false), "{} bytes", bad.len());
    }
}

pub(crate) async fn a_ping_is_answered_and_disturbs_nothing(host: Host) {
    let (shop, session) = (Shop::open(host).await, fresh());
    let seen = converse(open(&shop, &session).await.unwrap(), |echo| {
        vec![Message::Ping(vec![7].into()), Message::binary(echo)]
    });
    let seen = seen.await;
    assert!(seen.ended && seen.acknowledged.len() >= 4);
}

pub(crate) async fn a_flood_of_pings_closes_the_channel_with_1008(host: Host) {
    let (shop, session) = (Shop::open(host).await, fresh());
    let seen = converse(open(&shop, &session).await.unwrap(), |_| vec![Message::Ping(vec![7].into()); 40]).await;
    assert_eq!((seen.closed, seen.ended), (Some(u16::from(CloseCode::Policy)), false));
}

pub(crate) async fn a_browser_that_leaves_keeps_what_was_measured(host: Host) {
    let (shop, session) = (Shop::open(host).await, fresh());
    let mut browser = open(&shop, &session).await.unwrap();
    let (mut ticket, mut acknowledged) = (String::new(), 0);
    while acknowledged == 0 {
        match browser.next().await.unwrap().unwrap() {
            Message::Text(text) => {
                let hello: serde_json::Value = serde_json::from_str(&text).unwrap();
                hello["ticket"].as_str().unwrap().clone_into(&mut ticket);
            }
            Message::Binary(nonce) if nonce[0] == 1 => {
                browser.send(Message::binary([&[2], &nonce[1..]].concat())).await.unwrap();
            }
            _ => acknowledged += 1,
        }
    }
    drop(browser);
    shop.post(with_ticket(&session, &ticket)).await;
    let channel = shop.octet.observed().channel;
    assert_eq!(channel.ticket, Ticket::Valid);
    assert!(!channel.rounds.as_slice().is_empty());
}

pub(crate) async fn channels_that_are_left_alone_end_by_themselves_and_a_storm_of_them_is_stopped(host: Host) {
    let shop = Shop::open(host).await;
    let mut left = Vec::new();
    for at in 0..30 {
        let mut browser = open(&shop, &fresh()).await.unwrap().into_inner();
        match at % 3 {
            0 => {}
            1 => browser.shutdown().await.unwrap(),
            _ => browser.write_all(&[0xff; 200]).await.unwrap(),
        }
        left.push(browser);
    }
    let storm = (0..300).map(async |_| open(&shop, &fresh()).await);
    let storm = futures_util::future::join_all(storm).await;
    let refusals: Vec<_> = storm.iter().filter_map(|opened| opened.as_ref().err()).collect();
    assert!(!refusals.is_empty(), "nobody stops the storm");
    assert!(refusals.iter().all(|refusal| refusal.status() == StatusCode::TOO_MANY_REQUESTS));
    assert_eq!(shop.get("/plain").await.status(), StatusCode::OK);
    for mut browser in left {
        // To the end that the edge makes, orderly or not.
        let _ = browser.read_to_end(&mut Vec::new()).await;
    }
}

pub(crate) async fn what_is_no_upgrade_of_a_page_of_the_shop_is_refused(host: Host) {
    let shop = Shop::open(host).await;
    let plain = shop.get("/octet/v1/ws?ref=s").await;
    assert_eq!(plain.status(), StatusCode::UPGRADE_REQUIRED);
    assert_eq!(open_from(&shop, "s", "https://evil.example").await.unwrap_err().status(), StatusCode::FORBIDDEN);
    assert_eq!(open_from(&shop, "s", "null").await.unwrap_err().status(), StatusCode::FORBIDDEN);
    for session in ["", "a.b", &"x".repeat(129)] {
        assert_eq!(open(&shop, session).await.unwrap_err().status(), StatusCode::BAD_REQUEST, "{session}");
    }
    assert!(open(&shop, "s").await.is_ok(), "no refusal took the session's place");
}

pub(crate) async fn an_edge_that_requires_signed_references_opens_channels_for_its_own_pages_only(host: Host) {
    let shop = Shop::set_up(host, Setup::new(&[]).signed_only()).await;
    assert_eq!(open(&shop, &fresh()).await.unwrap_err().status(), StatusCode::FORBIDDEN);
    let session = String::from_utf8(shop.get("/ref").await.into_body().to_vec()).unwrap();
    assert!(open(&shop, &session).await.is_ok());
}

pub(crate) async fn two_edges_share_no_ticket(host: Host) {
    let octet = Octet::open().await;
    let edge = async |id| {
        let settings = [("EDGE_ID", id), ("LICENSE", "octet_test_v4.public.abc")];
        Shop::towards(host, Setup::new(&settings), octet.addr, octet.clone()).await
    };
    let (a, b) = (edge("a").await, edge("b").await);
    let session = fresh();
    let seen = converse(open(&a, &session).await.unwrap(), honest).await;
    b.post(with_ticket(&session, &seen.ticket)).await;
    assert_eq!(b.octet.observed().channel.ticket, Ticket::Invalid);
    a.post(with_ticket(&session, &seen.ticket)).await;
    assert_eq!(a.octet.observed().channel.ticket, Ticket::Valid);
}
