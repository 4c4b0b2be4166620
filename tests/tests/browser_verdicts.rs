//! The main job on real input: a person opens the demo shop's page in Chromium, and the shop's backend gets the
//! verdict. Visitors differ in time zone, language and the address from which a proxy forwards them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "browser_verdicts/siblings.rs"]
mod siblings;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use octet::{Alarm, Verdict};
use octet_server::demo::{Demo, Options};
use octet_tests::browser::{self, Visitor};
use octet_tests::forwarder::forward;

/// Addresses of large access networks, one in each country.
const GERMAN_ADDRESS: &str = "84.160.1.1";
const PRIVATE_ADDRESS: &str = "10.1.2.3";

fn frankfurt() -> Options {
    Options {
        bind: IpAddr::from([127, 0, 0, 1]),
        port: 0,
        octet_port: 0,
        profile: octet::Profile::Standard,
        edge_location: Some("50.11,8.68".into()),
        trusted_proxies: Some("127.0.0.0/8".into()),
        forwarded_header: None,
    }
}

/// The verdict that the shop's page shows to `visitor`, who comes from `address`; and whom the browser contacted,
/// but for the shop.
async fn visit(demo: &Demo, visitor: Visitor, address: &str) -> Option<(Verdict, BTreeSet<String>)> {
    let browser = browser::open(visitor).await?;
    let shop = forward(demo.shop(), address.parse().unwrap()).await;
    browser.goto(format!("http://{shop}/")).await.unwrap();
    let json = browser
        .run(
            "for (let i = 0; i < 150; i++) {
                 const verdict = document.querySelector('#verdict pre');
                 if (verdict) return verdict.textContent;
                 await new Promise(resolve => setTimeout(resolve, 100));
             }
             throw new Error(document.body.innerText);",
        )
        .await;
    let verdict = serde_json::from_str(json.as_str().unwrap()).unwrap();
    let mut contacted = browser.quit().await;
    assert!(contacted.remove(&shop.to_string()), "the network log holds the shop: {contacted:?}");
    Some((verdict, contacted))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verdict_follows_what_the_visitor_brings() {
    let demo = Demo::start(&frankfurt()).await.unwrap();

    let Some((home, contacted)) = visit(&demo, Visitor::BERLIN, GERMAN_ADDRESS).await else { return };
    assert!(home.country_in(["DE"]), "{home:?}");
    assert_eq!(home.alarm, Alarm::None, "{home:?}");
    assert!(contacted.is_empty(), "the browser contacted others than the shop's origin: {contacted:?}");

    let (abroad, _) = visit(&demo, Visitor::NEW_YORK, GERMAN_ADDRESS).await.unwrap();
    assert!(abroad.confidence < home.confidence, "{abroad:?} {home:?}");
    assert!(abroad.alarm > Alarm::None, "{abroad:?}");

    let (private, _) = visit(&demo, Visitor::BERLIN, PRIVATE_ADDRESS).await.unwrap();
    assert!(private.country.is_none() || private.country_in(["DE"]), "{private:?}");
    assert!(private.confidence < home.confidence, "{private:?} {home:?}");

    tokio::time::timeout(Duration::from_secs(10), demo.stop()).await.expect("the demo stops").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_landing_page_shows_its_bot_verdict_and_what_the_demo_prints_opens_the_data_api() {
    let demo = Demo::start(&frankfurt()).await.unwrap();
    let Some(browser) = browser::open(Visitor::BERLIN).await else { return };
    let shop = forward(demo.shop(), GERMAN_ADDRESS.parse().unwrap()).await;
    let begun = jiff::Timestamp::now();
    browser.goto(format!("http://{shop}/landing?click_token=click-1")).await.unwrap();
    // A driven browser is asked to verify itself, and does.
    let shown = browser
        .run(
            "const until = async (found) => {
                 for (let i = 0; i < 300; i++) {
                     if (found()) return found();
                     await new Promise(resolve => setTimeout(resolve, 100));
                 }
                 throw new Error(document.body.innerText);
             };
             (await until(() => document.querySelector('octet-challenge')?.shadowRoot?.querySelector('#start'))).click();
             const backend = document.querySelector('#backend');
             await until(() => backend.textContent.includes('{'));
             return [document.querySelector('#page').textContent, backend.textContent];",
        )
        .await;
    let of_page: octet::BotVerdict = serde_json::from_str(shown[0].as_str().unwrap()).unwrap();
    let (decision, of_backend) = shown[1].as_str().unwrap().split_once(": {").unwrap();
    assert_eq!(decision, "a bot: do not pay for this click");
    assert_eq!(serde_json::from_str::<octet::BotVerdict>(&format!("{{{of_backend}")).unwrap(), of_page);
    assert!(of_page.is_bot() && of_page.challenge() == Some(octet::ChallengeOutcome::Passed), "{of_page:?}");

    let printed = demo.greeting();
    let after = |word: &str| printed.split(word).nth(1).unwrap().split('"').next().unwrap().to_owned();
    let (key, secret) = (after("x-app-key: ").parse().unwrap(), after("x-app-secret: ").parse().unwrap());
    let client = octet_client::OctetClient::builder().url(format!("http://{}", demo.octet())).app(key, secret);
    let period = octet_client::Period::Instants(begun, begun + jiff::SignedDuration::from_hours(1));
    let stats = client.build().unwrap().bot_stats(period).await.unwrap();
    assert_eq!((stats.total, stats.bots, stats.by_level.low), (1, 1, 0));
    demo.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_whose_port_is_taken_says_which_flag_to_change() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = Options { port: taken.local_addr().unwrap().port(), ..frankfurt() };
    let error = Demo::start(&options).await.unwrap_err().to_string();
    assert!(error.contains("--port"), "{error}");
}
