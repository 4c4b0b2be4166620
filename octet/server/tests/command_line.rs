//! The binary `octet`: records made by one process and used by another, settings, signals.

#![cfg(feature = "cli")]
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{GERMAN, answer, bundle};
use jiff::{SignedDuration, Timestamp};
use octet::PredicateVerdict;
use octet::proof::{Expect, KEYS_PATH, KeySet, chain, verify};
use octet_device::{OctetConfig, StartError, Transport};
use octet_server::clock::{Clock, ManualClock};
use octet_server::{Config, NewLicense, Octet};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;
use tower::ServiceExt;

struct Output {
    success: bool,
    out: String,
    err: String,
}

fn octet(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_octet"));
    command.current_dir(folder).args(arguments).kill_on_drop(true);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OCTET_")) {
        command.env_remove(name);
    }
    command
}

async fn run(folder: &Path, arguments: &[&str]) -> Output {
    let output = octet(folder, arguments).stdin(Stdio::null()).output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim_end().to_owned();
    Output { success: output.status.success(), out: text(output.stdout), err: text(output.stderr) }
}

#[tokio::test]
async fn keys_are_made_on_the_command_line_and_take_effect_in_a_running_service() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let service = Octet::open(Config::embedded(folder.join("octet.db"))).await.unwrap();
    let send = async |request: Request<Body>| {
        // Readiness looks for changes by other processes at once; otherwise they are seen within a second.
        let ready = Request::get("/readyz").body(Body::empty()).unwrap();
        assert_eq!(service.clone().oneshot(ready).await.unwrap().status(), 200);
        answer(service.clone().oneshot(request).await.unwrap()).await
    };
    let forward = |license: &str, session: &str| {
        let request = Request::post("/v1/signals").header("x-octet-license", license);
        request.body(Body::from(bundle(session, GERMAN))).unwrap()
    };
    let ask = |key: &str| Request::get("/v1/verdict/s").header("x-octet-partner-key", key).body(Body::empty()).unwrap();

    let key = run(folder, &["partner", "add", "shop"]).await;
    assert!(key.success && key.out.starts_with("opk_") && key.err.contains("cannot be shown again"), "{}", key.err);
    let issue = ["license", "issue", "--partner", "shop", "--product", "browser", "--days", "365"];
    let license = run(folder, &issue).await.out;
    assert!(license.starts_with("octet_live_v4.public."));
    assert_eq!(send(forward(&license, "s")).await.status, 202);
    assert_eq!(send(ask(&key.out)).await.status, 200);

    let rotated = run(folder, &["partner", "rotate", "shop", "--overlap-hours", "0"]).await.out;
    assert_eq!(send(ask(&key.out)).await.status, 401);
    assert_eq!(send(ask(&rotated)).await.status, 200);

    let inspected: Value = serde_json::from_str(&run(folder, &["license", "inspect", &license]).await.out).unwrap();
    assert_eq!((&inspected["state"], &inspected["claims"]["sub"]), (&"valid".into(), &"shop".into()));
    let jti = inspected["claims"]["jti"].as_str().unwrap();
    assert!(run(folder, &["license", "revoke", jti]).await.success);
    assert_eq!(send(forward(&license, "t")).await.code(), "license_revoked");
    let listed: Value = serde_json::from_str(&run(folder, &["license", "list", "--json"]).await.out).unwrap();
    assert_eq!(listed[0]["state"], "revoked");

    assert!(run(folder, &["partner", "set", "shop", "--profile", "full"]).await.success);
    assert!(!run(folder, &["partner", "set", "shop"]).await.success);
    for passive in ["allowed", "counted-as-missing"] {
        assert!(run(folder, &["partner", "set", "shop", "--passive", passive]).await.success);
        let listed: Value = serde_json::from_str(&run(folder, &["partner", "list", "--json"]).await.out).unwrap();
        assert_eq!((&listed[0]["passive"], &listed[0]["profile"]), (&passive.into(), &"full".into()));
    }
    assert!(run(folder, &["partner", "revoke", "shop"]).await.success);
    assert_eq!(send(ask(&rotated)).await.status, 401);
    let listed: Value = serde_json::from_str(&run(folder, &["partner", "list", "--json"]).await.out).unwrap();
    assert_eq!((&listed[0]["profile"], listed[0]["revokedAt"].is_string()), (&"full".into(), true));
    assert!(!listed.to_string().contains(&rotated));
}

#[tokio::test]
async fn keys_of_proofs_rotate_on_the_command_line_and_a_running_service_takes_them_up_without_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Two days ago by the service's clock, so that its days are over by that of the commands.
    let clock = Arc::new(ManualClock::at(Timestamp::now() - SignedDuration::from_hours(48)));
    let config = Config::embedded(folder.join("octet.db")).clock(Arc::clone(&clock) as _);
    let service = Octet::open(config).await.unwrap();
    let partner_key = service.partners().add("shop").await.unwrap();
    let license = service.licenses().issue(NewLicense::browser("shop")).await.unwrap().key;
    let send = async |request: Request<Body>| answer(service.clone().oneshot(request).await.unwrap()).await;
    let prove = async |session: &str| {
        let forwarded = Request::post("/v1/signals").header("x-octet-license", license.expose());
        assert_eq!(send(forwarded.body(Body::from(bundle(session, GERMAN))).unwrap()).await.status, 202);
        let question = json!({ "ref": session, "predicate": "within", "region": { "type": "country", "code": "DE" } });
        let asked = Request::post("/v1/predicate").header("x-octet-partner-key", partner_key.expose());
        let answer = send(asked.body(Body::from(question.to_string())).unwrap()).await;
        serde_json::from_value::<PredicateVerdict>(answer.json).unwrap().proof.clone().unwrap()
    };
    let published = async || {
        // Readiness looks for changes by other processes at once.
        send(Request::get("/readyz").body(Body::empty()).unwrap()).await;
        KeySet::from_json(&send(Request::get(KEYS_PATH).body(Body::empty()).unwrap()).await.text).unwrap()
    };
    let exported = async || KeySet::from_json(&run(folder, &["keys", "export"]).await.out).unwrap();
    let names = |keys: &KeySet| keys.iter().map(|key| key.kid.clone()).collect::<Vec<_>>();

    let first = prove("s1").await;
    let before = published().await;
    assert_eq!((before.len(), exported().await), (1, before.clone()));
    let chain = loop {
        // The service writes what it signed within a second.
        let printed = run(folder, &["keys", "chain"]).await;
        assert!(printed.success, "{}", printed.err);
        if !printed.out.is_empty() {
            break printed.out;
        }
    };
    let day: chain::Day = serde_json::from_str(&chain).unwrap();
    assert_eq!(day.proofs, [chain::digest(&first)]);

    let rotated = run(folder, &["keys", "rotate"]).await;
    assert!(rotated.out.starts_with("prk_") && rotated.err.contains("signs from"), "{}", rotated.err);
    let both = published().await;
    assert_eq!((names(&both).last(), &exported().await), (Some(&rotated.out), &both));
    let listed = run(folder, &["keys", "list"]).await.out;
    assert!(names(&both).iter().all(|kid| listed.contains(kid)) && listed.contains("licences"), "{listed}");

    // Until the new key signs, its proofs are checked by sets that lack it; from then on by the published one.
    let overlap = prove("s2").await;
    clock.advance(Duration::from_secs(48 * 3600 + 660));
    let second = prove("s3").await;
    let expect = Expect::audience("shop").at(clock.now());
    assert!(verify(&overlap, &before, expect).is_ok() && verify(&second, &before, expect).is_err());
    for proof in [&first, &overlap, &second] {
        assert!(verify(proof, &both, expect).is_ok());
    }
    assert!(
        KeySet::from_json(&run(folder, &["keys", "export", "--environment", "test"]).await.out).unwrap().is_empty()
    );
}

#[tokio::test]
async fn licences_and_keys_are_of_the_environment_that_the_file_names() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("octet.toml"), "environment = \"test\"").unwrap();
    let configured = async |command: &str| {
        let arguments: Vec<_> = command.split(' ').chain(["--config", "octet.toml"]).collect();
        run(folder, &arguments).await.out
    };
    configured("partner add shop").await;
    assert!(configured("license issue --partner shop").await.starts_with("octet_test_"));
    assert!(configured("license issue --partner shop --environment live").await.starts_with("octet_live_"));
    let kid = configured("keys rotate").await;
    assert!(kid.starts_with("prk_") && configured("keys export").await.contains(&kid));
    assert!(!run(folder, &["keys", "export"]).await.out.contains(&kid));
}

#[tokio::test]
async fn a_reader_that_has_had_enough_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    run(folder, &["partner", "add", "shop"]).await;
    for list in [&["partner", "list"][..], &["license", "list", "--json"], &["keys", "export"], &["app", "list"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = octet(folder, list).stdout(writer).output().await.unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[tokio::test]
async fn keys_of_licences_rotate_and_what_the_old_one_signed_stays_good() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let service = Octet::open(Config::embedded(folder.join("octet.db"))).await.unwrap();
    assert!(run(folder, &["partner", "add", "shop"]).await.success);
    let issue = async |product: &str| {
        let key = run(folder, &["license", "issue", "--partner", "shop", "--product", product]).await.out;
        let ready = Request::get("/readyz").body(Body::empty()).unwrap();
        assert_eq!(service.clone().oneshot(ready).await.unwrap().status(), 200);
        key
    };
    let public_keys = async || {
        let exported: Value = serde_json::from_str(&run(folder, &["keys", "export", "--licenses"]).await.out).unwrap();
        let keys = exported["keys"].as_array().unwrap().iter();
        let bytes = keys.map(|key| URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap().try_into().unwrap());
        bytes.collect::<Vec<[u8; 32]>>()
    };
    let (old_edge, old_app) = (issue("browser").await, issue("mobile").await);
    let rotated = run(folder, &["keys", "rotate", "--licenses"]).await;
    assert!(rotated.out.starts_with("sig_"), "{}", rotated.err);
    let (new_edge, new_app) = (issue("browser").await, issue("mobile").await);

    for (license, session) in [(&old_edge, "s1"), (&new_edge, "s2")] {
        let request = Request::post("/v1/signals").header("x-octet-license", license);
        let request = request.body(Body::from(bundle(session, GERMAN))).unwrap();
        assert_eq!(service.clone().oneshot(request).await.unwrap().status(), 202);
    }
    // An app that pins the keys takes a licence by either, and none by a key that it does not pin.
    let keys = public_keys().await;
    assert_eq!(keys.len(), 2);
    let start = async |license: &str, pinned: &[[u8; 32]]| {
        let config = OctetConfig::new(license.parse().unwrap()).transport(Transport::over(service.clone()));
        octet_device::Octet::start(pinned.iter().fold(config, |config, key| config.license_issuer(*key))).await
    };
    for license in [&old_app, &new_app] {
        assert!(start(license, &keys).await.is_ok());
    }
    assert!(start(&old_app, &keys[..1]).await.is_ok() && start(&new_app, &keys[1..]).await.is_ok());
    assert!(matches!(start(&new_app, &keys[..1]).await, Err(StartError::LicenseRejected)));
}

#[tokio::test]
async fn what_cannot_be_done_is_said_in_one_line_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (arguments, says) in [
        (&["partner", "list"][..], "OCTET_DATABASE"),
        (&["license", "issue", "--partner", "shop"], "no database"),
        (&["partner", "add", "a shop"], "such as shop"),
        (&["partner", "rotate", "shop"], "no partner named shop"),
        (&["license", "issue", "--partner", "shop"], "no partner named shop"),
        (&["license", "issue", "--partner", "shop", "--days", "0"], "--days"),
        (&["license", "inspect", "octet_live_v4.public.AAAA"], "not signed by this service"),
        (&["license", "inspect", "key"], "octet_live_v4.public."),
        (&["license", "revoke", "lic_1"], "no licence lic_1"),
        (&["serve", "--config", "nowhere.toml"], "nowhere.toml"),
        (&["serve", "--listen", "nowhere"], "--listen"),
    ] {
        let output = run(folder, arguments).await;
        assert!(!output.success && output.err.contains(says), "{arguments:?}: {}", output.err);
        assert!(output.out.is_empty());
    }
    assert!(run(folder, &["partner", "add", "shop"]).await.success);
    assert!(run(folder, &["partner", "add", "shop"]).await.err.contains("already"));
}

#[tokio::test]
async fn a_configuration_is_checked_without_serving_and_names_the_offending_key() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("octet.toml"), "max_sessions = 5\nlog_format = \"json\"\n").unwrap();
    let serve = ["serve", "--config", "octet.toml", "--check-config", "--max-sessions", "6"];
    let checked = run(folder, &serve).await;
    assert!(
        checked.out.contains("max_sessions = 6") && checked.out.contains("log_format = \"json\""),
        "{}",
        checked.out
    );
    let by_environment = octet(folder, &serve[..4]).env("OCTET_MAX_SESSIONS", "7").output().await.unwrap();
    assert!(String::from_utf8(by_environment.stdout).unwrap().contains("max_sessions = 7"));
    std::fs::write(folder.join("octet.toml"), "max_session = 5\n").unwrap();
    let refused = run(folder, &serve).await;
    assert!(refused.err.contains("`max_session`") && refused.err.contains("`max_sessions`"), "{}", refused.err);
    assert!(!folder.join("octet.db").exists());
}

#[cfg(unix)]
#[tokio::test]
async fn a_service_serves_logs_no_secret_and_ends_on_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let key = run(folder, &["partner", "add", "shop"]).await.out;
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--log", "trace", "--log-format", "json"];
    let mut service = octet(folder, &arguments).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(service.stderr.take().unwrap());
    let mut line = String::new();
    let address = loop {
        line.clear();
        log.read_line(&mut line).await.unwrap();
        let event: Value = serde_json::from_str(&line).unwrap();
        if event["fields"]["message"] == "listening" {
            break event["fields"]["address"].as_str().unwrap().to_owned();
        }
    };
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let request = format!(
        "GET /v1/verdict/sess_canary HTTP/1.1\r\nhost: octet\r\nx-octet-partner-key: {key}\r\n\
         x-octet-visitor-ip: 198.51.100.77\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");

    let pid = service.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    assert!(service.wait().await.unwrap().success());
    let mut rest = String::new();
    log.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("stopped"), "{rest}");
    for secret in ["canary", &key, "198.51.100"] {
        assert!(!rest.contains(secret), "{rest}");
    }
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(folder.join("octet.db")).unwrap().permissions());
    assert_eq!(mode & 0o077, 0, "only its owner reads the database");
}

/// A service that was started, and what it logs.
struct Served {
    service: tokio::process::Child,
    address: String,
    log: tokio::sync::mpsc::UnboundedReceiver<Value>,
}

impl Served {
    /// The fields of the next event with this message.
    async fn logged(&mut self, message: &str) -> Value {
        while let Some(event) = self.log.recv().await {
            if event["fields"]["message"] == message {
                return event["fields"].clone();
            }
        }
        panic!("the service ended without: {message}");
    }

    /// The body of the answer to this request, whose status is a success.
    async fn send(&self, method: &str, path: &str, key: &str, body: &str) -> String {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: octet\r\n{key}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }
}

/// Starts the service on the folder's database.
async fn serve(folder: &Path, arguments: &[&str]) -> Served {
    let arguments = [&["serve", "--listen", "127.0.0.1:0", "--log-format", "json"], arguments].concat();
    let mut service = octet(folder, &arguments).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(service.stderr.take().unwrap()).lines();
    let (sender, log) = tokio::sync::mpsc::unbounded_channel();
    // Also when nobody wants to know: it must not fill the pipe.
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            let _ = sender.send(serde_json::from_str(&line).unwrap());
        }
    });
    let mut served = Served { service, address: String::new(), log };
    served.address = served.logged("listening").await["address"].as_str().unwrap().to_owned();
    served
}

#[tokio::test]
async fn files_that_change_are_read_again_by_a_running_service_and_the_next_verdict_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let partner_key = format!("x-octet-partner-key: {}", run(folder, &["partner", "add", "shop"]).await.out);
    let license = run(folder, &["license", "issue", "--partner", "shop"]).await.out;
    let license = format!("x-octet-license: {license}");
    // As the operator's page says: no half of a file is ever there.
    let put = |name: &str, text: &str| {
        std::fs::write(folder.join("new"), text).unwrap();
        std::fs::rename(folder.join("new"), folder.join(name)).unwrap();
    };
    put("tor.txt", "# no exit yet\n");
    put("calibration.toml", "");
    let files = ["--data-tor-list", "tor.txt", "--data-calibration", "calibration.toml"];
    let mut served = serve(folder, &files).await;
    let reread = "data files changed and were read again";
    let verdict = async |served: &Served, session: &str| -> Value {
        served.send("POST", "/v1/signals", &license, &bundle(session, GERMAN)).await;
        let path = format!("/v1/verdict/{session}");
        serde_json::from_str(&served.send("GET", &path, &partner_key, "").await).unwrap()
    };
    let before = verdict(&served, "before").await;
    assert_eq!((&before["country"], &before["alarm"]), (&"DE".into(), &"none".into()));

    // Verdicts like this one were right in three of five cases only, say labels.
    let confidence = before["confidence"].as_f64().unwrap();
    let label = |at: usize| format!("{{\"confidence\": {confidence}, \"correct\": {}}}\n", at % 5 < 3);
    put("labels.ndjson", &(0..2000).map(label).collect::<String>());
    let learn = ["data", "labels", "--import", "labels.ndjson", "--output", "calibration.toml"];
    let learned = run(folder, &learn).await;
    assert!(learned.success, "{}", learned.err);
    served.logged(reread).await;
    let taught = verdict(&served, "taught").await;
    assert!(confidence > 0.9 && (0.5..0.8).contains(&taught["confidence"].as_f64().unwrap()), "{before} {taught}");
    assert_eq!((&taught["country"], &taught["alarm"]), (&"DE".into(), &"none".into()));

    put("tor.txt", &format!("{GERMAN}\n"));
    served.logged(reread).await;
    assert_eq!(verdict(&served, "exit").await["alarm"], "high");
    // What was decided stays as it was.
    let path = "/v1/verdict/before";
    let again: Value = serde_json::from_str(&served.send("GET", path, &partner_key, "").await).unwrap();
    assert_eq!(again, before);

    put("tor.txt", "nobody\n");
    let error = served.logged("data files are as before").await["error"].as_str().unwrap().to_owned();
    assert!(error.contains("tor.txt"), "{error}");
    assert_eq!(verdict(&served, "broken").await["alarm"], "high");
    served.service.kill().await.unwrap();
}

#[tokio::test]
async fn a_service_that_is_killed_loses_no_row_of_more_than_a_second_ago_and_none_in_step() {
    for sync in ["true", "false"] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert!(run(folder, &["partner", "add", "shop"]).await.success);
        let app = run(folder, &["app", "add", "--partner", "shop", "landing", "--profile", "essential"]).await;
        let key: octet::AppKey =
            app.out.lines().find_map(|line| line.strip_prefix("OCTET_APP_KEY=")).unwrap().parse().unwrap();
        let license = run(folder, &["license", "issue", "--partner", "shop"]).await.out;
        let mut served = serve(folder, &["--visits-sync", sync]).await;
        let license = format!("x-octet-license: {license}");

        let mut answered = Vec::new();
        let begun = std::time::Instant::now();
        for n in 0.. {
            let assess = serde_json::json!({
                "schema": 1, "id": format!("a{n}"), "sessionRef": format!("s{n}"), "appKey": key, "runtime": "wasm",
            });
            let observations = serde_json::json!({ "observedAtMs": 1, "httpVersion": "1.1" });
            let body = serde_json::json!({ "assess": assess, "observations": observations }).to_string();
            served.send("POST", "/v1/assess", &license, &body).await;
            answered.push((format!("s{n}"), std::time::Instant::now()));
            // Long enough for rows of more than a second ago.
            if begun.elapsed() > std::time::Duration::from_millis(1_500) {
                break;
            }
        }
        // In the middle: nothing is flushed, nobody is asked.
        let killed = std::time::Instant::now();
        served.service.kill().await.unwrap();

        let log = Config::embedded(folder.join("octet.db")).open_visits().await.unwrap();
        let all = octet_server::visits::Period { from: 0, to: i64::MAX / 2 };
        let (mut kept, mut cursor) = (std::collections::HashSet::new(), None);
        loop {
            let page = log.page(&key, all, cursor).await.unwrap();
            kept.extend(page.rows.iter().map(|row| row.visit.cid.as_str().to_owned()));
            cursor = page.rows.last().map(|row| row.cursor);
            if !page.more {
                break;
            }
        }
        let second = std::time::Duration::from_secs(1);
        let due = answered.iter().filter(|(_, at)| sync == "true" || killed.duration_since(*at) > second);
        let lost: Vec<_> = due.filter(|(session, _)| !kept.contains(session)).collect();
        assert!(lost.is_empty() && !kept.is_empty(), "sync {sync}: {lost:?}");
        assert_eq!(log.stats(&key, all).await.unwrap().total, kept.len() as u64, "figures and rows agree");
    }
}

#[tokio::test]
async fn what_is_held_about_a_session_is_shown_and_erased_by_its_operator() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    run(folder, &["partner", "add", "shop"]).await;
    let service = Octet::open(Config::embedded(folder.join("octet.db"))).await.unwrap();
    let app = service.apps().add("shop", "landing", octet_server::AppSettings::default()).await.unwrap();
    let token: octet::ClickToken = "click-1".parse().unwrap();
    let name = service.apps().click_names(&token).await.unwrap().remove(0).1;
    for (session, click) in [("a", None), ("b", Some(name)), ("c", Some(name))] {
        let visit = octet_server::visits::NewVisit {
            app: app.key.clone(),
            session: session.parse().unwrap(),
            time_ms: 1_795_262_400_000,
            click: click.map(|name| octet_server::visits::Click { name, plain: None }),
            verdict: octet::BotVerdict::degraded(),
            invalid: false,
        };
        service.visits().record(visit).unwrap();
    }
    service.visits().flush().await;
    let held = async |about: [&str; 2]| {
        let shown = run(folder, &["subject", "export", about[0], about[1]]).await;
        serde_json::from_str::<Value>(&shown.out).unwrap()["visits"].as_array().unwrap().len()
    };
    assert_eq!((held(["--ref", "a"]).await, held(["--click-token", "click-1"]).await), (1, 2));
    assert_eq!(run(folder, &["subject", "erase", "--click-token", "click-1"]).await.out, "2");
    assert_eq!((held(["--ref", "b"]).await, held(["--ref", "a"]).await), (0, 1));
    let all = octet_server::visits::Period { from: 0, to: i64::MAX / 2 };
    assert_eq!(service.visits().stats(&app.key, all).await.unwrap().total, 1, "figures follow");
    assert!(!run(folder, &["subject", "erase"]).await.success);
}
