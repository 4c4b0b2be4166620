//! A real, headless Chromium under its own driver, with the time zone and language that a test chooses, and the
//! browser's own log of every connection that it made.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use thirtyfour::{CapabilitiesHelper, ChromiumLikeCapabilities, DesiredCapabilities, WebDriver};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// What a visitor's browser is set to.
#[derive(Debug, Clone, Copy)]
pub struct Visitor {
    /// An IANA time zone, as `TZ`.
    pub time_zone: &'static str,
    /// The languages, most preferred first, as `--accept-lang`.
    pub languages: &'static str,
}

impl Visitor {
    /// A visitor at home in Berlin.
    pub const BERLIN: Self = Self { time_zone: "Europe/Berlin", languages: "de-DE,de" };
    /// A visitor whose browser says New York.
    pub const NEW_YORK: Self = Self { time_zone: "America/New_York", languages: "en-US,en" };
}

/// A running browser; derefs to its [`WebDriver`].
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    process: Child,
    profile: TempDir,
}

impl Deref for Browser {
    type Target = WebDriver;

    fn deref(&self) -> &WebDriver {
        &self.driver
    }
}

/// Starts a browser, or says why the test is skipped and returns `None`.
///
/// # Panics
///
/// When a browser is there and does not start, and when none is there although
/// `OCTET_TESTS_REQUIRE_BROWSER` asks for one, as `cargo xtask test` does.
pub async fn open(visitor: Visitor) -> Option<Browser> {
    open_with(visitor, &[]).await
}

/// Starts a browser with these arguments too; one of the same name as a usual one stands in its place.
///
/// # Panics
///
/// As [`open`].
pub async fn open_with(visitor: Visitor, arguments: &[String]) -> Option<Browser> {
    if !Path::new("/usr/bin/chromedriver").exists() {
        let missing = "Debian's chromium and chromium-driver are not installed; `cargo xtask test` installs them";
        assert!(std::env::var_os("OCTET_TESTS_REQUIRE_BROWSER").is_none(), "{missing}");
        println!("skipped: {missing}");
        return None;
    }
    let profile = TempDir::new().unwrap();
    let (process, port) = start_driver(visitor).await;
    let mut capabilities = DesiredCapabilities::chrome();
    let first = visitor.languages.split(',').next().unwrap_or_default();
    let usual = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--enable-unsafe-swiftshader",
        "--window-size=1280,900",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        &format!("--lang={first}"),
        &format!("--accept-lang={}", visitor.languages),
        &format!("--user-data-dir={}", profile.path().join("profile").display()),
        &format!("--log-net-log={}", profile.path().join("net.json").display()),
    ];
    let name = |argument: &str| argument.split('=').next().unwrap_or_default().to_owned();
    let replaced = |argument: &&str| arguments.iter().any(|other| name(other) == name(argument));
    for argument in usual.into_iter().filter(|argument| !replaced(argument)).chain(arguments.iter().map(String::as_str))
    {
        capabilities.add_arg(argument).unwrap();
    }
    // The certificates of tests are their own.
    capabilities.accept_insecure_certs(true).unwrap();
    let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities).await.unwrap();
    driver.set_script_timeout(Duration::from_secs(20)).await.unwrap();
    Some(Browser { driver, process, profile })
}

async fn start_driver(visitor: Visitor) -> (Child, u16) {
    let mut process = Command::new("/usr/bin/chromedriver")
        .arg("--port=0")
        .env("TZ", visitor.time_zone)
        .env("LANGUAGE", visitor.languages.replace('-', "_").replace(',', ":"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some(port) = line.strip_suffix('.').and_then(|line| line.rsplit(' ').next()?.parse().ok()) {
            // The driver must never wait for a reader of its output.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return (process, port);
        }
    }
    panic!("chromedriver ended before it said on which port it listens");
}

impl Browser {
    /// Runs `script`, an async function's body, in the page, and returns what it returns.
    ///
    /// # Panics
    ///
    /// When the script throws.
    pub async fn run(&self, script: &str) -> Value {
        let wrapped = format!(
            "const done = arguments[arguments.length - 1];
             (async () => {{ {script} }})().then(
                 value => done({{ value: value === undefined ? null : value }}),
                 error => done({{ error: `${{error && error.name}}: ${{error && error.message}}` }}));"
        );
        let answer = self.driver.execute_async(wrapped, Vec::new()).await.unwrap();
        let answer = answer.json();
        assert!(answer.get("error").is_none(), "the page's script failed: {}", answer["error"]);
        answer["value"].clone()
    }

    /// Ends the browser and returns the host (and port) of every request of its pages, their workers and frames,
    /// from the browser's own network log.
    ///
    /// # Panics
    ///
    /// When the browser does not end.
    pub async fn quit(mut self) -> BTreeSet<String> {
        self.driver.clone().quit().await.unwrap();
        self.process.kill().await.unwrap();
        let log = std::fs::read_to_string(self.profile.path().join("net.json")).unwrap();
        contacted(&log)
    }
}

/// The hosts in a network log that a page's own requests went to. The browser's errands for itself (updates,
/// probes of the network) have no page that they belong to; they are kept from leaving the machine.
fn contacted(log: &str) -> BTreeSet<String> {
    let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line.trim_end_matches(',')).ok());
    let of_a_page = events.filter(|event| {
        ["initiator", "network_isolation_key"]
            .iter()
            .any(|key| event["params"][key].as_str().is_some_and(|origin| origin.starts_with("http://127.0.0.1")))
    });
    let host = |event: Value| {
        let (_, rest) = event["params"]["url"].as_str()?.split_once("://")?;
        rest.split(['/', '?', '#']).next().map(str::to_owned)
    };
    of_a_page.filter_map(host).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_contacts_another_host_is_seen() {
        let log = r#"{"constants":{},"events":[
{"params":{"initiator":"http://127.0.0.1:9","network_isolation_key":"http://127.0.0.1:9 http://127.0.0.1:9","url":"https://tracker.example/x?y"},"type":1},
{"params":{"initiator":"not an origin","network_isolation_key":"http://127.0.0.1:9 http://127.0.0.1:9","url":"ws://127.0.0.1:9/octet"},"type":1},
{"params":{"initiator":"not an origin","network_isolation_key":"null null","url":"https://update.example/"},"type":1}]}"#;
        let hosts: Vec<_> = contacted(log).into_iter().collect();
        assert_eq!(hosts, ["127.0.0.1:9", "tracker.example"]);
    }
}
