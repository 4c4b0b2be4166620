//! What edges send: licences, bundles good and bad, and which of them decides.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;
#[path = "signals/siblings.rs"]
mod siblings;

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use common::{
    AMERICAN, FRENCH, GERMAN, GERMAN_NEIGHBOUR, OTHER_GERMAN, body, bundle, observations, other_bundle, service,
    service_with, signals,
};
use octet::license::{LicensedEdge, Product};
use octet::{Environment, Profile};
use octet_server::{Config, Limits, NewLicense, Octet};
use serde_json::{Value, json};

#[tokio::test]
async fn a_bundle_is_accepted_and_its_verdict_can_be_read() {
    let service = service().await;
    let accepted = service.forward(bundle("s", GERMAN)).await;
    assert_eq!((accepted.status.as_u16(), accepted.text.as_str()), (202, r#"{"status":"accepted"}"#));
    let verdict = service.ask("s").await;
    assert_eq!(verdict.status, 200);
    assert_eq!(verdict.json["country"], "DE");
    assert_eq!(verdict.json["alarm"], "none");
    assert!(verdict.json["confidence"].as_f64().unwrap() > 0.5, "{}", verdict.text);
    assert_eq!(verdict.headers["cache-control"], "no-store");
    let known = ["country", "confidence", "alarm", "estimatedLocation", "confidenceRadiusKm", "feasibleRegion"];
    assert!(verdict.json.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())), "{}", verdict.text);
}

#[tokio::test]
async fn each_licence_that_opens_nothing_is_refused_by_its_own_code() {
    let service = service().await;
    let issue = async |license: NewLicense| service.octet.licenses().issue(license).await.unwrap();
    let later = "2026-12-24T00:00:00Z".parse().unwrap();
    let revoked = issue(NewLicense::browser("shop")).await;
    service.octet.licenses().revoke(&revoked.claims.jti).await.unwrap();
    let test = issue(NewLicense::browser("shop").environment(Environment::Test)).await.key;
    let disguised = test.expose().replace("octet_test_", "octet_live_");
    let stranger = Octet::open(Config::in_memory()).await.unwrap();
    stranger.partners().add("shop").await.unwrap();
    let foreign = stranger.licenses().issue(NewLicense::browser("shop")).await.unwrap().key;
    let elsewhere = vec![LicensedEdge { id: "nyc1".parse().unwrap(), position: None }];
    let here = LicensedEdge { id: "fra1".parse().unwrap(), position: None };
    let moved = LicensedEdge { position: Some("50.11,8.68".parse().unwrap()), ..here.clone() };
    let good = service.license.expose().to_owned();
    let half = good.len() / 2;
    let mut altered = good.clone().into_bytes();
    altered[half] = if altered[half] == b'A' { b'B' } else { b'A' };

    for (name, license, status, code) in [
        ("none", String::new(), 401, "license_rejected"),
        ("no token", "octet_live_v4.public.".into(), 401, "license_rejected"),
        ("truncated", good[..half].into(), 401, "license_rejected"),
        ("altered", String::from_utf8(altered).unwrap(), 401, "license_rejected"),
        ("foreign", foreign.expose().into(), 401, "license_rejected"),
        ("partner key", service.partner_key.expose().into(), 401, "license_rejected"),
        ("revoked", revoked.key.expose().into(), 401, "license_revoked"),
        (
            "future",
            issue(NewLicense::browser("shop").not_before(later)).await.key.expose().into(),
            401,
            "license_not_yet_valid",
        ),
        (
            "mobile",
            issue(NewLicense::browser("shop").product(Product::Mobile)).await.key.expose().into(),
            403,
            "license_wrong_product",
        ),
        ("test", test.expose().into(), 403, "license_wrong_environment"),
        ("test as live", disguised, 401, "license_rejected"),
        (
            "elsewhere",
            issue(NewLicense::browser("shop").edges(elsewhere)).await.key.expose().into(),
            403,
            "license_edge_refused",
        ),
        (
            "moved",
            issue(NewLicense::browser("shop").edges(vec![moved])).await.key.expose().into(),
            403,
            "license_edge_refused",
        ),
        ("here", issue(NewLicense::browser("shop").edges(vec![here])).await.key.expose().into(), 202, "no code"),
        ("good", good.clone(), 202, "no code"),
    ] {
        let answer = service.forward_with(&license, bundle("s", GERMAN)).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (status, code), "{name}");
        assert!(status == 202 || answer.headers["content-type"] == "application/problem+json", "{name}");
    }

    service.clock.advance(Duration::from_secs(365 * 86_400));
    assert_eq!(service.forward(bundle("s", GERMAN)).await.code(), "license_expired");
    service.octet.partners().revoke("shop").await.unwrap();
    assert_eq!(service.forward(bundle("s", GERMAN)).await.code(), "license_revoked");
}

#[tokio::test]
async fn a_revocation_takes_effect_at_once_although_the_signature_was_checked_before() {
    let service = service().await;
    let issued = service.octet.licenses().issue(NewLicense::browser("shop")).await.unwrap();
    assert_eq!(service.forward_with(issued.key.expose(), bundle("s", GERMAN)).await.status, 202);
    service.octet.licenses().revoke(&issued.claims.jti).await.unwrap();
    assert_eq!(service.forward_with(issued.key.expose(), bundle("s", GERMAN)).await.code(), "license_revoked");
}

#[tokio::test]
async fn each_malformed_bundle_has_a_clear_answer_that_repeats_nothing_of_it() {
    let service = service().await;
    let good = bundle("s", GERMAN);
    let with = |change: &dyn Fn(&mut Value)| {
        let mut signals = signals("s");
        change(&mut signals);
        body(&signals, &observations(GERMAN))
    };
    let nested =
        good.replacen(r#""schema":1"#, &format!(r#""later":{}{},"schema":1"#, "[".repeat(9_000), "]".repeat(9_000)), 1);
    let signals_twice = good.replacen(r#""schema":1"#, r#""schema":1,"schema":1"#, 1);
    let fact_twice =
        good.replacen(r#""utcOffset":60"#, r#""utcOffset":60,"utcOffset":CANARY"#, 1).replace("CANARY", "61");
    for (name, body, status, says) in [
        ("empty", String::new(), 400, "cut short"),
        ("truncated", good[..good.len() / 2].to_owned(), 400, "cut short"),
        ("no JSON", "CANARY".into(), 400, "not JSON"),
        ("trailing", format!("{good} CANARY"), 400, "not JSON"),
        ("nested", nested, 400, "nested too deeply"),
        ("two schemas", signals_twice, 400, "a field twice"),
        ("two facts", fact_twice, 400, "a field twice"),
        ("wrong type", with(&|s| s["facts"]["utcOffset"] = json!("CANARY")), 400, "wrong type"),
        ("wrong reference", with(&|s| s["sessionRef"] = json!("CANARY CANARY")), 400, "wrong type"),
        ("no reference", with(&|s| drop(s.as_object_mut().unwrap().remove("sessionRef"))), 400, "(sessionRef)"),
        ("long text", with(&|s| s["facts"]["locale"] = json!("CANARY".repeat(100))), 400, "wrong type"),
        ("many languages", with(&|s| s["facts"]["languages"] = json!(vec!["CANARY"; 100])), 400, "wrong type"),
        ("other schema", with(&|s| s["schema"] = json!(2)), 400, "schema 1"),
        ("no address", good.replacen(GERMAN, "CANARY", 1), 400, "wrong type"),
        ("large signals", with(&|s| s["later"] = json!("CANARY".repeat(11_000))), 413, "64 KiB"),
        ("large body", format!("{good}{}", " ".repeat(130 * 1024)), 413, "64 KiB"),
    ] {
        let answer = service.forward(body).await;
        assert_eq!(answer.status.as_u16(), status, "{name}: {}", answer.text);
        assert!(answer.json["detail"].as_str().unwrap().contains(says), "{name}: {}", answer.text);
        assert!(!answer.text.contains("CANARY"), "{name}: {}", answer.text);
    }
    assert_eq!(service.forward(good).await.status, 202, "still up");
    assert_eq!(service.octet.counts().edge_refusals, 16);
}

#[tokio::test]
async fn unknown_fields_are_read_over() {
    let service = service().await;
    let mut signals = signals("s");
    signals["later"] = json!({ "more": [1, 2, 3] });
    let mut observations = observations(GERMAN);
    observations["later"] = json!(true);
    assert_eq!(service.forward(body(&signals, &observations)).await.status, 202);
}

#[tokio::test]
async fn a_retry_of_the_same_bytes_changes_nothing_whatever_the_edge_adds() {
    let service = service().await;
    for address in [GERMAN, GERMAN_NEIGHBOUR, AMERICAN] {
        assert_eq!(service.forward(bundle("s", address)).await.status, 202);
    }
    assert_eq!(service.ask("s").await.json["alarm"], "none");
    assert_eq!(service.octet.counts().bundles_repeated, 2);
}

#[tokio::test]
async fn a_second_bundle_of_the_same_network_raises_the_alarm_once_until_the_first_reading() {
    let service = service().await;
    service.forward(bundle("s", GERMAN)).await;
    for id in ["two", "three"] {
        assert_eq!(service.forward(other_bundle("s", GERMAN_NEIGHBOUR, id)).await.status, 202);
    }
    let first = service.ask("s").await;
    assert_eq!(first.json["alarm"], "low");
    service.forward(other_bundle("s", GERMAN, "four")).await;
    assert_eq!(service.ask("s").await.json, first.json);

    service.forward(bundle("t", GERMAN)).await;
    let before = service.ask("t").await;
    service.forward(other_bundle("t", GERMAN, "late")).await;
    assert_eq!(service.ask("t").await.json, before.json, "never after the first reading");
}

#[tokio::test]
async fn a_second_browser_on_another_network_is_dropped_before_and_after_the_reading() {
    let service = service().await;
    service.forward(bundle("s", GERMAN)).await;
    assert_eq!(service.forward(other_bundle("s", AMERICAN, "two")).await.status, 202);
    let first = service.ask("s").await;
    assert_eq!((first.json["country"].as_str(), first.json["alarm"].as_str()), (Some("DE"), Some("none")));
    service.forward(other_bundle("s", FRENCH, "three")).await;
    assert_eq!(service.ask("s").await.json, first.json);
    assert_eq!(service.octet.counts().bundles_dropped, 2);
}

#[tokio::test]
async fn where_the_backend_names_an_address_the_first_bundle_of_that_network_decides() {
    let service = service().await;
    service.forward(other_bundle("s", AMERICAN, "first")).await;
    service.forward(bundle("s", GERMAN)).await;
    let verdict = service.ask_with("s", &[("x-octet-visitor-ip", GERMAN_NEIGHBOUR)]).await;
    assert_eq!(verdict.json["country"], "DE", "{}", verdict.text);
    assert_eq!(verdict.json["alarm"], "none");
    assert_eq!(service.ask("s").await.json, verdict.json, "once read, the same");
}

#[tokio::test]
async fn only_bundles_from_another_network_and_country_make_the_alarm_medium() {
    let service = service().await;
    for (session, visitor, alarm) in [
        ("a", GERMAN_NEIGHBOUR, "none"),
        ("b", OTHER_GERMAN, "none"),
        ("c", FRENCH, "medium"),
        ("d", "10.0.0.1", "none"),
        ("e", "::ffff:141.20.1.9", "none"),
    ] {
        service.forward(bundle(session, GERMAN)).await;
        let verdict = service.ask_with(session, &[("x-octet-visitor-ip", visitor)]).await;
        assert_eq!(verdict.json["alarm"], alarm, "{visitor}: {}", verdict.text);
        assert_eq!(verdict.json["country"], "DE");
    }
}

#[tokio::test]
async fn a_bundle_that_came_with_another_session_raises_the_alarm() {
    let service = service().await;
    service.forward(other_bundle("a", GERMAN, "copied")).await;
    service.forward(other_bundle("b", GERMAN, "copied")).await;
    assert_eq!(service.ask("a").await.json["alarm"], "none");
    assert_ne!(service.ask("b").await.json["alarm"], "none");
}

#[tokio::test]
async fn what_was_expected_and_is_missing_caps_confidence_and_raises_the_alarm() {
    let service = service().await;
    let minimal = json!({
        "schema": 1, "id": "b", "sessionRef": "minimal", "collector": "curl", "runtime": "script", "profile": "essential",
    });
    let mut no_ticket = observations(GERMAN);
    no_ticket["channel"] = json!({ "ticket": "missing", "rounds": [] });
    let without = |name: &str| {
        let mut signals = signals(name);
        signals["id"] = json!(name);
        match name {
            "worker" | "frame" => drop(signals.as_object_mut().unwrap().remove(name)),
            _ => drop(signals["facts"].as_object_mut().unwrap().remove(name)),
        }
        signals
    };
    let mut withheld = signals("withheld");
    withheld["facts"]["timeZone"] = Value::Null;
    let mut passive = signals("passive");
    passive["passiveOnly"] = json!(true);
    passive["channel"] = json!({ "state": "skipped" });
    let mut blocked = signals("blocked");
    blocked["facts"]["hover"] = json!({ "blocked": "policy" });
    let mut unchannelled = no_ticket.clone();
    unchannelled["channel"] = json!({ "ticket": "noChannel" });

    for (session, signals, observations, capped) in [
        ("minimal", minimal, observations(GERMAN), true),
        ("ticketless", signals("ticketless"), no_ticket, true),
        ("timeZone", without("timeZone"), observations(GERMAN), true),
        ("screenWidth", without("screenWidth"), observations(GERMAN), true),
        ("worker", without("worker"), observations(GERMAN), true),
        ("frame", without("frame"), observations(GERMAN), true),
        ("withheld", withheld, observations(GERMAN), true),
        ("passive", passive, unchannelled, true),
        ("blocked", blocked, observations(GERMAN), false),
        ("webglVendor", without("webglVendor"), observations(GERMAN), false),
    ] {
        assert_eq!(service.forward(body(&signals, &observations)).await.status, 202, "{session}");
        let verdict = service.ask(session).await.json;
        let confidence = verdict["confidence"].as_f64().unwrap();
        if capped {
            assert!(confidence <= 0.5 && verdict["alarm"] != "none", "{session}: {verdict}");
        } else {
            assert!(confidence > 0.5 && verdict["alarm"] == "none", "{session}: {verdict}");
        }
    }
}

/// Whether the verdict is capped as that of a bundle that lacks something.
async fn is_capped(service: &common::Service, session: &str, signals: &Value, observations: &Value) -> bool {
    assert_eq!(service.forward(body(signals, observations)).await.status, 202, "{session}");
    let verdict = service.ask(session).await.json;
    let capped = verdict["confidence"].as_f64().unwrap() <= 0.5;
    assert_eq!(capped, verdict["alarm"] != "none", "{session}: {verdict}");
    capped
}

#[tokio::test]
async fn a_page_may_do_without_the_channel_only_where_the_operator_allows_it_and_the_edge_saw_none() {
    let service = service().await;
    let capped = async |session: &str, ticket: &str| {
        let mut passive = signals(session);
        passive["passiveOnly"] = json!(true);
        passive["channel"] = json!({ "state": "skipped" });
        let mut observations = observations(GERMAN);
        observations["channel"] = json!({ "ticket": ticket });
        is_capped(&service, session, &passive, &observations).await
    };
    assert!(capped("before", "noChannel").await);
    service.octet.partners().set_passive_allowed("shop", true).await.unwrap();
    assert!(!capped("allowed", "noChannel").await);
    for ticket in ["missing", "invalid", "unheard-of"] {
        assert!(capped(ticket, ticket).await, "{ticket}");
    }
    let mut active = observations(GERMAN);
    active["channel"] = json!({ "ticket": "noChannel" });
    assert!(is_capped(&service, "active", &signals("active"), &active).await, "it was not said to be passive");
}

#[tokio::test]
async fn rounds_of_a_hidden_tab_are_believed_only_of_a_page_that_was_hidden() {
    let service = service().await;
    for (session, hidden_rounds, page_hidden, capped) in
        [("all", 4, false, true), ("all-and-page", 4, true, false), ("some", 2, false, false)]
    {
        let mut signals = signals(session);
        let rounds: Vec<_> = (0..4).map(|round| json!({ "round": round, "hidden": round < hidden_rounds })).collect();
        signals["channel"]["rounds"] = json!(rounds);
        signals["page"] = json!({ "hidden": page_hidden });
        assert_eq!(is_capped(&service, session, &signals, &observations(GERMAN)).await, capped, "{session}");
    }
}

#[tokio::test]
async fn worthless_values_of_what_every_browser_gives_count_as_missing() {
    let service = service().await;
    service.octet.partners().set_profile("shop", Profile::Full).await.unwrap();
    service.clock.advance(Duration::from_secs(3600));
    let full = |session: &str| {
        let mut signals = signals(session);
        for fact in octet::facts::FACTS.iter().filter(|fact| fact.profile == Profile::Full) {
            signals["facts"][fact.name.wire()] = Value::Null;
        }
        signals["facts"]["webdriver"] = json!(false);
        let core = octet::facts::FACTS.iter().filter(|fact| fact.core).map(|fact| fact.name.wire());
        let core: serde_json::Map<_, _> = core.map(|name| (name.into(), signals["facts"][name].clone())).collect();
        signals["frame"] = json!(core);
        signals["worker"] = json!(core);
        signals["worker"]["webdriver"] = Value::Null;
        signals
    };
    assert!(!is_capped(&service, "whole", &full("whole"), &observations(GERMAN)).await);

    let always = [
        "timeZone",
        "utcOffset",
        "utcOffsetJanuary",
        "utcOffsetJuly",
        "locale",
        "languages",
        "userAgent",
        "platform",
        "hardwareConcurrency",
        "screenWidth",
        "screenHeight",
        "innerWidth",
        "innerHeight",
        "webdriver",
    ];
    let unread = always.iter().flat_map(|name| [(*name, Value::Null), (*name, json!({ "blocked": "x" }))]);
    let worthless = [
        ("timeZone", json!("x")),
        ("timeZone", json!("Europe/Nowhere")),
        ("timeZone", json!("America/New_York")),
        ("utcOffset", json!(540)),
        ("utcOffsetJanuary", json!(-300)),
        ("utcOffsetJuly", json!(i32::MIN)),
        ("languages", json!([])),
        ("languages", json!(["x", "-", "not a tag"])),
        ("locale", json!("")),
        ("userAgent", json!(" ")),
    ];
    for (n, (name, value)) in unread.chain(worthless).enumerate() {
        let session = format!("page-{n}");
        let mut signals = full(&session);
        signals["facts"][name] = value.clone();
        assert!(is_capped(&service, &session, &signals, &observations(GERMAN)).await, "{name}: {value}");
    }
    for (n, place) in ["worker", "frame"].into_iter().enumerate() {
        for name in ["timeZone", "languages", "userAgent"] {
            let session = format!("{place}-{n}-{name}");
            let mut signals = full(&session);
            signals[place][name] = json!({ "blocked": "x" });
            assert!(is_capped(&service, &session, &signals, &observations(GERMAN)).await, "{place} {name}");
        }
    }
}

#[tokio::test]
async fn what_a_family_of_browsers_lacks_is_not_held_against_it() {
    let service = service().await;
    service.octet.partners().set_profile("shop", Profile::Full).await.unwrap();
    service.clock.advance(Duration::from_secs(3600));
    let with = |session: &str, agent: &str, values: Value| {
        let mut signals = signals(session);
        for fact in octet::facts::FACTS.iter().filter(|fact| fact.profile == Profile::Full) {
            signals["facts"][fact.name.wire()] = Value::Null;
        }
        signals["facts"]["webdriver"] = json!(false);
        signals["facts"]["userAgent"] = json!(agent);
        for (name, value) in values.as_object().unwrap() {
            signals["facts"][name] = value.clone();
        }
        signals
    };
    let safari =
        "Mozilla/5.0 (iPhone; CPU iPhone OS 15_2 like Mac OS X) AppleWebKit/605.1.15 Version/15.2 Safari/604.1";
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0";
    let web_view =
        "Mozilla/5.0 (Linux; Android 9; wv) AppleWebKit/537.36 Version/4.0 Chrome/83.0.4103.106 Safari/537.36";
    let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36";
    for (session, agent, values, capped) in [
        ("safari", safari, json!({ "hardwareConcurrency": null }), false),
        ("blocked", safari, json!({ "hardwareConcurrency": { "blocked": "x" } }), true),
        ("firefox", firefox, json!({ "languages": ["de-de", "en-us"], "deviceMemoryMb": null }), false),
        ("web-view", web_view, json!({ "webdriver": null, "languages": ["de"] }), false),
        ("chrome", chrome, json!({ "webdriver": null }), true),
        ("posix", chrome, json!({ "locale": "de-DE-u-va-posix", "platform": "" }), false),
        ("older-rules", chrome, json!({ "utcOffsetJuly": 60 }), false),
    ] {
        let signals = with(session, agent, values);
        service.forward(body(&signals, &observations(GERMAN))).await;
        let confidence = service.ask(session).await.json["confidence"].as_f64().unwrap();
        assert_eq!(confidence <= 0.5, capped, "{session}");
    }
}

#[tokio::test]
async fn a_contested_channel_a_void_round_and_another_user_agent_raise_the_alarm_and_no_more() {
    let service = service().await;
    service.forward(bundle("plain", GERMAN)).await;
    let plain = service.ask("plain").await.json;
    for (session, part, name, value) in [
        ("contested", "channel", "contested", json!(true)),
        ("void", "channel", "voidRounds", json!(1)),
        ("agent", "session", "sameUserAgent", json!(false)),
    ] {
        let mut observations = observations(GERMAN);
        observations[part][name] = value;
        service.forward(body(&signals(session), &observations)).await;
        let verdict = service.ask(session).await.json;
        assert_eq!((&verdict["alarm"], &verdict["confidence"]), (&json!("low"), &plain["confidence"]), "{session}");
    }
}

#[tokio::test]
async fn a_larger_profile_is_expected_only_after_pages_had_time_to_hear_of_it() {
    let service = service().await;
    service.octet.partners().set_profile("shop", Profile::Full).await.unwrap();
    let settings = Request::get("/v1/edge-settings").header("x-octet-license", service.license.expose());
    let settings = service.send(settings.body(Body::empty()).unwrap()).await;
    assert_eq!(settings.json["profile"], "full");
    service.forward(bundle("early", GERMAN)).await;
    assert_eq!(service.ask("early").await.json["alarm"], "none");
    service.clock.advance(Duration::from_secs(15 * 60));
    service.forward(bundle("late", GERMAN)).await;
    assert_ne!(service.ask("late").await.json["alarm"], "none");
}

#[tokio::test]
async fn in_the_essential_profile_no_fact_of_the_browser_is_read_or_missed() {
    let service = service().await;
    service.octet.partners().set_profile("shop", Profile::Essential).await.unwrap();
    service.clock.advance(Duration::from_secs(3600));
    let mut bare = signals("bare");
    for part in ["facts", "worker", "frame"] {
        bare.as_object_mut().unwrap().remove(part);
    }
    service.forward(body(&bare, &observations(GERMAN))).await;
    let bare = service.ask("bare").await.json;
    assert_eq!(bare["alarm"], "none");
    let mut spoofed = signals("spoofed");
    spoofed["facts"]["timeZone"] = json!("America/New_York");
    spoofed["facts"]["utcOffset"] = json!(-300);
    spoofed["facts"]["languages"] = json!(["en-US"]);
    service.forward(body(&spoofed, &observations(GERMAN))).await;
    assert_eq!(service.ask("spoofed").await.json, bare);
}

#[tokio::test]
async fn a_full_store_refuses_new_sessions_and_keeps_readable_verdicts() {
    let service = service_with(Limits { sessions: 2, ..Limits::default() }).await;
    service.forward(bundle("a", GERMAN)).await;
    service.forward(bundle("b", GERMAN)).await;
    let refused = service.forward(bundle("c", GERMAN)).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (503, "store_unavailable"));
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(service.ask("a").await.status, 200);
    assert_eq!(service.ask("b").await.status, 200);
    service.clock.advance(Duration::from_secs(300));
    assert_eq!(service.ask("a").await.status, 404, "held for five minutes");
    assert_eq!(service.forward(bundle("c", GERMAN)).await.status, 202);
}

#[tokio::test]
async fn over_its_rate_a_partner_is_told_when_to_come_back_and_others_are_not_slowed() {
    let service = service_with(Limits { signals_per_second: 1, ..Limits::default() }).await;
    for n in 0..4 {
        assert_eq!(service.forward(bundle(&format!("s{n}"), GERMAN)).await.status, 202);
    }
    let refused = service.forward(bundle("s5", GERMAN)).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code(), &refused.headers["retry-after"]),
        (429, "rate_limited", &"1".parse().unwrap())
    );
    service.octet.partners().add("other").await.unwrap();
    let other = service.octet.licenses().issue(NewLicense::browser("other")).await.unwrap().key;
    assert_eq!(service.forward_with(other.expose(), bundle("s", GERMAN)).await.status, 202);
    service.clock.advance(Duration::from_secs(1));
    assert_eq!(service.forward(bundle("s5", GERMAN)).await.status, 202);
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_problems_too() {
    let service = service().await;
    let send = async |method: &str, path: &str| {
        service.send(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await
    };
    let lost = send("GET", "/v1/nothing").await;
    assert_eq!((lost.status.as_u16(), lost.code()), (404, "not_found"));
    let wrong = send("GET", "/v1/signals").await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.code(), &wrong.headers["allow"]),
        (405, "method_not_allowed", &"POST".parse().unwrap())
    );
    assert_eq!(send("POST", "/v1/verdict/s").await.status, 405);
    assert_eq!(send("GET", "/healthz").await.text, "ok\n");
    assert_eq!(send("GET", "/readyz").await.text, "ready\n");
    assert!(send("GET", "/attribution").await.text.contains("IP Geolocation by DB-IP"));
}
