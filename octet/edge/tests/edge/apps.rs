//! Apps that answer early, close without a word, or speak an older HTTP; and requests that two parties could read
//! differently. Byte by byte, since no library sends them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Running, start};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// An edge of one thread before an app that does this with each of its connections, numbered from 1.
async fn before<F>(app: impl Fn(usize, TcpStream) -> F + Send + Sync + 'static) -> Running
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("--upstream-url=http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for number in 1.. {
            tokio::spawn(app(number, listener.accept().await.unwrap().0));
        }
    });
    start(&[&url, "--workers=1", "--upstream-timeout-seconds=5"])
}

/// Reads up to `end`; what there is, where the other side ends before.
async fn read_to(tcp: &mut TcpStream, end: &str) -> String {
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        let Ok(byte) = tcp.read_u8().await else { break };
        read.push(byte);
    }
    String::from_utf8(read).unwrap()
}

/// Says `request` on a connection of its own, and reads up to `end`.
async fn say(edge: &Running, request: &str, end: &str) -> String {
    let mut tcp = TcpStream::connect(edge.addr).await.unwrap();
    tcp.write_all(request.as_bytes()).await.unwrap();
    tokio::time::timeout(Duration::from_secs(4), read_to(&mut tcp, end)).await.expect("an answer in time")
}

#[tokio::test]
async fn a_body_that_the_app_answered_early_holds_up_no_other_request() {
    let edge = before(async |_, mut tcp: TcpStream| {
        while read_to(&mut tcp, "\r\n\r\n").await.contains("host") {
            tcp.write_all(OK).await.unwrap();
        }
    })
    .await;
    let mut slow = TcpStream::connect(edge.addr).await.unwrap();
    slow.write_all(b"POST /slow HTTP/1.1\r\nhost: shop\r\ncontent-length: 9\r\n\r\nhalf").await.unwrap();
    assert!(read_to(&mut slow, "ok").await.contains("200 OK"));
    assert!(say(&edge, "GET / HTTP/1.1\r\nhost: shop\r\n\r\n", "ok").await.contains("200 OK"));
}

#[tokio::test]
async fn a_request_that_meets_a_closing_connection_is_sent_once_more_where_that_does_no_harm() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let edge = before(move |number, mut tcp: TcpStream| {
        let log = Arc::clone(&log);
        async move {
            // One answer on each connection, and the second request it takes with it.
            for answer in [OK, b""] {
                let head = read_to(&mut tcp, "\r\n\r\n").await;
                log.lock().unwrap().push((number, head.split_once(" HTTP").unwrap_or_default().0.to_owned()));
                tcp.write_all(answer).await.unwrap();
            }
        }
    })
    .await;
    for (request, status) in [
        ("GET /1 HTTP/1.1\r\nhost: shop\r\n\r\n", "200"),
        ("GET /2 HTTP/1.1\r\nhost: shop\r\n\r\n", "200"),
        ("POST /3 HTTP/1.1\r\nhost: shop\r\ncontent-length: 0\r\n\r\n", "502"),
    ] {
        assert_eq!(&say(&edge, request, "\r\n\r\n").await[9..12], status, "{request}");
    }
    let expected = [(1, "GET /1"), (1, "GET /2"), (2, "GET /2"), (2, "POST /3")];
    assert_eq!(*seen.lock().unwrap(), expected.map(|(number, request)| (number, request.to_owned())));
}

#[tokio::test]
async fn an_app_that_ends_at_a_request_sees_it_twice_at_most() {
    let seen = Arc::new(Mutex::new(0));
    let count = Arc::clone(&seen);
    let edge = before(move |_, mut tcp: TcpStream| {
        let count = Arc::clone(&count);
        async move {
            while !read_to(&mut tcp, "\r\n\r\n").await.contains("/poison") {
                tcp.write_all(OK).await.unwrap();
            }
            *count.lock().unwrap() += 1;
        }
    })
    .await;
    // Two connections that wait.
    let first = say(&edge, "GET / HTTP/1.1\r\nhost: shop\r\n\r\n", "ok");
    let second = say(&edge, "GET / HTTP/1.1\r\nhost: shop\r\n\r\n", "ok");
    tokio::join!(first, second);
    let answer = say(&edge, "GET /poison HTTP/1.1\r\nhost: shop\r\n\r\n", "\r\n\r\n").await;
    assert!(answer.contains("502") && *seen.lock().unwrap() == 2, "{answer}");
}

/// An app that says what it was sent, up to the end of its chunks.
async fn mirror() -> Running {
    before(async |_, mut tcp: TcpStream| {
        let mut sent = read_to(&mut tcp, "\r\n\r\n").await;
        if sent.contains("chunked") {
            sent += &read_to(&mut tcp, "0\r\n").await;
            sent += &read_to(&mut tcp, "\r\n").await;
        }
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", sent.len());
        tcp.write_all((head + &sent).as_bytes()).await.unwrap();
    })
    .await
}

#[tokio::test]
async fn the_chunks_of_a_get_reach_the_app() {
    let request =
        "GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
    let answer = say(&mirror().await, request, "until it closes").await;
    assert!(answer.ends_with("transfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn a_trailer_that_claims_to_be_forwarded_does_not_reach_the_app() {
    let request = "POST / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\ntrailer: x-sum, x-forwarded-for\r\n\
                   transfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nx-sum: 1\r\nx-forwarded-for: 6.6.6.6\r\n\r\n";
    let edge = before(async |_, mut tcp: TcpStream| {
        read_to(&mut tcp, "0\r\n").await;
        let trailers = read_to(&mut tcp, "\r\n\r\n").await;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", trailers.len());
        tcp.write_all((head + &trailers).as_bytes()).await.unwrap();
    })
    .await;
    let answer = say(&edge, request, "until it closes").await;
    assert!(answer.ends_with("\r\n\r\nx-sum: 1\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn a_request_that_could_be_read_in_two_ways_is_refused_before_the_app() {
    let edge = mirror().await;
    for (head, body, status) in [
        ("GET / HTTP/1.1\r\nhost: shop\r\nhost: other", "", "400"),
        ("GET / HTTP/1.1\r\nhost: shop/path", "", "400"),
        ("GET / HTTP/1.1\r\nhost: shop@other", "", "400"),
        ("GET / HTTP/1.1\r\nhost: shop other", "", "400"),
        ("POST / HTTP/1.1\r\nhost: shop\r\ntransfer-encoding: gzip, chunked", "0\r\n\r\n", "501"),
        ("POST / HTTP/1.1\r\nhost: shop\r\ntransfer-encoding: chunked", "4\nbody\n0\n\n", "400"),
        (
            "POST / HTTP/1.1\r\nhost: shop\r\ntransfer-encoding: chunked",
            "10000000000000004\r\nbody\r\n0\r\n\r\n",
            "400",
        ),
    ] {
        let answer = say(&edge, &format!("{head}\r\n\r\n{body}"), "\r\n\r\n").await;
        assert_eq!(&answer[9..12], status, "{head}: {answer}");
    }
}

#[tokio::test]
async fn an_answer_comes_in_the_browsers_own_http_and_whole() {
    for (answer, expected) in [
        ("HTTP/1.0 200 OK\r\n\r\nbody", "4\r\nbody\r\n0\r\n\r\n"),
        ("HTTP/1.0 200 OK\r\ncontent-length: 4\r\n\r\nbody", "\r\n\r\nbody"),
        // A length beside chunks does not count.
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
            "4\r\nbody\r\n0\r\n\r\n",
        ),
    ] {
        let edge = before(async move |_, mut tcp: TcpStream| {
            read_to(&mut tcp, "\r\n\r\n").await;
            tcp.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let answer = say(&edge, "GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n", "until it closes").await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(expected), "{answer}");
    }
}
