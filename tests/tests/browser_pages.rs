//! The collector in a real Chromium, on the pages that partners really have: strict policies, calls that are
//! abandoned or doubled, pages that are left and come back, an Octet that is down.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use octet::SessionRef;
use octet_client::Lookup;
use octet_tests::browser::{self, Browser, Visitor};
use octet_tests::stack::{self, Setup, Stack};
use serde_json::{Value, json};

async fn world(setup: Setup) -> Option<(Stack, Browser)> {
    let browser = browser::open(Visitor::BERLIN).await?;
    Some((stack::start(setup).await, browser))
}

/// Calls `octet.verify` in the page, with `extra` in its config.
async fn verify(browser: &Browser, session: &SessionRef, extra: &str) -> Value {
    let session = session.as_str();
    browser.run(&format!("return octet.verify({{ apiUrl: '/octet', sessionRef: '{session}', {extra} }});")).await
}

/// The collector's part of the bundles that were forwarded for `session`.
fn signals(stack: &Stack, session: &SessionRef) -> Vec<Value> {
    let of_session = |bundle: &Value| bundle["signals"]["sessionRef"] == json!(session);
    stack.bundles().into_iter().filter(of_session).map(|bundle| bundle["signals"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_collector_reads_the_same_with_and_without_webassembly() {
    let Some((stack, browser)) = world(Setup { profile: octet::Profile::Full, ..Setup::default() }).await else {
        return;
    };
    let mut read = Vec::new();
    for (policy, runtime) in [("'self' 'wasm-unsafe-eval'", "wasm"), ("'self'", "script")] {
        let policy = format!("default-src 'none'; script-src {policy}; connect-src 'self'; worker-src 'self'");
        let query = policy.replace(' ', "%20").replace(';', "%3B").replace('\'', "%27");
        browser.goto(format!("http://{}/?csp={query}", stack.shop)).await.unwrap();
        let session = browser.run("return document.querySelector('[name=octet]').value;").await;
        let session: SessionRef = session.as_str().unwrap().parse().unwrap();
        let answer = stack.client.verdict(&session).wait(Duration::from_secs(10)).await.unwrap();
        let driven = |verdict: &octet::Verdict| verdict.alarm >= octet::Alarm::Medium;
        assert!(matches!(&answer, Lookup::Ready(verdict) if driven(verdict)), "{runtime}: {answer:?}");
        let signals = signals(&stack, &session).remove(0);
        assert_eq!(signals["runtime"], runtime);
        assert_eq!(signals["channel"]["state"], "complete", "{signals}");
        read.push(signals);
    }
    let (wasm, script) = (&read[0], &read[1]);
    assert_eq!(wasm["facts"]["webdriver"], true, "this browser is driven by a program, and says so");
    assert_eq!(wasm["facts"]["timeZone"], "Europe/Berlin");
    assert_eq!(wasm["worker"]["timeZone"], "Europe/Berlin", "{}", wasm["worker"]);
    assert_eq!(wasm["frame"]["timeZone"], "Europe/Berlin", "{}", wasm["frame"]);
    let facts = script["facts"].as_object().unwrap();
    assert!(facts.len() >= 20, "the script reads its subset: {facts:?}");
    for (name, value) in facts.iter().filter(|(_, value)| value.get("blocked").is_none()) {
        assert_eq!(value, &wasm["facts"][name], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bundle_holds_real_round_trips_and_the_facts_of_the_visitor() {
    let Some((stack, browser)) = world(Setup::default()).await else { return };
    browser.goto(format!("http://{}/bare", stack.shop)).await.unwrap();
    let session = SessionRef::mint();
    let answer = verify(&browser, &session, "").await;
    assert_eq!(answer, json!({ "ref": session, "completed": true }));

    let bundle = stack.bundles().remove(0);
    let channel = &bundle["observations"]["channel"];
    let rounds = channel["rounds"].as_array().unwrap();
    assert!((4..=16).contains(&rounds.len()), "{channel}");
    assert!(rounds.iter().all(|round| round["rttUs"].as_u64().unwrap() > 0), "{channel}");
    assert_eq!(channel["ticket"], "valid");
    assert!(channel["tcp"]["rttUs"].as_u64().unwrap() > 0, "{channel}");
    assert_eq!(bundle["observations"]["peer"], json!({ "ip": "127.0.0.1", "forwarded": false }));
    let names = bundle["observations"]["headerNames"].as_array().unwrap();
    assert_eq!(names[0], "host", "in the order in which the browser sent them: {names:?}");

    let facts = &bundle["signals"]["facts"];
    assert_eq!(facts["utcOffsetJanuary"], 60);
    assert_eq!(facts["utcOffsetJuly"], 120);
    assert_eq!(facts["languages"][0], "de-DE");
    assert!(facts.get("webglRenderer").is_none(), "outside of the standard profile: {facts}");
    let missing = octet_missing(&bundle["signals"]);
    assert!(missing.is_empty(), "{missing:?}");
}

/// The facts of the standard profile that a bundle says nothing about.
fn octet_missing(signals: &Value) -> Vec<&'static str> {
    let signals: octet::signals::CollectorSignals = serde_json::from_value(signals.clone()).unwrap();
    signals.facts.missing(octet::Profile::Standard).map(octet::facts::FactName::wire).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_a_reference_is_a_type_error_and_sends_nothing() {
    let Some((stack, browser)) = world(Setup::default()).await else { return };
    browser.goto(format!("http://{}/bare", stack.shop)).await.unwrap();
    for config in
        ["undefined", "{}", "{ apiUrl: '/octet' }", "{ apiUrl: '/octet', sessionRef: 'a b' }", "{ sessionRef: 'abc' }"]
    {
        let script = format!("return octet.verify({config}).then(() => 'resolved', error => error.name);");
        assert_eq!(browser.run(&script).await, "TypeError", "{config}");
    }
    assert!(stack.bundles().is_empty());
    let contacted: Vec<_> = browser.quit().await.into_iter().collect();
    assert_eq!(contacted, [stack.shop.to_string()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aborted_call_rejects_and_sends_nothing() {
    let Some((stack, browser)) = world(Setup::default()).await else { return };
    browser.goto(format!("http://{}/bare", stack.shop)).await.unwrap();
    let session = SessionRef::mint();
    let name = browser
        .run(&format!(
            "const stop = new AbortController();
             const call = octet.verify({{ apiUrl: '/octet', sessionRef: '{}', signal: stop.signal }});
             setTimeout(() => stop.abort(), 5);
             return call.then(() => 'resolved', error => error.name);",
            session.as_str()
        ))
        .await;
    assert_eq!(name, "AbortError");
    let answer = stack.client.verdict(&session).wait(Duration::from_millis(1500)).await.unwrap();
    assert!(matches!(answer, Lookup::Pending));
    assert!(stack.bundles().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passive_call_opens_no_channel() {
    let Some((stack, browser)) = world(Setup::default()).await else { return };
    browser.goto(format!("http://{}/bare", stack.shop)).await.unwrap();
    let session = SessionRef::mint();
    verify(&browser, &session, "passiveOnly: true").await;
    let bundle = stack.bundles().remove(0);
    assert_eq!(bundle["signals"]["passiveOnly"], true);
    assert_eq!(bundle["signals"]["channel"]["state"], "skipped");
    assert_eq!(bundle["observations"]["channel"]["ticket"], "noChannel");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_calls_for_one_reference_are_one_bundle() {
    let Some((stack, browser)) = world(Setup::default()).await else { return };
    browser.goto(format!("http://{}/bare", stack.shop)).await.unwrap();
    let session = SessionRef::mint();
    let call = format!("octet.verify({{ apiUrl: '/octet', sessionRef: '{}' }})", session.as_str());
    let answers = browser.run(&format!("return Promise.all([{call}, {call}]);")).await;
    assert_eq!(answers[0], answers[1]);
    verify(&browser, &session, "").await;
    assert_eq!(signals(&stack, &session).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_comes_back_from_the_back_forward_cache_is_not_collected_again() {
    let Some((stack, browser)) = world(Setup::default()).await else { return };
    browser.goto(format!("http://{}/bare", stack.shop)).await.unwrap();
    let session = SessionRef::mint();
    browser
        .run("globalThis.cameBack = false; addEventListener('pageshow', event => { cameBack ||= event.persisted; });")
        .await;
    verify(&browser, &session, "").await;
    browser.goto(format!("http://{}/octet/healthz", stack.shop)).await.unwrap();
    browser.back().await.unwrap();
    assert_eq!(browser.run("return globalThis.cameBack;").await, true, "the page came out of the cache");
    let answer = verify(&browser, &session, "").await;
    assert_eq!(answer["completed"], true);
    assert_eq!(signals(&stack, &session).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_left_early_posts_what_it_has() {
    let Some((stack, browser)) = world(Setup::default()).await else { return };
    browser.goto(format!("http://{}/bare", stack.shop)).await.unwrap();
    let session = SessionRef::mint();
    let script = format!(
        "octet.verify({{ apiUrl: '/octet', sessionRef: '{}' }}); await null; location.href = '/octet/healthz';",
        session.as_str()
    );
    browser.run(&script).await;
    let answer = stack.client.verdict(&session).wait(Duration::from_secs(10)).await.unwrap();
    assert!(matches!(answer, Lookup::Ready(_)), "{answer:?}");
    assert_eq!(signals(&stack, &session)[0]["page"]["leftEarly"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_octet_harms_neither_page_nor_shop() {
    let Some((stack, browser)) = world(Setup::default()).await else { return };
    stack.octet_goes_down();
    browser.goto(format!("http://{}/bare", stack.shop)).await.unwrap();
    let session = SessionRef::mint();
    let answer = verify(&browser, &session, "").await;
    assert_eq!(answer, json!({ "ref": session, "completed": false }));
    let error = stack.client.verdict(&session).await.unwrap_err();
    assert!(error.is_outage(), "{error}");
}
