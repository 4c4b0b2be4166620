//! Bot verdicts: apps, assessments, challenges, the visit log and the Data API, against a service in this process.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use axum::body::Body;
use axum::http::Request;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{Answer, GERMAN, GERMAN_NEIGHBOUR, OTHER_GERMAN, Service, bundle, service, signals};
use octet::facts::FACTS;
use octet::{AppKey, AppSecret, BotAction, BotVerdict, ChallengeOutcome, Profile};
use octet_client::{BotLookup, OctetClient, Period, Transport};
use octet_server::clock::Clock;
use octet_server::visits::{self, NewVisit, VisitLog, VisitOptions};
use octet_server::{AppSettings, Config, Error, NewApp, Octet};
use serde_json::{Value, json};

const CHROME: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";
const DAY: &str = "from=2026-11-21&to=2026-11-21";

/// A service with an app of `shop`.
async fn with_app(settings: AppSettings) -> (Service, NewApp) {
    let service = service().await;
    let app = service.octet.apps().add("shop", "landing", settings).await.unwrap();
    (service, app)
}

fn set_to(action: BotAction) -> AppSettings {
    AppSettings { action, ..AppSettings::default() }
}

/// What a collector posts of a visit.
fn visit(session: &str, app: &AppKey) -> Value {
    let mut facts = signals(session)["facts"].clone();
    for fact in FACTS {
        facts.as_object_mut().unwrap().entry(fact.name.wire()).or_insert(Value::Null);
    }
    facts["webdriver"] = json!(false);
    facts["userAgent"] = json!(CHROME);
    json!({
        "schema": 1, "id": format!("a_{session}"), "sessionRef": session, "appKey": app, "runtime": "wasm",
        "collector": "0.1.0", "facts": facts, "worker": { "blocked": "policy" }, "frame": { "blocked": "policy" },
        "behaviour": { "observedMs": 1200 },
        "automation": { "altered": [], "globals": [], "errorFormatted": false },
    })
}

/// The same of a browser that says that a program drives it.
fn driven(session: &str, app: &AppKey) -> Value {
    let mut visit = visit(session, app);
    visit["facts"]["webdriver"] = json!(true);
    visit["facts"]["userAgent"] = json!(CHROME.replace("Chrome/", "HeadlessChrome/"));
    visit
}

fn with_click(mut visit: Value, click: &str) -> Value {
    visit["clickToken"] = json!(click);
    visit
}

/// What the edge saw of it.
fn seen(visit: &Value, address: &str) -> Value {
    json!({
        "edge": { "id": "fra1" }, "observedAtMs": 1_795_262_400_000_u64, "peer": { "ip": address }, "httpVersion": "1.1",
        "headers": { "user-agent": visit["facts"]["userAgent"], "accept-language": "de-DE,de;q=0.9" },
    })
}

async fn post(service: &Service, path: &str, body: &Value) -> Answer {
    let request = Request::post(path).header("x-octet-license", service.license.expose());
    service.send(request.body(Body::from(body.to_string())).unwrap()).await
}

async fn assess_from(service: &Service, visit: &Value, address: &str) -> Answer {
    post(service, "/v1/assess", &json!({ "assess": visit, "observations": seen(visit, address) })).await
}

async fn assess(service: &Service, visit: &Value) -> BotVerdict {
    let answer = assess_from(service, visit, GERMAN).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    serde_json::from_value(answer.json).unwrap()
}

async fn data_of(service: &Service, path: &str, key: &AppKey, secret: &AppSecret) -> Answer {
    let request = Request::get(format!("/v1/bot/{path}"));
    let request = request.header("x-app-key", key.as_str()).header("x-app-secret", secret.expose());
    service.send(request.body(Body::empty()).unwrap()).await
}

async fn data(service: &Service, path: &str, app: &NewApp) -> Answer {
    data_of(service, path, &app.key, &app.secret).await
}

#[tokio::test]
async fn a_visit_is_answered_once_recorded_once_and_found_again() {
    let settings = AppSettings { profile: Profile::Essential, ..set_to(BotAction::Flag) };
    let (service, app) = with_app(settings).await;
    let bot = assess(&service, &driven("s", &app.key)).await;
    assert!(bot.is_bot() && bot.action() == BotAction::Flag, "{bot:?}");
    assert_eq!(assess(&service, &driven("s", &app.key)).await, bot, "the same bytes again");
    assert_eq!(assess(&service, &visit("s", &app.key)).await, bot, "a nicer story comes too late");
    let mut person = visit("p", &app.key);
    person["facts"]["userAgent"] = json!(FIREFOX);
    let person = assess(&service, &person).await;
    assert!(!person.is_bot() && !person.is_degraded() && person.action() == BotAction::RecordOnly, "{person:?}");

    let found = data(&service, "verdict?cid=s", &app).await;
    assert_eq!((found.status.as_u16(), &found.json["code"]), (200, &json!(0)));
    assert_eq!(found.json["data"]["score"], bot.score());
    assert_eq!(data(&service, "verdict?cid=never", &app).await.code(), "visit_unknown");
    // What is in memory ends; the log stays.
    service.clock.advance(Duration::from_secs(600));
    assert_eq!(data(&service, "verdict?cid=s", &app).await.json, found.json);

    let stats = data(&service, &format!("stats?{DAY}"), &app).await.json["data"].clone();
    assert_eq!((&stats["total"], &stats["bots"], &stats["bot_rate"]), (&json!(2), &json!(1), &json!(0.5)));
    assert_eq!((&stats["by_action"]["flag"], &stats["by_action"]["record_only"]), (&json!(1), &json!(1)));
    let none = data(&service, "stats?from=2026-11-22&to=2026-11-22", &app).await.json["data"].clone();
    assert_eq!((&none["total"], &none["bot_rate"]), (&json!(0), &json!(0.0)));
}

#[tokio::test]
async fn what_was_expected_and_is_missing_makes_a_visit_unknown_and_never_clean() {
    let (service, app) = with_app(AppSettings::default()).await;
    let mut poor = driven("s", &app.key);
    poor["facts"] = json!({ "webdriver": false });
    assert_eq!(assess(&service, &poor).await, BotVerdict::degraded());
    let stats = data(&service, &format!("stats?{DAY}"), &app).await.json["data"].clone();
    assert_eq!((&stats["total"], &stats["degraded"], &stats["by_level"]["low"]), (&json!(1), &json!(1), &json!(0)));
    // A message that knows more takes its place; the visit is counted once.
    let mut whole = driven("s", &app.key);
    whole["id"] = json!("another");
    assert!(assess(&service, &whole).await.is_bot());
    let stats = data(&service, &format!("stats?{DAY}"), &app).await.json["data"].clone();
    assert_eq!((&stats["total"], &stats["degraded"], &stats["bots"]), (&json!(1), &json!(0), &json!(1)));
}

#[tokio::test]
async fn an_app_is_good_only_with_its_own_partners_licence_and_origins() {
    let (service, app) =
        with_app(AppSettings { origins: vec!["https://a.example".into()], ..set_to(BotAction::Flag) }).await;
    service.octet.partners().add("other").await.unwrap();
    let foreign = service.octet.apps().add("other", "landing", AppSettings::default()).await.unwrap();
    for key in [&foreign.key, &"app_unknown".parse().unwrap()] {
        assert_eq!(assess(&service, &driven("s", key)).await, BotVerdict::degraded());
    }
    let stats = data(&service, &format!("stats?{DAY}"), &foreign).await.json["data"].clone();
    assert_eq!(stats["total"], 0, "nothing was stored");

    let visit = driven("s", &app.key);
    assert_eq!(assess_from(&service, &visit, GERMAN).await.code(), "origin_rejected");
    let mut observations = seen(&visit, GERMAN);
    observations["origin"] = json!("https://a.example");
    let answer = post(&service, "/v1/assess", &json!({ "assess": visit, "observations": observations })).await;
    assert_eq!(answer.json["is_bot"], true);

    service.octet.apps().revoke(&app.key).await.unwrap();
    assert_eq!(data(&service, "verdict?cid=s", &app).await.code(), "app_rejected");
    assert_eq!(assess(&service, &driven("t", &app.key)).await, BotVerdict::degraded());
}

#[tokio::test]
async fn a_wrong_shape_is_refused_without_a_byte_of_it() {
    let (service, app) = with_app(AppSettings::default()).await;
    for (field, value) in [("schema", json!(2)), ("appKey", json!("secret-key")), ("facts", json!([["secret"]]))] {
        let mut wrong = driven("s", &app.key);
        wrong[field] = value;
        let answer = assess_from(&service, &wrong, GERMAN).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, "malformed_bundle"), "{field}");
        assert!(!answer.text.contains("secret"), "{}", answer.text);
    }
    let mut large = driven("s", &app.key);
    large["more"] = json!("x".repeat(70_000));
    assert_eq!(assess_from(&service, &large, GERMAN).await.status, 413);
    for path in ["/v1/pages", "/v1/challenge", "/v1/challenge/x"] {
        assert_eq!(post(&service, path, &json!({ "request": 1 })).await.status, 400, "{path}");
    }
}

#[tokio::test]
async fn a_change_of_an_app_counts_for_the_next_visit_and_no_page_can_lower_it() {
    let (service, app) = with_app(AppSettings::default()).await;
    assert_eq!(assess(&service, &driven("s1", &app.key)).await.action(), BotAction::RecordOnly);
    service.octet.apps().set(&app.key, |settings| settings.action = BotAction::Challenge).await.unwrap();
    assert_eq!(assess(&service, &driven("s2", &app.key)).await.action(), BotAction::Challenge);
    // Whatever a page writes beside its facts, what it is told stays the app's.
    let mut tampered = driven("s3", &app.key);
    for (field, value) in [
        ("action", json!("record_only")),
        ("is_bot", json!(false)),
        ("score", json!(0)),
        ("challenge", json!("passed")),
        ("escalate", json!(true)),
        ("degraded", json!(true)),
        ("settings", json!({ "action": "record_only" })),
    ] {
        tampered[field] = value;
    }
    let verdict = assess(&service, &tampered).await;
    assert_eq!((verdict.is_bot(), verdict.action(), verdict.challenge()), (true, BotAction::Challenge, None));
}

#[tokio::test]
async fn a_secret_that_was_rotated_is_good_for_as_long_as_was_said() {
    let (service, app) = with_app(AppSettings::default()).await;
    let rotated = service.octet.apps().rotate(&app.key, Duration::from_secs(60)).await.unwrap();
    let status =
        async |secret: &AppSecret| data_of(&service, &format!("stats?{DAY}"), &app.key, secret).await.status.as_u16();
    assert_eq!((status(&app.secret).await, status(&rotated).await), (200, 200));
    service.clock.advance(Duration::from_secs(60));
    assert_eq!((status(&app.secret).await, status(&rotated).await), (401, 200));
    let other = service.octet.apps().add("shop", "other", AppSettings::default()).await.unwrap();
    assert_eq!(
        data_of(&service, &format!("stats?{DAY}"), &other.key, &rotated).await.status,
        401,
        "another app's secret"
    );
    let secrets = service.octet.apps().list(None).await.unwrap().remove(0).secrets;
    service.octet.apps().revoke_secret(&app.key, &secrets[1].id).await.unwrap();
    assert_eq!(status(&rotated).await, 401);
    assert!(service.octet.apps().add("shop", "other", AppSettings::default()).await.is_err());
    for bad in [
        AppSettings { challenge_seconds: 299, ..AppSettings::default() },
        AppSettings { origins: vec!["shop.example/".into()], ..AppSettings::default() },
    ] {
        assert!(service.octet.apps().add("shop", "bad", bad).await.is_err());
    }
}

#[tokio::test]
async fn a_click_token_is_kept_as_asked_and_its_second_visit_is_invalid_traffic() {
    let (service, app) = with_app(AppSettings::default()).await;
    for session in ["s1", "s2", "s3"] {
        assess(&service, &with_click(driven(session, &app.key), "click-7.a~B")).await;
    }
    assess(&service, &with_click(driven("s4", &app.key), "-another")).await;
    let first = data(&service, "verdict?click_token=click-7.a~B", &app).await.json["data"].clone();
    assert_eq!((&first["cid"], &first["visits"], &first["invalid"]), (&json!("s1"), &json!(3), &json!(false)));
    assert!(first.get("click_token").is_none(), "it is not kept as it came");
    assert_eq!(data(&service, &format!("stats?{DAY}"), &app).await.json["data"]["invalid"], 2);

    service.octet.apps().set(&app.key, |settings| settings.plain_click_tokens = true).await.unwrap();
    assess(&service, &with_click(driven("s5", &app.key), "-another")).await;
    let csv = data(&service, &format!("export?{DAY}&format=csv"), &app).await.text;
    let lines: Vec<_> = csv.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 6, "{csv}");
    assert!(lines[0].starts_with("cid,click_token,time,is_bot,score,level,action"));
    assert!(
        lines[1].starts_with("s1,,2026-11-21T12:00:00.000Z,true,") && lines[5].starts_with("s5,'-another,"),
        "{csv}"
    );
    assert!(!csv.contains("click-7"));
}

#[tokio::test]
async fn a_visit_that_was_just_now_is_told_as_its_row_has_it() {
    let settings = AppSettings { plain_click_tokens: true, ..AppSettings::default() };
    let (service, app) = with_app(settings).await;
    let mut poor = with_click(driven("late", &app.key), "c");
    poor["facts"] = json!({});
    poor["id"] = json!("a_poor");
    assert!(assess(&service, &poor).await.is_degraded());
    service.clock.advance(Duration::from_secs(2));
    for session in ["late", "again"] {
        assert!(assess(&service, &with_click(driven(session, &app.key), "c")).await.is_bot());
    }
    let rows = data(&service, &format!("export?{DAY}&format=ndjson"), &app).await.text;
    let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (mut row, session) in rows.into_iter().zip(["late", "again"]) {
        row.as_object_mut().unwrap().remove("cursor");
        assert_eq!(data(&service, &format!("verdict?cid={session}"), &app).await.json["data"], row);
        assert_eq!(row["invalid"], session == "again");
        assert_eq!(row["time"].as_str().unwrap().len(), "2026-11-21T12:00:00.000Z".len(), "times sort as texts do");
    }
}

#[tokio::test]
async fn a_page_whose_collector_never_reports_is_a_visit_of_its_own_kind() {
    let (service, app) = with_app(AppSettings::default()).await;
    let page = |session: &str, agent: &str, purpose: Option<&str>| {
        let observations = json!({
            "observedAtMs": 1_u64, "peer": { "ip": GERMAN }, "httpVersion": "1.1", "headers": { "user-agent": agent },
        });
        json!({ "sessionRef": session, "host": "shop.example", "purpose": purpose, "observations": observations })
    };
    for (session, agent) in
        [("tool", "curl/8.5.0"), ("assessed", CHROME), ("verified", CHROME), ("blocked", "Lynx/2.9.0")]
    {
        assert_eq!(post(&service, "/v1/pages", &page(session, agent, None)).await.status, 202);
    }
    post(&service, "/v1/pages", &page("prefetched", CHROME, Some("prefetch;prerender"))).await;
    assess(&service, &visit("assessed", &app.key)).await;
    assert_eq!(service.forward(bundle("verified", GERMAN)).await.status, 202);

    let unread = data(&service, "verdict?cid=tool", &app).await.json["data"].clone();
    assert_eq!((&unread["degraded"], &unread["unread"], &unread["is_bot"]), (&json!(true), &json!(true), &json!(true)));
    assert_eq!((&unread["level"], &unread["action"]), (&json!("critical"), &json!("record_only")));
    assert_eq!(data(&service, "verdict?cid=blocked", &app).await.status, 404, "its collector may be about to report");
    // What is due is recorded with the next look at the clock; a shutdown records it all.
    service.octet.shutdown();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    service.octet.serve(listener, std::future::ready(())).await.unwrap();
    let stats = data(&service, &format!("stats?{DAY}"), &app).await.json["data"].clone();
    let figures = ["total", "unread", "degraded", "invalid"].map(|name| stats[name].as_u64().unwrap());
    assert_eq!(figures, [4, 3, 3, 1], "{stats}");
    assert_eq!(
        (&stats["bots"], &stats["by_level"]["critical"]),
        (&json!(0), &json!(0)),
        "unread pages are no part of these"
    );
    let blocked = data(&service, "verdict?cid=blocked", &app).await.json["data"].clone();
    assert_eq!((&blocked["unread"], &blocked["is_bot"]), (&json!(true), &json!(false)), "people block scripts");
    let csv = data(&service, &format!("export?{DAY}&format=csv"), &app).await.text;
    let tool = csv.lines().find(|line| line.starts_with("tool,")).unwrap();
    assert!(tool.contains(",true,90,critical,record_only,true,true,,true,false,"), "{tool}");
}

#[tokio::test]
async fn an_export_goes_on_after_its_cursor_and_a_bad_question_is_told_what_is_wrong() {
    let (service, app) = with_app(AppSettings::default()).await;
    for n in 0..5 {
        assess(&service, &driven(&format!("s{n}"), &app.key)).await;
    }
    let all = data(&service, &format!("export?{DAY}&format=ndjson"), &app).await.text;
    let rows: Vec<Value> = all.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.iter().map(|row| row["cid"].as_str().unwrap()).collect::<Vec<_>>(), ["s0", "s1", "s2", "s3", "s4"]);
    let cursor = rows[1]["cursor"].as_str().unwrap();
    let place = URL_SAFE_NO_PAD.decode(cursor).unwrap();
    assert!(place.len() == 16 && place[8..14] != [0; 6], "how many rows there are of all apps is not told");
    let rest = data(&service, &format!("export?{DAY}&format=ndjson&cursor={cursor}"), &app).await.text;
    assert_eq!(rest, all.lines().skip(2).map(|line| format!("{line}\n")).collect::<String>());
    for (path, code) in [
        ("stats?from=2026-11-22&to=2026-11-21", "malformed_period"),
        ("stats", "malformed_period"),
        ("stats?from=2026-11-21&to=2026-11-21&unit=day", "malformed_query"),
        ("export?from=2026-11-21&to=2026-11-21&format=xml", "malformed_query"),
        ("export?from=2026-11-21&to=2026-11-21&cursor=!", "malformed_query"),
        ("verdict", "malformed_query"),
        ("verdict?cid=a&click_token=b", "malformed_query"),
        ("verdict?cid=a%20b", "malformed_query"),
    ] {
        let answer = data(&service, path, &app).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, code), "{path}");
        assert!(!answer.json["detail"].as_str().unwrap().is_empty());
    }
}

/// Solves a challenge as a browser does.
fn solve(challenge: &Value) -> Value {
    let number = |name: &str| u32::try_from(challenge[name].as_u64().unwrap()).unwrap();
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(challenge[name].as_str().unwrap()).unwrap();
    assert!(number("memoryKib") <= 16 * 1024 && challenge["algorithm"] == "argon2id");
    let params = Params::new(number("memoryKib"), number("iterations"), 1, Some(32)).unwrap();
    let mut memory = vec![Block::default(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let (salt, target) = (bytes("salt"), bytes("target"));
    let solution = (0..number("difficulty")).find_map(|number| {
        let mut proof = [0; 32];
        let number = number.to_string();
        argon2.hash_password_into_with_memory(number.as_bytes(), &salt, &mut proof, &mut memory).unwrap();
        proof
            .starts_with(&target)
            .then(|| json!({ "number": number.parse::<u32>().unwrap(), "proof": URL_SAFE_NO_PAD.encode(proof) }))
    });
    solution.unwrap()
}

/// An app that challenges, and a session that is to be.
async fn challenged() -> (Service, NewApp) {
    let settings = AppSettings { challenge_numbers: 2, ..set_to(BotAction::Challenge) };
    let (service, app) = with_app(settings).await;
    assert_eq!(assess(&service, &driven("s", &app.key)).await.action(), BotAction::Challenge);
    (service, app)
}

async fn ask_challenge(service: &Service, app: &NewApp, session: &str) -> Answer {
    let request = json!({ "sessionRef": session, "appKey": app.key });
    let observations = seen(&driven(session, &app.key), GERMAN);
    post(service, "/v1/challenge", &json!({ "request": request, "observations": observations })).await
}

/// Answers a challenge, and says what came of it.
async fn reply(service: &Service, app: &NewApp, id: &str, solution: &Value, address: &str) -> BotVerdict {
    let answer = hand_in(service, app, id, solution, address).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    serde_json::from_value(answer.json).unwrap()
}

async fn hand_in(service: &Service, app: &NewApp, id: &str, solution: &Value, address: &str) -> Answer {
    let mut request = json!({ "sessionRef": "s", "appKey": app.key });
    match solution {
        Value::Null => request["unavailable"] = json!(true),
        solution => request["solution"] = solution.clone(),
    }
    let observations = seen(&driven("s", &app.key), address);
    let body = json!({ "request": request, "observations": observations });
    post(service, &format!("/v1/challenge/{id}"), &body).await
}

#[tokio::test]
async fn a_challenge_that_is_passed_lowers_the_action_and_nothing_else_and_is_good_once() {
    let (service, app) = challenged().await;
    let challenge = ask_challenge(&service, &app, "s").await.json;
    let (id, solution) = (challenge["id"].as_str().unwrap(), solve(&challenge));
    let passed = reply(&service, &app, id, &solution, GERMAN_NEIGHBOUR).await;
    assert_eq!((passed.challenge(), passed.action()), (Some(ChallengeOutcome::Passed), BotAction::RecordOnly));
    assert!(passed.is_bot() && passed.score() >= 60);
    assert_eq!(reply(&service, &app, id, &json!({ "number": 0, "proof": "x" }), GERMAN).await, passed, "a replay");
    assert_eq!(ask_challenge(&service, &app, "s").await.code(), "challenge_unavailable");
    service.clock.advance(Duration::from_secs(600));
    let row = data(&service, "verdict?cid=s", &app).await.json["data"].clone();
    assert_eq!(
        (&row["challenge"], &row["action"], &row["is_bot"]),
        (&json!("passed"), &json!("record_only"), &json!(true))
    );
    let stats = data(&service, &format!("stats?{DAY}"), &app).await.json["data"].clone();
    assert_eq!((&stats["by_action"]["challenge"], &stats["by_action"]["record_only"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn a_wrong_a_foreign_a_late_and_an_impossible_answer_are_told_apart_and_burn_the_challenge() {
    let (service, app) = challenged().await;
    let mut given = Vec::new();
    for _ in 0..3 {
        given.push(ask_challenge(&service, &app, "s").await.json);
    }
    assert_eq!(ask_challenge(&service, &app, "s").await.code(), "challenge_unavailable", "three are enough");
    let solved: Vec<_> = given.iter().map(|one| (one["id"].as_str().unwrap(), solve(one))).collect();
    let mut wrong = solved[0].1.clone();
    wrong["number"] = json!(1 - wrong["number"].as_u64().unwrap());
    let outcome =
        async |id: &str, solution: &Value, address| reply(&service, &app, id, solution, address).await.challenge();
    assert_eq!(outcome(solved[0].0, &wrong, GERMAN).await, Some(ChallengeOutcome::Failed));
    assert_eq!(outcome(solved[0].0, &solved[0].1, GERMAN).await, Some(ChallengeOutcome::Failed), "it is burnt");
    // Solved on one machine, handed in from another network.
    assert_eq!(outcome(solved[1].0, &solved[1].1, OTHER_GERMAN).await, Some(ChallengeOutcome::Failed));
    service.clock.advance(Duration::from_secs(600));
    assert_eq!(outcome(solved[2].0, &solved[2].1, GERMAN).await, Some(ChallengeOutcome::Expired));

    let (service, app) = challenged().await;
    let challenge = ask_challenge(&service, &app, "s").await.json;
    let unavailable = reply(&service, &app, challenge["id"].as_str().unwrap(), &Value::Null, GERMAN).await;
    assert_eq!(unavailable.challenge(), Some(ChallengeOutcome::Unavailable));
    assert_eq!((unavailable.action(), unavailable.is_bot()), (BotAction::Challenge, true));
}

#[tokio::test]
async fn an_open_challenge_survives_a_restart_and_is_still_good_for_one_answer() {
    let place = tempfile::tempdir().unwrap();
    let config = || Config::embedded(place.path().join("octet.db"));
    let service = common::service_of(config()).await;
    let settings = AppSettings { challenge_numbers: 2, ..set_to(BotAction::Challenge) };
    let app = service.octet.apps().add("shop", "landing", settings).await.unwrap();
    assess(&service, &driven("s", &app.key)).await;
    let challenge = ask_challenge(&service, &app, "s").await.json;
    let Service { octet, clock, license, partner_key } = service;
    octet.visits().flush().await;
    drop(octet);

    let octet = Octet::open(config().clock(Arc::clone(&clock) as _)).await.unwrap();
    let service = Service { octet, clock, license, partner_key };
    let (id, solution) = (challenge["id"].as_str().unwrap(), solve(&challenge));
    let hand_in = || hand_in(&service, &app, id, &solution, GERMAN);
    let (one, other) = tokio::join!(hand_in(), hand_in());
    let (passed, late) = if one.status == 200 { (one, other) } else { (other, one) };
    assert_eq!((&passed.json["challenge"], &passed.json["action"]), (&json!("passed"), &json!("record_only")));
    assert_eq!(late.code(), "challenge_unavailable", "one of two answers at once");
    let row = data(&service, "verdict?cid=s", &app).await.json["data"].clone();
    assert_eq!(row["challenge"], "passed");
}

#[tokio::test]
async fn a_challenge_of_one_session_or_app_answers_no_other() {
    let (service, app) = challenged().await;
    let other = service.octet.apps().add("shop", "other", set_to(BotAction::Challenge)).await.unwrap();
    assess(&service, &driven("t", &app.key)).await;
    assert_eq!(ask_challenge(&service, &other, "s").await.code(), "challenge_unavailable", "another app's session");
    assert_eq!(ask_challenge(&service, &app, "never").await.code(), "challenge_unavailable");
    let of_t = ask_challenge(&service, &app, "t").await.json;
    let verdict = reply(&service, &app, of_t["id"].as_str().unwrap(), &solve(&of_t), GERMAN).await;
    assert_eq!((verdict.challenge(), verdict.action()), (None, BotAction::Challenge));
}

#[tokio::test]
async fn the_client_asks_for_a_verdict_figures_and_every_row() {
    let (service, app) = with_app(set_to(BotAction::Flag)).await;
    let transport = Transport::over(service.octet.clone());
    let client = OctetClient::builder().transport(transport).app(app.key.clone(), app.secret.clone()).build().unwrap();
    let session = |n: usize| format!("s{n}").parse::<octet::SessionRef>().unwrap();
    let verdict = assess(&service, &driven("s0", &app.key)).await;
    for n in 1..2_300 {
        let visit = NewVisit {
            app: app.key.clone(),
            session: session(n),
            time_ms: service.clock.now().as_millisecond() + 1,
            click: None,
            verdict: BotVerdict::degraded(),
            invalid: false,
        };
        service.octet.visits().record(visit).unwrap();
    }
    let known = client.bot_verdict(session(0)).await.unwrap();
    assert!(matches!(&known, BotLookup::Known(visit) if visit.verdict == verdict), "{known:?}");
    assert!(matches!(client.bot_verdict(session(7)).await.unwrap(), BotLookup::Degraded(_)));
    assert_eq!(client.bot_verdict(session(9_999)).await.unwrap(), BotLookup::Unknown);
    assert_eq!(client.bot_verdict(session(9_999)).or_degraded().await, BotVerdict::degraded());

    let day = "2026-11-21".parse().unwrap();
    let stats = client.bot_stats(Period::Days(day, day)).await.unwrap();
    assert_eq!((stats.total, stats.bots, stats.degraded, stats.bot_rate), (2_300, 1, 2_299, 1.0));
    let mut export = client.bot_export(Period::Days(day, day));
    for n in 0..1_500 {
        assert_eq!(export.next().await.unwrap().unwrap().cid, session(n));
    }
    let cursor = export.cursor().unwrap().to_owned();
    let mut rest = client.bot_export(Period::Days(day, day)).after(cursor);
    for n in 1_500..2_300 {
        assert_eq!(rest.next().await.unwrap().unwrap().cid, session(n));
    }
    assert!(rest.next().await.unwrap().is_none() && rest.next().await.unwrap().is_none());

    service.octet.apps().revoke(&app.key).await.unwrap();
    assert!(client.bot_stats(Period::Days(day, day)).await.unwrap_err().is_unauthorized());
    assert_eq!(client.bot_verdict(session(0)).or_degraded().await, BotVerdict::degraded());
}

#[tokio::test]
async fn rows_end_with_their_time_and_the_figures_of_whole_hours_stay() {
    let (service, app) = with_app(AppSettings::default()).await;
    let log_options = VisitOptions { retention: Duration::from_secs(24 * 3600), ..VisitOptions::default() };
    let clock: Arc<dyn Clock> = Arc::clone(&service.clock) as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("visits.db");
    let now = service.clock.now().as_millisecond();
    let old = now - 30 * 3_600_000;
    let log = VisitLog::open(Some(&path), log_options, Arc::clone(&clock)).await.unwrap();
    for (session, time_ms) in [("old", old), ("new", now)] {
        let visit = NewVisit {
            app: app.key.clone(),
            session: session.parse().unwrap(),
            time_ms,
            click: None,
            verdict: BotVerdict::new(70, true, BotAction::Flag),
            invalid: false,
        };
        log.record(visit).unwrap();
    }
    log.flush().await;
    drop(log);
    // The writer looks when it starts, and then every minute; the last clone waits for it to end.
    drop(VisitLog::open(Some(&path), log_options, Arc::clone(&clock)).await.unwrap());
    let log = VisitLog::open(Some(&path), log_options, clock).await.unwrap();
    assert!(log.visit(&app.key, &"old".parse().unwrap()).await.unwrap().is_none());
    assert!(log.visit(&app.key, &"new".parse().unwrap()).await.unwrap().is_some());
    let hour = old.div_euclid(3_600_000) * 3_600_000;
    let whole = visits::Period { from: hour, to: now + 1 };
    assert_eq!(log.stats(&app.key, whole).await.unwrap().total, 2);
    let part = visits::Period { from: hour + 60_000, to: now + 1 };
    assert!(matches!(log.stats(&app.key, part).await, Err(Error::FiguresGone)));
}
