//! The collector in windows of engines other than Chromium, opened as a person opens them: no driver stands in
//! between. `cargo xtask prove engines` installs what is missing and runs it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use octet_tests::stack::{self, Setup, Stack};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::clients::{Hellos, one_ja4};

/// How long an engine may take to start and to show a page.
const PATIENCE: Duration = Duration::from_secs(90);

/// An engine by the program that opens a window at a URL, with a profile of its own.
struct Engine {
    name: &'static str,
    program: &'static str,
    fixed: &'static [&'static str],
    /// The flag before the folder of the profile, if it has one.
    profile: Option<&'static str>,
    agent: &'static str,
}

const ENGINES: [Engine; 2] = [
    Engine {
        name: "Firefox ESR",
        program: "/usr/bin/firefox-esr",
        fixed: &["--no-remote", "--new-instance"],
        profile: Some("--profile"),
        agent: "Firefox/",
    },
    Engine {
        name: "WebKitGTK",
        program: "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser",
        fixed: &["--private"],
        profile: None,
        agent: "AppleWebKit/",
    },
];

impl Engine {
    /// A window at `url`, on a screen that nobody sees; it closes with the handle.
    fn open(&self, url: &str, folder: &TempDir) -> Child {
        let mut command = Command::new("/usr/bin/xvfb-run");
        command.args(["-a", self.program]).args(self.fixed);
        if let Some(flag) = self.profile {
            command.arg(flag).arg(folder.path());
        }
        command.arg(url).env("HOME", folder.path()).env("WEBKIT_DISABLE_COMPOSITING_MODE", "1");
        // A group of its own, so that the screen and the helpers of the browser end with it.
        command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        command.spawn().unwrap()
    }
}

/// Ends a window with everything that it started.
async fn close(mut window: Child) {
    if let Some(group) = window.id() {
        let _ = Command::new("/bin/kill").args(["-TERM", "--", &format!("-{group}")]).status().await;
    }
    let _ = tokio::time::timeout(Duration::from_secs(10), window.wait()).await;
}

async fn bundle_after(stack: &Stack, count: usize) -> serde_json::Value {
    let came = async {
        while stack.bundles().len() <= count {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, came).await.expect("the page's bundle comes");
    stack.bundles()[count].clone()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "cargo xtask prove engines"]
async fn the_collector_works_in_every_engine() {
    let stack = stack::start(Setup::default()).await;
    let mut proven = 0;
    for engine in ENGINES {
        if !Path::new(engine.program).exists() || !Path::new("/usr/bin/xvfb-run").exists() {
            println!("skipped: {} is not installed", engine.name);
            continue;
        }
        let (folder, count) = (TempDir::new().unwrap(), stack.bundles().len());
        let window = engine.open(&format!("http://{}/", stack.shop), &folder);
        let bundle = bundle_after(&stack, count).await;
        close(window).await;
        let (signals, seen) = (&bundle["signals"], &bundle["observations"]);
        assert!(seen["headers"]["user-agent"].as_str().unwrap().contains(engine.agent), "{seen}");
        assert_eq!(signals["runtime"], "wasm", "{}", engine.name);
        assert_eq!(seen["channel"]["ticket"], "valid", "{}: {seen}", engine.name);
        let rounds = seen["channel"]["rounds"].as_array().unwrap().len();
        assert!(rounds >= 4, "{}: {seen}", engine.name);
        let facts = signals["facts"].as_object().unwrap();
        let read = facts.values().filter(|fact| !fact.is_null() && fact.get("blocked").is_none()).count();
        println!("{}: {rounds} rounds, {read} of {} facts read", engine.name, facts.len());

        let hellos = Hellos::default();
        let url = format!("https://{}/", hellos.listen().await);
        let mut seen = Vec::new();
        while seen.len() < 10 {
            let window = engine.open(&url, &TempDir::new().unwrap());
            seen.extend(hellos.take(1).await);
            close(window).await;
        }
        one_ja4(engine.name, &seen);
        proven += 1;
    }
    assert!(proven > 0, "no engine is installed");
}
