//! What is not the edge's passes through as if the edge were not there.

use futures_util::{SinkExt, StreamExt};
use http::{Request, StatusCode, header};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::shop::Host;
use crate::support::{Shop, header_of, read_until};

pub(crate) async fn unknown_paths_under_the_prefix_are_the_partners_too(host: Host) {
    let shop = Shop::open(host).await;
    assert_eq!(shop.get("/octet/partners-own").await.body(), "partner");
    for path in
        ["/octet", "/octet/", "/octet/v1", "/octet/v1/signals/", "/octetv1/signals", "/octet/octet-collector.old.js"]
    {
        assert_eq!(shop.get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

pub(crate) async fn methods_answers_and_errors_are_the_partners_own(host: Host) {
    let shop = Shop::open(host).await;
    let options = shop.send(Request::options("/plain")).await;
    assert_eq!((options.status(), header_of(options.headers(), "allow")), (StatusCode::NO_CONTENT, "the partner's"));
    let head = shop.send(Request::head("/plain")).await;
    assert_eq!((head.status(), header_of(head.headers(), "content-length")), (StatusCode::OK, "5"));
    let plain = shop.get("/plain").await;
    assert_eq!((header_of(plain.headers(), "cache-control"), &plain.body()[..]), ("public", &b"plain"[..]));
    let error = shop.get("/error").await;
    assert_eq!((error.status(), header_of(error.headers(), "x-partner")), (StatusCode::IM_A_TEAPOT, "own"));
    assert_eq!(error.body(), "the partner's error");
    assert_eq!(shop.get("/nothing").await.status(), StatusCode::NOT_FOUND);
}

pub(crate) async fn another_prefix_moves_the_edge_and_frees_its_paths(host: Host) {
    for (prefix, path) in
        [("/shield/v2/", "/shield/v2/healthz"), ("/", "/healthz"), ("/.well-known", "/.well-known/healthz")]
    {
        let shop = Shop::with(host, &[("OCTET_PREFIX", prefix)]).await;
        assert_eq!(shop.get(path).await.status(), StatusCode::OK, "{prefix}");
        assert_eq!(shop.get("/octet/healthz").await.status(), StatusCode::NOT_FOUND, "{prefix}");
        assert_eq!(shop.get("/plain").await.body(), "plain");
    }
}

pub(crate) async fn bodies_stream_both_ways_while_they_are_made(host: Host) {
    let shop = Shop::open(host).await;
    let mut browser = shop.dial("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked").await;
    for part in ["first", "second"] {
        browser.write_all(format!("{:x}\r\n{part}\r\n", part.len()).as_bytes()).await.unwrap();
        // The part comes back before the next is sent.
        read_until(&mut browser, part).await;
    }
}

pub(crate) async fn a_browser_that_reads_slowly_is_not_read_ahead_of(host: Host) {
    let shop = Shop::open(host).await;
    let mut browser = shop.dial("GET /endless HTTP/1.1").await;
    read_until(&mut browser, "xxxx").await;
    // Time for an edge that would not wait: it would make hundreds of megabytes meanwhile.
    for _ in 0..50 {
        assert_eq!(shop.get("/plain").await.status(), StatusCode::OK);
    }
    // What the sockets' own buffers hold.
    assert!(shop.made() < 64 << 20, "{} bytes made, and nobody reads", shop.made());
    let before = shop.made();
    let mut rest = vec![0; 32 << 20];
    browser.read_exact(&mut rest).await.unwrap();
    assert!(shop.made() > before, "and then it goes on");
}

pub(crate) async fn an_app_that_reads_slowly_stops_the_sender(host: Host) {
    const PART: &[u8] = &[b'y'; 16 * 1024];
    let shop = Shop::open(host).await;
    // The app takes of the upload what it can give back, and nobody reads that.
    let mut browser = shop.dial("POST /echo HTTP/1.1\r\nContent-Length: 1073741824").await;
    let mut sent = 0;
    let mut send = |browser: &TcpStream| {
        while let Ok(length) = browser.try_write(PART) {
            sent += length;
            // What the sockets' own buffers hold, and no more.
            assert!(sent < 96 << 20, "{sent} bytes were taken, and nobody reads them");
        }
        sent
    };
    // Time for an edge that would take all.
    for _ in 0..50 {
        send(&browser);
        assert_eq!(shop.get("/plain").await.status(), StatusCode::OK);
    }
    let stopped = send(&browser);
    let mut back = vec![0; stopped];
    browser.read_exact(&mut back).await.unwrap();
    browser.writable().await.unwrap();
    assert!(send(&browser) > stopped, "and then it goes on");
}

pub(crate) async fn trailers_pass_both_ways_where_the_host_has_them(host: Host) {
    const UPLOAD: &str =
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: x-sent\r\nTE: trailers\r\nConnection: TE";
    let shop = Shop::open(host).await;
    let mut browser = shop.dial(UPLOAD).await;
    browser.write_all(b"4\r\ndata\r\n0\r\nx-sent: reached\r\n\r\n").await.unwrap();
    if !host.has_trailers() {
        // A limit of the host's own: the body comes back, and what stood behind it does not.
        let all = read_until(&mut browser, "0\r\n\r\n").await;
        assert!(all.contains("data\r\n") && !all.contains("reached"), "{all}");
        return;
    }
    let all = read_until(&mut browser, "x-sent: reached\r\n\r\n").await;
    assert!(all.contains("data\r\n0\r\n"), "{all}");
    let mut browser = shop.dial("GET /trailers HTTP/1.1\r\nTE: trailers\r\nConnection: TE").await;
    let all = read_until(&mut browser, "x-end: reached\r\n\r\n").await;
    assert!(all.contains("data\r\n0\r\n"), "{all}");
}

pub(crate) async fn a_websocket_of_the_partners_own_is_untouched(host: Host) {
    let shop = Shop::open(host).await;
    // Under the edge's prefix too, from any origin, and larger than the edge's own channel would bear.
    for path in ["/own-ws", "/octet/own-ws"] {
        let mut request = format!("ws://{}{path}", shop.addr).into_client_request().unwrap();
        request.headers_mut().insert(header::ORIGIN, "https://elsewhere.example".parse().unwrap());
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        for message in [Message::text("said"), Message::binary(vec![7; 300_000])] {
            socket.send(message.clone()).await.unwrap();
            assert_eq!(socket.next().await.unwrap().unwrap(), message, "{path}");
        }
        socket.send(Message::Ping("here".into())).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::Pong("here".into()), "{path}");
        let reason = CloseFrame { code: CloseCode::Library(4001), reason: "the partner's".into() };
        socket.close(Some(reason.clone())).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::Close(Some(reason)), "{path}");
    }
    assert_eq!(shop.octet.messages() + shop.octet.count(), 0, "Octet hears nothing of it");
}

pub(crate) async fn a_handler_that_panics_leaves_the_edge_standing(host: Host) {
    let shop = Shop::open(host).await;
    for _ in 0..3 {
        let mut browser = shop.dial("GET /panic HTTP/1.1\r\nConnection: close").await;
        let mut answer = Vec::new();
        let _ = browser.read_to_end(&mut answer).await;
        // Nothing, or what a proxy says of an app that broke off.
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 50"), "{}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(shop.get("/octet/healthz").await.status(), StatusCode::OK);
    assert_eq!(shop.get("/plain").await.status(), StatusCode::OK);
}
