//! Main-thread time of a collection in Chromium, and a challenge's longest work: serves what is checked in on loopback,
//! drives the browser through chromedriver, and reads the browser's own count of its main thread's processor time. Rounds
//! of the channel are left out (`passiveOnly`): answering one is a copy of eighteen bytes.

use std::io::{BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

const RUNS: usize = 11;
/// How many new browsers make their first assessment.
const FIRSTS: usize = 5;
const GOAL_MS: f64 = 50.0;
/// How much slower a low-end phone is than the machine that measures, and how long it may work on a challenge.
const PHONE: f64 = 6.0;
const CHALLENGE_GOAL_MS: f64 = 3000.0;
const ARGUMENTS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

pub(super) fn run() -> Result<()> {
    let site = TcpListener::bind("127.0.0.1:0")?;
    let origin = format!("http://{}", site.local_addr()?);
    std::thread::spawn(move || site.incoming().flatten().for_each(|stream| drop(serve(&stream))));
    let driver = Driver::start()?;
    for (call, profile) in [("verify", "standard"), ("verify", "full"), ("assess", "standard")] {
        let browser = Browser::open(&driver)?;
        // The first frame, worker and graphics context of a browser's life cost it more than the collector does.
        let first = browser.collection(&origin, call, profile)?;
        let mut times = (0..RUNS).map(|_| browser.collection(&origin, call, profile)).collect::<Result<Vec<_>>>()?;
        times.sort_by(f64::total_cmp);
        let (median, worst) = (times[RUNS / 2], times[RUNS - 1]);
        println!(
            "{call}, {profile}: {median:.1} ms of main-thread time, the median of {RUNS} (worst {worst:.1}, first in a new browser \
             {first:.1}; goal: below {GOAL_MS})"
        );
        if median >= GOAL_MS {
            bail!("a collection takes longer than its goal");
        }
    }
    let mut longest = (0..FIRSTS).map(|_| longest_task_ms(&driver, &origin)).collect::<Result<Vec<_>>>()?;
    longest.sort_by(f64::total_cmp);
    let (median, worst) = (longest[FIRSTS / 2], longest[FIRSTS - 1]);
    println!(
        "assess, first in a new browser: {median:.1} ms of the main thread in its longest task, the median of {FIRSTS} browsers \
         (worst {worst:.1}; goal: below {GOAL_MS})"
    );
    if median >= GOAL_MS {
        bail!("a task of an assessment takes longer than its goal");
    }
    challenge(&Browser::open(&driver)?, &origin)
}

/// The processor time of the longest task of the page's thread, while the first assessment of a browser's life is made:
/// it creates the frame, the worker and the graphics context that later ones find made.
fn longest_task_ms(driver: &Driver, origin: &str) -> Result<f64> {
    let browser = Browser::traced(driver)?;
    browser.post("url", &json!({"url": format!("{origin}/")}))?;
    let ended = browser.post("execute/async", &json!({"script": SCRIPT, "args": ["assess", "full"]}))?;
    if ended != json!(true) {
        bail!("the collection did not complete");
    }
    let entries = browser.post("se/log", &json!({"type": "performance"}))?;
    let events: Vec<Value> =
        entries.as_array().context("chromedriver keeps no trace")?.iter().filter_map(event).collect();
    let mark =
        |name: &str| events.iter().find(|event| event["name"] == name).context("the trace lacks the page's marks");
    let (began, ended) = (mark("octet began")?, mark("octet ended")?);
    let within = |event: &&Value| {
        event["tid"] == began["tid"]
            && event["pid"] == began["pid"]
            && event["name"].as_str().is_some_and(|name| name.ends_with("RunTask"))
            && (began["ts"].as_u64()..=ended["ts"].as_u64()).contains(&event["ts"].as_u64())
    };
    let longest = events.iter().filter(within).filter_map(|event| event["tdur"].as_f64()).fold(0.0, f64::max);
    if longest == 0.0 {
        bail!("the trace has none of the page's tasks");
    }
    Ok(longest / 1000.0)
}

/// An event of the browser's trace, if that is what the driver's log holds.
fn event(entry: &Value) -> Option<Value> {
    let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
    (message["message"]["method"] == "Tracing.dataCollected").then(|| message["message"]["params"].clone())
}

/// All the numbers that an app's challenge has by default, none of which fits.
fn challenge(browser: &Browser<'_>, origin: &str) -> Result<()> {
    browser.post("url", &json!({"url": format!("{origin}/")}))?;
    let measured = || {
        let times = browser.post("execute/async", &json!({"script": CHALLENGE, "args": []}))?;
        times.as_f64().context("the challenge's worker did not work")
    };
    let mut times = (0..RUNS).map(|_| measured()).collect::<Result<Vec<_>>>()?;
    times.sort_by(f64::total_cmp);
    let (median, phone) = (times[RUNS / 2], times[RUNS / 2] * PHONE);
    println!(
        "challenge: {median:.0} ms for all six numbers, the median of {RUNS}; {phone:.0} ms where it takes {PHONE} times as long \
         (goal: below {CHALLENGE_GOAL_MS})"
    );
    if phone >= CHALLENGE_GOAL_MS {
        bail!("a challenge takes longer than its goal");
    }
    Ok(())
}

/// A browser, closed when it is dropped.
struct Browser<'a> {
    driver: &'a Driver,
    session: String,
}

impl<'a> Browser<'a> {
    fn open(driver: &'a Driver) -> Result<Self> {
        Self::with(driver, &json!({"browserName": "chrome", "goog:chromeOptions": {"args": ARGUMENTS}}))
    }

    /// One that keeps a trace of its tasks and of its pages' marks, which costs it time.
    fn traced(driver: &'a Driver) -> Result<Self> {
        let trace = json!({"traceCategories": "toplevel,blink.user_timing"});
        Self::with(
            driver,
            &json!({
                "browserName": "chrome",
                "goog:chromeOptions": {"args": ARGUMENTS, "perfLoggingPrefs": trace},
                "goog:loggingPrefs": {"performance": "ALL"},
            }),
        )
    }

    fn with(driver: &'a Driver, options: &Value) -> Result<Self> {
        let session = driver.post("/session", &json!({"capabilities": {"alwaysMatch": options}}))?;
        let id = session["sessionId"].as_str().context("chromedriver names no session")?;
        Ok(Self { driver, session: format!("/session/{id}") })
    }

    /// The main thread's milliseconds from a page without the collector to the end of its collection.
    fn collection(&self, origin: &str, call: &str, profile: &str) -> Result<f64> {
        self.post("url", &json!({"url": format!("{origin}/")}))?;
        self.devtools("Performance.enable", &json!({"timeDomain": "threadTicks"}))?;
        let before = self.task_ms()?;
        let ended = self.post("execute/async", &json!({"script": SCRIPT, "args": [call, profile]}))?;
        if ended != json!(true) {
            bail!("the collection did not complete");
        }
        Ok(self.task_ms()? - before)
    }

    fn task_ms(&self) -> Result<f64> {
        let metrics = self.devtools("Performance.getMetrics", &json!({}))?;
        let metrics = metrics["metrics"].as_array().context("the browser gives no metrics")?;
        let tasks = metrics.iter().find(|metric| metric["name"] == "TaskDuration");
        let seconds =
            tasks.and_then(|metric| metric["value"].as_f64()).context("the browser does not count its tasks")?;
        Ok(seconds * 1000.0)
    }

    fn devtools(&self, command: &str, parameters: &Value) -> Result<Value> {
        self.post("goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.driver.post(&format!("{}/{path}", self.session), body)
    }
}

impl Drop for Browser<'_> {
    fn drop(&mut self) {
        // A browser that is already gone needs no closing.
        let _ = self.driver.request("DELETE", &self.session, "");
    }
}

/// Loads the collector as a page's tag does, and waits for its end.
const SCRIPT: &str = r#"
    const [call, profile, done] = arguments;
    const tag = document.createElement("script");
    tag.src = "/octet/octet-collector.js";
    tag.dataset.octetProfile = profile;
    tag.dataset.octetRef = "";
    performance.mark("octet began");
    tag.onload = () => {
        tag.dataset.octetRef = "sess_measured";
        octet[call]({ apiUrl: "/octet", sessionRef: "sess_measured", appKey: "app_measured", passiveOnly: true })
            .then((ended) => ended.completed ?? !ended.degraded, () => false)
            .then((ended) => { performance.mark("octet ended"); done(ended); });
    };
    document.head.append(tag);
"#;

/// Has the challenge's worker try six numbers in vain, and tells how long that took.
const CHALLENGE: &str = r#"
    const done = arguments[0];
    const worker = new Worker("/octet/octet-collector.challenge.worker.js");
    let began;
    worker.onerror = () => done(null);
    worker.onmessage = ({ data }) => {
        if (data.ready) {
            began = performance.now();
            const challenge = { algorithm: "argon2id", memoryKib: 8192, iterations: 1, difficulty: 6 };
            worker.postMessage({ challenge: { ...challenge, salt: "A".repeat(22), target: "A".repeat(43) } });
        } else if (data.failed) {
            worker.terminate();
            done(began && performance.now() - began);
        }
    };
    worker.postMessage({ beside: "/octet/octet-collector" });
"#;

const VERDICT: &str =
    r#"{"is_bot":false,"score":0,"level":"low","action":"record_only","consistency":{"ok":true},"degraded":false}"#;

/// Answers one request: an own file, a posted bundle, or an empty page.
fn serve(stream: &TcpStream) -> Result<()> {
    let mut reader = BufReader::new(stream);
    let (start, body) = message(&mut reader)?;
    let path = start.split(' ').nth(1).unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let asset = octet_collector_assets::assets().iter().find(|asset| asset.name == name || asset.hashed_name == name);
    let (status, media_type, content) = match asset {
        Some(asset) => ("200 OK", asset.media_type, asset.plain),
        None if path == "/" => ("200 OK", "text/html", "<!doctype html><title>Octet</title>".as_bytes()),
        None if path == "/octet/v1/signals" && !body.is_empty() => {
            ("202 Accepted", "application/json", "{}".as_bytes())
        }
        None if path == "/octet/v1/assess" && !body.is_empty() => ("200 OK", "application/json", VERDICT.as_bytes()),
        None => ("404 Not Found", "text/plain", "".as_bytes()),
    };
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        content.len()
    )?;
    Ok(stream.write_all(content)?)
}

/// The start line and the body of an HTTP message.
fn message(reader: &mut impl BufRead) -> Result<(String, Vec<u8>)> {
    let mut start = String::new();
    reader.read_line(&mut start)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((start, body))
}

/// A chromedriver of our own, ended with us.
struct Driver {
    process: Child,
    address: String,
}

impl Driver {
    fn start() -> Result<Self> {
        // A port that was free a moment ago: chromedriver names none that it chose itself in a stable way.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let process = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("chromedriver cannot be started; on Debian: `apt-get install chromium chromium-driver`")?;
        let driver = Self { process, address: format!("127.0.0.1:{port}") };
        let started = Instant::now();
        while TcpStream::connect(&driver.address).is_err() {
            if started.elapsed() > Duration::from_secs(20) {
                bail!("chromedriver does not answer");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(driver)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.request("POST", path, &body.to_string())
    }

    fn request(&self, method: &str, path: &str, body: &str) -> Result<Value> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            self.address,
            body.len()
        )?;
        let (_, answer) = message(&mut BufReader::new(stream))?;
        let mut answer: Value = serde_json::from_slice(&answer).context("chromedriver's answer is no JSON")?;
        match answer["value"].take() {
            value if value.get("error").is_some() => bail!("chromedriver: {}", value["message"]),
            value => Ok(value),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody left to tell.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
