//! Runs scenarios of a page in Node, over the files that are checked in. Knows nothing of what a scenario is to show.

// Each test binary uses its part of these, and a test may panic.
#![allow(dead_code, clippy::unwrap_used)]

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use octet::assess::AssessSignals;
use octet::signals::CollectorSignals;
use serde_json::{Value, json};

/// What one scenario came to.
#[derive(Debug)]
pub(crate) struct Outcome(Value);

impl Outcome {
    /// The bundles that were posted, each of which must be well-formed.
    pub(crate) fn bundles(&self) -> Vec<CollectorSignals> {
        self.list("posts").iter().map(|post| parse(post["body"].as_str().unwrap())).collect()
    }

    /// The one bundle that was posted.
    pub(crate) fn bundle(&self) -> CollectorSignals {
        let bundles = self.bundles();
        assert_eq!(bundles.len(), 1, "{}", self.0);
        bundles.into_iter().next().unwrap()
    }

    /// The assessments that were posted, each of which must be well-formed.
    pub(crate) fn assessments(&self) -> Vec<AssessSignals> {
        let read = |post: &Value| {
            let body = post["body"].as_str().unwrap();
            serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
        };
        self.list("assessments").iter().map(read).collect()
    }

    /// The one assessment that was posted.
    pub(crate) fn assessment(&self) -> AssessSignals {
        let mut all = self.assessments();
        assert_eq!(all.len(), 1, "{}", self.0);
        all.remove(0)
    }

    /// A list of what the page saw: `calls`, `posts`, `assessments`, `loaded`, `sockets`, `fetched`, `beacons`.
    pub(crate) fn list(&self, name: &str) -> &[Value] {
        self.0[name].as_array().map_or(&[], Vec::as_slice)
    }

    /// A number of what the page saw: `frames`, `workersEnded`, `pending`.
    pub(crate) fn count(&self, name: &str) -> u64 {
        self.0[name].as_u64().unwrap()
    }

    /// The answers of the page's calls, without their times.
    pub(crate) fn answers(&self) -> Vec<Value> {
        let answer = |call: &Value| match call.get("error") {
            Some(error) => error.clone(),
            None => call["completed"].clone(),
        };
        self.list("calls").iter().map(answer).collect()
    }
}

fn parse(body: &str) -> CollectorSignals {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// Whether this machine lacks Node, which runs the pages. A test that finds so ends at once, and passes.
pub(crate) fn node_is_missing() -> bool {
    static MISSING: LazyLock<bool> = LazyLock::new(|| {
        let missing =
            Command::new("node").arg("--version").output().is_err_and(|error| error.kind() == ErrorKind::NotFound);
        if missing {
            // Not by a macro: what those print is shown of failing tests only.
            std::io::stderr().write_all(b"skipped: node is not installed\n").unwrap();
        }
        missing
    });
    *MISSING
}

/// A call of `verify` at the page's start, with these options.
pub(crate) fn call(options: &Value) -> Value {
    let mut config = json!({"apiUrl": "/octet", "sessionRef": "sess_1"});
    for (key, value) in options.as_object().unwrap() {
        config[key] = value.clone();
    }
    json!({"call": true, "verify": config})
}

/// A call of `assess` at the page's start, with these options.
pub(crate) fn assess(options: &Value) -> Value {
    let mut config = json!({"apiUrl": "/octet", "sessionRef": "sess_1", "appKey": "app_1"});
    for (key, value) in options.as_object().unwrap() {
        config[key] = value.clone();
    }
    json!({"call": true, "assess": config})
}

/// Runs one scenario.
pub(crate) fn visit(scenario: Value) -> Outcome {
    visits(vec![scenario]).remove(0)
}

/// Runs scenarios, each in a page of its own. Fails when any of them left a rejection that nobody handles.
pub(crate) fn visits(scenarios: Vec<Value>) -> Vec<Outcome> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/page.mjs");
    let mut node = Command::new("node")
        .args(["--experimental-vm-modules", "--no-warnings"])
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    node.stdin.take().unwrap().write_all(Value::from(scenarios).to_string().as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success());
    let mut answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["unhandled"], json!([]));
    let Value::Array(outcomes) = answer["outcomes"].take() else { panic!("no outcomes") };
    outcomes.into_iter().map(Outcome).collect()
}
