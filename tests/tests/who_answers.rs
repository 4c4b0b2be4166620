//! Who decides a session, through a real edge: second browsers, retries, contested channels, bundles without a
//! ticket, and tools that dress up as browsers.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::{Duration, Instant};

use http::StatusCode;
use octet::{Alarm, BotAction, BotLevel, SessionRef, Verdict};
use octet_client::{BotLookup, Lookup};
use octet_tests::hand_made::{HandMade, bundle};
use octet_tests::stack::{self, Setup, Stack};
use serde_json::json;

const GERMAN: &str = "84.160.1.1";
const GERMAN_NEIGHBOUR: &str = "84.160.1.9";
const AMERICAN: &str = "73.162.1.1";

async fn read(stack: &Stack, session: &SessionRef) -> Verdict {
    match stack.client.verdict(session).await.unwrap() {
        Lookup::Ready(verdict) => verdict,
        Lookup::Pending => panic!("there is no verdict"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_browser_on_another_network_changes_nothing_before_and_after_the_reading() {
    let stack = stack::start(Setup::default()).await;
    let session = SessionRef::mint();
    HandMade::new(stack.shop, GERMAN).visit(&session, "Europe/Berlin", "de-DE").await;
    let second = HandMade::new(stack.shop, AMERICAN);
    assert_eq!(second.channel(&session).await.unwrap_err(), StatusCode::CONFLICT);
    let other = || bundle(&session, "America/New_York", "en-US", None);
    assert_eq!(second.post(other()).await.0, StatusCode::ACCEPTED);
    let verdict = read(&stack, &session).await;
    assert!(verdict.country_in(["DE"]), "{verdict:?}");
    assert_eq!(second.post(other()).await.0, StatusCode::ACCEPTED);
    assert_eq!(read(&stack, &session).await, verdict);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_the_same_bytes_changes_nothing_and_different_ones_raise_the_alarm() {
    let stack = stack::start(Setup::default()).await;
    let (calm, raised) = (SessionRef::mint(), SessionRef::mint());
    let visitor = HandMade::new(stack.shop, GERMAN);
    let bytes = visitor.visit(&calm, "Europe/Berlin", "de-DE").await;
    assert_eq!(visitor.post(bytes).await.0, StatusCode::ACCEPTED);
    visitor.visit(&raised, "Europe/Berlin", "de-DE").await;
    let neighbour = HandMade::new(stack.shop, GERMAN_NEIGHBOUR);
    neighbour.post(bundle(&raised, "Europe/Berlin", "de-DE", None)).await;
    let (calm, raised) = (read(&stack, &calm).await, read(&stack, &raised).await);
    assert_eq!(calm.alarm, Alarm::None);
    assert!(raised.alarm > calm.alarm, "{raised:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_without_its_ticket_is_capped() {
    let stack = stack::start(Setup::default()).await;
    let visitor = HandMade::new(stack.shop, GERMAN);
    let (without, with) = (SessionRef::mint(), SessionRef::mint());
    visitor.channel(&without).await.unwrap();
    visitor.post(bundle(&without, "Europe/Berlin", "de-DE", None)).await;
    visitor.visit(&with, "Europe/Berlin", "de-DE").await;
    let (without, with) = (read(&stack, &without).await, read(&stack, &with).await);
    assert!(without.confidence <= 0.5 && without.alarm >= Alarm::Low, "{without:?}");
    assert!(with.confidence > 0.5 && with.alarm == Alarm::None, "{with:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_with_a_browsers_headers_and_a_minimal_bundle_is_capped() {
    let stack = stack::start(Setup::default()).await;
    let session = SessionRef::mint();
    let minimal = json!({ "schema": 1, "id": "b1", "sessionRef": session, "collector": "0.1.0", "runtime": "wasm",
        "profile": "essential", "facts": { "timeZone": "Europe/Berlin" } });
    let (status, body) = HandMade::new(stack.shop, GERMAN).post(minimal.to_string()).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{body}");
    let verdict = read(&stack, &session).await;
    assert!(verdict.confidence <= 0.5 && verdict.alarm > Alarm::None, "{verdict:?}");
}

/// Fetches the shop's page with curl, and reads the session that it was given.
async fn curl(stack: &Stack, arguments: &[&str]) -> SessionRef {
    let mut curl = tokio::process::Command::new("curl");
    let fetched = curl
        .args(["--disable", "--silent", "--noproxy", "*"])
        .args(arguments)
        .arg(format!("http://{}/", stack.shop))
        .output()
        .await
        .unwrap();
    let page = String::from_utf8(fetched.stdout).unwrap();
    let (_, rest) = page.split_once("value=\"os1_").unwrap();
    format!("os1_{}", rest.split('"').next().unwrap()).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_that_fetches_a_page_is_a_bots_visit_under_its_own_name_and_under_a_browsers() {
    let stack = stack::start(Setup { app: true, ..Setup::default() }).await;
    let browser =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
    for (arguments, level) in [(&[][..], BotLevel::Critical), (&["--user-agent", browser], BotLevel::High)] {
        // The edge asks for its settings in the background; pages before that are not told of.
        let told = async {
            loop {
                let session = curl(&stack, arguments).await;
                if let BotLookup::Degraded(visit) =
                    stack.client.bot_verdict(&session).wait(Duration::from_secs(1)).await.unwrap()
                {
                    return visit.verdict;
                }
            }
        };
        let verdict = tokio::time::timeout(Duration::from_secs(60), told).await.unwrap();
        assert!(verdict.is_unread() && verdict.is_bot(), "{verdict:?}");
        assert_eq!((verdict.level(), verdict.action()), (level, BotAction::RecordOnly));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_backends_view_of_the_visitor_chooses_among_bundles() {
    let stack = stack::start(Setup::default()).await;
    let session = SessionRef::mint();
    HandMade::new(stack.shop, AMERICAN).post(bundle(&session, "America/New_York", "en-US", None)).await;
    HandMade::new(stack.shop, GERMAN).post(bundle(&session, "Europe/Berlin", "de-DE", None)).await;
    let visitor: std::net::IpAddr = GERMAN_NEIGHBOUR.parse().unwrap();
    let answer = stack.client.verdict(&session).visitor_ip(visitor).await.unwrap();
    assert!(matches!(&answer, Lookup::Ready(verdict) if verdict.country_in(["DE"])), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiter_that_came_first_is_answered_as_soon_as_the_bundle_is() {
    let stack = stack::start(Setup::default()).await;
    let session = SessionRef::mint();
    let request = stack.client.verdict(&session).wait(Duration::from_secs(10));
    let waiter = tokio::spawn(async move { (request.await, Instant::now()) });
    let bytes = bundle(&session, "Europe/Berlin", "de-DE", None);
    let (status, _) = HandMade::new(stack.shop, GERMAN).post(bytes).await;
    let accepted = Instant::now();
    assert_eq!(status, StatusCode::ACCEPTED);
    let (answer, answered) = waiter.await.unwrap();
    assert!(matches!(answer.unwrap(), Lookup::Ready(_)));
    // Both answers leave Octet together; a whole second would be a poll.
    assert!(answered.saturating_duration_since(accepted) < Duration::from_secs(1));
}
