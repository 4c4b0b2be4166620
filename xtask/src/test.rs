//! `cargo xtask test`: everything that CI runs, in order, stopping at the first failure.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Runs only the steps whose name contains this text
    #[arg(long)]
    only: Option<String>,
    /// Names the steps and runs none
    #[arg(long)]
    list: bool,
}

/// What a step came to when it did not fail.
pub(crate) enum Outcome {
    Passed,
    Skipped(String),
}

struct Step {
    name: &'static str,
    run: fn() -> Result<Outcome>,
}

const STEPS: &[Step] = &[
    Step { name: "format", run: || cargo(&["fmt", "--all", "--check"]) },
    Step { name: "browser", run: browser },
    Step {
        name: "clippy",
        run: || cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]),
    },
    Step { name: "features", run: features },
    Step { name: "wasm", run: wasm },
    Step { name: "collector", run: collector },
    Step { name: "docs", run: docs },
    Step { name: "tests", run: tests },
];

pub(crate) fn run(options: &Options) -> Result<()> {
    let wanted = |step: &&Step| options.only.as_ref().is_none_or(|text| step.name.contains(text.as_str()));
    let steps: Vec<_> = STEPS.iter().filter(wanted).collect();
    if steps.is_empty() {
        bail!("no step is called that; `cargo xtask test --list` names them");
    }
    if options.list {
        steps.iter().for_each(|step| println!("{}", step.name));
        return Ok(());
    }
    let mut report = Vec::new();
    for step in steps {
        println!("\n== {}", step.name);
        let started = Instant::now();
        let outcome = (step.run)().with_context(|| format!("the step `{}` failed", step.name))?;
        let seconds = started.elapsed().as_secs();
        report.push(match outcome {
            Outcome::Passed => format!("{:<10} passed in {seconds} s", step.name),
            Outcome::Skipped(why) => format!("{:<10} skipped: {why}", step.name),
        });
    }
    println!("\n{}", report.join("\n"));
    Ok(())
}

pub(crate) fn execute(command: &mut Command) -> Result<Outcome> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if status.success() { Ok(Outcome::Passed) } else { bail!("{command:?} ended with {status}") }
}

fn cargo(arguments: &[&str]) -> Result<Outcome> {
    execute(Command::new(env!("CARGO")).args(arguments))
}

/// The browser with its driver, and the proxies of the guides, from Debian's packages when that is possible.
pub(crate) fn browser() -> Result<Outcome> {
    let programs = [
        ("/usr/bin/chromium", "chromium"),
        ("/usr/bin/chromedriver", "chromium-driver"),
        ("/usr/bin/curl", "curl"),
        ("/usr/sbin/nginx", "nginx"),
        ("/usr/bin/caddy", "caddy"),
    ];
    apt(&programs, "tests in a real browser")
}

/// Installs those packages whose program is missing.
pub(crate) fn apt(programs: &[(&str, &str)], needed_by: &str) -> Result<Outcome> {
    let missing: Vec<_> = programs.iter().filter(|(program, _)| !Path::new(program).exists()).collect();
    if missing.is_empty() {
        return Ok(Outcome::Passed);
    }
    let packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    if !root || !Path::new("/usr/bin/apt-get").exists() {
        bail!("{needed_by} need these packages: `sudo apt-get install {}`", packages.join(" "));
    }
    execute(Command::new("apt-get").args(["update", "-qq"]))?;
    execute(
        Command::new("apt-get")
            .args(["install", "-y", "-qq", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

/// Every feature of the crates that partners build with, alone.
fn features() -> Result<Outcome> {
    for (package, features) in [
        ("octet", &["", "mint", "verify"][..]),
        ("octet-tower", &["", "axum", "tls", "warp"]),
        ("octet-actix", &["", "tls"]),
    ] {
        for feature in features {
            cargo(&["check", "-q", "-p", package, "--no-default-features", "--features", feature])?;
        }
    }
    cargo(&["check", "-q", "-p", "octet-server", "--no-default-features"])
}

/// Whether the browser's target is installed, or can be.
fn wasm_target() -> bool {
    let installed = || {
        Command::new("rustc").args(["--print", "target-libdir", "--target", WASM]).output().is_ok_and(|output| {
            output.status.success() && Path::new(String::from_utf8_lossy(&output.stdout).trim()).exists()
        })
    };
    installed() || {
        let _ = Command::new("rustup").args(["target", "add", WASM]).status();
        installed()
    }
}

const WASM: &str = "wasm32-unknown-unknown";
const NO_TARGET: &str = "the target wasm32-unknown-unknown is not installed and rustup could not add it";

fn wasm() -> Result<Outcome> {
    if !wasm_target() {
        return Ok(Outcome::Skipped(NO_TARGET.into()));
    }
    cargo(&["check", "-q", "-p", "octet", "--target", WASM])
}

/// The collector that is checked in is the collector that its source builds.
fn collector() -> Result<Outcome> {
    if !wasm_target() {
        return Ok(Outcome::Skipped(NO_TARGET.into()));
    }
    if !crate::collector::npm_is_installed() {
        return Ok(Outcome::Skipped("npm is not installed".into()));
    }
    cargo(&["xtask", "collector", "--check"])
}

fn docs() -> Result<Outcome> {
    execute(
        Command::new(env!("CARGO"))
            .args(["doc", "--workspace", "--no-deps", "--all-features"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}

/// Unit, property and doc tests, and those that need real sockets and browsers: none may skip for want of one.
///
/// Properties are tried with the same cases each time; `cargo xtask prove properties` draws others.
fn tests() -> Result<Outcome> {
    execute(
        Command::new(env!("CARGO"))
            .args(["test", "--workspace", "--all-features", "--no-fail-fast"])
            .env("OCTET_TESTS_REQUIRE_BROWSER", "1")
            .env("PROPTEST_RNG_SEED", std::env::var("PROPTEST_RNG_SEED").unwrap_or_else(|_| "1".into())),
    )
}
