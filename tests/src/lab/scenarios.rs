//! What is tried in the lab: visits by a real browser over lines of real lengths, and what must come of each.
//!
//! The round trips between cities are those that <https://github.com/sm86/geo-latency-data> states for servers of
//! WonderProxy in 2020 (minimum of a day, rounded to a millisecond).

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use octet::{Alarm, At, LatLon, Outcome, PredicateVerdict, ReasonCode, Region, SessionRef, Verdict};
use octet_client::Lookup;
use octet_geometry::Outline;
use serde_json::Value;

use super::network::{Host, Line, Network};
use super::partner::{Partner, Place, host_name};
use super::proxy;
use crate::browser::{self, Visitor};

/// Where a CONNECT proxy listens.
const PROXY_PORT: u16 = 3128;

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
    /// A proxy stands between.
    proxy: Option<Detour>,
    /// Questions whether the visitor is in a country, and how each must be answered.
    asked: &'static [(&'static str, Outcome)],
    expected: Expected,
}

/// A CONNECT proxy between the visitor and edges.
#[derive(Clone, Copy)]
struct Detour {
    address: Ipv4Addr,
    /// From the visitor to it.
    line: Line,
    /// The only edge that is reached through it; `None`: every edge is.
    only: Option<&'static str>,
}

impl Detour {
    fn leads_to(&self, edge: &str) -> bool {
        self.only.is_none_or(|only| only == edge)
    }

    /// What tells Chromium of it.
    fn argument(&self) -> String {
        let proxy = format!("{}:{PROXY_PORT}", self.address);
        let Some(edge) = self.only else { return format!("--proxy-server=http://{proxy}") };
        let host = host_name(edge);
        let script = format!(
            r#"function FindProxyForURL(url, host) {{ return host == "{host}" ? "PROXY {proxy}" : "DIRECT" }}"#
        );
        format!("--proxy-pac-url=data:application/x-ns-proxy-autoconfig;base64,{}", STANDARD.encode(script))
    }
}

/// What must come of a visit.
enum Expected {
    /// The round trips of the only edge are the line's, and the alarm stays below medium.
    Distance,
    /// The region holds this place.
    Region(&'static str),
    /// The alarm is at least medium.
    Alarm,
    /// Every edge told what it saw, the alarm is at least medium, and there is no region: one of them was left out.
    LeftOut,
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
        asked: &[],
        expected,
    };
    let city = |name, address, time_zone, languages, ms: [u64; 3], center, asked| Scenario {
        name,
        address,
        visitor: Visitor { time_zone, languages },
        page: 0,
        lines: ms.into_iter().map(Line::of_ms).collect(),
        proxy: None,
        asked,
        expected: Expected::Region(center),
    };
    let solo = |line| vec![Line::of_ms(1), Line::of_ms(1), Line::of_ms(1), line];
    let bad = Line { jitter: Duration::from_millis(20), loss: 0.03, ..Line::of_ms(40) };
    vec![
        berlin("one edge, 15 ms", 3, solo(Line::of_ms(15)), Expected::Distance),
        berlin("one edge, 80 ms", 3, solo(Line::of_ms(80)), Expected::Distance),
        berlin("one edge, 200 ms", 3, solo(Line::of_ms(200)), Expected::Distance),
        city("three edges, Vienna", [80, 108, 1, 1], "Europe/Vienna", "de-AT,de", [14, 28, 31], "48.21,16.37", &[]),
        city(
            "three edges, Madrid",
            [83, 32, 1, 1],
            "Europe/Madrid",
            "es-ES,es",
            [33, 24, 51],
            "40.42,-3.70",
            &[("ES", Outcome::Yes), ("US", Outcome::No)],
        ),
        city("three edges, Milan", [79, 0, 1, 1], "Europe/Rome", "it-IT,it", [16, 26, 32], "45.46,9.19", &[]),
        city("three edges, Chicago", [73, 8, 1, 1], "America/Chicago", "en-US,en", [94, 86, 117], "41.88,-87.63", &[]),
        // Of no country's address, and of a browser that tells no zone: only the edges say where it is.
        Scenario {
            address: [100, 64, 1, 1],
            visitor: Visitor { time_zone: "UTC", languages: "en-US,en" },
            asked: &[
                ("CH", Outcome::Indeterminate),
                ("DE", Outcome::Indeterminate),
                ("FR", Outcome::Indeterminate),
                ("US", Outcome::No),
            ],
            ..berlin(
                "three edges, Basel near two borders",
                0,
                [26, 24, 31].map(Line::of_ms).to_vec(),
                Expected::Verdict,
            )
        },
        Scenario {
            proxy: Some(Detour { address: Ipv4Addr::new(73, 8, 2, 2), line: Line::of_ms(2), only: Some("waw") }),
            ..berlin(
                "a sibling sees another network and country",
                0,
                [9, 16, 13].map(Line::of_ms).to_vec(),
                Expected::LeftOut,
            )
        },
        Scenario {
            proxy: Some(Detour { address: Ipv4Addr::new(84, 160, 2, 2), line: Line::of_ms(120), only: None }),
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
    let mut arguments = vec!["--ignore-certificate-errors".to_owned(), names(&PLACES, scenario.proxy)];
    // Where the connections that the edges see end, and where the visitor is.
    let mut end = visitor.clone();
    if let Some(detour) = scenario.proxy {
        end = network.host(detour.address)?;
        network.join(&visitor, &end, detour.line);
        arguments.push(detour.argument());
        let names = PLACES.iter().map(|place| (place.host_name(), place.address)).collect::<HashMap<_, _>>();
        end.start(|| proxy::serve(PROXY_PORT, names));
    }
    for ((edge, place), line) in partner.edges.iter().zip(&PLACES).zip(&scenario.lines) {
        let detoured = scenario.proxy.is_none_or(|detour| detour.leads_to(place.name));
        network.join(if detoured { &end } else { &visitor }, edge, *line);
    }
    drop(partner.told());
    let came = open(&visitor, partner, scenario, arguments);
    let told = partner.told();
    print_rows(scenario, &told, came.as_ref());
    Ok(match came {
        None => Err("no verdict came".to_owned()),
        Some((verdict, answers)) => {
            holds(scenario, &told, &verdict).and_then(|()| answers.iter().zip(scenario.asked).try_for_each(answered))
        }
    })
}

fn names(places: &[Place], proxy: Option<Detour>) -> String {
    let mut rules: Vec<_> = places.iter().map(|place| format!("MAP {} {}", place.host_name(), place.address)).collect();
    rules.extend(["MAP * ~NOTFOUND".to_owned(), "EXCLUDE 127.0.0.1".to_owned()]);
    rules.extend(proxy.map(|detour| format!("EXCLUDE {}", detour.address)));
    format!("--host-resolver-rules={}", rules.join(","))
}

/// Visits the page in a browser at the visitor's host, asks for the verdict, and then the scenario's questions.
fn open(
    host: &Host,
    partner: &std::sync::Arc<Partner>,
    scenario: &Scenario,
    arguments: Vec<String>,
) -> Option<(Verdict, Vec<PredicateVerdict>)> {
    let (partner, visitor, asked, page) =
        (std::sync::Arc::clone(partner), scenario.visitor, scenario.asked, PLACES[scenario.page].host_name());
    host.run(move || async move {
        let browser = browser::open_with(visitor, &arguments).await.expect("Chromium and its driver are installed");
        browser.goto(format!("https://{page}/")).await.unwrap();
        let session = browser.run("return document.querySelector('input').value").await;
        let session: SessionRef = session.as_str().unwrap().parse().unwrap();
        let lookup = partner.client.verdict(&session).wait(Duration::from_secs(15)).await.unwrap();
        browser.quit().await;
        let Lookup::Ready(verdict) = lookup else { return None };
        let mut answers = Vec::new();
        for (country, _) in asked {
            let country = Region::country(country).unwrap();
            answers.push(partner.client.is_within(&session, country, At::Now).await.unwrap());
        }
        Some((verdict, answers))
    })
}

/// Whether a question was answered as it must be: where nothing can be proven, for that reason and no other.
fn answered((answer, (country, expected)): (&PredicateVerdict, &(&str, Outcome))) -> Result<(), String> {
    let reason = match expected {
        Outcome::Indeterminate => ReasonCode::NoProofAtResolution,
        Outcome::Yes | Outcome::No => ReasonCode::Ok,
    };
    if (answer.result, answer.reason) == (*expected, reason) {
        return Ok(());
    }
    Err(format!("whether it is in {country}: {:?}, {:?}", answer.result, answer.reason))
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

fn print_rows(scenario: &Scenario, told: &[Value], came: Option<&(Verdict, Vec<PredicateVerdict>)>) {
    let shown = came.map_or_else(String::new, |(verdict, answers)| {
        let country = verdict.country.map_or_else(|| "-".to_owned(), |country| country.to_string());
        let region = if verdict.feasible_region.is_some() { ", region" } else { "" };
        let asked = scenario.asked.iter().zip(answers);
        let asked: String =
            asked.map(|((country, _), answer)| format!(", in {country}: {:?}", answer.result)).collect();
        format!("{country} {:.2}, alarm {:?}{region}{asked}", verdict.confidence.get(), verdict.alarm)
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
        Expected::LeftOut => {
            demand(told.len() == 3, "not every edge told what it saw")?;
            demand(verdict.alarm >= Alarm::Medium, "the alarm is not raised")?;
            demand(verdict.feasible_region.is_none(), "the sibling was not left out")
        }
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
