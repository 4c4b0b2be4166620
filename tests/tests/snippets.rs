//! The snippets that partners have had all along, unchanged: curl, Node and Python against the real service, and service,
//! edge and client in one process.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use axum::Router;
use octet::SessionRef;
use octet_client::{Lookup, OctetClient};
use octet_server::{Config, Octet};
use octet_tests::hand_made::HandMade;
use octet_tests::stack::{self, Setup, Stack};
use octet_tower::{Connection, Listener, OctetEdgeLayer};
use serde_json::{Value, json};
use tokio::process::Command;

const CURL: &str = r#"curl -s "$URL/v1/verdict/$REF?waitMs=2000" -H "x-octet-partner-key: $KEY""#;

const NODE: &str = r"
const { URL: url, REF: ref, KEY: key } = process.env;
const r = await fetch(`${url}/v1/verdict/${ref}?waitMs=2000`, { headers: { 'x-octet-partner-key': key } });
console.log(JSON.stringify({ ok: r.ok, body: await r.json() }));
";

const PYTHON: &str = r#"
import json, os, requests
url, ref, key = (os.environ[name] for name in ("URL", "REF", "KEY"))
r = requests.get(f"{url}/v1/verdict/{ref}", params={"waitMs": 2000}, headers={"x-octet-partner-key": key})
print(json.dumps({"ok": r.ok, "body": r.json()}))
"#;

/// Runs a snippet with the three variables that it takes, and reads the JSON that it prints; `None`, and a word
/// about it, where the program is not on this machine.
async fn run(stack: &Stack, session: &SessionRef, program: &str, arguments: &[&str]) -> Option<Value> {
    let output = Command::new(program)
        .args(arguments)
        .env("URL", format!("http://{}", stack.octet))
        .env("REF", session.as_str())
        .env("KEY", stack.key.expose())
        .output()
        .await;
    let Ok(output) = output else {
        println!("skipped: {program} is not installed");
        return None;
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    if errors.contains("No module named 'requests'") || errors.contains("command not found") {
        println!("skipped: {errors}");
        return None;
    }
    Some(serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{program}: {error}: {errors}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_node_and_python_fetch_a_verdict() {
    let stack = stack::start(Setup::default()).await;
    let session = SessionRef::mint();
    HandMade::new(stack.shop, "84.160.1.1").visit(&session, "Europe/Berlin", "de-DE").await;
    if let Some(verdict) = run(&stack, &session, "sh", &["-c", CURL]).await {
        assert_eq!(verdict["country"], "DE", "{verdict}");
    }
    for (program, arguments) in [("node", ["--input-type=module", "-e", NODE]), ("python3", ["-B", "-c", PYTHON])] {
        let Some(answer) = run(&stack, &session, program, &arguments).await else { continue };
        assert_eq!(answer["ok"], true, "{program}: {answer}");
        assert_eq!(answer["body"]["country"], "DE", "{program}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pending_is_not_ok() {
    let stack = stack::start(Setup::default()).await;
    let session = SessionRef::mint();
    let pending = json!({ "status": "pending", "ref": session });
    if let Some(answer) = run(&stack, &session, "sh", &["-c", CURL]).await {
        assert_eq!(answer, pending);
    }
    for (program, arguments) in [("node", ["--input-type=module", "-e", NODE]), ("python3", ["-B", "-c", PYTHON])] {
        let Some(answer) = run(&stack, &session, program, &arguments).await else { continue };
        assert_eq!(answer, json!({ "ok": false, "body": pending }), "{program}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_holds_service_edge_and_client() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let octet = Octet::open(Config::embedded(folder.path().join("octet.db"))).await?;
    let edge = OctetEdgeLayer::over(octet.edge_transport("shop")?);
    let client = OctetClient::over(octet.backend_transport("shop")?);
    let admin = octet.router();

    let app = Router::new().nest("/admin", admin).layer(edge);
    let listener = Listener::bind("127.0.0.1:0").await?;
    let shop = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app.into_make_service_with_connect_info::<Connection>()).await });
    let session = SessionRef::mint();
    HandMade::new(shop, "84.160.1.1").visit(&session, "Europe/Berlin", "de-DE").await;
    assert!(matches!(client.verdict(&session).await?, Lookup::Ready(_)));
    let stranger = OctetClient::over(octet.backend_transport("other")?);
    assert_eq!(stranger.verdict(&session).await?, Lookup::Pending);
    Ok(())
}
