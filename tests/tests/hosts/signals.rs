//! `POST /v1/signals`: what is taken, what is refused, and what Octet gets.

use http::{Request, StatusCode, header};
use octet::observations::Ticket;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::shop::{Host, Setup};
use crate::support::{Shop, bundle, bundle_with, fresh, header_of, refusal};

pub(crate) async fn octet_gets_the_collectors_own_bytes_and_what_the_host_can_tell(host: Host) {
    let shop = Shop::with(host, &[("EDGE_ID", "fra-1"), ("EDGE_LOCATION", "50.11,8.68")]).await;
    let body = format!("{{ \"unknownField\": [1.50,  2],{}", &bundle("sess_1")[1..]);
    let mut browser = TcpStream::connect(shop.addr).await.unwrap();
    let request = format!(
        "POST /octet/v1/signals HTTP/1.1\r\nHost: {addr}\r\nX-Zebra: 1\r\nUser-Agent: Agent/1\r\nAccept-Language: de\r\n\
         Origin: http://{addr}\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len(),
        addr = shop.addr,
    );
    browser.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    browser.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 202"), "{response}");
    assert!(response.ends_with(r#"{"status":"accepted"}"#), "{response}");

    assert_eq!(shop.octet.signals(), body);
    let seen = shop.octet.observed();
    let peer = seen.peer.unwrap();
    assert_eq!((peer.ip.to_string().as_str(), peer.forwarded), ("127.0.0.1", false));
    assert_eq!((seen.edge.id.as_str(), seen.edge.position.map(|at| at.lat())), ("fra-1", Some(50.11)));
    assert_eq!(seen.http_version.as_str(), "1.1");
    let names = seen.header_names.as_ref().map(|names| names.as_slice().iter().map(|name| name.as_str()).collect());
    let sent =
        ["host", "x-zebra", "user-agent", "accept-language", "origin", "content-type", "connection", "content-length"];
    assert_eq!(names, host.keeps_header_order().then(|| sent.to_vec()));
    assert_eq!(seen.headers.user_agent.unwrap().as_str(), "Agent/1");
    assert_eq!(seen.headers.accept_language.unwrap().as_str(), "de");
    assert_eq!(seen.tcp.is_some(), cfg!(target_os = "linux"));
    assert_eq!(seen.channel.ticket, Ticket::NoChannel);
    assert!(!seen.session.signed);
}

pub(crate) async fn a_page_of_another_origin_is_refused_and_nothing_is_forwarded(host: Host) {
    let shop = Shop::open(host).await;
    for origin in [None, Some("null"), Some("https://evil.example"), Some("http://127.0.0.1:1")] {
        let mut request = Request::post("/octet/v1/signals");
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        let response = shop.send_body(request, bundle("s")).await;
        assert_eq!(refusal(&response), (403, "origin_rejected".to_owned()), "{origin:?}");
        assert_eq!(header_of(response.headers(), "access-control-allow-origin"), "");
    }
    assert_eq!(shop.octet.count(), 0);
}

pub(crate) async fn a_page_of_a_configured_origin_is_answered_with_its_name(host: Host) {
    let shop = Shop::with(host, &[("ALLOWED_ORIGIN", "https://shop.example, https://www.shop.example")]).await;
    let preflight = Request::options("/octet/v1/signals")
        .header(header::ORIGIN, "https://shop.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    let response = shop.send(preflight).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(header_of(response.headers(), "access-control-allow-origin"), "https://shop.example");
    assert!(header_of(response.headers(), "access-control-allow-methods").contains("POST"));
    assert_eq!(header_of(response.headers(), "access-control-allow-headers"), "content-type");

    for body in [bundle("s"), "{".to_owned()] {
        let request = Request::post("/octet/v1/signals").header(header::ORIGIN, "https://shop.example");
        let response = shop.send_body(request, body).await;
        assert_eq!(header_of(response.headers(), "access-control-allow-origin"), "https://shop.example");
        assert_eq!(header_of(response.headers(), "vary"), "origin");
    }
    let foreign = Request::options("/octet/v1/signals")
        .header(header::ORIGIN, "https://evil.example")
        .header("access-control-request-method", "POST");
    assert_eq!(shop.send(foreign).await.status(), StatusCode::FORBIDDEN);
    // The edge's own host is none of the configured.
    assert_eq!(shop.post(bundle("s")).await.status(), StatusCode::FORBIDDEN);
}

pub(crate) async fn a_body_over_64_kib_is_refused_whether_it_says_so_or_not(host: Host) {
    let shop = Shop::open(host).await;
    let large = bundle_with("s", &json!({ "padding": "x".repeat(66_000) }));
    let response = shop.post(large.clone()).await;
    assert_eq!(refusal(&response), (413, "body_too_large".to_owned()));

    let mut browser = TcpStream::connect(shop.addr).await.unwrap();
    let head = format!(
        "POST /octet/v1/signals HTTP/1.1\r\nHost: {addr}\r\nOrigin: http://{addr}\r\nTransfer-Encoding: chunked\r\n\r\n",
        addr = shop.addr
    );
    browser.write_all(head.as_bytes()).await.unwrap();
    for part in large.as_bytes().chunks(8192) {
        let size = format!("{:x}\r\n", part.len());
        browser.write_all(&[size.as_bytes(), part, b"\r\n"].concat()).await.unwrap();
    }
    let mut status = [0; 12];
    browser.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 413");
    assert_eq!(shop.octet.count(), 0);
}

pub(crate) async fn what_no_collector_sends_is_refused_here_already(host: Host) {
    let shop = Shop::open(host).await;
    let nested = format!("{}1{}", "[".repeat(30_000), "]".repeat(30_000));
    let with = |more: serde_json::Value| bundle_with("s", &more).into_bytes();
    for body in [
        b"".to_vec(),
        b"{".to_vec(),
        b"null".to_vec(),
        b"\xff\xfe".to_vec(),
        bundle("s").as_bytes()[..40].to_vec(),
        [bundle("s").as_bytes(), b"{}"].concat(),
        nested.clone().into_bytes(),
        format!("{{\"facts\":{nested},{}", &bundle("s")[1..]).into_bytes(),
        format!("{{\"schema\":1,{}", &bundle("s")[1..]).into_bytes(),
        bundle("not a ref").into_bytes(),
        with(json!({ "schema": "1" })),
        with(json!({ "facts": 7 })),
        with(json!({ "facts": { "timeZone": 7 } })),
        with(json!({ "channel": { "rounds": vec![json!({ "round": 0 }); 17] } })),
    ] {
        let response = shop.post(body.clone()).await;
        let begins = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        assert_eq!(refusal(&response), (400, "malformed_bundle".to_owned()), "{begins}");
    }
    assert_eq!(shop.octet.count(), 0);
    assert_eq!(shop.post(bundle("s")).await.status(), StatusCode::ACCEPTED);
}

pub(crate) async fn another_method_is_told_which_one_the_path_takes(host: Host) {
    let shop = Shop::open(host).await;
    for (method, path, allow) in [
        ("GET", "/octet/v1/signals", "POST, OPTIONS"),
        ("DELETE", "/octet/v1/signals", "POST, OPTIONS"),
        ("POST", "/octet/v1/ws", "GET, OPTIONS"),
        ("POST", "/octet/healthz", "GET, HEAD, OPTIONS"),
        ("PUT", "/octet/octet-collector.js", "GET, HEAD, OPTIONS"),
    ] {
        let response = shop.send(Request::builder().method(method).uri(path)).await;
        assert_eq!(refusal(&response), (405, "method_not_allowed".to_owned()), "{method} {path}");
        assert_eq!(header_of(response.headers(), "allow"), allow);
        let options = shop.send(Request::options(path)).await;
        assert_eq!((options.status(), header_of(options.headers(), "allow")), (StatusCode::NO_CONTENT, allow));
    }
    assert_eq!(shop.get("/octet/healthz").await.status(), StatusCode::OK);
}

pub(crate) async fn a_network_over_its_limit_is_told_when_to_come_back(host: Host) {
    let shop = Shop::with(host, &[("TRUSTED_PROXIES", "127.0.0.1")]).await;
    let post = async |from: &str| {
        let request = Request::post("/octet/v1/signals").header(header::ORIGIN, shop.origin());
        shop.send(request.header("x-forwarded-for", from)).await
    };
    let mut taken = 0;
    let refused = loop {
        let response = post(&format!("2001:db8::{taken}")).await;
        if response.status() != StatusCode::BAD_REQUEST {
            break response;
        }
        taken += 1;
    };
    assert_eq!(refusal(&refused), (429, "rate_limited".to_owned()));
    assert!(header_of(refused.headers(), "retry-after").parse::<u64>().unwrap() >= 1);
    assert!(taken >= 120, "{taken}");
    assert_eq!(post("2001:db8:0:1::1").await.status(), StatusCode::BAD_REQUEST, "another network");
}

pub(crate) async fn a_trusted_proxy_names_the_visitor_and_nobody_else_does(host: Host) {
    let proxied = Shop::with(host, &[("TRUSTED_PROXIES", "127.0.0.0/8, ::1")]).await;
    let direct = Shop::open(host).await;
    for (shop, ip, forwarded) in [(&proxied, "198.51.100.9", true), (&direct, "127.0.0.1", false)] {
        let request = Request::post("/octet/v1/signals")
            .header(header::ORIGIN, shop.origin())
            .header("x-forwarded-for", "6.6.6.6, 198.51.100.9")
            .header("x-real-ip", "7.7.7.7")
            .header("forwarded", "for=8.8.8.8");
        assert_eq!(shop.send_body(request, bundle("s")).await.status(), StatusCode::ACCEPTED);
        let peer = shop.octet.observed().peer.unwrap();
        assert_eq!((peer.ip.to_string().as_str(), peer.forwarded), (ip, forwarded));
    }
}

pub(crate) async fn the_same_bytes_may_be_sent_again(host: Host) {
    let shop = Shop::open(host).await;
    let bundle = bundle(&fresh());
    for _ in 0..2 {
        assert_eq!(shop.post(bundle.clone()).await.status(), StatusCode::ACCEPTED);
    }
    assert_eq!(shop.octet.count(), 2);
}

pub(crate) async fn an_edge_that_requires_signed_references_takes_no_other(host: Host) {
    let shop = Shop::set_up(host, Setup::new(&[]).signed_only()).await;
    let response = shop.post(bundle(&fresh())).await;
    assert_eq!(refusal(&response), (403, "unsigned_ref".to_owned()));

    let page = shop.send(Request::get("/ref").header(header::USER_AGENT, "Agent")).await;
    let session = String::from_utf8(page.into_body().to_vec()).unwrap();
    assert!(session.starts_with("os1_"), "{session}");
    assert_eq!(shop.post(bundle(&session)).await.status(), StatusCode::ACCEPTED);
    let seen = shop.octet.observed().session;
    assert_eq!((seen.signed, seen.same_network, seen.same_user_agent), (true, Some(true), Some(true)));

    let altered = format!("{}{}", &session[..session.len() - 1], if session.ends_with('A') { "B" } else { "A" });
    assert_eq!(shop.post(bundle(&altered)).await.status(), StatusCode::FORBIDDEN);
}

pub(crate) async fn a_signed_reference_says_whether_it_comes_from_where_the_page_went(host: Host) {
    let shop = Shop::with(host, &[("TRUSTED_PROXIES", "127.0.0.1")]).await;
    let page = Request::get("/ref").header(header::USER_AGENT, "Agent").header("x-forwarded-for", "198.51.100.9");
    let session = String::from_utf8(shop.send(page).await.into_body().to_vec()).unwrap();
    let request = Request::post("/octet/v1/signals").header(header::ORIGIN, shop.origin());
    let request = request.header(header::USER_AGENT, "Other").header("x-forwarded-for", "192.0.2.1");
    assert_eq!(shop.send_body(request, bundle(&session)).await.status(), StatusCode::ACCEPTED);
    let seen = shop.octet.observed().session;
    assert_eq!((seen.signed, seen.same_network, seen.same_user_agent), (true, Some(false), Some(false)));
}

pub(crate) async fn a_huge_cookie_goes_no_further_and_many_headers_are_cut_short(host: Host) {
    let shop = Shop::open(host).await;
    let mut request = Request::post("/octet/v1/signals").header(header::ORIGIN, shop.origin());
    request = request.header(header::COOKIE, format!("basket={}", "secret".repeat(1200)));
    for at in 0..80 {
        request = request.header(format!("x-own-{at}"), "secret");
    }
    let request = request.header(header::USER_AGENT, "x".repeat(4000));
    assert_eq!(shop.send_body(request, bundle("s")).await.status(), StatusCode::ACCEPTED);
    let seen = serde_json::to_string(&shop.octet.observed()).unwrap();
    assert!(!seen.contains("secret") && seen.len() < 4096, "{} bytes: {seen}", seen.len());
}

pub(crate) async fn a_flood_of_headers_is_refused_and_holds_up_nobody(host: Host) {
    let shop = Shop::open(host).await;
    let begin = format!("GET /octet/healthz HTTP/1.1\r\nHost: {}\r\n", shop.addr);
    let mut endless = Vec::new();
    for flood in ["x-flood: 1\r\n".repeat(1000) + "\r\n", format!("x-flood: {}", "x".repeat(1 << 20))] {
        let mut browser = TcpStream::connect(shop.addr).await.unwrap();
        // The host may close before all is sent, and with that take back what it said.
        let _ = browser.write_all([&*begin, &flood].concat().as_bytes()).await;
        let mut answer = Vec::new();
        let _ = browser.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    for _ in 0..20 {
        let mut browser = TcpStream::connect(shop.addr).await.unwrap();
        browser.write_all([&*begin, "x-flood: "].concat().as_bytes()).await.unwrap();
        endless.push(browser);
    }
    for path in ["/plain", "/octet/healthz"] {
        assert_eq!(shop.get(path).await.status(), StatusCode::OK, "{path}");
    }
}
