//! Every fuzz target for some time each, under the nightly compiler and its address sanitizer. What a run finds beside
//! the committed seeds is thrown away, but for inputs that break something.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The rooms with targets; CI holds the same properties over their corpora.
const ROOMS: [&str; 4] = ["octet/fuzz", "octet/relay/fuzz", "octet/engine/fuzz", "octet/server/fuzz"];

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How long each target runs
    #[arg(long, default_value_t = 120)]
    seconds: u32,
    /// Only targets whose room and name, such as octet/relay/fuzz/channel, contain this text
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if !succeeds(Command::new("cargo").args(["+nightly", "fuzz", "--version"])) {
        println!("skipped: needs `rustup toolchain install nightly` and `cargo install cargo-fuzz`");
        return Ok(());
    }
    let mut table =
        vec![format!("{:<34} {:>11} {:>7} {:>7} {:>8}", "target", "runs", "a second", "corpus", "findings")];
    let mut findings = 0;
    for (room, target) in targets(options.only.as_deref())? {
        let result = fuzz(&room, &target, options.seconds)?;
        findings += result.findings.len();
        table.push(format!(
            "{:<34} {:>11} {:>8} {:>7} {:>8}",
            format!("{}/{target}", room.display()),
            result.runs,
            result.runs / u64::from(options.seconds.max(1)),
            result.corpus,
            result.findings.len()
        ));
        table.extend(result.findings.iter().map(|path| format!("    {}", path.display())));
    }
    println!("\n{}", table.join("\n"));
    if findings > 0 { bail!("{findings} inputs break something") } else { Ok(()) }
}

fn targets(only: Option<&str>) -> Result<Vec<(PathBuf, String)>> {
    let mut targets = Vec::new();
    for room in ROOMS.map(PathBuf::from) {
        for file in fs::read_dir(room.join("fuzz_targets"))? {
            let name = file?.path().file_stem().context("a target has a name")?.to_string_lossy().into_owned();
            if only.is_none_or(|text| room.join(&name).to_string_lossy().contains(text)) {
                targets.push((room.clone(), name));
            }
        }
    }
    targets.sort();
    Ok(targets)
}

struct Outcome {
    runs: u64,
    /// How many inputs reach different code.
    corpus: u64,
    findings: Vec<PathBuf>,
}

fn fuzz(room: &Path, target: &str, seconds: u32) -> Result<Outcome> {
    let (corpus, found) = (tempfile::tempdir()?, room.join("artifacts").join(target));
    let before = files(&found);
    let mut command = Command::new("cargo");
    command.current_dir(room).args(["+nightly", "fuzz", "run", "--target-dir"]).arg(target_folder()?).arg(target);
    command.arg(corpus.path()).arg(Path::new("corpus").join(target)).arg("--");
    command.args(["-print_final_stats=1", "-rss_limit_mb=4096", "-timeout=10", &format!("-max_total_time={seconds}")]);
    // Words of the target's own language, where somebody wrote them down.
    let words = room.join(format!("{target}.dict"));
    if words.exists() {
        command.arg(format!("-dict={target}.dict"));
    }
    println!("\n== {}/{target}", room.display());
    let begun = Instant::now();
    let output = command.stdin(Stdio::null()).output().context("cargo cannot be started")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let findings: Vec<_> = files(&found).into_iter().filter(|file| !before.contains(file)).collect();
    let runs = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok());
    if let (false, true) = (output.status.success(), findings.is_empty()) {
        bail!("the target {target} did not run:\n{said}");
    }
    if !findings.is_empty() {
        println!("{said}");
    }
    println!("{} s", begun.elapsed().as_secs());
    Ok(Outcome { runs: runs.unwrap_or_default(), corpus: reach(&said), findings })
}

/// The number of inputs in memory, by the last line of progress: `#123 … corp: 45/6Kb …`.
fn reach(said: &str) -> u64 {
    let last = said.lines().rev().find_map(|line| line.split_once("corp: ")?.1.split('/').next());
    last.and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().filter_map(|file| Some(file.ok()?.path())).collect()
}

/// One folder for all rooms, so that what they share is built once.
fn target_folder() -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    Ok(std::path::absolute(target.join("fuzz"))?)
}

fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
