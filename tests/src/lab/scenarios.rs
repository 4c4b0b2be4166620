//! What is tried in the lab: visits by a real browser over lines of real lengths, and what must come of each.
//!
//! The round trips between cities are those that <https://github.com/sm86/geo-latency-data> states for servers of
//! WonderProxy in 2020 (minimum of a day, rounded to a millisecond).

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use octet::{Alarm, LatLon, SessionRef, Verdict};
use octet_client::Lookup;
use octet_geometry::Outline;
use serde_json::Value;

use super::network::{Host, Line, Network};
use super::partner::{Partner, Place};
use super::proxy;
use crate::browser::{self, Visitor};

const PROXY: Ipv4Addr = Ipv4Addr::new(84, 160, 2, 2);

/// The first serves a page and has two siblings; the last stands beside it and has none.
const PLACES: [Place; 4] = [
    Place { peers: &["lon", "waw"], ..place("fra", "50.11,8.68", 1) },
    Place { is_program: true, ..place("lon", "51.51,-0.13", 2) },
    Place { is_program: true, ..place("waw", "52.23,21.01", 3) },
    place("solo", "50.11,8.68", 4),
];

const fn place(name: &'static str, position: &'static str, last: u8) -> Place {
    Place { name, position, address: Ipv4Addr::new(203, 0, 113, last), peers: &[], is_program: false }
}

/// One visit.
struct Scenario {
    name: &'static str,
    /// In a large access network of the country.
    address: [u8; 4],
    visitor: Visitor,
    /// The edge whose page is visited.
    page: usize,
    /// The line to each edge, in the order of the places.
    lines: Vec<Line>,
    /// A proxy stands between, this far from the visitor.
    proxy: Option<Line>,
    expected: Expected,
}

/// What must come of a visit.
enum Expected {
    /// The round trips of the only edge are the line's, and the alarm stays below medium.
    Distance,
    /// The region holds this place.
    Region(&'static str),
    /// The alarm is at least medium.
    Alarm,
    /// The service has a verdict for a line that is bad.
    Verdict,
}

fn scenarios() -> Vec<Scenario> {
    let berlin = |name, page, lines, expected| Scenario {
        name,
        address: [84, 160, 1, 1],
        visitor: Visitor::BERLIN,
        page,
        lines,
        proxy: None,
        expected,
    };
    let city = |name, address, time_zone, languages, ms: [u64; 3], center| Scenario {
        name,
        address,
        visitor: Visitor { time_zone, languages },
        page: 0,
        lines: ms.into_iter().map(Line::of_ms).collect(),
        proxy: None,
        expected: Expected::Region(center),
    };
    let solo = |line| vec![Line::of_ms(1), Line::of_ms(1), Line::of_ms(1), line];
    let bad = Line { jitter: Duration::from_millis(20), loss: 0.03, ..Line::of_ms(40) };
    vec![
        berlin("one edge, 15 ms", 3, solo(Line::of_ms(15)), Expected::Distance),
        berlin("one edge, 80 ms", 3, solo(Line::of_ms(80)), Expected::Distance),
        berlin("one edge, 200 ms", 3, solo(Line::of_ms(200)), Expected::Distance),
        city("three edges, Vienna", [80, 108, 1, 1], "Europe/Vienna", "de-AT,de", [14, 28, 31], "48.21,16.37"),
        city("three edges, Madrid", [83, 32, 1, 1], "Europe/Madrid", "es-ES,es", [33, 24, 51], "40.42,-3.70"),
        city("three edges, Milan", [79, 0, 1, 1], "Europe/Rome", "it-IT,it", [16, 26, 32], "45.46,9.19"),
        city("three edges, Chicago", [73, 8, 1, 1], "America/Chicago", "en-US,en", [94, 86, 117], "41.88,-87.63"),
        Scenario {
            proxy: Some(Line::of_ms(120)),
            ..berlin("CONNECT proxy near the edge, visitor 120 ms behind it", 3, solo(Line::of_ms(10)), Expected::Alarm)
        },
        // The tunnel's end has the address of another country than the delay leaves room for.
        Scenario {
            visitor: Visitor { time_zone: "Asia/Tokyo", languages: "ja-JP,ja" },
            ..berlin("far L3 hop: German address, 240 ms away", 3, solo(Line::of_ms(240)), Expected::Alarm)
        },
        berlin("far L3 hop, three edges", 0, [212, 226, 229].map(Line::of_ms).to_vec(), Expected::Alarm),
        berlin("loss of 3 %, jitter up to 20 ms each way", 3, solo(bad), Expected::Verdict),
    ]
}

/// Runs every scenario, and prints a row for each; returns the names of those that failed.
///
/// # Errors
///
/// Where the lab cannot be: without root, `/dev/net/tun` or `ip`.
///
/// # Panics
///
/// When the partner's world does not start.
pub fn run(only: Option<&str>) -> std::io::Result<Vec<&'static str>> {
    let network = Network::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let partner = std::sync::Arc::new(runtime.block_on(Partner::start(&network, &PLACES))?);
    println!("{:<52} {:<6} {:>9} {:>10} {:>8}  verdict", "scenario", "edge", "line ms", "browser ms", "TCP ms");
    let mut failed = Vec::new();
    for scenario in scenarios().into_iter().filter(|one| only.is_none_or(|only| one.name.contains(only))) {
        let name = scenario.name;
        if let Err(reason) = visit(&network, &partner, &scenario)? {
            println!("    FAILED: {reason}");
            failed.push(name);
        }
    }
    Ok(failed)
}

fn visit(
    network: &Network,
    partner: &std::sync::Arc<Partner>,
    scenario: &Scenario,
) -> std::io::Result<Result<(), String>> {
    let visitor = network.host(scenario.address.into())?;
    let mut arguments = vec!["--ignore-certificate-errors".to_owned(), names(&PLACES)];
    // Where the connections that the edges see end, and where the visitor is.
    let end = match scenario.proxy {
        Some(line) => {
            let proxy = network.host(PROXY)?;
            network.join(&visitor, &proxy, line);
            arguments.push(format!("--proxy-server=http://{}:3128", proxy.address()));
            let names = PLACES.iter().map(|place| (place.host_name(), place.address)).collect::<HashMap<_, _>>();
            proxy.start(|| proxy::serve(names));
            proxy
        }
        None => visitor.clone(),
    };
    for (edge, line) in partner.edges.iter().zip(&scenario.lines) {
        network.join(&end, edge, *line);
    }
    drop(partner.told());
    let verdict = open(&visitor, partner, scenario, arguments);
    let told = partner.told();
    print_rows(scenario, &told, verdict.as_ref());
    Ok(match verdict {
        None => Err("no verdict came".to_owned()),
        Some(verdict) => holds(scenario, &told, &verdict),
    })
}

fn names(places: &[Place]) -> String {
    let known: Vec<_> = places.iter().map(|place| format!("MAP {} {}", place.host_name(), place.address)).collect();
    format!("--host-resolver-rules={},MAP * ~NOTFOUND,EXCLUDE 127.0.0.1,EXCLUDE {PROXY}", known.join(","))
}

/// Visits the page in a browser at the visitor's host, and asks for the verdict.
fn open(
    host: &Host,
    partner: &std::sync::Arc<Partner>,
    scenario: &Scenario,
    arguments: Vec<String>,
) -> Option<Verdict> {
    let (partner, visitor, page) =
        (std::sync::Arc::clone(partner), scenario.visitor, PLACES[scenario.page].host_name());
    host.run(move || async move {
        let browser = browser::open_with(visitor, &arguments).await.expect("Chromium and its driver are installed");
        browser.goto(format!("https://{page}/")).await.unwrap();
        let session = browser.run("return document.querySelector('input').value").await;
        let session: SessionRef = session.as_str().unwrap().parse().unwrap();
        let lookup = partner.client.verdict(&session).wait(Duration::from_secs(15)).await.unwrap();
        browser.quit().await;
        match lookup {
            Lookup::Ready(verdict) => Some(verdict),
            Lookup::Pending => None,
        }
    })
}

/// What one edge told of the channel: its name, and the smallest round trip of the browser and of the connection.
fn channels(told: &[Value]) -> Vec<(String, Option<f64>, Option<f64>)> {
    let ms = |us: &Value| us.as_f64().map(|us| us / 1000.0);
    let channel = |body: &Value| {
        let seen = &body["observations"];
        let rounds = seen["channel"]["rounds"].as_array().into_iter().flatten();
        let browser = rounds.filter_map(|round| ms(&round["rttUs"])).min_by(f64::total_cmp);
        let edge = seen["edge"]["id"].as_str().unwrap_or("?").to_owned();
        (edge, browser, ms(&seen["channel"]["tcp"]["minRttUs"]))
    };
    told.iter().map(channel).collect()
}

fn print_rows(scenario: &Scenario, told: &[Value], verdict: Option<&Verdict>) {
    let shown = verdict.map_or_else(String::new, |verdict| {
        let country = verdict.country.map_or_else(|| "-".to_owned(), |country| country.to_string());
        let region = if verdict.feasible_region.is_some() { ", region" } else { "" };
        format!("{country} {:.2}, alarm {:?}{region}", verdict.confidence.get(), verdict.alarm)
    });
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"));
    for (row, (edge, browser, tcp)) in channels(told).into_iter().enumerate() {
        let line = PLACES.iter().position(|place| place.name == edge).and_then(|index| scenario.lines.get(index));
        let (name, verdict) = if row == 0 { (scenario.name, shown.as_str()) } else { ("", "") };
        let line = number(line.map(|line| line.round_trip.as_secs_f64() * 1000.0));
        println!("{name:<52} {edge:<6} {line:>9} {:>10} {:>8}  {verdict}", number(browser), number(tcp));
    }
}

fn holds(scenario: &Scenario, told: &[Value], verdict: &Verdict) -> Result<(), String> {
    let demand = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
    match scenario.expected {
        Expected::Verdict => Ok(()),
        Expected::Alarm => demand(verdict.alarm >= Alarm::Medium, "the alarm is not raised"),
        Expected::Region(center) => {
            demand(told.len() == 3, "not every edge told what it saw")?;
            let region = verdict.feasible_region.as_ref().ok_or("there is no region")?;
            let vertices = region.vertices().iter().map(|vertex| (vertex.lat(), vertex.lon())).collect();
            let outline = Outline::from_unwrapped(vertices).ok_or("the region is no outline")?;
            let center: LatLon = center.parse().map_err(|_| "the city has no place")?;
            demand(outline.contains(center), "the region does not hold the city")
        }
        Expected::Distance => {
            let line = scenario.lines[scenario.page].round_trip.as_secs_f64() * 1000.0;
            let near = |ms: Option<f64>| ms.is_some_and(|ms| ms >= line && ms < line + 10.0);
            let seen = channels(told);
            demand(
                seen.iter().all(|(_, browser, tcp)| near(*browser) && near(*tcp)),
                "a round trip is not the line's",
            )?;
            demand(verdict.alarm < Alarm::Medium, "the alarm is raised")
        }
    }
}
