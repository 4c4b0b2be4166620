//! Pages that stand in the collector's way: elements named like the document's members, libraries that change what
//! arrays and objects are, workers that answer something else. None may change where a bundle goes or break its form.

use octet::signals::{ChannelState, Context, Runtime};
use serde_json::{Value, json};
use support::{call, node_is_missing, visit, visits};

mod support;

/// What Prototype 1.6 and its contemporaries do to every page: values as JSON texts of their own, a mapping that is
/// forgotten.
const OLD_LIBRARY: &str = r#"
    Array.prototype.toJSON = function () { return "[" + this.join(", ") + "]"; };
    Object.prototype.toJSON = function () { return "{}"; };
    String.prototype.toJSON = function () { return '"' + this + '"'; };
    Number.prototype.toJSON = function () { return String(this); };
    Array.from = function (iterable) { return new Array(iterable.length); };
    Object.keys = Object.values = function () { return []; };
"#;

/// An element that a visitor's markup may hold.
fn element() -> Value {
    json!({
        "src": "https://elsewhere.example/octet-collector.js",
        "dataset": {"octetRef": "sess_1", "octetApi": "https://elsewhere.example", "octetProfile": "essential"},
    })
}

#[test]
fn an_element_that_is_named_like_the_running_script_starts_nothing() {
    if node_is_missing() {
        return;
    }
    for tag in [json!({}), Value::Null] {
        let outcome = visit(json!({"tag": tag, "named": {"currentScript": element()}}));
        assert!(outcome.list("sockets").is_empty() && outcome.list("posts").is_empty(), "{tag}");
    }
}

#[test]
fn elements_named_like_the_documents_members_change_nothing() {
    if node_is_missing() {
        return;
    }
    let members = [
        "addEventListener",
        "baseURI",
        "createElement",
        "currentScript",
        "documentElement",
        "prerendering",
        "querySelector",
        "visibilityState",
    ];
    let named: Value = members.iter().map(|name| ((*name).to_owned(), element())).collect();
    let outcome = visit(json!({"named": named, "wasm": "allowed", "steps": [call(&json!({}))]}));
    assert_eq!(outcome.answers(), [json!(true)]);
    assert_eq!(outcome.list("posts")[0]["url"], "https://shop.example/octet/v1/signals");
    assert!(outcome.list("fetched")[0].as_str().unwrap().starts_with("https://shop.example/octet/"));
    let bundle = outcome.bundle();
    assert_eq!((bundle.profile, bundle.channel.state), (octet::Profile::Standard, ChannelState::Complete));
    assert!(!bundle.page.prerendered && matches!(bundle.frame, Context::Read(_)));
    let hidden = json!([call(&json!({})), {"at": 35, "event": "visibilitychange", "hide": true}]);
    assert!(visit(json!({"named": named, "steps": hidden})).bundle().page.hidden);
}

#[test]
fn libraries_that_change_how_values_become_json_do_not_change_the_bundle() {
    if node_is_missing() {
        return;
    }
    for wasm in ["allowed", "forbidden"] {
        let scenario = |library: &str| json!({"library": library, "wasm": wasm, "timings": true, "frame": "forbidden", "steps": [call(&json!({}))]});
        let outcomes = visits(vec![scenario(""), scenario(OLD_LIBRARY)]);
        let [plain, changed] = [outcomes[0].bundle(), outcomes[1].bundle()];
        assert_eq!(changed.runtime, if wasm == "allowed" { Runtime::Wasm } else { Runtime::Script });
        assert_eq!((changed.channel.rounds.as_slice().len(), changed.resources.as_slice().len()), (4, 3), "{wasm}");
        let sent = |mut bundle: octet::signals::CollectorSignals| {
            bundle.id = plain.id.clone();
            serde_json::to_value(bundle).unwrap()
        };
        assert_eq!(sent(changed), sent(plain.clone()), "{wasm}");
    }
}

#[test]
fn a_worker_that_answers_no_object_of_facts_is_blocked() {
    if node_is_missing() {
        return;
    }
    // An empty list answers `undefined`.
    let answers =
        [json!([]), json!([null]), json!([7]), json!([{}]), json!([""]), json!(["null"]), json!(["[]"]), json!(["{"])];
    let scenario = |answers: &Value| json!({"workerAnswers": answers, "steps": [call(&json!({}))]});
    for (answer, outcome) in answers.iter().zip(visits(answers.iter().map(scenario).collect())) {
        let Context::Blocked { blocked } = outcome.bundle().worker else { panic!("{answer}") };
        assert_eq!(blocked.as_str(), "type", "{answer}");
    }
    let whole = visit(scenario(&json!([r#"{"timeZone":"Europe/Berlin"}"#]))).bundle();
    assert!(matches!(whole.worker, Context::Read(_)));
}
