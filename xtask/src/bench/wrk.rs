//! Load from another process, and what it saw. Interprets nothing.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::programs::Server;

/// How servers are compared: in turns, so that a disturbance of the machine meets both.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) connections: usize,
    pub(super) rounds: usize,
    pub(super) seconds: u64,
}

/// What one server did: the medians of its rounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    pub(super) requests_per_second: f64,
    /// Processor time of the server for one request, in microseconds.
    pub(super) processor_us: f64,
}

/// Loads the two servers in turns; their figures, and the median over rounds of the second's throughput by the first's.
pub(super) fn compare(first: &Server, second: &Server, plan: Plan) -> Result<(Figures, Figures, f64)> {
    let warm_up = Plan { seconds: 1, ..plan };
    load(first, warm_up)?;
    load(second, warm_up)?;
    let mut rounds = Vec::new();
    for _ in 0..plan.rounds {
        rounds.push((load(first, plan)?, load(second, plan)?));
    }
    let ratio = median(rounds.iter().map(|(first, second)| second.requests_per_second / first.requests_per_second));
    let figures = |side: fn(&(Figures, Figures)) -> Figures| Figures {
        requests_per_second: median(rounds.iter().map(|round| side(round).requests_per_second)),
        processor_us: median(rounds.iter().map(|round| side(round).processor_us)),
    };
    Ok((figures(|round| round.0), figures(|round| round.1), ratio))
}

fn load(server: &Server, plan: Plan) -> Result<Figures> {
    let before = server.processor_seconds()?;
    let output = Command::new("taskset")
        .args(["-c", "1", "wrk", "-t1", &format!("-c{}", plan.connections), &format!("-d{}s", plan.seconds)])
        .arg(format!("http://{}/", server.addr))
        .output()
        .context("cannot start wrk")?;
    let used = server.processor_seconds()? - before;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(!text.contains("Non-2xx") && !text.contains("Socket errors"), "the load met errors: {text}");
    let number =
        |line: &str| text.lines().find_map(|found| found.trim().strip_prefix(line)?.trim().parse::<f64>().ok());
    let requests = text.lines().find_map(|line| line.trim().split_once(" requests in")?.0.parse::<f64>().ok());
    let (Some(requests_per_second), Some(requests)) = (number("Requests/sec:"), requests) else {
        anyhow::bail!("wrk said something else: {text}")
    };
    Ok(Figures { requests_per_second, processor_us: used * 1e6 / requests })
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
