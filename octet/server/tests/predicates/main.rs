//! Questions about places through the service's own routes: who is answered what, by which proof, and how long it
//! counts.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod client;
#[path = "../common/mod.rs"]
mod common;
mod devices;
mod foreign;
mod schema;

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use common::{AMERICAN, Answer, GERMAN, Service, body, bundle, observations, service, service_with, signals};
use octet::observations::EdgeId;
use octet::proof::{Chain, Expect, KeySet, ProofClaims, SessionDigest, chain, verify};
use octet::{Claim, Outcome, PredicateVerdict, ReasonCode, Region};
use octet_server::Limits;
use octet_server::clock::Clock;
use serde_json::{Value, json};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn ask(service: &Service, body: &Value) -> Answer {
    ask_with(service, body, &[]).await
}

async fn ask_with(service: &Service, body: &Value, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::post("/v1/predicate").header("x-octet-partner-key", service.partner_key.expose());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    service.send(request.body(Body::from(body.to_string())).unwrap()).await
}

fn within(session: &str, region: &Value) -> Value {
    json!({ "ref": session, "predicate": "within", "region": region })
}

fn country(code: &str) -> Value {
    json!({ "type": "country", "code": code })
}

async fn verdict(service: &Service, body: &Value) -> PredicateVerdict {
    let answer = ask(service, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    serde_json::from_str(&answer.text).unwrap()
}

async fn keys(service: &Service) -> KeySet {
    let answer = service.send(Request::get("/.well-known/octet-keys.json").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.headers["cache-control"], "public, max-age=300");
    KeySet::from_json(&answer.text).unwrap()
}

/// What the proof of an answer says: well signed, and as the schema has it.
async fn proof(service: &Service, verdict: &PredicateVerdict) -> ProofClaims {
    schema::documented(verdict.proof.as_ref().unwrap());
    let expect = Expect::audience("shop").at(service.clock.now()).issuer("octet").covering(verdict.queried_at);
    verify(verdict.proof.as_ref().unwrap(), &keys(service).await, expect).unwrap()
}

#[tokio::test]
async fn a_session_in_berlin_is_proven_to_be_in_germany_and_not_in_america() {
    let service = service().await;
    service.forward(bundle("s1", GERMAN)).await;

    let yes = verdict(&service, &within("s1", &country("DE"))).await;
    assert!(yes.result == Outcome::Yes && yes.confidence.overall_score > 0.5, "{yes:?}");
    let claims = proof(&service, &yes).await;
    assert_eq!(claims.claim, Claim::Within(Region::country("DE").unwrap()));
    assert_eq!(claims.session, SessionDigest::of(&"s1".parse().unwrap()));
    assert_eq!(claims.observed_by, ["fra1".parse().unwrap()]);
    assert_eq!((claims.fix_time, Some(claims.validity)), (service.clock.now(), yes.validity));

    let no = verdict(&service, &within("s1", &country("US"))).await;
    assert_eq!(no.result, Outcome::No);
    assert_eq!(proof(&service, &no).await.claim, Claim::Outside(Region::country("US").unwrap()));

    let outside = json!({ "ref": "s1", "predicate": "outside", "region": country("US") });
    let outside = verdict(&service, &outside).await;
    assert_eq!(outside.result, Outcome::Yes);
    assert_eq!(proof(&service, &outside).await.claim, Claim::Outside(Region::country("US").unwrap()));

    let eu = verdict(&service, &within("s1", &json!({ "type": "countries", "set": "EU" }))).await;
    assert_eq!(eu.result, Outcome::Yes);
    assert_eq!(proof(&service, &eu).await.claim, Claim::Within(Region::eu().dated(service.clock.now()).unwrap()));
    let one_day = json!({ "type": "countries", "set": "EU", "asOf": "2999-01-01" });
    assert_eq!(verdict(&service, &within("s1", &one_day)).await.reason, ReasonCode::NotYetReleased);

    let far = json!({ "type": "disc", "center": { "lat": 37.8, "lon": -122.4 }, "radiusMeters": 50_000 });
    let far = verdict(&service, &within("s1", &far)).await;
    assert_eq!(far.result, Outcome::No);
    assert_eq!(far.validity.unwrap().to(), service.clock.now() + jiff::SignedDuration::from_secs(30));
    assert_eq!(service.octet.counts().predicates, 6);
}

/// What the edge `id` reports of the same browser; its channel's ticket is `of.` and its name.
fn sibling(session: &str, id: &str, position: &Value, rtt_us: u32) -> String {
    let mut seen = observations(GERMAN);
    seen["edge"] = json!({ "id": id, "position": position });
    let rounds = (0..4).map(|round| json!({ "round": round, "rttUs": rtt_us + round }));
    seen["channel"] = json!({ "ticket": "missing", "rounds": rounds.collect::<Vec<_>>() });
    json!({ "sessionRef": session, "ticket": format!("of.{id}"), "observations": seen }).to_string()
}

#[tokio::test]
async fn a_proof_names_the_edges_whose_reports_were_joined_and_no_other() {
    let service = service().await;
    let reports = [
        sibling("s1", "par1", &json!({ "lat": 48.86, "lon": 2.35 }), 19_000),
        sibling("s1", "waw1", &json!({ "lat": 52.23, "lon": 21.01 }), 13_000),
        // The browser brought no ticket of this one.
        sibling("s1", "mad1", &json!({ "lat": 40.42, "lon": -3.7 }), 40_000),
    ];
    for report in reports {
        let request = Request::post("/v1/observations").header("x-octet-license", service.license.expose());
        assert_eq!(service.send(request.body(Body::from(report)).unwrap()).await.status, StatusCode::ACCEPTED);
    }
    let mut brought = signals("s1");
    brought["siblings"] =
        json!([{ "state": "complete", "ticket": "of.par1" }, { "state": "complete", "ticket": "of.waw1" }]);
    let mut seen = observations(GERMAN);
    seen["edge"]["position"] = json!({ "lat": 50.11, "lon": 8.68 });
    service.forward(body(&brought, &seen)).await;

    let yes = verdict(&service, &within("s1", &country("DE"))).await;
    assert_eq!(yes.result, Outcome::Yes);
    let edges = proof(&service, &yes).await.observed_by;
    assert_eq!(edges.iter().map(EdgeId::as_str).collect::<Vec<_>>(), ["fra1", "par1", "waw1"]);
}

#[tokio::test]
async fn claims_that_are_not_as_documented_are_seen_by_the_schema() {
    let service = service().await;
    service.forward(bundle("s1", GERMAN)).await;
    let yes = verdict(&service, &within("s1", &country("DE"))).await;
    let claims = schema::documented(yes.proof.as_ref().unwrap());
    assert!(schema::is_valid(&claims));
    for (field, wrong) in [
        ("ver", json!(2)),
        ("sid", json!("s1")),
        ("iat", json!("2026-11-21T12:00:00Z")),
        ("fixTime", json!("noon")),
        ("claim", json!({ "predicate": "near", "region": country("DE") })),
        ("claim", json!({ "predicate": "within", "region": { "type": "planet", "code": "DE" } })),
        ("confidence", json!({ "overallScore": 1.5 })),
        ("observedBy", json!(["not an id"])),
    ] {
        let mut claims = claims.clone();
        claims[field] = wrong;
        assert!(!schema::is_valid(&claims), "{field}");
    }
}

#[tokio::test]
async fn each_question_without_a_proof_has_its_reason() {
    let service = service_with(Limits { verdict_ttl: Duration::from_secs(3600), ..Limits::default() }).await;
    service.forward(bundle("s1", GERMAN)).await;
    service.forward(bundle("foreign", GERMAN)).await;
    let at = |seconds: i64| json!((service.clock.now() + jiff::SignedDuration::from_secs(seconds)).to_string());
    let mut early = within("s1", &country("DE"));
    early["atTime"] = at(3);
    let mut long_ago = within("s1", &country("DE"));
    long_ago["atTime"] = at(-301);
    let tiny = json!({ "type": "disc", "center": { "lat": 52.5, "lon": 13.4 }, "radiusMeters": 100 });
    for (body, reason) in [
        (within("never", &country("DE")), ReasonCode::SdkNotRunning),
        (early, ReasonCode::FutureTime),
        (long_ago, ReasonCode::StaleFix),
        (within("s1", &tiny), ReasonCode::NoProofAtResolution),
        (within("s1", &json!({ "type": "subdivision", "code": "DE-ZZ" })), ReasonCode::NotYetReleased),
        (within("s1", &json!({ "type": "city", "geonameId": 1 })), ReasonCode::NotYetReleased),
    ] {
        let verdict = verdict(&service, &body).await;
        assert_eq!((verdict.result, verdict.reason), (Outcome::Indeterminate, reason), "{body}");
    }
    let foreign = within("foreign", &country("DE"));
    let answer = ask_with(&service, &foreign, &[("x-octet-visitor-ip", AMERICAN)]).await;
    assert_eq!(answer.json["reason"], "ATTESTATION_FAILED", "{}", answer.text);
    assert_eq!(verdict(&service, &foreign).await.reason, ReasonCode::AttestationFailed, "once asked, it stays");

    service.clock.advance(Duration::from_secs(301));
    assert_eq!(verdict(&service, &within("s1", &country("DE"))).await.reason, ReasonCode::StaleFix);
    let mut then = within("s1", &country("DE"));
    then["atTime"] = at(-301);
    assert_eq!(verdict(&service, &then).await.result, Outcome::Yes, "what was asked about then is still proven");
}

#[tokio::test]
async fn another_partners_session_is_as_unknown_as_one_that_never_was() {
    let service = service().await;
    service.forward(bundle("s1", GERMAN)).await;
    let other = service.octet.partners().add("other").await.unwrap();
    let other = Service { partner_key: other, ..service };
    let mut answers = BTreeSet::new();
    for session in ["s1", "never"] {
        answers.insert(ask(&other, &within(session, &country("DE"))).await.text);
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn a_session_answers_32_questions_and_bad_ones_are_refused_without_repeating_them() {
    let service = service().await;
    service.forward(bundle("s1", GERMAN)).await;
    for bad in [
        json!({}),
        json!({ "ref": "s1", "predicate": "near", "region": country("DE") }),
        json!({ "ref": "s 1", "predicate": "within", "region": country("DE") }),
        json!({ "ref": "s1", "predicate": "within", "region": { "type": "country", "code": "canary" } }),
        json!({ "ref": "s1", "predicate": "within", "region": country("DE"), "atTime": "canary" }),
        json!({ "ref": "s1", "predicate": "within", "region": country("DE"), "more": "x".repeat(20_000) }),
    ] {
        let answer = ask(&service, &bad).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "malformed_predicate"));
        assert!(!answer.text.contains("canary"));
    }
    for _ in 0..32 {
        assert_eq!(verdict(&service, &within("s1", &country("DE"))).await.result, Outcome::Yes);
    }
    let answer = ask(&service, &within("s1", &country("DE"))).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::TOO_MANY_REQUESTS, "too_many_questions"));
    let without_a_key = Request::post("/v1/predicate").body(Body::from("{}")).unwrap();
    assert_eq!(service.send(without_a_key).await.code(), "partner_key_rejected");
}

#[tokio::test]
async fn a_question_settles_the_verdict_as_reading_does() {
    let service = service().await;
    service.forward(bundle("s1", GERMAN)).await;
    verdict(&service, &within("s1", &country("DE"))).await;
    service.forward(common::other_bundle("s1", GERMAN, "b_2")).await;
    assert_eq!(service.ask("s1").await.json["alarm"], "none");
}

#[tokio::test]
async fn a_rotated_key_is_published_before_it_signs_and_the_old_one_stays() {
    let service = service_with(Limits { verdict_ttl: Duration::from_secs(3600), ..Limits::default() }).await;
    service.forward(bundle("s1", GERMAN)).await;
    let first = verdict(&service, &within("s1", &country("DE"))).await;
    let cached = keys(&service).await;
    let rotated = service.octet.proof_keys().rotate(octet::Environment::Live).await.unwrap();
    assert_eq!((cached.len(), keys(&service).await.len()), (1, 2));

    let overlap = verdict(&service, &within("s1", &country("DE"))).await;
    let expect = Expect::audience("shop").at(service.clock.now());
    assert!(verify(overlap.proof.as_ref().unwrap(), &cached, expect).is_ok(), "a cached key set still does");

    service.clock.advance(Duration::from_secs(600));
    service.forward(bundle("s2", GERMAN)).await;
    let second = verdict(&service, &within("s2", &country("DE"))).await;
    let expect = Expect::audience("shop").at(service.clock.now());
    assert!(verify(second.proof.as_ref().unwrap(), &cached, expect).is_err());
    let published = keys(&service).await;
    for one in [&first, &second] {
        assert!(verify(one.proof.as_ref().unwrap(), &published, expect).is_ok());
    }
    let of_tests = service.octet.proof_keys().key_set(octet::Environment::Test).await.unwrap();
    assert!(of_tests.is_empty() && rotated.signs_from > service.clock.now() - jiff::SignedDuration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_proof_counts_after_its_keys_end_by_the_chain_of_its_day() {
    let service = service().await;
    service.forward(bundle("s1", GERMAN)).await;
    let yes = verdict(&service, &within("s1", &country("DE"))).await;
    let token = yes.proof.clone().unwrap();
    // The service's own upkeep writes what was signed.
    while service.octet.proof_keys().chain().await.unwrap().is_empty() {
        service.clock.advance(DAY);
        tokio::time::advance(Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
    }
    let lines = service.octet.proof_keys().chain().await.unwrap();
    assert_eq!(service.octet.proof_keys().chain().await.unwrap(), lines, "a closed day does not change");
    let day: chain::Day = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(day.proofs, [chain::digest(&token)]);

    service.clock.advance(DAY * 731);
    let published = keys(&service).await;
    let expect = || Expect::audience("shop").at(service.clock.now());
    assert_eq!(verify(&token, &published, expect()).unwrap_err(), octet::proof::Refusal::KeyExpired);
    let head = serde_json::to_value(&day).unwrap()["head"].as_str().unwrap().to_owned();
    let chain = Chain::read(&lines.join("\n"), &head).unwrap();
    assert!(verify(&token, &published, expect().anchored_in(&chain)).is_ok());
}

#[tokio::test]
async fn a_session_in_berlin_is_proven_to_be_outside_of_far_states_and_cities_only() {
    let service = service().await;
    service.forward(bundle("s1", GERMAN)).await;
    let state = |code: &str| json!({ "type": "subdivision", "code": code });
    let city = |id: u32| json!({ "type": "city", "geonameId": id });
    for (region, minutes) in [(state("US-TX"), 3), (city(4_671_654), 1)] {
        let texas = verdict(&service, &within("s1", &region)).await;
        assert_eq!((texas.result, texas.reason), (Outcome::No, ReasonCode::Ok), "{region}");
        let asked: Region = serde_json::from_value(region).unwrap();
        assert_eq!(proof(&service, &texas).await.claim, Claim::Outside(asked));
        assert_eq!(texas.validity.unwrap().to(), service.clock.now() + jiff::SignedDuration::from_mins(minutes));
    }
    for region in [state("DE-BE"), city(2_950_159)] {
        let berlin = verdict(&service, &within("s1", &region)).await;
        assert_eq!(berlin.reason, ReasonCode::NoProofAtResolution, "{region}");
    }
}
