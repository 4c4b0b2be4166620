//! `cargo xtask bench edge`: each host with and without the edge, side by side in one run, and `octet-edge` beside
//! nginx. Throughput depends on the machine and on what else runs on it; ratios, instructions and allocations do less.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::programs::{Server, build, free_address, require};
use super::wrk::{Loads, Plan, load_in_turns};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Writes every figure to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// How long one server is loaded in one round
    #[arg(long, default_value_t = 1)]
    seconds: u64,
    /// How many rounds are run; medians are reported, with intervals that hold them with 95 % probability
    #[arg(long, default_value_t = 21)]
    rounds: usize,
    /// What is measured: hosts, proxy, instructions or allocations; all by default
    #[arg(long)]
    only: Option<String>,
}

/// A host, how its bench is built, and what stands in it.
const HOSTS: [(&str, &[&str], &str); 3] = [
    ("axum", AXUM, "edge"),
    ("axum, around the router", AXUM, "around"),
    ("actix-web", &["bench", "-p", "octet-actix", "--bench", "edge", "--no-run"], "edge"),
];
const AXUM: &[&str] = &["bench", "-p", "octet-tower", "--bench", "edge", "--features", "axum", "--no-run"];

/// One of them, built.
struct Host {
    name: &'static str,
    program: PathBuf,
    edge: &'static str,
}

pub(super) fn run(options: &Options) -> Result<()> {
    require(&["taskset", "wrk", "valgrind", "nginx"])?;
    let wanted = |part: &str| options.only.as_ref().is_none_or(|only| only == part);
    let hosts = HOSTS.map(|(name, arguments, edge)| Ok(Host { name, program: build(arguments, "edge")?, edge }));
    let hosts = hosts.into_iter().collect::<Result<Vec<_>>>()?;
    let mut report = serde_json::Map::new();
    let mut add = |part: &str, rows: Vec<Value>| {
        report.insert(part.to_owned(), Value::Array(rows));
    };
    if wanted("allocations") {
        add("allocations", each(&hosts, allocations)?);
    }
    if wanted("instructions") {
        add("instructions", each(&hosts, instructions)?);
    }
    if wanted("hosts") {
        add("hosts", each(&hosts, |host| under_load(host, options))?);
    }
    if wanted("proxy") {
        add("proxy", proxy(&hosts[0].program, options)?);
    }
    if let Some(path) = &options.json {
        fs::write(path, serde_json::to_vec_pretty(&report)?)?;
        println!("written: {}", path.display());
    }
    Ok(())
}

impl Options {
    fn plans(&self) -> Result<[Plan; 2]> {
        ensure!(self.rounds > 0 && self.seconds > 0, "no round, no figure");
        Ok([16, 256].map(|connections| Plan { connections, rounds: self.rounds, seconds: self.seconds }))
    }
}

fn each(hosts: &[Host], measure: impl Fn(&Host) -> Result<Vec<Value>>) -> Result<Vec<Value>> {
    let rows: Result<Vec<_>> = hosts.iter().map(measure).collect();
    Ok(rows?.concat())
}

/// How many allocations one request makes, counted by memcheck.
fn allocations(host: &Host) -> Result<Vec<Value>> {
    a_request(host, "allocations", &["--tool=memcheck"], |line| {
        line.split_once("total heap usage:")?.1.split_once("allocs")?.0.replace(',', "").trim().parse().ok()
    })
}

/// How many instructions one request takes, counted by callgrind.
fn instructions(host: &Host) -> Result<Vec<Value>> {
    a_request(host, "instructions", &["--tool=callgrind", "--callgrind-out-file=/dev/null"], |line| {
        line.split_once("Collected :")?.1.trim().parse().ok()
    })
}

/// What one request costs that is not the edge's, by what valgrind says of two runs of different lengths.
fn a_request(host: &Host, what: &str, tool: &[&str], figure: impl Fn(&str) -> Option<u64>) -> Result<Vec<Value>> {
    const FEW: u64 = 500;
    const MANY: u64 = 2500;
    let count = |kind: &str, requests: u64| -> Result<u64> {
        let mut valgrind = Command::new("valgrind");
        let output = valgrind.args(tool).arg(&host.program).args(["run", kind, &requests.to_string()]).output()?;
        let text = String::from_utf8_lossy(&output.stderr);
        text.lines().find_map(&figure).with_context(|| format!("valgrind said something else: {text}"))
    };
    let one = |kind: &str| -> Result<u64> { Ok((count(kind, MANY)? - count(kind, FEW)?) / (MANY - FEW)) };
    let (bare, identity, edge) = (one("bare")?, one("identity")?, one(host.edge)?);
    let more = edge.cast_signed() - identity.cast_signed();
    let host = host.name;
    println!("{host}: {what} a request: bare {bare}, a layer that does nothing {identity}, the edge {edge} ({more:+})");
    Ok(vec![json!({ "host": host, "bare": bare, "identity": identity, "edge": edge, "more": more })])
}

/// A pass-through GET: without the edge, with a layer that does nothing in its place, and with it. Without it twice says
/// what the machine alone does to a ratio.
fn under_load(host: &Host, options: &Options) -> Result<Vec<Value>> {
    let start = |kind: &str| {
        let addr = free_address()?;
        Server::start("0", addr, &host.program, &["serve", kind, &addr.to_string()])
    };
    let (bare, identity, edge) = (|| start("bare"), || start("identity"), || start(host.edge));
    let host = host.name;
    let measured = options.plans()?.map(|plan| {
        let [bare, again, identity, edge] = load_in_turns([&bare, &bare, &identity, &edge], plan)?;
        let connections = plan.connections;
        println!("{host}, {connections} connections: {}", beside("bare", &bare, "edge", &edge));
        let pairs = [("edge by bare", &edge, &bare), ("edge by identity", &edge, &identity), ("bare by bare", &again, &bare)];
        for (name, one, other) in pairs {
            println!(
                "  {name}: throughput ratio {}, by processor time {}",
                one.throughput_by(other),
                one.processor_by(other)
            );
        }
        Ok(json!({
            "host": host, "connections": connections, "throughputRatio": edge.throughput_by(&bare).json(),
            "bareByBare": again.throughput_by(&bare).json(), "edgeByIdentity": edge.throughput_by(&identity).json(),
            "processorRatio": bare.processor_us() / edge.processor_us(), "processorByBare": edge.processor_by(&bare).json(),
            "processorBareByBare": again.processor_by(&bare).json(),
            "processorByIdentity": edge.processor_by(&identity).json(), "bare": figures(&bare),
            "identity": figures(&identity), "edge": figures(&edge),
        }))
    });
    measured.into_iter().collect()
}

/// `octet-edge` as a reverse proxy beside nginx as one: one worker each, on the same core, before the same app.
fn proxy(app: &Path, options: &Options) -> Result<Vec<Value>> {
    let octet_edge = build(&["build", "--release", "-p", "octet-edge"], "octet-edge")?;
    let app_at = free_address()?;
    let _app = Server::start("1", app_at, app, &["serve", "bare", &app_at.to_string()])?;
    let edge = || {
        let at = free_address()?;
        let flags = [
            "--octet-url=http://127.0.0.1:9".to_owned(),
            "--license=octet_test_v4.public.abc".to_owned(),
            format!("--upstream-url=http://{app_at}"),
            "--bind=127.0.0.1".to_owned(),
            format!("--port={}", at.port()),
            "--workers=1".to_owned(),
            "--edge-log=error".to_owned(),
        ];
        Server::start("0", at, &octet_edge, &flags.each_ref().map(String::as_str))
    };
    let folder = std::env::temp_dir().join(format!("octet-bench-nginx-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let (prefix, config) = (folder.display().to_string(), folder.join("nginx.conf").display().to_string());
    let nginx = || {
        let at = free_address()?;
        fs::write(&config, nginx_config(&app_at.to_string(), &at.to_string()))?;
        Server::start("0", at, Path::new("nginx"), &["-p", &prefix, "-c", &config])
    };
    let rows = options.plans()?.map(|plan| {
        let [nginx, edge] = load_in_turns([&nginx, &edge], plan)?;
        let (ratio, connections) = (edge.throughput_by(&nginx), plan.connections);
        println!(
            "proxy, {connections} connections: {}: throughput ratio {ratio}",
            beside("nginx", &nginx, "octet-edge", &edge)
        );
        Ok(json!({
            "connections": connections, "throughputRatio": ratio.json(), "nginx": figures(&nginx),
            "octet-edge": figures(&edge),
        }))
    });
    fs::remove_dir_all(folder)?;
    rows.into_iter().collect()
}

fn nginx_config(app: &str, listen: &str) -> String {
    format!(
        "daemon off; worker_processes 1; pid nginx.pid; error_log stderr error;
         events {{ worker_connections 2048; }}
         http {{
             access_log off;
             client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
             keepalive_requests 100000000;
             upstream app {{ server {app}; keepalive 64; keepalive_requests 100000000; }}
             server {{
                 listen {listen};
                 location / {{
                     proxy_pass http://app; proxy_http_version 1.1;
                     proxy_set_header Connection \"\"; proxy_set_header Host $host;
                     proxy_set_header X-Forwarded-For $remote_addr;
                 }}
             }}
         }}"
    )
}

/// One server's figures.
fn figures(loads: &Loads) -> Value {
    json!({ "requestsPerSecond": loads.requests_per_second(), "processorUs": loads.processor_us() })
}

/// Two servers as they are printed.
fn beside(one: &str, ones: &Loads, other: &str, others: &Loads) -> String {
    format!(
        "{one} {:.0} requests/s ({:.2} us each), {other} {:.0} ({:.2})",
        ones.requests_per_second(),
        ones.processor_us(),
        others.requests_per_second(),
        others.processor_us()
    )
}
