//! Load from another process, and what it saw. Interprets nothing.

use std::fmt;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::programs::Server;

/// How servers are compared: in turns, so that a disturbance of the machine meets all of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) connections: usize,
    pub(super) rounds: usize,
    pub(super) seconds: u64,
}

/// What one server did in one round.
#[derive(Debug, Clone, Copy)]
struct Load {
    requests: f64,
    requests_per_second: f64,
    processor_seconds: f64,
}

/// What one server did in all rounds.
#[derive(Debug)]
pub(super) struct Loads(Vec<Load>);

/// A median, and where it lies with 95 % probability whatever the distribution; in a few rounds: all of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Median {
    value: f64,
    low: f64,
    high: f64,
}

/// Loads servers in turns, another one first in each round, and starts all of them anew for each: where its memory
/// happens to lie makes one process faster than the next by a few per cent, and no number of rounds takes that away.
pub(super) fn load_in_turns<const N: usize>(
    starts: [&dyn Fn() -> Result<Server>; N],
    plan: Plan,
) -> Result<[Loads; N]> {
    let mut all = [(); N].map(|()| Loads(Vec::new()));
    for round in 0..plan.rounds {
        let servers = starts.iter().map(|start| start()).collect::<Result<Vec<_>>>()?;
        for turn in 0..N {
            let at = (round + turn) % N;
            all[at].0.push(load(&servers[at], plan)?);
        }
    }
    Ok(all)
}

impl Loads {
    /// This server's throughput by another's, round by round.
    pub(super) fn throughput_by(&self, other: &Self) -> Median {
        let rounds = self.0.iter().zip(&other.0);
        Median::of(rounds.map(|(own, other)| own.requests_per_second / other.requests_per_second))
    }

    /// How much of this server's processor time for a request another one takes, round by round: 1 where they cost the
    /// same, less where this one costs more, as with throughput.
    pub(super) fn processor_by(&self, other: &Self) -> Median {
        let rounds = self.0.iter().zip(&other.0);
        Median::of(rounds.map(|(own, other)| other.seconds_each() / own.seconds_each()))
    }

    pub(super) fn requests_per_second(&self) -> f64 {
        Median::of(self.0.iter().map(|load| load.requests_per_second)).value
    }

    /// Processor time of the server for one request, in microseconds.
    pub(super) fn processor_us(&self) -> f64 {
        let sum = |of: fn(&Load) -> f64| self.0.iter().map(of).sum::<f64>();
        sum(|load| load.processor_seconds) * 1e6 / sum(|load| load.requests)
    }
}

impl Load {
    fn seconds_each(&self) -> f64 {
        self.processor_seconds / self.requests
    }
}

impl Median {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<_> = values.collect();
        values.sort_by(f64::total_cmp);
        let outside = outside(values.len());
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        Self { value: at(values.len() / 2), low: at(outside), high: at(values.len().saturating_sub(1 + outside)) }
    }

    pub(super) fn json(self) -> Value {
        json!({ "median": self.value, "interval": [self.low, self.high] })
    }
}

impl fmt::Display for Median {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} ({:.3} to {:.3})", self.value, self.low, self.high)
    }
}

/// How many of the smallest and of the largest of so many values lie outside of the interval that holds their
/// distribution's median with 95 % probability: each value is below it as a coin falls.
fn outside(values: usize) -> usize {
    let (mut exactly, mut at_most, mut below) = (0.5_f64.powf(values as f64), 0.0, 0);
    while at_most + exactly <= 0.025 {
        at_most += exactly;
        exactly *= (values - below) as f64 / (below + 1) as f64;
        below += 1;
    }
    below.saturating_sub(1)
}

fn load(server: &Server, plan: Plan) -> Result<Load> {
    let before = server.processor_seconds()?;
    let output = Command::new("taskset")
        .args(["-c", "1", "wrk", "-t1", &format!("-c{}", plan.connections), &format!("-d{}s", plan.seconds)])
        .arg(format!("http://{}/", server.addr))
        .output()
        .context("cannot start wrk")?;
    let processor_seconds = server.processor_seconds()? - before;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(!text.contains("Non-2xx") && !text.contains("Socket errors"), "the load met errors: {text}");
    let number =
        |line: &str| text.lines().find_map(|found| found.trim().strip_prefix(line)?.trim().parse::<f64>().ok());
    let requests = text.lines().find_map(|line| line.trim().split_once(" requests in")?.0.parse::<f64>().ok());
    let (Some(requests_per_second), Some(requests)) = (number("Requests/sec:"), requests) else {
        anyhow::bail!("wrk said something else: {text}")
    };
    Ok(Load { requests, requests_per_second, processor_seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_lies_between_the_ranks_that_tables_give() {
        assert_eq!([5, 6, 10, 15, 21, 25].map(outside), [0, 0, 1, 3, 5, 7]);
        let median = Median::of((0..21).rev().map(f64::from));
        assert_eq!([median.value, median.low, median.high], [10.0, 5.0, 15.0]);
    }
}
