//! What sibling edges report, and how it is joined with the bundle that brings their tickets.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use octet::license::LicensedEdge;
use octet_server::NewLicense;
use serde_json::{Value, json};

use crate::common::{AMERICAN, Answer, GERMAN, Service, body, observations, service, signals};

/// A bundle from Frankfurt's edge that brings these siblings' tickets, from a browser in Berlin.
fn bundle(session: &str, tickets: &[&str]) -> String {
    let mut signals = signals(session);
    let sibling = |ticket: &&str| json!({ "state": "complete", "ticket": ticket });
    signals["siblings"] = tickets.iter().map(sibling).collect();
    let mut seen = observations(GERMAN);
    seen["edge"]["position"] = json!({ "lat": 50.11, "lon": 8.68 });
    body(&signals, &seen)
}

/// What the edge `id` saw of the browser: its address, and that it is `rtt_ms` away.
fn report(session: &str, (id, lat, lon, rtt_ms): (&str, f64, f64, f64), address: &str) -> Value {
    let mut seen = observations(address);
    seen["edge"] = json!({ "id": id, "position": { "lat": lat, "lon": lon } });
    let round = |round: u32| json!({ "round": round, "rttUs": (rtt_ms * 1000.0) as u32 + round });
    seen["channel"] = json!({ "ticket": "missing", "rounds": (0..4).map(round).collect::<Vec<_>>() });
    json!({ "sessionRef": session, "ticket": format!("of.{id}"), "observations": seen })
}

const PARIS: (&str, f64, f64, f64) = ("par1", 48.86, 2.35, 19.0);
const WARSAW: (&str, f64, f64, f64) = ("waw1", 52.23, 21.01, 13.0);
const BOTH: [&str; 2] = ["of.par1", "of.waw1"];

async fn tell(service: &Service, license: &str, report: impl ToString) -> Answer {
    let request = Request::post("/v1/observations").header("x-octet-license", license);
    service.send(request.body(Body::from(report.to_string())).unwrap()).await
}

async fn told(service: &Service, report: Value) {
    let answer = tell(service, service.license.expose(), report).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (202, r#"{"status":"accepted"}"#));
}

#[tokio::test]
async fn three_edges_that_report_in_time_draw_a_region() {
    let service = service().await;
    for edge in [PARIS, WARSAW] {
        told(&service, report("s", edge, GERMAN)).await;
    }
    assert_eq!(service.forward(bundle("s", &BOTH)).await.status, 202);
    let verdict = service.ask("s").await.json;
    assert_eq!((&verdict["country"], &verdict["alarm"]), (&json!("DE"), &json!("none")), "{verdict}");
    assert!(verdict["feasibleRegion"].as_array().is_some_and(|outline| outline.len() >= 3), "{verdict}");
    assert_eq!(service.octet.counts().siblings_joined, 2);

    assert_eq!(service.forward(bundle("alone", &[])).await.status, 202);
    assert_eq!(service.ask("alone").await.json.get("feasibleRegion"), None);
}

#[tokio::test(start_paused = true)]
async fn a_bundle_waits_for_the_siblings_that_it_names_and_no_longer_than_three_tenths_of_a_second() {
    let service = service().await;
    let start = tokio::time::Instant::now();
    assert_eq!(service.forward(bundle("none", &[])).await.status, 202);
    assert_eq!(start.elapsed(), Duration::ZERO, "no sibling was contacted");

    let (forwarded, ()) = tokio::join!(service.forward(bundle("s", &BOTH)), async {
        told(&service, report("s", PARIS, GERMAN)).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        told(&service, report("s", WARSAW, GERMAN)).await;
    });
    assert_eq!(forwarded.status, 202);
    assert_eq!(start.elapsed(), Duration::from_millis(200));
    assert!(service.ask("s").await.json["feasibleRegion"].is_array());

    let start = tokio::time::Instant::now();
    assert_eq!(service.forward(bundle("late", &BOTH)).await.status, 202);
    assert!((300..310).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    told(&service, report("late", PARIS, GERMAN)).await;
    let counts = service.octet.counts();
    assert_eq!((counts.siblings_joined, counts.siblings_dropped), (2, 1));
    assert_eq!(service.forward(bundle("late", &BOTH)).await.status, 202, "the same bytes again wait for nobody");
    assert!((300..310).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_report_whose_ticket_the_bundle_does_not_bring_counts_for_nothing() {
    let service = service().await;
    for edge in [PARIS, WARSAW] {
        told(&service, report("s", edge, GERMAN)).await;
    }
    service.forward(bundle("s", &["of.par1", "made.up"])).await;
    assert_eq!(service.octet.counts().siblings_joined, 1);
    assert_eq!(service.ask("s").await.json.get("feasibleRegion"), None);

    // The bundle's own edge counts once, whatever it reports besides.
    let itself = ("fra1", 50.11, 8.68, 9.0);
    for edge in [PARIS, itself] {
        told(&service, report("t", edge, GERMAN)).await;
    }
    service.forward(bundle("t", &["of.par1", "of.fra1"])).await;
    assert_eq!(service.ask("t").await.json.get("feasibleRegion"), None);
}

#[tokio::test(start_paused = true)]
async fn reports_are_taken_under_a_licence_of_the_same_partner_for_the_edge_that_it_names() {
    let service = service().await;
    service.octet.partners().add("other").await.unwrap();
    let issue = async |license: NewLicense| service.octet.licenses().issue(license).await.unwrap().key;
    let other = issue(NewLicense::browser("other")).await;
    let paris = LicensedEdge { id: "par1".parse().unwrap(), position: Some("48.86,2.35".parse().unwrap()) };
    let named = issue(NewLicense::browser("shop").edges(vec![paris])).await;
    for (license, edge, status, code) in [
        ("", PARIS, 401, "license_rejected"),
        (named.expose(), WARSAW, 403, "license_edge_refused"),
        (named.expose(), ("par1", 48.0, 2.35, 19.0), 403, "license_edge_refused"),
        (named.expose(), PARIS, 202, "no code"),
        (other.expose(), WARSAW, 202, "no code"),
    ] {
        let answer = tell(&service, license, report("s", edge, GERMAN)).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (status, code), "{edge:?}");
    }
    service.forward(bundle("s", &BOTH)).await;
    assert_eq!(service.octet.counts().siblings_joined, 1, "another partner's edge reports of another session");
}

#[tokio::test]
async fn a_malformed_report_is_refused_and_nothing_of_it_repeated() {
    let service = service().await;
    let license = service.license.expose();
    let sound = report("s", PARIS, GERMAN);
    let without = |field: &str| {
        let mut report = sound.clone();
        report.as_object_mut().unwrap().remove(field);
        report.to_string()
    };
    for body in ["", "secret", "[]", &without("ticket"), &without("sessionRef"), &"[".repeat(100)] {
        let answer = tell(&service, license, body).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, "malformed_bundle"), "{body}");
        assert!(!answer.text.contains("secret") && !answer.text.contains("of.par1"));
    }
    assert_eq!(tell(&service, license, " ".repeat(200_000)).await.status, 413);
}

#[tokio::test(start_paused = true)]
async fn reports_that_no_bundle_comes_for_are_forgotten() {
    let service = service().await;
    for edge in [PARIS, WARSAW] {
        told(&service, report("s", edge, GERMAN)).await;
    }
    service.clock.advance(Duration::from_secs(20));
    service.forward(bundle("s", &BOTH)).await;
    assert_eq!(service.octet.counts().siblings_joined, 0);
}

#[tokio::test]
async fn a_sibling_that_saw_another_network_and_country_raises_the_alarm() {
    let service = service().await;
    for (edge, address) in [(PARIS, GERMAN), (WARSAW, AMERICAN)] {
        told(&service, report("s", edge, address)).await;
    }
    service.forward(bundle("s", &BOTH)).await;
    let verdict = service.ask("s").await.json;
    assert!(matches!(verdict["alarm"].as_str(), Some("medium" | "high")), "{verdict}");
    assert_eq!(verdict.get("feasibleRegion"), None, "two edges are left: {verdict}");
}
