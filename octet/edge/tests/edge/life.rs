//! From settings to the end: what cannot be used is named, and a stop lets open requests finish.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use http::{Request, StatusCode};
use http_body_util::Full;
use octet_edge::Edge;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::support::{before, exchange, options, serve, socket, start, upgrade};

#[test]
fn a_setting_that_cannot_be_used_is_named_by_its_variable() {
    for sound in [
        &[][..],
        &["--edge-log=", "--edge-log-format= "],
        &["--upstream-url=http://127.0.0.1:8080", "--port=8080", "--bind=192.0.2.1"],
    ] {
        assert!(Edge::check(&options(sound)).unwrap().contains("sound"));
    }
    for (flag, variable) in [
        ("--octet-url=", "OCTET_URL"),
        ("--license=", "LICENSE"),
        ("--license=octet_live_v4.public.abc --allowed-origin=*", "ALLOWED_ORIGIN"),
        ("--upstream-url=app:3000", "UPSTREAM_URL"),
        ("--upstream-url=http://127.0.0.1:8080 --port=8080", "UPSTREAM_URL"),
        ("--upstream-url=http://localhost:8080 --port=8080 --bind=[::]", "UPSTREAM_URL"),
        ("--upstream-url=http://127.0.0.1:99999", "UPSTREAM_URL"),
        ("--edge-log=verbose", "EDGE_LOG"),
        ("--edge-log-format=xml", "EDGE_LOG_FORMAT"),
        ("--port=http", "PORT"),
        ("--bind=everywhere", "BIND"),
        ("--octet-prefix=octet", "OCTET_PREFIX"),
        ("--trusted-proxies=all", "TRUSTED_PROXIES"),
        ("--forwarded-header=x y", "FORWARDED_HEADER"),
        ("--edge-location=north", "EDGE_LOCATION"),
        ("--edge-id=a b", "EDGE_ID"),
        ("--edge-client-cert-file=/nonexistent", "EDGE_CLIENT_KEY_FILE"),
        ("--octet-ca-file=/nonexistent", "OCTET_CA_FILE"),
        ("--public-scheme=gopher", "PUBLIC_SCHEME"),
        ("--drain-seconds=-1", "DRAIN_SECONDS"),
        ("--workers=0", "WORKERS"),
        ("--max-connections=0", "MAX_CONNECTIONS"),
        ("--upstream-timeout-seconds=0", "UPSTREAM_TIMEOUT_SECONDS"),
    ] {
        let flags: Vec<_> = flag
            .split(" --")
            .enumerate()
            .map(|(i, flag)| if i == 0 { flag.into() } else { format!("--{flag}") })
            .collect();
        let error = Edge::check(&options(&flags.iter().map(String::as_str).collect::<Vec<_>>())).unwrap_err();
        assert_eq!(error.variable(), Some(variable), "{flag}: {error}");
        assert!(error.to_string().starts_with(variable), "{error}");
    }
}

/// The program with these variables and no others.
fn program(variables: &[(&str, &str)]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_octet-edge"));
    program.env_clear().envs(variables.iter().copied()).stderr(Stdio::piped()).stdout(Stdio::piped());
    program
}

#[test]
fn the_program_takes_variables_says_what_is_missing_and_ends_on_sigterm() {
    let refused = program(&[("LICENSE", "octet_test_v4.public.abc")]).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.starts_with("error: OCTET_URL: not set; give"), "{said}");

    let variables = [
        ("OCTET_URL", "http://127.0.0.1:1"),
        ("LICENSE", "octet_test_v4.public.abc"),
        ("PORT", "0"),
        ("BIND", "127.0.0.1"),
    ];
    let checked = program(&variables).args(["--check-config", "--edge-id=fra-1"]).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(
        checked.status.success() && said.starts_with("the settings are sound: http://127.0.0.1:0, no app"),
        "{said}"
    );
    let set =
        "OCTET_URL=http://127.0.0.1:1\nLICENSE=(a key)\nPORT=0\nBIND=127.0.0.1\nEDGE_ID=fra-1\nand all else as it is";
    assert!(said.contains(set), "{said}");

    let mut running = program(&variables).spawn().unwrap();
    let mut lines = BufReader::new(running.stderr.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.find(|line| line.contains("listening")).expect("it says where it listens");
    assert!(line.contains("address=127.0.0.1:"), "{line}");
    assert!(Command::new("kill").arg(running.id().to_string()).status().unwrap().success());
    assert!(running.wait().unwrap().success());
    assert!(lines.any(|line| line.contains("stopped")));
}

#[tokio::test]
async fn a_licence_that_octet_refuses_is_told_at_the_start_and_not_at_the_first_visitor() {
    let refused =
        || async { (StatusCode::UNAUTHORIZED, r#"{"status":401,"code":"license_revoked","title":"Licence revoked"}"#) };
    let octet = serve(Router::new().route("/v1/edge-settings", axum::routing::get(refused))).await;
    let url = format!("http://{octet}");
    let variables =
        [("OCTET_URL", &*url), ("LICENSE", "octet_test_v4.public.abc"), ("PORT", "0"), ("BIND", "127.0.0.1")];
    let mut running = program(&variables).spawn().unwrap();
    let stderr = running.stderr.take().unwrap();
    let told = tokio::task::spawn_blocking(|| {
        BufReader::new(stderr).lines().map(Result::unwrap).find(|line| line.contains("refuses this edge's licence"))
    });
    let told = tokio::time::timeout(Duration::from_secs(20), told).await;
    running.kill().and_then(|()| running.wait()).unwrap();
    let line = told.expect("it asks as it starts").unwrap().expect("it says so");
    assert!(line.contains("ERROR") && line.contains("license_revoked") && line.contains("set LICENSE"), "{line}");
}

#[test]
fn the_licence_is_not_printed() {
    assert!(!format!("{:?}", options(&[])).contains("abc"));
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let error = Edge::bind(&options(&["--port", &port])).unwrap_err();
    assert!(error.to_string().contains(&port) && error.to_string().contains("PORT"), "{error}");
}

#[tokio::test]
async fn a_port_that_is_taken_over_ipv6_only_is_named_and_not_half_served() {
    // A machine without IPv6 has nothing to take.
    let Ok(taken) = std::net::TcpListener::bind("[::1]:0") else { return };
    let address = format!("[::]:{}", taken.local_addr().unwrap().port());
    let bound = Edge::bind(&options(&["--bind=", "--port", &address[5..]])).map(|edge| edge.local_addr());
    let error = bound.unwrap_err();
    assert!(error.to_string().starts_with(&address), "{error}");
}

#[tokio::test]
async fn over_the_bound_each_connection_has_its_turn_whichever_thread_took_it() {
    let edge = start(&["--max-connections=1", "--workers=2", "--trusted-proxies=127.0.0.1"]);
    let mut waiting = Vec::new();
    for _ in 0..6 {
        waiting.push(TcpStream::connect(edge.addr).await.unwrap());
    }
    // One thread takes them all, and waits for what they begin with.
    tokio::time::sleep(Duration::from_millis(200)).await;
    for tcp in &mut waiting {
        tcp.write_all(b"GET /healthz HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n").await.unwrap();
    }
    for tcp in &mut waiting {
        let mut answer = String::new();
        let read = tokio::time::timeout(Duration::from_secs(5), tcp.read_to_string(&mut answer));
        read.await.expect("it has its turn").unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[tokio::test]
async fn a_stop_lets_open_requests_finish_and_takes_no_more() {
    let (asked, answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, wait) = (Arc::clone(&asked), Arc::clone(&answer));
    let app = Router::new().fallback(move || {
        let (told, wait) = (Arc::clone(&told), Arc::clone(&wait));
        async move {
            told.notify_one();
            wait.notified().await;
            "done"
        }
    });
    let edge = before(app, &[]).await;
    let open = tokio::spawn(exchange(edge.addr, Request::get("/").body(Full::default()).unwrap()));
    asked.notified().await;
    edge.stop.cancel();
    // Whatever was accepted already is served; the socket itself is closed.
    while TcpStream::connect(edge.addr).await.is_ok() {
        tokio::task::yield_now().await;
    }
    answer.notify_one();
    let response = open.await.unwrap();
    assert_eq!((response.status(), &response.body()[..]), (StatusCode::OK, &b"done"[..]));
    edge.end.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stop_lets_open_websockets_and_latency_channels_end() {
    let edge = before(socket(), &[]).await;
    let (mut own, _) = upgrade(edge.addr, "/socket", "websocket").await;
    let (mut channel, switched) = upgrade(edge.addr, "/octet/v1/ws?ref=s", "websocket").await;
    assert!(switched.starts_with("http/1.1 101"), "{switched}");
    edge.stop.cancel();
    while TcpStream::connect(edge.addr).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let mut said = Vec::new();
    channel.read_to_end(&mut said).await.unwrap();
    assert!(String::from_utf8_lossy(&said).contains(r#""end""#), "the channel was cut off");
    own.write_all(b"ping").await.unwrap();
    let mut echo = [0; 4];
    own.read_exact(&mut echo).await.unwrap();
    assert_eq!(&echo, b"ping");
    drop(own);
    edge.end.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stop_under_load_breaks_no_answer_off() {
    const BODY: usize = 256 * 1024;
    let edge = before(Router::new().fallback(async || vec![b'x'; BODY]), &[]).await;
    let answered = Arc::new(AtomicUsize::new(0));
    let visitors: Vec<_> = (0..16)
        .map(|_| {
            let (addr, stop, answered) = (edge.addr, edge.stop.clone(), Arc::clone(&answered));
            tokio::spawn(async move {
                while let Ok(mut tcp) = TcpStream::connect(addr).await {
                    let _ = tcp.write_all(b"GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n").await;
                    let mut answer = Vec::new();
                    let _ = tcp.read_to_end(&mut answer).await;
                    if answer.is_empty() {
                        // In the kernel's queue when the edge closed it.
                        assert!(stop.is_cancelled(), "nobody said that it is to stop");
                        return;
                    }
                    assert!(answer.len() > BODY, "broken off after {} bytes", answer.len());
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    while answered.load(Ordering::Relaxed) < 100 && !visitors.iter().all(JoinHandle::is_finished) {
        tokio::task::yield_now().await;
    }
    edge.stop.cancel();
    for visitor in visitors {
        visitor.await.unwrap();
    }
    edge.end.await.unwrap().unwrap();
}
