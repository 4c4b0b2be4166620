//! The page's life and the order of things: what is opened, posted and answered when.

use octet::signals::ChannelState;
use serde_json::{Value, json};
use support::{Outcome, call, node_is_missing, visit, visits};

mod support;

fn verified(scenario: Value) -> Outcome {
    let mut scenario = scenario;
    scenario["steps"] = json!([call(&json!({}))]);
    visit(scenario)
}

fn same_bytes(outcome: &Outcome) -> bool {
    let posts = outcome.list("posts");
    posts.iter().all(|post| post["body"] == posts[0]["body"])
}

#[test]
fn a_collection_opens_the_channel_echoes_each_nonce_and_posts_once() {
    if node_is_missing() {
        return;
    }
    let outcome = verified(json!({}));
    assert_eq!(outcome.answers(), [json!(true)]);
    let socket = &outcome.list("sockets")[0];
    assert_eq!(socket["url"], "wss://shop.example/octet/v1/ws?ref=sess_1");
    assert_eq!(socket["openedAtMs"], 0);
    let echoes = socket["echoes"].as_array().unwrap();
    assert_eq!(echoes.len(), 4);
    for (round, echo) in echoes.iter().enumerate() {
        let mut expected = vec![2, round];
        expected.extend([round; 16]);
        assert_eq!(*echo, json!(expected));
    }
    let post = &outcome.list("posts")[0];
    assert_eq!(post["url"], "https://shop.example/octet/v1/signals");
    assert_eq!(post["credentials"], "same-origin");
    assert_eq!(post["headers"]["content-type"], "application/json");
    let bundle = outcome.bundle();
    assert_eq!(bundle.channel.state, ChannelState::Complete);
    assert_eq!(bundle.channel.ticket.unwrap().as_str(), "a.ticket");
    let rounds: Vec<_> = bundle.channel.rounds.as_slice().iter().map(|round| (round.round, round.rtt_us)).collect();
    assert_eq!(rounds, [(0, Some(12_500)), (1, Some(12_500)), (2, Some(12_500)), (3, None)]);
    assert_eq!((bundle.schema, bundle.session_ref.as_str()), (1, "sess_1"));
    assert_eq!(bundle.duration_ms, 120);
    assert_eq!((outcome.count("frames"), outcome.count("workersEnded"), outcome.count("pending")), (0, 1, 0));
    assert_eq!(socket["closed"], true);
}

#[test]
fn nothing_is_read_or_opened_before_it_is_called() {
    if node_is_missing() {
        return;
    }
    let outcome = visit(json!({"window": "forbidden"}));
    for kind in ["posts", "sockets", "fetched", "calls"] {
        assert!(outcome.list(kind).is_empty(), "{kind}");
    }
}

#[test]
fn a_tag_with_a_reference_starts_by_itself_and_a_call_joins_it() {
    if node_is_missing() {
        return;
    }
    let tag = json!({"octetRef": "sess_1", "octetApi": "/octet"});
    let outcome = visit(json!({"tag": tag, "steps": [call(&json!({}))]}));
    assert_eq!((outcome.answers(), outcome.list("sockets").len()), (vec![json!(true)], 1));
    outcome.bundle();
    let alone = visit(json!({"tag": tag}));
    alone.bundle();
}

#[test]
fn what_is_missing_or_malformed_is_a_type_error_and_sends_nothing() {
    if node_is_missing() {
        return;
    }
    let malformed = [
        json!({"sessionRef": null}),
        json!({"sessionRef": ""}),
        json!({"sessionRef": "a b"}),
        json!({"sessionRef": "a\n"}),
        json!({"sessionRef": "a".repeat(129)}),
        json!({"sessionRef": 7}),
        json!({"apiUrl": null}),
        json!({"apiUrl": ""}),
        json!({"apiUrl": 7}),
        json!({"apiUrl": "javascript:alert(1)"}),
        json!({"apiUrl": "https://user:password@shop.example/octet"}),
        json!({"apiUrl": "https://"}),
        json!({"apiUrl": "wss://shop.example/octet"}),
        json!({"wsUrl": "data:,"}),
        json!({"signal": "now"}),
    ];
    let outcomes = visits(malformed.iter().map(|options| json!({"steps": [call(options)]})).collect());
    for (options, outcome) in malformed.iter().zip(outcomes) {
        assert_eq!(outcome.answers(), [json!("TypeError")], "{options}");
        assert!(outcome.list("posts").is_empty() && outcome.list("sockets").is_empty(), "{options}");
    }
    assert_eq!(visit(json!({"steps": [{"call": true}]})).answers(), [json!("TypeError")]);
}

#[test]
fn urls_may_be_relative_absolute_or_overridden() {
    if node_is_missing() {
        return;
    }
    let cases = [
        (
            json!({"apiUrl": "octet/"}),
            "https://shop.example/checkout/octet/v1/signals",
            "wss://shop.example/checkout/octet/v1/ws?ref=sess_1",
        ),
        (json!({"apiUrl": "/"}), "https://shop.example/v1/signals", "wss://shop.example/v1/ws?ref=sess_1"),
        (
            json!({"apiUrl": "http://localhost:8080/o"}),
            "http://localhost:8080/o/v1/signals",
            "ws://localhost:8080/o/v1/ws?ref=sess_1",
        ),
        (
            json!({"wsUrl": "wss://edge.shop.example/ws?a=1"}),
            "https://shop.example/octet/v1/signals",
            "wss://edge.shop.example/ws?a=1&ref=sess_1",
        ),
    ];
    let outcomes = visits(cases.iter().map(|(options, ..)| json!({"steps": [call(options)]})).collect());
    for ((_, post, socket), outcome) in cases.iter().zip(outcomes) {
        assert_eq!(outcome.list("posts")[0]["url"], *post);
        assert_eq!(outcome.list("sockets")[0]["url"], *socket);
    }
}

#[test]
fn a_failed_post_is_repeated_once_with_the_very_same_bytes() {
    if node_is_missing() {
        return;
    }
    let cases = [
        (json!([503, 202]), true, 2),
        (json!(["error", 202]), true, 2),
        (json!([503, 503]), false, 2),
        (json!(["error", "error"]), false, 2),
        (json!(["silent", 202]), true, 2),
        (json!(["silent", "silent"]), false, 2),
        (json!([400]), false, 1),
        (json!([403]), false, 1),
        (json!([413]), false, 1),
        (json!([429]), false, 1),
    ];
    let scenario = |answers: &Value| json!({"answers": answers, "steps": [call(&json!({}))]});
    let outcomes = visits(cases.iter().map(|(answers, ..)| scenario(answers)).collect());
    for ((answers, completed, posts), outcome) in cases.iter().zip(outcomes) {
        assert_eq!(outcome.answers(), [json!(completed)], "{answers}");
        assert_eq!(outcome.list("posts").len(), *posts, "{answers}");
        assert!(same_bytes(&outcome), "{answers}");
    }
}

#[test]
fn a_passive_call_opens_no_channel() {
    if node_is_missing() {
        return;
    }
    let outcome = visit(json!({"steps": [call(&json!({"passiveOnly": true}))]}));
    assert!(outcome.list("sockets").is_empty());
    let bundle = outcome.bundle();
    assert_eq!((bundle.passive_only, bundle.channel.state), (true, ChannelState::Skipped));
}

#[test]
fn a_channel_that_fails_or_never_ends_does_not_keep_the_bundle() {
    if node_is_missing() {
        return;
    }
    for (channel, state) in
        [("refused", ChannelState::Failed), ("throws", ChannelState::Failed), ("silent", ChannelState::Failed)]
    {
        let outcome = verified(json!({"channel": channel}));
        assert_eq!((outcome.answers(), outcome.bundle().channel.state), (vec![json!(true)], state), "{channel}");
        assert!(outcome.list("posts")[0]["atMs"].as_u64().unwrap() <= 3000, "{channel}");
    }
}

#[test]
fn siblings_that_the_edge_names_are_measured_in_parallel_and_their_tickets_come_with_the_bundle() {
    if node_is_missing() {
        return;
    }
    let wss = |host: &str| format!("wss://{host}/octet/v1/ws");
    let outcome = verified(json!({
        "peers": [
            wss("nyc.shop.example"), wss("sin.shop.example"), wss("shop.example"), wss("other.example.net"),
            "https://fra.shop.example/octet/v1/ws", "no URL", 7,
        ],
        "siblings": { "nyc.shop.example": "rounds", "sin.shop.example": "refused" },
    }));
    let urls: Vec<_> = outcome.list("sockets").iter().map(|socket| socket["url"].as_str().unwrap()).collect();
    let expected = [
        "wss://shop.example/octet/v1/ws?ref=sess_1",
        "wss://nyc.shop.example/octet/v1/ws?ref=sess_1&role=sibling",
        "wss://sin.shop.example/octet/v1/ws?ref=sess_1&role=sibling",
    ];
    assert_eq!(urls, expected, "neither itself, nor another site, nor what is no channel");
    let bundle = outcome.bundle();
    assert_eq!(bundle.channel.ticket.unwrap().as_str(), "a.ticket");
    let siblings = bundle.siblings.as_slice();
    let states: Vec<_> = siblings.iter().map(|sibling| sibling.state).collect();
    assert_eq!(states, [ChannelState::Complete, ChannelState::Failed]);
    let tickets: Vec<_> =
        siblings.iter().map(|sibling| sibling.ticket.as_ref().map(|ticket| ticket.as_str())).collect();
    assert_eq!(tickets, [Some("of.nyc.shop.example"), None]);
    assert_eq!(siblings[0].rounds.as_slice().len(), 4);
    assert!(outcome.list("sockets").iter().all(|socket| socket["closed"] == true || socket["url"] == urls[2]));
}

#[test]
fn a_sibling_that_says_nothing_holds_the_bundle_for_less_than_a_second_and_a_slow_one_keeps_its_ticket() {
    if node_is_missing() {
        return;
    }
    let with = |siblings: Value| {
        let peers = ["wss://nyc.shop.example/octet/v1/ws", "wss://sin.shop.example/octet/v1/ws"];
        verified(json!({ "peers": peers, "siblings": siblings }))
    };
    let posted_at = |outcome: &Outcome| outcome.list("posts")[0]["atMs"].as_u64().unwrap();
    let refused = with(json!({ "nyc.shop.example": "refused", "sin.shop.example": "throws" }));
    let alone = verified(json!({}));
    assert_eq!(posted_at(&refused), posted_at(&alone), "a sibling that fails delays nothing");
    let silent = with(json!({ "nyc.shop.example": "silent", "sin.shop.example": "rounds" }));
    assert!((800..1000).contains(&posted_at(&silent)), "{}", posted_at(&silent));
    assert_eq!(silent.bundle().siblings.as_slice()[0].ticket, None);
    let slow = with(json!({ "nyc.shop.example": "slow", "sin.shop.example": "rounds" }));
    assert!(posted_at(&slow) <= 1300, "{}", posted_at(&slow));
    assert!(slow.bundle().siblings.as_slice().iter().all(|sibling| sibling.ticket.is_some()));
}

#[test]
fn an_aborted_call_rejects_closes_its_channel_and_sends_nothing_more() {
    if node_is_missing() {
        return;
    }
    for abort in [json!({"aborted": true}), json!({"abortsAt": 0}), json!({"abortsAt": 30}), json!({"abortsAt": 105})] {
        let mut step = call(&json!({}));
        step.as_object_mut().unwrap().extend(abort.as_object().unwrap().clone());
        let outcome = visit(json!({"steps": [step]}));
        assert_eq!(outcome.answers(), [json!("AbortError")], "{abort}");
        assert!(outcome.list("posts").is_empty(), "{abort}");
        assert!(outcome.list("sockets").iter().all(|socket| socket["closed"] == true), "{abort}");
        assert_eq!(outcome.count("frames"), 0, "{abort}");
    }
}

#[test]
fn an_abort_during_the_post_stops_its_repetition() {
    if node_is_missing() {
        return;
    }
    let mut step = call(&json!({}));
    step["abortsAt"] = json!(200);
    let outcome = visit(json!({"answers": [503], "steps": [step]}));
    assert_eq!((outcome.answers(), outcome.list("posts").len()), (vec![json!("AbortError")], 1));
}

#[test]
fn a_second_call_joins_the_first_and_only_the_last_abort_ends_the_run() {
    if node_is_missing() {
        return;
    }
    let mut leaving = call(&json!({}));
    leaving["abortsAt"] = json!(30);
    let late = |at: u64| {
        let mut step = call(&json!({}));
        step["at"] = json!(at);
        step
    };
    let outcome = visit(json!({"steps": [leaving, late(0), late(10), late(5000)]}));
    assert_eq!(outcome.answers(), [json!("AbortError"), json!(true), json!(true), json!(true)]);
    assert_eq!(outcome.list("sockets").len(), 1);
    outcome.bundle();
    let other = call(&json!({"sessionRef": "sess_2"}));
    assert_eq!(visit(json!({"steps": [late(0), other]})).bundles().len(), 2);
}

#[test]
fn a_frameworks_double_effect_opens_one_channel() {
    if node_is_missing() {
        return;
    }
    let mut first = call(&json!({}));
    first["abortsAt"] = json!(0);
    let mut second = call(&json!({}));
    second["at"] = json!(1);
    let outcome = visit(json!({"steps": [first, second]}));
    assert_eq!(outcome.answers(), [json!("AbortError"), json!(true)]);
    assert_eq!(outcome.list("sockets").len(), 1);
}

#[test]
fn a_page_that_is_left_early_posts_what_it_has_kept_alive() {
    if node_is_missing() {
        return;
    }
    let leave = |at: u64| json!({"at": at, "event": "pagehide"});
    for wasm in ["allowed", "silent"] {
        let outcome = visit(json!({"wasm": wasm, "steps": [call(&json!({})), leave(45)]}));
        let post = &outcome.list("posts")[0];
        assert_eq!((&post["atMs"], &post["keepalive"]), (&json!(45), &json!(true)));
        let bundle = outcome.bundle();
        assert!(bundle.page.left_early);
        assert_eq!(bundle.channel.state, ChannelState::Partial);
        assert_eq!(bundle.facts.missing(octet::Profile::Standard).count(), 0);
        assert_eq!(outcome.list("sockets")[0]["closed"], true);
    }
    let outcome = visit(json!({"keepalive": false, "steps": [call(&json!({})), leave(45)]}));
    let beacon = &outcome.list("beacons")[0];
    assert_eq!(
        (&beacon["url"], &beacon["type"]),
        (&json!("https://shop.example/octet/v1/signals"), &json!("application/json"))
    );
    assert!(outcome.list("posts").is_empty());
}

#[test]
fn a_page_restored_from_the_cache_is_not_resumed_and_a_call_joins_the_finished_run() {
    if node_is_missing() {
        return;
    }
    let mut again = call(&json!({}));
    again["at"] = json!(60_000);
    let outcome = visit(json!({"steps": [call(&json!({})), {"at": 30, "event": "pagehide"}, again]}));
    assert_eq!(outcome.answers(), [json!(true), json!(true)]);
    assert_eq!(outcome.list("sockets").len(), 1);
    outcome.bundle();
}

#[test]
fn a_prerendered_page_waits_until_it_is_shown() {
    if node_is_missing() {
        return;
    }
    let steps = json!([call(&json!({})), {"at": 700, "event": "prerenderingchange"}]);
    let outcome = visit(json!({"prerendering": true, "steps": steps}));
    assert_eq!(outcome.list("sockets")[0]["openedAtMs"], 700);
    assert!(outcome.bundle().page.prerendered);
    let never_shown = verified(json!({"prerendering": true}));
    assert!(never_shown.list("sockets").is_empty() && never_shown.list("posts").is_empty());
}

#[test]
fn rounds_of_a_hidden_tab_are_marked() {
    if node_is_missing() {
        return;
    }
    let steps = json!([call(&json!({})), {"at": 35, "event": "visibilitychange", "hide": true}]);
    let bundle = visit(json!({"steps": steps})).bundle();
    assert!(bundle.page.hidden);
    let hidden: Vec<_> = bundle.channel.rounds.as_slice().iter().map(|round| round.hidden).collect();
    assert_eq!(hidden, [false, false, true, true]);
    assert!(!verified(json!({})).bundle().page.hidden);
}

#[test]
fn an_insecure_page_collects_nothing() {
    if node_is_missing() {
        return;
    }
    let outcome = verified(json!({"secure": false}));
    assert_eq!(outcome.answers(), [json!(false)]);
    assert!(outcome.list("posts").is_empty() && outcome.list("sockets").is_empty());
}
