//! The edge ends TLS itself, in front of the shop: what a real browser's connection tells.

use octet_tests::browser::{self, Visitor};
use octet_tests::stack::{self, Setup};
use tempfile::TempDir;

use crate::support::{certificate, edge, observed};

#[tokio::test(flavor = "multi_thread")]
async fn over_https_and_http2_the_edge_sees_the_browsers_own_connection() {
    let stack = stack::start(Setup::default()).await;
    let folder = TempDir::new().unwrap();
    certificate(folder.path());
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let upstream = format!("--upstream-url=http://{}", stack.shop);
    // The shop's own layer has the usual prefix.
    let tls = ["--edge-tls-cert-file", &file("chain.pem"), "--edge-tls-key-file", &file("key.pem")];
    let edge = edge(&stack, &[&[&*upstream, "--octet-prefix=/edge"], &tls[..]].concat()).await;
    let Some(browser) = browser::open(Visitor::BERLIN).await else { return };
    browser.goto(format!("https://{edge}/bare?csp=default-src%20'self'%20'wasm-unsafe-eval'")).await.unwrap();
    let verify = "return (await octet.verify({ apiUrl: '/edge', sessionRef: 'sess_' + Math.random().toString(36).slice(2) })).completed;";
    assert_eq!(browser.run(verify).await, true);
    let seen = observed(&stack);
    assert_eq!((&seen["peer"]["forwarded"], &seen["httpVersion"]), (&false.into(), &"2".into()), "{seen}");
    let ja4 = seen["tls"]["ja4"].as_str().unwrap();
    // No name stands in the hello to an address, so that the fourth letter says so.
    assert!(ja4.starts_with("t13i") && &ja4[8..10] == "h2" && seen["tls"]["grease"] == true, "{seen}");
    let settings: Vec<_> =
        seen["http2"]["settings"].as_array().unwrap().iter().map(|one| one["id"].as_u64().unwrap()).collect();
    assert!(settings.contains(&4) && seen["http2"]["windowUpdate"].is_u64(), "{seen}");
    assert!(seen["tcp"]["rttUs"].is_u64() && seen["channel"]["tcp"]["rttUs"].is_u64(), "{seen}");
    assert_eq!(seen["channel"]["ticket"], "valid", "{seen}");
    // A second visit resumes the session, on connections of its own: the same client, the same value.
    assert_eq!(browser.run(verify).await, true);
    assert_eq!(observed(&stack)["tls"]["ja4"], ja4);
    let names: Vec<_> = seen["headerNames"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let at = |name: &str| names.iter().position(|other| *other == name).unwrap_or_else(|| panic!("{name}: {names:?}"));
    // The order in which Chromium writes them.
    assert!(at("content-length") < at("user-agent") && at("user-agent") < at("sec-fetch-site"), "{names:?}");
    assert!(at("sec-fetch-site") < at("accept-language"), "{names:?}");
    browser.quit().await;
}
