//! Proves the visit log on generated visits: figures against a recount by whoever made the visits, an export whose
//! memory stays flat, a secret that is rotated under load. Run by `cargo xtask prove visits`.

#![expect(clippy::unwrap_used, reason = "what fails ends the run")]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use jiff::Timestamp;
use octet::data::BotStats;
use octet::{AppKey, BotAction, BotLevel, BotVerdict};
use octet_client::{OctetClient, Period};
use octet_server::visits::{Click, NewVisit, Overflow};
use octet_server::{AppSettings, Config, NewApp, Octet};

const DAY_MS: i64 = 86_400_000;
/// The visits lie in so many days before today.
const DAYS: i64 = 60;

#[derive(Debug, Parser)]
struct Options {
    /// How many visits
    #[arg(long, default_value_t = 10_000_000)]
    visits: u64,
    /// An empty folder for the databases; a temporary one, unless given
    #[arg(long)]
    dir: Option<PathBuf>,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let options = Options::parse();
    let temporary = tempfile::tempdir()?;
    let dir = options.dir.unwrap_or_else(|| temporary.path().to_owned());
    let octet = Octet::open(Config::embedded(dir.join("octet.db"))).await?;
    octet.partners().add("shop").await?;
    let app = octet.apps().add("shop", "landing", AppSettings::default()).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let service = octet.clone();
    tokio::spawn(async move { service.serve(listener, std::future::pending()).await });
    let client = OctetClient::builder().url(format!("http://{address}")).app(app.key.clone(), app.secret.clone());
    let client = client.timeout(Duration::from_secs(30)).build()?;

    let today = Timestamp::now().as_millisecond().div_euclid(DAY_MS) * DAY_MS;
    let mut periods = periods(today);
    record(&octet, &app.key, today, options.visits, &mut periods).await;
    figures(&client, &periods).await?;
    export(address, &app, today, options.visits).await;
    rotation(&octet, address, &app).await?;
    println!("all held");
    Ok(())
}

/// A generator of numbers that are the same in each run (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// A period, and its figures by the count of whoever makes the visits.
struct Counted {
    from: i64,
    to: i64,
    stats: BotStats,
}

fn periods(today: i64) -> Vec<Counted> {
    let mut numbers = Numbers(7);
    let start = today - DAYS * DAY_MS;
    let mut all = vec![(start, today), (start, start + DAY_MS), (today - 30 * DAY_MS, today), (start + 1, today - 1)];
    for _ in 0..20 {
        let length = 1 + i64::try_from(numbers.below(u64::try_from(DAYS * DAY_MS).unwrap())).unwrap();
        let from = start + i64::try_from(numbers.below(u64::try_from(DAYS * DAY_MS).unwrap())).unwrap();
        all.push((from, (from + length).min(today)));
    }
    all.into_iter().map(|(from, to)| Counted { from, to, stats: BotStats::default() }).collect()
}

async fn record(octet: &Octet, app: &AppKey, today: i64, visits: u64, periods: &mut [Counted]) {
    let begun = Instant::now();
    let mut numbers = Numbers(1);
    for n in 0..visits {
        let time_ms = today - 1 - i64::try_from(numbers.below(u64::try_from(DAYS * DAY_MS).unwrap())).unwrap();
        let score = u8::try_from(numbers.below(101)).unwrap();
        let action = BotAction::ALL[usize::try_from(numbers.below(3)).unwrap()];
        let (degraded, unread) = (numbers.below(20) == 0, numbers.below(40) == 0);
        let verdict = match (unread, degraded) {
            (true, _) => BotVerdict::unread(score, true),
            (false, true) => BotVerdict::degraded(),
            (false, false) => BotVerdict::new(score, true, action),
        };
        let visit = NewVisit {
            app: app.clone(),
            session: format!("sess_{:016x}{n:x}", numbers.below(u64::MAX)).parse().unwrap(),
            time_ms,
            // Every other has a click token, and none of them twice.
            click: (n % 2 == 0).then(|| Click { name: (u128::from(n) + 1).to_be_bytes(), plain: None }),
            verdict,
            invalid: numbers.below(50) == 0,
        };
        for period in periods.iter_mut().filter(|period| (period.from..period.to).contains(&time_ms)) {
            count(&mut period.stats, &visit);
        }
        while let Err(Overflow) = octet.visits().record(visit.clone()) {
            octet.visits().flush().await;
        }
    }
    while !octet.visits().flush().await {}
    let seconds = begun.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let rate = visits as f64 / seconds;
    println!("recorded {visits} visits in {seconds:.0} s, {rate:.0} a second");
}

/// The same rules as the contract's, written down a second time.
fn count(stats: &mut BotStats, visit: &NewVisit) {
    let verdict = &visit.verdict;
    stats.total += 1;
    stats.unread += u64::from(visit.verdict.is_unread());
    stats.invalid += u64::from(visit.invalid);
    if verdict.is_degraded() {
        stats.degraded += 1;
        return;
    }
    stats.bots += u64::from(verdict.is_bot());
    *match verdict.action() {
        BotAction::Challenge => &mut stats.by_action.challenge,
        BotAction::Flag => &mut stats.by_action.flag,
        _ => &mut stats.by_action.record_only,
    } += 1;
    *match verdict.level() {
        BotLevel::Low => &mut stats.by_level.low,
        BotLevel::Medium => &mut stats.by_level.medium,
        BotLevel::High => &mut stats.by_level.high,
        _ => &mut stats.by_level.critical,
    } += 1;
}

async fn figures(client: &OctetClient, periods: &[Counted]) -> Result<(), BoxError> {
    let mut slowest = Duration::ZERO;
    for period in periods {
        let instants =
            Period::Instants(Timestamp::from_millisecond(period.from)?, Timestamp::from_millisecond(period.to)?);
        let begun = Instant::now();
        let mut answer = client.bot_stats(instants).await?;
        slowest = slowest.max(begun.elapsed());
        answer.bot_rate = 0.0;
        assert_eq!(answer, period.stats, "from {} to {}", period.from, period.to);
    }
    println!("figures of {} periods are exact; the slowest took {} ms", periods.len(), slowest.as_millis());
    assert!(slowest < Duration::from_secs(1));
    Ok(())
}

/// Downloads everything in one answer, and watches this process's memory, service and all.
async fn export(address: SocketAddr, app: &NewApp, today: i64, visits: u64) {
    let (from, to) = (today - DAYS * DAY_MS, today);
    let times = [from, to].map(|time| Timestamp::from_millisecond(time).unwrap());
    let path = format!("/v1/bot/export?from={}&to={}&format=ndjson", times[0], times[1]);
    let request = ask(&path, app);
    let (before, lines, largest) = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let before = resident_kib();
        let (mut lines, mut largest) = (0_u64, before);
        for line in BufReader::new(stream).split(b'\n') {
            if line.unwrap().starts_with(b"{") {
                lines += 1;
                if lines % 100_000 == 0 {
                    largest = largest.max(resident_kib());
                }
            }
        }
        (before, lines, largest)
    })
    .await
    .unwrap();
    println!("exported {lines} rows; memory from {} to {} MiB at most", before / 1024, largest / 1024);
    assert_eq!(lines, visits);
    assert!(largest.saturating_sub(before) < 64 * 1024, "the export's memory is not flat");
}

fn ask(path: &str, app: &NewApp) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nhost: octet\r\nconnection: close\r\nx-app-key: {}\r\nx-app-secret: {}\r\n\r\n",
        app.key,
        app.secret.expose()
    )
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Questions all the while, with the secret that was there first and then with each new one: none is refused.
async fn rotation(octet: &Octet, address: SocketAddr, app: &NewApp) -> Result<(), BoxError> {
    let (stop, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    let load = async |app: NewApp| -> Result<(), BoxError> {
        let client = OctetClient::builder().url(format!("http://{address}")).app(app.key, app.secret).build()?;
        let today = Timestamp::now();
        while !stop.load(Ordering::Relaxed) {
            client.bot_stats(Period::Instants(today.checked_sub(jiff::SignedDuration::from_hours(1))?, today)).await?;
            asked.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    };
    let rotate = async {
        let mut newest = app.secret.clone();
        for _ in 0..10 {
            newest = octet.apps().rotate(&app.key, Duration::from_secs(3600)).await?;
            let client = OctetClient::builder().url(format!("http://{address}")).app(app.key.clone(), newest.clone());
            let now = Timestamp::now();
            let hour = Period::Instants(now.checked_sub(jiff::SignedDuration::from_hours(1))?, now);
            client.build()?.bot_stats(hour).await?;
        }
        stop.store(true, Ordering::Relaxed);
        Ok::<_, BoxError>(newest)
    };
    let (loaded, rotated) = tokio::join!(load(app.clone()), rotate);
    stop.store(true, Ordering::Relaxed);
    loaded?;
    rotated?;
    println!("ten rotations while {} questions were asked; none was refused", asked.load(Ordering::Relaxed));
    Ok(())
}
