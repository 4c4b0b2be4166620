//! What is read: the WebAssembly module and plain script give the same facts for any window, and every bundle is one
//! that the contract's types accept.

use octet::fact::Fact;
use octet::facts::{FACTS, Facts};
use octet::signals::{Context, Runtime};
use octet::{Profile, signals::CollectorSignals};
use serde_json::{Value, json};
use support::{call, node_is_missing, visit, visits};

mod support;

fn collected(window: &Value, wasm: &str, profile: &str) -> Value {
    json!({
        "window": window,
        "wasm": wasm,
        "tag": {"octetProfile": profile, "octetRef": "sess_1", "octetApi": "/octet"},
        "steps": [],
    })
}

/// The facts of the page, its worker and its frame that two bundles do not share.
fn differences(one: &CollectorSignals, other: &CollectorSignals) -> Vec<(String, Value, Value)> {
    let facts = |bundle: &CollectorSignals| {
        let contexts = [json!(bundle.facts), json!(bundle.worker), json!(bundle.frame)];
        let facts = ["page", "worker", "frame"].iter().zip(contexts).flat_map(|(context, facts)| {
            let Value::Object(facts) = facts else { panic!("{context} is no object") };
            facts.into_iter().map(move |(name, value)| (format!("{context}.{name}"), value))
        });
        facts.collect::<Vec<_>>()
    };
    let (one, other) = (facts(one), facts(other));
    assert_eq!(one.len(), other.len());
    let pairs = one.into_iter().zip(other).filter(|(one, other)| one != other);
    pairs.map(|((name, one), (_, other))| (name, one, other)).collect()
}

#[test]
fn both_readers_give_the_same_facts_for_any_window() {
    if node_is_missing() {
        return;
    }
    let windows: Vec<Value> =
        (0..400).map(Value::from).chain(["ordinary", "empty", "forbidden"].map(Value::from)).collect();
    let by = |wasm: &str| visits(windows.iter().map(|window| collected(window, wasm, "full")).collect());
    for (window, (module, script)) in windows.iter().zip(by("allowed").iter().zip(by("forbidden"))) {
        let (module, script) = (module.bundle(), script.bundle());
        assert_eq!((module.runtime, script.runtime), (Runtime::Wasm, Runtime::Script), "{window}");
        assert_eq!(differences(&module, &script), [], "{window}");
        assert_eq!(module.facts.missing(Profile::Full).count(), 0, "{window}");
    }
}

#[test]
fn an_ordinary_window_is_read_whole_and_converted() {
    if node_is_missing() {
        return;
    }
    let bundle = visit(collected(&json!("ordinary"), "allowed", "full")).bundle();
    let facts = serde_json::to_value(&bundle.facts).unwrap();
    for (name, value) in [
        ("languages", json!(["de-DE", "de", "en"])),
        ("vendor", json!("")),
        ("brands", json!(["Chromium/140", "Not/A)Brand/8"])),
        ("fullVersions", json!(["Chromium/140.0.1.2"])),
        ("mobile", json!(false)),
        ("architecture", json!("x86")),
        ("pixelRatioPermille", json!(1250)),
        ("innerWidth", json!(1591)),
        ("innerHeight", json!(800)),
        ("deviceMemoryMb", json!(512)),
        ("hover", json!(true)),
        ("reducedMotion", json!(false)),
        ("webglVendor", json!("A vendor")),
        ("webglRenderer", json!("A renderer")),
        ("plugins", json!(5)),
        ("notificationPermission", json!("denied")),
        ("notificationQuery", json!("prompt")),
        ("webdriver", json!(false)),
    ] {
        assert_eq!(facts[name], value, "{name}");
    }
    assert!(bundle.facts.time_zone.read().is_some() && bundle.facts.hour_cycle.read().is_some());
}

#[test]
fn what_a_browser_does_not_have_is_absent_and_what_it_forbids_is_blocked() {
    if node_is_missing() {
        return;
    }
    let empty = visit(collected(&json!("empty"), "allowed", "full")).bundle();
    assert_eq!(empty.facts.languages, Fact::Absent);
    assert_eq!(empty.facts.hover, Fact::Absent);
    assert_eq!(empty.facts.architecture, Fact::Absent);
    assert_eq!(empty.facts.webgl_vendor, Fact::Absent);
    let walled = visit(collected(&json!("forbidden"), "allowed", "full")).bundle();
    let blocked =
        |fact: &Fact<octet::fact::Text>| matches!(fact, Fact::Blocked(why) if why.as_str() == "SecurityError");
    for fact in
        [&walled.facts.time_zone, &walled.facts.user_agent, &walled.facts.webgl_vendor, &walled.facts.architecture]
    {
        assert!(blocked(fact), "{fact:?}");
    }
}

#[test]
fn facts_outside_the_profile_are_not_read() {
    if node_is_missing() {
        return;
    }
    for (profile, expected) in
        [("standard", Profile::Standard), ("full", Profile::Full), ("unheard-of", Profile::Standard)]
    {
        for wasm in ["allowed", "forbidden"] {
            let bundle = visit(collected(&json!("ordinary"), wasm, profile)).bundle();
            assert_eq!(bundle.profile, expected);
            let missing: Vec<_> = bundle.facts.missing(Profile::Full).collect();
            let outside: Vec<_> = FACTS.iter().filter(|fact| fact.profile > expected).map(|fact| fact.name).collect();
            assert_eq!(missing, outside);
        }
    }
    let outcome = visit(collected(&json!("ordinary"), "allowed", "essential"));
    let bundle = outcome.bundle();
    assert_eq!((bundle.profile, bundle.facts), (Profile::Essential, Facts::default()));
    assert!(bundle.worker.is_missing() && bundle.frame.is_missing() && outcome.list("fetched").is_empty());
}

#[test]
fn workers_and_frames_read_the_core_facts_only() {
    if node_is_missing() {
        return;
    }
    let bundle = visit(collected(&json!("ordinary"), "allowed", "full")).bundle();
    for context in [&bundle.worker, &bundle.frame] {
        let Context::Read(facts) = context else { panic!("{context:?}") };
        let missing: Vec<_> = facts.missing(Profile::Full).collect();
        let page_only: Vec<_> = FACTS.iter().filter(|fact| !fact.core).map(|fact| fact.name).collect();
        assert_eq!(missing, page_only);
        assert_eq!(facts.user_agent, bundle.facts.user_agent);
    }
}

#[test]
fn a_worker_or_frame_that_a_policy_forbids_is_blocked_and_not_missing() {
    if node_is_missing() {
        return;
    }
    let why = |context: &Context| match context {
        Context::Blocked { blocked } => blocked.as_str().to_owned(),
        Context::Missing | Context::Read(_) => panic!("{context:?}"),
    };
    for (worker, word) in [("forbidden", "SecurityError"), ("fails", "error"), ("silent", "timeout")] {
        let mut scenario = collected(&json!("ordinary"), "allowed", "standard");
        scenario["worker"] = worker.into();
        let outcome = visit(scenario);
        assert_eq!(why(&outcome.bundle().worker), word);
        assert!(outcome.list("posts")[0]["atMs"].as_u64().unwrap() < 500, "a worker is not waited for long");
    }
    let mut scenario = collected(&json!("ordinary"), "allowed", "standard");
    scenario["frame"] = "forbidden".into();
    assert_eq!(why(&visit(scenario).bundle().frame), "SecurityError");
}

#[test]
fn the_browsers_requests_for_own_files_are_timed_in_microseconds() {
    if node_is_missing() {
        return;
    }
    let mut scenario = collected(&json!("ordinary"), "allowed", "standard");
    scenario["timings"] = true.into();
    let resources = visit(scenario).bundle().resources;
    let names: Vec<_> = resources.as_slice().iter().map(|resource| resource.what.as_str()).collect();
    assert_eq!(names, ["script", "wasm", "worker"]);
    let script = &resources.as_slice()[0];
    assert_eq!((script.dns_us, script.connect_us, script.tls_us), (1500, 7500, 5000));
    assert_eq!((script.wait_us, script.receive_us, script.protocol.as_str()), (20_000, 1000, "h2"));
}

#[test]
fn the_module_is_used_whatever_its_media_type_and_plain_script_when_it_does_not_come() {
    if node_is_missing() {
        return;
    }
    for (wasm, runtime) in [
        ("allowed", Runtime::Wasm),
        ("mistyped", Runtime::Wasm),
        ("missing", Runtime::Script),
        ("silent", Runtime::Script),
        ("forbidden", Runtime::Script),
    ] {
        let outcome = visit(json!({"wasm": wasm, "steps": [call(&json!({}))]}));
        assert_eq!(outcome.bundle().runtime, runtime, "{wasm}");
        assert_eq!(outcome.list("fetched").is_empty(), wasm == "forbidden", "{wasm}");
    }
}
