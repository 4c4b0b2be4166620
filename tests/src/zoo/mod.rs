//! The zoo: people's browsers and machines' visit a page behind a real edge, and what Octet says of each stands beside
//! what another detector says of the same visit. Run by `cargo xtask prove zoo`; it must never know how a score comes
//! about.

mod hands;
mod members;
mod programs;
mod stage;
mod tools;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use octet::BotLevel;
use octet::data::Visit;
use serde::Serialize;
use tokio::time::timeout;

pub use members::{Kind, MEMBERS, Member};

use hands::Screen;
use programs::Place;
use stage::{Stage, Step};
use tools::Tools;

/// How long a visit may take, from starting the program to its verdict.
const PATIENCE: Duration = Duration::from_secs(45);

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// How often each member visits.
    pub runs: u32,
    /// The names of the members, or the beginnings of them with a `*`; none means all.
    pub members: Vec<String>,
    /// The X server that people sit at, with its arguments.
    pub server: String,
    /// Where the programs are kept.
    pub tools: PathBuf,
    /// Where what the edge forwarded is written, one file a visit.
    pub bundles: Option<PathBuf>,
}

/// What came of one member's visits.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Its name.
    pub member: &'static str,
    /// `person` or `machine`.
    pub kind: &'static str,
    /// One for each visit that was made.
    pub runs: Vec<Run>,
    /// What the other detector said of each.
    #[serde(skip)]
    pub beside: Vec<String>,
}

/// What the Data API says of one visit.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// The score; 0 of a degraded one, and of a page that was served and never read that of its connection alone.
    pub score: u8,
    /// The level.
    pub level: BotLevel,
    /// The verdict's own word.
    pub is_bot: bool,
    /// Whether its signals agree.
    pub consistency_ok: bool,
    /// The verdict could not be fully computed.
    pub degraded: bool,
    /// The page was served, and its collector never reported.
    pub unread: bool,
}

/// Runs the zoo, and prints a line a visit.
///
/// # Errors
///
/// When a tool cannot be installed or started, in words.
pub async fn run(options: &Options) -> Result<Vec<Report>, String> {
    let is_meant = |member: &Member, name: &str| match name.strip_suffix('*') {
        Some(beginning) => member.name.starts_with(beginning),
        None => member.name == name,
    };
    let chosen =
        |member: &&Member| options.members.is_empty() || options.members.iter().any(|name| is_meant(member, name));
    let tools = Tools::install(&options.tools)?;
    let stage = Stage::set(&tools.botd()?).await;
    let screen = Screen::start(&options.server).await?;
    let mut reports = Vec::new();
    for member in MEMBERS.iter().filter(chosen) {
        if let Some(program) = member.lacks() {
            println!("{}: skipped, there is no {program}", member.name);
            continue;
        }
        let kind = if member.kind == Kind::Person { "person" } else { "machine" };
        let mut report = Report { member: member.name, kind, runs: Vec::new(), beside: Vec::new() };
        for run in 0..options.runs {
            let visit = format!("{}-{run}", member.name);
            let made = made(member, &visit, &stage, &screen, &tools).await?;
            let beside = stage.botd(&visit).unwrap_or_else(|| "–".into());
            println!("{visit}: {made:?}, BotD: {beside}");
            report.runs.extend(made);
            report.beside.push(beside);
            if let (Some(folder), Some(bundle)) = (&options.bundles, stage.bundle(&visit)) {
                write(&folder.join(format!("{visit}.json")), &bundle.to_string())?;
            }
        }
        reports.push(report);
    }
    Ok(reports)
}

/// One visit, and what the Data API has of it.
async fn made(
    member: &Member,
    visit: &str,
    stage: &Stage,
    screen: &Screen,
    tools: &Tools,
) -> Result<Option<Run>, String> {
    let profile = tempfile::TempDir::new().map_err(|error| error.to_string())?;
    let (url, mut step) = stage.expect(visit);
    screen.prepare(member.hand).await;
    let failed = |error: std::io::Error| format!("{visit} cannot be started: {error}");
    let place = Place { tools, display: &screen.display, authority: &stage.authority() };
    let mut command = member.command(&url, &profile.path().join("profile"), &place).await.map_err(failed)?;
    let mut program = command.spawn().map_err(failed)?;
    let last = if member.only_fetches() { Step::Served } else { Step::Done };
    for keys in std::iter::once(None).chain(member.again.map(Some)) {
        if let Some(keys) = keys {
            stage.expect(visit);
            screen.press(keys).await;
        }
        let arrived = async {
            // Hands move before the page is there, as hands do.
            let mut round = 0;
            while *step.borrow_and_update() < last {
                tokio::select! {
                    _ = step.wait_for(|now| *now >= last) => {}
                    () = screen.act(member.hand, round) => round += 1,
                }
            }
        };
        let _ = timeout(PATIENCE, arrived).await;
    }
    let found = stage.verdict(visit, PATIENCE).await;
    // Drivers end their browsers when their input ends.
    drop(program.stdin.take());
    if timeout(Duration::from_secs(3), program.wait()).await.is_err() {
        let _ = program.kill().await;
    }
    Ok(found.map(|Visit { verdict, .. }| Run {
        score: verdict.score(),
        level: verdict.level(),
        is_bot: verdict.is_bot(),
        consistency_ok: verdict.consistency().ok,
        degraded: verdict.is_degraded(),
        unread: verdict.is_unread(),
    }))
}

/// A table of the reports: the least and the most of each member's scores.
#[must_use]
pub fn table(reports: &[Report]) -> String {
    let mut table = String::from(
        "| member | kind | visits | score | level | is_bot | consistency | BotD |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for report in reports {
        let runs = &report.runs;
        let scores = runs.iter().map(|run| run.score);
        let score = match (scores.clone().min(), scores.max()) {
            (Some(least), Some(most)) if least == most => least.to_string(),
            (Some(least), Some(most)) => format!("{least}–{most}"),
            _ => "none".into(),
        };
        let unread = if runs.iter().any(|run| run.unread) { " (unread)" } else { "" };
        let words = |words: Vec<String>| {
            let mut words = words;
            words.sort();
            words.dedup();
            words.join(", ")
        };
        let levels = words(runs.iter().map(|run| format!("{:?}", run.level).to_lowercase()).collect());
        let bots = runs.iter().filter(|run| run.is_bot).count();
        let consistent = runs.iter().filter(|run| run.consistency_ok).count();
        let degraded = if runs.iter().any(|run| run.degraded) { " (degraded)" } else { "" };
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "| {} | {} | {} | {score}{unread} | {levels}{degraded} | {bots} of {} | {consistent} of {} | {} |",
            report.member,
            report.kind,
            runs.len(),
            runs.len(),
            runs.len(),
            words(report.beside.clone()),
        );
    }
    table
}

/// Writes a file, and its folder.
///
/// # Errors
///
/// When that is not possible, in words.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, text).map_err(failed)
}
