//! The one thread that writes the log: a batch is one transaction over rows and rollups alike, so that a crash takes
//! both or none. Must never hold up whoever records.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use octet::{AppKey, ChallengeOutcome, SessionRef};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::figures::{COLUMNS, Facts, Figures};
use super::queue::{Op, Queue};
use super::{Click, HOUR, MINUTE, NewVisit, challenges, lock, read};
use crate::Error;
use crate::clock::Clock;

/// How often rows whose time is over are looked for.
const PRUNING: Duration = Duration::from_secs(60);
/// How many of them go in one transaction, so that new rows do not wait long.
const PRUNED_AT_ONCE: i64 = 5_000;
/// How long to wait before a batch that failed is tried again.
const RETRY: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    connection: Arc<Mutex<Connection>>,
    queue: Arc<Queue>,
    retention_ms: i64,
    clock: Arc<dyn Clock>,
    apps: HashMap<AppKey, i64>,
}

impl Writer {
    pub(super) fn new(
        connection: Arc<Mutex<Connection>>,
        queue: Arc<Queue>,
        retention: Duration,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let retention_ms = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
        Self { connection, queue, retention_ms, clock, apps: HashMap::new() }
    }

    /// Writes until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let mut prune_at = self.prune_and_say_when();
        loop {
            let batch = self.queue.next(prune_at.saturating_duration_since(Instant::now()));
            if !batch.ops.is_empty() {
                self.write(&batch.ops);
            }
            for waiter in batch.waiters {
                // Who waited may have gone.
                let _ = waiter.send(());
            }
            if batch.last && batch.ops.is_empty() {
                return;
            }
            if Instant::now() >= prune_at {
                prune_at = self.prune_and_say_when();
            }
        }
    }

    fn prune_and_say_when(&self) -> Instant {
        let more = self.prune().unwrap_or_else(|error| {
            tracing::error!(%error, "visits whose time is over could not be removed");
            false
        });
        Instant::now() + if more { Duration::ZERO } else { PRUNING }
    }

    /// Writes a batch, again and again while that fails and there is time.
    fn write(&mut self, ops: &[Op]) {
        let mut failing = false;
        while let Err(error) = self.commit(ops) {
            if !failing {
                tracing::error!(%error, "visits cannot be written; they wait and are tried again");
                failing = true;
            }
            if !self.queue.pause(RETRY) {
                tracing::error!(visits = ops.len(), "visits were lost: they could not be written before the end");
                self.queue.drop_all(ops.len());
                return;
            }
        }
        if failing {
            tracing::info!("visits can be written again");
        }
    }

    fn commit(&mut self, ops: &[Op]) -> Result<(), Error> {
        let mut connection = lock(&self.connection);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut changes = Changes::default();
        for op in ops {
            match op {
                Op::Visit(visit) => {
                    let app = app_id(&transaction, &mut self.apps, &visit.app)?;
                    put(&transaction, &mut changes, app, visit)?;
                }
                Op::Outcome { app, session, outcome } => {
                    let app = app_id(&transaction, &mut self.apps, app)?;
                    put_outcome(&transaction, &mut changes, app, session, *outcome)?;
                }
            }
        }
        changes.apply(&transaction)?;
        let committed = transaction.commit();
        if committed.is_err() {
            // Ids that were given in it are none.
            self.apps.clear();
        }
        Ok(committed?)
    }

    /// Removes some of the rows whose time is over, and says whether there are more.
    fn prune(&self) -> Result<bool, Error> {
        let end = self.clock.now().as_millisecond().saturating_sub(self.retention_ms).div_euclid(HOUR) * HOUR;
        let mut connection = lock(&self.connection);
        challenges::forget_ended(&connection, self.clock.now().as_millisecond())?;
        let due = "SELECT exists(SELECT 1 FROM apps, visits WHERE visits.app = apps.id AND time_ms < ?1)";
        if !connection.query_row(due, [end], |row| row.get::<_, bool>(0))? {
            return Ok(false);
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let apps: Vec<i64> =
            transaction.prepare("SELECT id FROM apps")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut removed = 0;
        for app in apps {
            let remove = "DELETE FROM visits WHERE id IN
                (SELECT id FROM visits WHERE app = ?1 AND time_ms < ?2 ORDER BY time_ms LIMIT ?3)";
            let rows = transaction.execute(remove, params![app, end, PRUNED_AT_ONCE - removed])?;
            removed += i64::try_from(rows).unwrap_or(0);
            transaction.execute(
                "DELETE FROM rollups WHERE app = ?1 AND width = ?2 AND start_ms < ?3",
                params![app, MINUTE, end],
            )?;
        }
        transaction.execute("UPDATE kept SET since_ms = max(since_ms, ?1)", [end])?;
        transaction.commit()?;
        Ok(removed == PRUNED_AT_ONCE)
    }
}

/// What a batch changes in the figures of each minute.
#[derive(Debug, Default)]
pub(super) struct Changes(HashMap<(i64, i64), Figures>);

impl Changes {
    pub(super) fn add(&mut self, app: i64, time_ms: i64, facts: &Facts, sign: i64) {
        let minute = time_ms.div_euclid(MINUTE) * MINUTE;
        self.0.entry((app, minute)).or_default().add(&facts.figures(), sign);
    }

    pub(super) fn apply(self, records: &Transaction<'_>) -> Result<(), Error> {
        let mut changes: HashMap<(i64, i64, i64), Figures> = HashMap::new();
        for ((app, minute), figures) in self.0 {
            changes.insert((app, MINUTE, minute), figures);
            changes.entry((app, HOUR, minute.div_euclid(HOUR) * HOUR)).or_default().add(&figures, 1);
        }
        let sums: Vec<_> = COLUMNS.iter().map(|column| format!("{column} = {column} + excluded.{column}")).collect();
        let mut statement = records.prepare_cached(&format!(
            "INSERT INTO rollups (app, width, start_ms, {}) VALUES (?, ?, ?{}) ON CONFLICT DO UPDATE SET {}",
            COLUMNS.join(", "),
            ", ?".repeat(COLUMNS.len()),
            sums.join(", "),
        ))?;
        for ((app, width, start), figures) in changes {
            let values = [app, width, start].into_iter().chain(figures.0);
            statement.execute(rusqlite::params_from_iter(values))?;
        }
        Ok(())
    }
}

fn app_id(records: &Connection, known: &mut HashMap<AppKey, i64>, app: &AppKey) -> Result<i64, Error> {
    if let Some(id) = known.get(app) {
        return Ok(*id);
    }
    records.execute("INSERT INTO apps (key) VALUES (?1) ON CONFLICT DO NOTHING", [app.as_str()])?;
    let id = records.query_row("SELECT id FROM apps WHERE key = ?1", [app.as_str()], |row| row.get(0))?;
    known.insert(app.clone(), id);
    Ok(id)
}

fn put(records: &Connection, changes: &mut Changes, app: i64, visit: &NewVisit) -> Result<(), Error> {
    let hash = read::cid_hash(&visit.session);
    let known = read::find(records, app, &visit.session)?;
    let reused = match &visit.click {
        Some(click) => is_reused(records, app, click, known.as_ref().map(|(id, ..)| *id))?,
        None => false,
    };
    let facts = Facts::of(&visit.verdict, visit.invalid || reused);
    let (click, plain) = match &visit.click {
        Some(Click { name, plain }) => (Some(name.as_slice()), plain.as_ref().map(octet::ClickToken::expose)),
        None => (None, None),
    };
    match known {
        None => {
            changes.add(app, visit.time_ms, &facts, 1);
            let mut insert = records.prepare_cached(&format!(
                "INSERT INTO visits (app, time_ms, cid, cid_hash, click, click_text, {})
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
                Facts::COLUMNS
            ))?;
            insert.execute(params![
                app,
                visit.time_ms,
                visit.session.as_str(),
                hash,
                click,
                plain,
                facts.score,
                facts.level,
                facts.action,
                facts.consistent,
                facts.degraded,
                facts.unread,
                facts.challenge,
                facts.invalid,
            ])?;
        }
        // The first answer stands, unless it said nothing and this one says more.
        Some((id, time_ms, before)) if is_better(&facts, &before) => {
            changes.add(app, time_ms, &before, -1);
            changes.add(app, time_ms, &facts, 1);
            let mut update = records.prepare_cached(
                "UPDATE visits SET click = ?2, click_text = ?3, score = ?4, level = ?5, action = ?6, consistent = ?7,
                 degraded = ?8, unread = ?9, challenge = ?10, invalid = ?11 WHERE id = ?1",
            )?;
            update.execute(params![
                id,
                click,
                plain,
                facts.score,
                facts.level,
                facts.action,
                facts.consistent,
                facts.degraded,
                facts.unread,
                facts.challenge,
                facts.invalid,
            ])?;
        }
        Some(_) => {}
    }
    Ok(())
}

fn is_better(new: &Facts, before: &Facts) -> bool {
    let worth = |facts: &Facts| (!facts.unread, !facts.degraded);
    worth(new) > worth(before)
}

/// Whether another visit of the app carried the same click token.
fn is_reused(records: &Connection, app: i64, click: &Click, own: Option<i64>) -> Result<bool, Error> {
    let mut other =
        records.prepare_cached("SELECT 1 FROM visits WHERE app = ?1 AND click = ?2 AND id IS NOT ?3 LIMIT 1")?;
    Ok(other.query_row(params![app, click.name.as_slice(), own], |_| Ok(())).optional()?.is_some())
}

fn put_outcome(
    records: &Connection,
    changes: &mut Changes,
    app: i64,
    session: &SessionRef,
    outcome: ChallengeOutcome,
) -> Result<(), Error> {
    let Some((id, time_ms, before)) = read::find(records, app, session)? else { return Ok(()) };
    let after = Facts::of(&before.verdict().after(outcome), before.invalid);
    changes.add(app, time_ms, &before, -1);
    changes.add(app, time_ms, &after, 1);
    let mut update = records.prepare_cached("UPDATE visits SET action = ?2, challenge = ?3 WHERE id = ?1")?;
    update.execute(params![id, after.action, after.challenge])?;
    Ok(())
}
