//! `assess`: what it reads, posts and tells, and that nothing of what goes wrong reaches the page as an exception.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use octet::assess::InputKind;
use octet::signals::{Context, Part};
use octet::{Profile, facts::Facts};
use serde_json::{Value, json};
use support::{Outcome, assess, call, node_is_missing, visit, visits};

mod support;

fn assessed(scenario: Value) -> Outcome {
    let mut scenario = scenario;
    scenario["steps"] = json!([assess(&json!({}))]);
    visit(scenario)
}

/// What the page's first call was told: `["verdict", …]` and `["error", name]`.
fn told(outcome: &Outcome) -> Vec<Value> {
    outcome.list("calls")[0]["told"].as_array().unwrap().clone()
}

fn is_degraded(call: &Value) -> bool {
    call["degraded"] == true && call["is_bot"] == false && call["score"] == 0 && call["action"] == "record_only"
}

#[test]
fn an_assessment_observes_for_its_window_and_asks_once_with_every_fact() {
    if node_is_missing() {
        return;
    }
    let options = json!({"tokenParam": "click", "escalate": true, "collectWindowMs": 2000});
    let outcome = visit(json!({"search": "?a=1&click=t.0~K-_", "steps": [assess(&options)]}));
    assert_eq!(outcome.list("posts").len(), 1, "the first collection");
    let post = &outcome.list("assessments")[0];
    assert_eq!((&post["url"], &post["atMs"]), (&json!("https://shop.example/octet/v1/assess"), &json!(2000)));
    let signals = outcome.assessment();
    assert_eq!((signals.schema, signals.session_ref.as_str(), signals.app_key.as_str()), (1, "sess_1", "app_1"));
    assert_eq!((signals.escalate, signals.window_ms, signals.collected), (true, 2000, true));
    assert_eq!(signals.click_token.unwrap().expose(), "t.0~K-_");
    assert_eq!(signals.facts.missing(Profile::Full).count(), 0);
    assert!(matches!((&signals.worker, &signals.frame), (Context::Read(_), Context::Read(_))));
    assert_eq!(signals.behaviour.read().unwrap().observed_ms, 2000);
    assert!(signals.automation.read().is_some());
    let told = told(&outcome);
    assert_eq!((told.len(), &told[0][0], &told[0][1]["score"]), (1, &json!("verdict"), &json!(18)));
    assert_eq!(outcome.list("calls")[0]["score"], 18);
    assert_eq!((outcome.count("frames"), outcome.count("workersEnded"), outcome.count("pending")), (0, 2, 0));
}

#[test]
fn nothing_of_the_assessment_is_loaded_before_it_is_called() {
    if node_is_missing() {
        return;
    }
    let outcome = visit(json!({"steps": [call(&json!({}))]}));
    assert!(outcome.list("loaded").is_empty() && outcome.list("assessments").is_empty());
    assert_eq!(assessed(json!({})).list("loaded").len(), 1);
}

#[test]
fn what_is_missing_or_malformed_is_told_and_degraded_and_sends_nothing() {
    if node_is_missing() {
        return;
    }
    let malformed = [
        json!({"sessionRef": null}),
        json!({"sessionRef": "a b"}),
        json!({"apiUrl": "javascript:alert(1)"}),
        json!({"appKey": null}),
        json!({"appKey": "key"}),
        json!({"appKey": "app_ä"}),
        json!({"collectWindowMs": "long"}),
        json!({"collectWindowMs": -1}),
        json!({"tokenParam": 7}),
        json!({"onEscalate": "call me"}),
        json!({"signal": "now"}),
    ];
    let outcomes = visits(malformed.iter().map(|options| json!({"steps": [assess(options)]})).collect());
    for (options, outcome) in malformed.iter().zip(outcomes) {
        assert!(is_degraded(&outcome.list("calls")[0]), "{options}");
        let told = told(&outcome);
        // A callback that is none spoils the others: none can be told then.
        if options.get("onEscalate").is_none() {
            assert_eq!((told.len(), &told[0]), (2, &json!(["error", "TypeError"])), "{options}");
        }
        assert!(outcome.list("posts").is_empty() && outcome.list("sockets").is_empty(), "{options}");
    }
}

#[test]
fn an_edge_that_fails_makes_a_degraded_verdict_within_the_budget() {
    if node_is_missing() {
        return;
    }
    let bad =
        json!({"is_bot": "no", "score": 18, "level": "low", "action": "flag", "consistency": {}, "degraded": false});
    let cases = [
        (json!([500]), 1),
        (json!([403]), 1),
        (json!([429]), 1),
        (json!(["not JSON"]), 2),
        (json!(["null"]), 2),
        (json!([bad]), 1),
        (json!(["error", "error"]), 2),
        (json!(["silent", "silent"]), 2),
    ];
    let outcomes = visits(
        cases.iter().map(|(verdicts, _)| json!({"verdicts": verdicts, "steps": [assess(&json!({}))]})).collect(),
    );
    for ((verdicts, posts), outcome) in cases.iter().zip(outcomes) {
        let call = &outcome.list("calls")[0];
        assert!(call["atMs"].as_u64().unwrap() <= 9000, "{verdicts}: {call}");
        if *verdicts == json!(["not JSON"]) || *verdicts == json!(["null"]) {
            // The second answer is a verdict.
            assert_eq!(call["score"], 18, "{verdicts}");
        } else {
            assert!(is_degraded(call), "{verdicts}");
            assert_eq!(told(&outcome)[0], json!(["error", "Error"]), "{verdicts}");
            assert_eq!(told(&outcome).len(), 2, "{verdicts}");
        }
        let sent = outcome.list("assessments");
        assert_eq!(sent.len(), *posts, "{verdicts}");
        assert!(sent.iter().all(|post| post["body"] == sent[0]["body"]), "a retry is the very same bytes");
    }
}

#[test]
fn a_degraded_verdict_of_the_edge_is_told_as_one() {
    if node_is_missing() {
        return;
    }
    let degraded = json!({"is_bot": false, "score": 0, "level": "low", "action": "record_only",
        "consistency": {"ok": true}, "degraded": true, "later": 1});
    let outcome = assessed(json!({"verdicts": [degraded]}));
    assert_eq!(told(&outcome)[0], json!(["error", "Error"]));
    assert_eq!(told(&outcome)[1], json!(["verdict", degraded]));
}

#[test]
fn a_first_collection_that_fails_or_hangs_is_said_and_does_not_keep_the_verdict() {
    if node_is_missing() {
        return;
    }
    for (answers, latest) in [(json!([503, 503]), 3000), (json!(["silent", "silent"]), 3600), (json!([403]), 1300)] {
        let outcome = assessed(json!({"answers": answers}));
        assert!(!outcome.assessment().collected, "{answers}");
        assert!(outcome.list("assessments")[0]["atMs"].as_u64().unwrap() <= latest, "{answers}");
        assert_eq!(outcome.list("calls")[0]["score"], 18, "{answers}");
    }
}

#[test]
fn a_part_that_cannot_be_loaded_is_told_and_the_first_bundle_is_posted_all_the_same() {
    if node_is_missing() {
        return;
    }
    let outcome = assessed(json!({"part": "missing"}));
    assert!(is_degraded(&outcome.list("calls")[0]));
    assert_eq!(told(&outcome)[0], json!(["error", "Error"]));
    outcome.bundle();
    assert!(outcome.list("assessments").is_empty());
}

#[test]
fn what_a_callback_throws_stays_the_pages_own() {
    if node_is_missing() {
        return;
    }
    let mut step = assess(&json!({}));
    step["throws"] = json!(true);
    let outcome = visit(json!({"steps": [step]}));
    assert_eq!(outcome.list("calls")[0]["score"], 18);
    assert_eq!(outcome.list("console"), [json!("Error: the page's own")]);
}

#[test]
fn calls_for_one_reference_join_and_one_function_hears_of_it_once() {
    if node_is_missing() {
        return;
    }
    let shared = assess(&json!({"onVerdict": "shared"}));
    let mut late = shared.clone();
    late["at"] = json!(5000);
    let mut own = assess(&json!({}));
    own["at"] = json!(10);
    let outcome = visit(json!({"steps": [call(&json!({})), shared, shared, own, late]}));
    let answers = outcome.list("calls");
    assert_eq!(answers[0]["completed"], true);
    assert!(answers[1..].iter().all(|answer| answer["score"] == 18), "{answers:?}");
    let told: usize = answers[1..].iter().map(|answer| answer["told"].as_array().unwrap().len()).sum();
    assert_eq!(told, 2, "the shared function and the other one, each once");
    assert_eq!((outcome.list("sockets").len(), outcome.list("posts").len()), (1, 1));
    outcome.assessment();
}

#[test]
fn an_aborted_assessment_resolves_degraded_tells_an_abort_and_sends_nothing_more() {
    if node_is_missing() {
        return;
    }
    for abort in [json!({"aborted": true}), json!({"abortsAt": 0}), json!({"abortsAt": 30}), json!({"abortsAt": 1100})]
    {
        let mut step = assess(&json!({}));
        step.as_object_mut().unwrap().extend(abort.as_object().unwrap().clone());
        let outcome = visit(json!({"steps": [step]}));
        assert!(is_degraded(&outcome.list("calls")[0]), "{abort}");
        assert_eq!(told(&outcome), [json!(["error", "AbortError"])], "{abort}");
        assert!(outcome.list("assessments").is_empty(), "{abort}");
        assert_eq!(outcome.count("frames"), 0, "{abort}");
    }
    let mut leaving = assess(&json!({}));
    leaving["abortsAt"] = json!(30);
    let outcome = visit(json!({"steps": [leaving, assess(&json!({}))]}));
    assert!(is_degraded(&outcome.list("calls")[0]), "the one that left");
    assert_eq!(outcome.list("calls")[1]["score"], 18, "what another call still waits for goes on");
}

#[test]
fn a_page_that_is_left_early_posts_what_it_has_kept_alive() {
    if node_is_missing() {
        return;
    }
    let outcome = visit(json!({"steps": [assess(&json!({})), {"at": 400, "event": "pagehide"}]}));
    let post = &outcome.list("assessments")[0];
    assert_eq!((&post["atMs"], &post["keepalive"]), (&json!(400), &json!(true)));
    let signals = outcome.assessment();
    assert!(signals.page.left_early && signals.behaviour.read().unwrap().observed_ms == 400);
}

#[test]
fn a_prerendered_page_loads_and_observes_nothing_until_it_is_shown() {
    if node_is_missing() {
        return;
    }
    let never = assessed(json!({"prerendering": true}));
    assert!(
        never.list("loaded").is_empty() && never.list("assessments").is_empty() && never.list("sockets").is_empty()
    );
    let steps = json!([assess(&json!({})), {"at": 700, "event": "prerenderingchange"}]);
    let outcome = visit(json!({"prerendering": true, "steps": steps}));
    assert_eq!(outcome.list("assessments")[0]["atMs"], 1900);
    assert!(outcome.assessment().page.prerendered);
}

#[test]
fn the_apps_profile_says_what_is_read() {
    if node_is_missing() {
        return;
    }
    let with = |profile: &str| {
        let tag = json!({"octetRef": "sess_1", "octetApi": "/octet", "assessProfile": profile});
        visit(json!({"tag": tag, "steps": [assess(&json!({}))]})).assessment()
    };
    let standard = with("standard");
    assert!(standard.behaviour.is_missing() && standard.automation.is_missing());
    assert_eq!(standard.facts.missing(Profile::Standard).count(), 0);
    assert!(standard.facts.webdriver.is_missing() && standard.facts.webgl_renderer.is_missing());
    let essential = with("essential");
    assert!(essential.facts == Facts::default() && essential.worker.is_missing() && essential.frame.is_missing());
    assert!(with("full").automation.read().is_some());
}

#[test]
fn a_click_token_of_another_form_is_not_taken() {
    if node_is_missing() {
        return;
    }
    for search in ["", "?click=", "?click=a%20b", "?click=%C3%A4", "?other=abc", &format!("?click={}", "a".repeat(257))]
    {
        let outcome = visit(json!({"search": search, "steps": [assess(&json!({"tokenParam": "click"}))]}));
        assert_eq!(outcome.assessment().click_token, None, "{search}");
    }
}

fn input(at: u64, event: &Value) -> Value {
    json!({"at": at, "input": event})
}

#[test]
fn behaviour_is_timing_and_geometry_in_steps_of_eight_milliseconds() {
    if node_is_missing() {
        return;
    }
    let steps = json!([
        assess(&json!({})),
        input(103, &json!({"type": "pointermove", "pointerType": "mouse", "clientX": 10.4, "clientY": 20})),
        input(110, &json!({"type": "pointermove", "pointerType": "mouse", "clientX": 11, "clientY": 20})),
        input(199, &json!({"type": "pointerover", "pointerId": 1, "clientX": 140, "clientY": 113})),
        input(
            200,
            &json!({"type": "pointerdown", "pointerId": 1, "pointerType": "mouse", "clientX": 140, "clientY": 113,
            "screenX": 141, "screenY": 200, "pressure": 0.5})
        ),
        input(
            289,
            &json!({"type": "pointerup", "pointerId": 1, "pointerType": "mouse", "clientX": 140, "clientY": 113})
        ),
        input(
            290,
            &json!({"type": "click", "pointerType": "mouse", "clientX": 140, "clientY": 113, "screenX": 141,
            "screenY": 200, "detail": 1, "target": {"localName": "button"}})
        ),
        input(400, &json!({"type": "keydown", "key": "s", "code": "KeyS", "target": {"type": "text"}})),
        input(415, &json!({"type": "keyup", "key": "s", "code": "KeyS", "target": {"type": "text"}})),
    ]);
    let outcome = visit(json!({"steps": steps}));
    let signals = outcome.assessment();
    let behaviour = signals.behaviour.read().unwrap();
    let events = behaviour.events.as_slice();
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    use InputKind::{Click, Down, KeyDown, KeyUp, Move, Up};
    assert_eq!(kinds, [Move, Down, Up, Click, KeyDown, KeyUp], "the second move is too soon after the first");
    let times: Vec<_> = events.iter().map(|event| event.at_ms).collect();
    assert_eq!(times, [96, 200, 288, 288, 400, 408]);
    assert!(events.iter().all(|event| event.scripted), "no device made these");
    assert_eq!((events[1].moves_before, events[1].offset_x, events[1].offset_y), (Some(2), Some(1), Some(87)));
    assert_eq!((events[1].pressure_permille, events[2].held_ms, events[5].held_ms), (Some(500), Some(88), Some(8)));
    assert_eq!((events[3].from_middle, events[3].target_side, events[3].count), (Some(3), Some(20), Some(1)));
    assert!(!events[1].entered, "the pointer was there a moment before");
    let body = outcome.list("assessments")[0]["body"].as_str().unwrap();
    assert!(!body.contains("KeyS") && !body.contains("\"s\""), "which key it was is not known");
}

#[test]
fn a_press_tells_whether_its_pointer_came_over_the_page_in_that_very_moment() {
    if node_is_missing() {
        return;
    }
    let at =
        |kind: &str, x: i32| json!({"type": kind, "pointerId": 1, "pointerType": "mouse", "clientX": x, "clientY": 9});
    let (over, down) = (at("pointerover", 40), at("pointerdown", 40));
    let steps = json!([
        assess(&json!({})),
        input(100, &down),
        input(200, &over),
        input(200, &down),
        input(300, &over),
        input(300, &at("pointerdown", 80)),
        input(400, &over),
        input(400, &at("pointermove", 40)),
        input(400, &down),
    ]);
    let outcome = visit(json!({"steps": steps}));
    let signals = outcome.assessment();
    let events = signals.behaviour.read().unwrap().events.as_slice();
    let entered: Vec<_> =
        events.iter().filter(|event| event.kind == InputKind::Down).map(|event| event.entered).collect();
    assert_eq!(entered, [false, true, false, false], "alone, elsewhere, or with a movement it did not");
}

#[test]
fn no_key_is_taken_from_a_field_for_a_secret() {
    if node_is_missing() {
        return;
    }
    let fields = [
        json!({"type": "password"}),
        json!({"autocomplete": "one-time-code"}),
        json!({"autocomplete": "billing cc-number"}),
        json!({"autocomplete": "new-password"}),
        json!({"name": "cardNumber"}),
        json!({"id": "otp-1"}),
        json!({"name": "CVC"}),
        json!({"localName": "bank-form"}),
    ];
    for field in &fields {
        let key = |at: u64, kind: &str| input(at, &json!({"type": kind, "code": "Digit1", "target": field}));
        let signals = visit(json!({"steps": [assess(&json!({})), key(50, "keydown"), key(90, "keyup")]})).assessment();
        assert!(signals.behaviour.read().unwrap().events.as_slice().is_empty(), "{field}");
    }
    let key = |at: u64| input(at, &json!({"type": "keydown", "code": "Digit1", "target": {"name": "street"}}));
    let signals = visit(json!({"steps": [assess(&json!({})), key(50)]})).assessment();
    assert_eq!(signals.behaviour.read().unwrap().events.as_slice().len(), 1);
}

#[test]
fn at_most_sixty_four_events_are_listed_and_moves_leave_room_for_the_others() {
    if node_is_missing() {
        return;
    }
    let mut steps = vec![assess(&json!({}))];
    steps.extend((0..200).map(|step| input(step * 5, &json!({"type": "pointermove", "clientX": step, "clientY": 1}))));
    steps.extend((0..40).map(|step| input(1000 + step, &json!({"type": "keydown", "code": "KeyA"}))));
    let signals = visit(json!({"steps": steps})).assessment();
    let behaviour = signals.behaviour.read().unwrap();
    let of = |kind| behaviour.events.as_slice().iter().filter(|event| event.kind == kind).count();
    assert_eq!((of(InputKind::Move), of(InputKind::KeyDown), behaviour.unlisted), (32, 32, 8));
}

#[test]
fn what_a_browser_does_not_let_be_looked_at_is_blocked_one_by_one() {
    if node_is_missing() {
        return;
    }
    let signals = assessed(json!({"window": "forbidden"})).assessment();
    let Part::Read(seen) = signals.automation else { panic!("{:?}", signals.automation) };
    assert!(seen.error_formatted.read().is_some(), "{seen:?}");
    assert!(seen.plugin_kinds.read().is_none() && !seen.plugin_kinds.is_missing(), "{seen:?}");
}
