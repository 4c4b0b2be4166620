//! `POST /v1/assess`, challenges and served pages: what Octet gets, and what the page is told, whatever Octet does.

use http::{Request, StatusCode, header};
use octet::{BotAction, BotVerdict};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::shop::{Host, Setup};
use crate::support::{Octet, Shop, fresh, refusal};

fn assessment(session: &str) -> String {
    let assess = json!({ "schema": 1, "id": "a1", "sessionRef": session, "appKey": "app_a", "runtime": "wasm" });
    format!("{{ \"unknownField\": [1.50,  2],{}", &assess.to_string()[1..])
}

async fn post(shop: &Shop, path: &str, body: impl Into<bytes::Bytes>) -> http::Response<bytes::Bytes> {
    let request = Request::post(format!("/octet/v1/{path}")).header(header::ORIGIN, shop.origin());
    shop.send_body(request.header(header::USER_AGENT, "Agent"), body).await
}

fn json_of(response: &http::Response<bytes::Bytes>) -> Value {
    assert_eq!(response.status(), StatusCode::OK, "{:?}", response.body());
    serde_json::from_slice(response.body()).unwrap()
}

pub(crate) async fn a_page_gets_octets_verdict_and_octet_the_collectors_own_bytes(host: Host) {
    let shop = Shop::open(host).await;
    let body = assessment(&fresh());
    let verdict = json_of(&post(&shop, "assess", body.clone()).await);
    assert_eq!(verdict, serde_json::to_value(BotVerdict::new(74, true, BotAction::Challenge)).unwrap());
    let (path, message) = shop.octet.message();
    assert_eq!(path, "/v1/assess");
    assert!(message.contains(&body), "{message}");
    let message: Value = serde_json::from_str(&message).unwrap();
    assert_eq!(message["observations"]["origin"], shop.origin());
    assert_eq!(message["observations"]["headers"]["user-agent"], "Agent");
    assert_eq!(message["observations"]["peer"]["ip"], "127.0.0.1");
}

pub(crate) async fn a_foreign_page_a_wrong_shape_and_a_large_body_are_refused_before_octet_hears_of_them(host: Host) {
    let shop = Shop::open(host).await;
    for path in ["assess", "challenge", "challenge/ch_1"] {
        let request = Request::post(format!("/octet/v1/{path}")).header(header::ORIGIN, "https://evil.example");
        assert_eq!(refusal(&shop.send_body(request, assessment("s")).await).1, "origin_rejected", "{path}");
        assert_eq!(refusal(&post(&shop, path, "{}").await).1, "malformed_bundle", "{path}");
        assert_eq!(post(&shop, path, vec![b' '; 65_537]).await.status(), StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        let get = shop.get(&format!("/octet/v1/{path}")).await;
        assert_eq!(get.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    assert_eq!(shop.octet.messages(), 0);
}

pub(crate) async fn with_octet_down_or_silent_the_page_gets_the_degraded_verdict_within_two_seconds(host: Host) {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = free.local_addr().unwrap();
    drop(free);
    // Accepts in the kernel, and never answers.
    let hole = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let octet = Octet::open().await;
    for addr in [gone, hole.local_addr().unwrap()] {
        let shop = Shop::towards(host, Setup::new(&[]), addr, octet.clone()).await;
        // The budget is a promise: over it the test fails, however slow the machine.
        let answer = tokio::time::timeout(std::time::Duration::from_secs(10), post(&shop, "assess", assessment("s")));
        let verdict: BotVerdict = serde_json::from_value(json_of(&answer.await.unwrap())).unwrap();
        assert_eq!(verdict, BotVerdict::degraded());
        let challenge = json!({ "sessionRef": "s", "appKey": "app_a" }).to_string();
        assert_eq!(refusal(&post(&shop, "challenge", challenge).await).1, "octet_unavailable");
    }
}

pub(crate) async fn a_challenge_and_its_answer_go_to_octet_and_come_back_as_what_they_must_be(host: Host) {
    let shop = Shop::open(host).await;
    let session = fresh();
    let request = json!({ "sessionRef": session, "appKey": "app_a" });
    let challenge = json_of(&post(&shop, "challenge", request.to_string()).await);
    assert_eq!((&challenge["id"], challenge.get("secret")), (&json!("ch_9f2c"), None), "what is unknown is left out");
    let mut answer = request.clone();
    answer["solution"] = json!({ "number": 3, "proof": "AAAA" });
    let verdict = json_of(&post(&shop, "challenge/ch_9f2c", answer.to_string()).await);
    assert_eq!((&verdict["challenge"], &verdict["action"]), (&json!("passed"), &json!("record_only")));
    let (path, message) = shop.octet.message();
    assert_eq!(path, "/v1/challenge/ch_9f2c");
    assert!(message.contains(&session) && message.contains("127.0.0.1"));
}

pub(crate) async fn octet_hears_of_a_served_page_when_it_wants_to(host: Host) {
    let shop = Shop::open(host).await;
    // The edge asks for its settings in the background; pages before that are not told of.
    let told = async {
        loop {
            let session = String::from_utf8(shop.get("/ref").await.body().to_vec()).unwrap();
            if shop.octet.messages() > 0 {
                return session;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), told).await.unwrap();
    let (path, message) = shop.octet.message();
    let message: Value = serde_json::from_str(&message).unwrap();
    assert_eq!(path, "/v1/pages");
    assert_eq!(message["host"], shop.addr.to_string());
    assert!(message["sessionRef"].as_str().unwrap().starts_with("os1_") && message["observations"].is_object());
}
