//! What passes between browser and app, and what does not.

use std::time::Duration;

use axum::Router;
use axum::body::Body as AppBody;
use axum::extract::Request as AppRequest;
use axum::routing::{any, get as route_get, post};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::support::{before, exchange, exchange_h2, get, socket, start, upgrade};

/// An app that says what it was sent: the request line and the headers, in order of name.
fn mirror() -> Router {
    Router::new().fallback(any(async |request: AppRequest| {
        let mut lines = vec![format!("{} {} {:?}", request.method(), request.uri(), request.version())];
        let headers = request.headers().iter();
        lines.extend(headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())));
        lines[1..].sort();
        lines.join("\n")
    }))
}

fn text(response: &Response<Bytes>) -> String {
    String::from_utf8(response.body().to_vec()).unwrap()
}

#[tokio::test]
async fn the_app_sees_the_request_as_it_came_and_only_the_edges_own_forwarding_headers() {
    let edge = before(mirror(), &[]).await;
    for h2 in [false, true] {
        let request = Request::get("/a%20b?c=d&e")
            .header("host", "shop.example")
            .header("x-forwarded-for", "6.6.6.6")
            .header("x-forwarded-host", "evil.example")
            .header("forwarded", "for=6.6.6.6")
            .header("x-real-ip", "6.6.6.6")
            .header("accept-language", "de")
            .body(Full::default())
            .unwrap();
        let answer = if h2 { exchange_h2(edge.addr, request).await } else { exchange(edge.addr, request).await };
        // The client names the edge in HTTP/2's own field.
        let host = if h2 { edge.addr.to_string() } else { "shop.example".to_owned() };
        let expected = [
            "GET /a%20b?c=d&e HTTP/1.1".to_owned(),
            "accept-language: de".to_owned(),
            format!("host: {host}"),
            "x-forwarded-for: 127.0.0.1".to_owned(),
            format!("x-forwarded-host: {host}"),
            "x-forwarded-proto: http".to_owned(),
        ];
        assert_eq!(text(&answer).lines().collect::<Vec<_>>(), expected, "HTTP/2: {h2}");
    }
}

#[tokio::test]
async fn a_trusted_proxy_says_whom_the_edge_serves_in_the_one_header_that_is_believed() {
    let settings = ["--trusted-proxies=127.0.0.0/8", "--public-scheme=https", "--forwarded-header=x-own-balancer"];
    let edge = before(mirror(), &settings).await;
    let request = Request::get("/")
        .header("x-own-balancer", "6.6.6.6, 198.51.100.9")
        .header("x-forwarded-for", "6.6.6.6")
        .header("x-forwarded-proto", "gopher")
        .header("x-real-ip", "6.6.6.6");
    let answer = text(&exchange(edge.addr, request.body(Full::default()).unwrap()).await);
    assert!(answer.contains("x-forwarded-for: 198.51.100.9"), "{answer}");
    assert!(answer.contains("x-forwarded-proto: https") && !answer.contains("6.6.6.6"), "{answer}");
}

#[tokio::test]
async fn the_standard_header_names_whom_the_last_proxy_saw_whatever_the_visitor_wrote_into_it() {
    let edge = before(mirror(), &["--trusted-proxies=127.0.0.0/8", "--forwarded-header=forwarded"]).await;
    for value in [
        r#"for="198.51.100.9:_hidden""#,
        r#"x=", for=198.51.100.9;host="a, for=6.6.6.6;b""#,
        r#"for=6.6.6.6;x="\\, for="198.51.100.9:80";host="a;for=6.6.6.6""#,
    ] {
        let request = Request::get("/").header("forwarded", value).body(Full::default()).unwrap();
        let answer = text(&exchange(edge.addr, request).await);
        assert!(answer.contains("x-forwarded-for: 198.51.100.9"), "{value}: {answer}");
    }
}

#[tokio::test]
async fn answers_pass_with_status_headers_trailers_and_without_what_belongs_to_one_hop() {
    let app = Router::new().route(
        "/",
        route_get(async || {
            let mut trailers = HeaderMap::new();
            trailers.insert("x-digest", HeaderValue::from_static("abc"));
            let frames = [Ok::<_, std::io::Error>(Frame::data(Bytes::from("body"))), Ok(Frame::trailers(trailers))];
            Response::builder()
                .status(203)
                .header("trailer", "x-digest")
                .header("keep-alive", "timeout=5")
                .header("set-cookie", "a=1")
                .header("set-cookie", "b=2")
                .body(AppBody::new(StreamBody::new(futures_util::stream::iter(frames))))
                .unwrap()
        }),
    );
    let edge = before(app, &[]).await;
    let tcp = TcpStream::connect(edge.addr).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("/").header("host", "shop").header("te", "trailers").body(Full::<Bytes>::default());
    let answer = sender.send_request(request.unwrap()).await.unwrap();
    assert_eq!(answer.status(), 203);
    assert!(!answer.headers().contains_key("keep-alive"));
    assert_eq!(answer.headers().get_all("set-cookie").iter().count(), 2);
    let body = answer.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["x-digest"], "abc");
    assert_eq!(body.to_bytes(), "body");
}

#[tokio::test]
async fn bodies_stream_both_ways_as_they_come() {
    let app = Router::new().route("/echo", post(async |request: AppRequest| request.into_body()));
    let edge = before(app, &[]).await;
    let (send, mut frames) = mpsc::channel::<Bytes>(1);
    let stream = futures_util::stream::poll_fn(move |cx| frames.poll_recv(cx).map(|frame| frame.map(Frame::data)));
    let body = StreamBody::new(futures_util::StreamExt::map(stream, Ok::<_, std::io::Error>));
    let tcp = TcpStream::connect(edge.addr).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await.unwrap();
    tokio::spawn(connection);
    let answer = tokio::spawn(async move {
        sender.send_request(Request::post("/echo").header("host", "shop").body(body).unwrap()).await.unwrap()
    });
    send.send(Bytes::from("one")).await.unwrap();
    let mut body = answer.await.unwrap().into_body();
    // The first part is back before the second is sent.
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "one");
    send.send(Bytes::from("two")).await.unwrap();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "two");
    drop(send);
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn a_websocket_is_tunnelled_and_no_other_protocol_is() {
    let edge = before(socket(), &[]).await;
    let (_, refused) = upgrade(edge.addr, "/socket", "h2c").await;
    assert!(refused.starts_with("http/1.1 200"), "{refused}");
    let (mut tcp, switched) = upgrade(edge.addr, "/socket", "websocket").await;
    assert!(switched.starts_with("http/1.1 101") && switched.contains("upgrade: websocket"), "{switched}");
    assert!(switched.contains("sec-websocket-accept: x"), "{switched}");
    tcp.write_all(b"ping").await.unwrap();
    let mut echo = [0; 4];
    tcp.read_exact(&mut echo).await.unwrap();
    assert_eq!(&echo, b"ping");
}

#[tokio::test]
async fn a_request_with_a_length_and_chunks_is_one_request_whose_chunks_count() {
    let app = Router::new().fallback(any(async |request: AppRequest| {
        let length = request.headers().contains_key(header::CONTENT_LENGTH);
        let body = request.into_body().collect().await.unwrap().to_bytes();
        format!("length {length}, {} bytes", body.len())
    }));
    let edge = before(app, &[]).await;
    let hidden = "GET /hidden HTTP/1.1\r\nhost: shop\r\n\r\n";
    for heads in ["content-length: 3\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 3"]
    {
        let mut tcp = TcpStream::connect(edge.addr).await.unwrap();
        let request = format!(
            "POST / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n{heads}\r\n\r\n{:x}\r\n{hidden}\r\n0\r\n\r\n",
            hidden.len()
        );
        tcp.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with(&format!("length false, {} bytes", hidden.len())), "{answer}");
    }
}

#[tokio::test]
async fn an_app_that_is_down_is_502_and_one_that_never_answers_504() {
    let down = start(&["--upstream-url=http://127.0.0.1:1"]);
    let answer = get(down.addr, "/").await;
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    assert!(text(&answer).contains("cannot be reached"), "{answer:?}");
    assert_eq!(get(down.addr, "/octet/healthz").await.status(), StatusCode::OK);

    let silent = Router::new().fallback(async || std::future::pending::<&str>().await);
    let edge = before(silent, &["--upstream-timeout-seconds=1"]).await;
    assert_eq!(get(edge.addr, "/").await.status(), StatusCode::GATEWAY_TIMEOUT);
}

#[tokio::test]
async fn an_app_that_closes_between_two_requests_does_no_harm() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let app = format!("--upstream-url=http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(tcp.read_u8().await.unwrap());
            }
            // Says nothing of it, and goes.
            tcp.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        }
    });
    let edge = start(&[&app, "--workers=1"]);
    for _ in 0..8 {
        assert_eq!(get(edge.addr, "/").await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn without_an_app_the_routes_stand_at_the_root_too_and_nothing_else_does() {
    let edge = start(&[]);
    for path in ["/healthz", "/octet/healthz", "/octet-collector.js", "/octet/octet-collector.js"] {
        assert_eq!(get(edge.addr, path).await.status(), StatusCode::OK, "{path}");
    }
    assert_eq!(get(edge.addr, "/other").await.status(), StatusCode::NOT_FOUND);
    let with_app = before(mirror(), &[]).await;
    assert!(text(&get(with_app.addr, "/healthz").await).starts_with("GET /healthz"));
}

#[tokio::test]
async fn a_request_that_names_no_host_or_opens_a_tunnel_is_refused() {
    let edge = before(mirror(), &[]).await;
    for (head, status) in [
        ("GET / HTTP/1.1\r\n\r\n", "400"),
        ("CONNECT shop:443 HTTP/1.1\r\nhost: shop\r\n\r\n", "501"),
        ("GET http://other/x HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n", "200"),
        ("GET / HTTP/1.0\r\n\r\n", "200"),
    ] {
        let mut tcp = TcpStream::connect(edge.addr).await.unwrap();
        tcp.write_all(head.as_bytes()).await.unwrap();
        let mut answer = vec![0; 12];
        tokio::time::timeout(Duration::from_secs(5), tcp.read_exact(&mut answer)).await.unwrap().unwrap();
        assert_eq!(&String::from_utf8_lossy(&answer)[9..], status, "{head}");
    }
}
