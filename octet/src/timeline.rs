//! Which fix answers a question about a time: the rules of future, live and past, over a bounded ring of fixes. Clocks
//! come in as readings; what a fix says of a place is not known here.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::predicate::{At, Unproven, Validity};
use crate::region::Level;

/// How far ahead a question may be, and how far the wall clock may have been moved since a fix.
const SLACK: SignedDuration = SignedDuration::from_secs(2);

/// Both clocks, read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The time of day; may jump when somebody sets it.
    pub wall: Timestamp,
    /// The time since some fixed moment; never goes back while the system runs.
    pub monotonic: Duration,
}

/// The fixes of one session: the latest ones, and whether the session runs.
///
/// ```
/// use std::time::Duration;
/// use octet::timeline::{Reading, Timeline};
/// use octet::region::Level;
/// use octet::{At, Unproven};
/// let noon = Reading { wall: "2026-11-21T12:00:00Z".parse()?, monotonic: Duration::from_secs(100) };
/// let mut timeline = Timeline::new(64);
/// assert_eq!(timeline.find(At::Now, noon, Level::City), Err(Unproven::SdkNotRunning));
/// timeline.start();
/// timeline.push(noon, "Berlin");
/// assert_eq!(timeline.find(At::Now, noon, Level::City)?.fix, &"Berlin");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Timeline<F> {
    running: bool,
    most: usize,
    fixes: VecDeque<(Reading, F)>,
}

/// The fix that answers a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'a, F> {
    /// The time that is asked about.
    pub queried_at: Timestamp,
    /// When the fix was made.
    pub fix_time: Timestamp,
    /// The fix.
    pub fix: &'a F,
}

impl<F> Timeline<F> {
    /// A timeline that does not run yet, and keeps the latest `most` fixes, at least one.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self { running: false, most: if most == 0 { 1 } else { most }, fixes: VecDeque::new() }
    }

    /// Begins the session, without any fix.
    pub fn start(&mut self) {
        self.fixes.clear();
        self.running = true;
    }

    /// Ends the session and forgets its fixes.
    pub fn stop(&mut self) {
        self.fixes.clear();
        self.running = false;
    }

    /// Whether the session runs.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        self.running
    }

    /// Takes a fix in that was made at `reading`; the oldest is given up for it when there are too many.
    pub fn push(&mut self, reading: Reading, fix: F) {
        if !self.running {
            return;
        }
        if self.fixes.len() == self.most {
            self.fixes.pop_front();
        }
        self.fixes.push_back((reading, fix));
    }

    /// The time that a question is about.
    #[must_use]
    pub const fn queried_at(at: At, now: Reading) -> Timestamp {
        match at {
            At::Now => now.wall,
            At::Time(time) => time,
        }
    }

    /// The fix nearest to the time that is asked about, among those whose validity at `level` covers it.
    ///
    /// A fix does not count when the wall clock was moved by more than 2 s since: nobody knows then which of the two
    /// times of day was right.
    ///
    /// # Errors
    ///
    /// Not running, more than 2 s ahead, no fix at all, or none that covers the time: in this order.
    pub fn find(&self, at: At, now: Reading, level: Level) -> Result<Found<'_, F>, Unproven> {
        if !self.running {
            return Err(Unproven::SdkNotRunning);
        }
        let queried_at = Self::queried_at(at, now);
        if queried_at.duration_since(now.wall) > SLACK {
            return Err(Unproven::FutureTime);
        }
        if self.fixes.is_empty() {
            return Err(Unproven::NoFix);
        }
        let covers =
            |made: &Reading| Validity::around(made.wall, level).covers(queried_at) && is_of_one_clock(made, &now);
        // Of two that are equally near, the later one.
        let nearest = self.fixes.iter().rev().filter(|(made, _)| covers(made));
        let nearest = nearest.min_by_key(|(made, _)| made.wall.duration_since(queried_at).abs());
        let (made, fix) = nearest.ok_or(Unproven::StaleFix)?;
        Ok(Found { queried_at, fix_time: made.wall, fix })
    }
}

/// Whether both clocks went on equally long between the readings.
fn is_of_one_clock(earlier: &Reading, later: &Reading) -> bool {
    let Some(gone) = later.monotonic.checked_sub(earlier.monotonic) else { return false };
    let Ok(gone) = SignedDuration::try_from(gone) else { return false };
    later.wall.duration_since(earlier.wall).checked_sub(gone).is_some_and(|moved| moved.abs() <= SLACK)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Milliseconds since an arbitrary moment, of both clocks.
    fn reading(wall_ms: i64, monotonic_ms: u64) -> Reading {
        let wall = Timestamp::from_millisecond(1_795_262_400_000 + wall_ms).unwrap();
        Reading { wall, monotonic: Duration::from_millis(monotonic_ms) }
    }

    fn wall(ms: i64) -> At {
        At::Time(reading(ms, 0).wall)
    }

    #[test]
    fn each_state_and_time_has_its_reason() {
        use Unproven::{FutureTime, NoFix, SdkNotRunning, StaleFix};

        let now = 1_000_000;
        let mut never = Timeline::<u8>::new(4);
        never.push(reading(now, 0), 1);
        let mut stopped = Timeline::new(4);
        stopped.start();
        stopped.push(reading(now, 0), 1);
        stopped.stop();
        let mut waiting = Timeline::<u8>::new(4);
        waiting.start();
        let fixed = |ago_ms: &[i64]| {
            let mut timeline = Timeline::new(4);
            timeline.start();
            for (&ago, name) in ago_ms.iter().zip(1..) {
                timeline.push(reading(now - ago, (now - ago).unsigned_abs()), name);
            }
            timeline
        };
        for (state, timeline, at, level, expected) in [
            ("never started", &never, At::Now, Level::Country, Err(SdkNotRunning)),
            ("never started", &never, wall(now + 60_000), Level::Country, Err(SdkNotRunning)),
            ("stopped", &stopped, At::Now, Level::Country, Err(SdkNotRunning)),
            ("waiting", &waiting, At::Now, Level::Country, Err(NoFix)),
            ("waiting", &waiting, wall(now - 60_000), Level::Country, Err(NoFix)),
            ("waiting", &waiting, wall(now + 2_001), Level::Country, Err(FutureTime)),
            ("just now", &fixed(&[0]), At::Now, Level::Shape, Ok(1)),
            ("just now", &fixed(&[0]), wall(now + 2_000), Level::Shape, Ok(1)),
            ("just now", &fixed(&[0]), wall(now + 2_001), Level::Shape, Err(FutureTime)),
            ("just now", &fixed(&[0]), wall(now - 30_000), Level::Shape, Ok(1)),
            ("just now", &fixed(&[0]), wall(now - 30_001), Level::Shape, Err(StaleFix)),
            ("just now", &fixed(&[0]), wall(now - 60_000), Level::City, Ok(1)),
            ("just now", &fixed(&[0]), wall(now - 60_001), Level::City, Err(StaleFix)),
            ("just now", &fixed(&[0]), wall(now - 180_000), Level::Subdivision, Ok(1)),
            ("just now", &fixed(&[0]), wall(now - 180_001), Level::Subdivision, Err(StaleFix)),
            ("just now", &fixed(&[0]), wall(now - 300_000), Level::Country, Ok(1)),
            ("just now", &fixed(&[0]), wall(now - 300_001), Level::Country, Err(StaleFix)),
            ("31 s ago", &fixed(&[31_000]), At::Now, Level::Shape, Err(StaleFix)),
            ("31 s ago", &fixed(&[31_000]), At::Now, Level::City, Ok(1)),
            ("six minutes ago", &fixed(&[360_000]), At::Now, Level::Country, Err(StaleFix)),
            ("six minutes ago", &fixed(&[360_000]), wall(now - 360_000), Level::Country, Ok(1)),
            ("two fixes", &fixed(&[100_000, 0]), wall(now - 60_000), Level::Country, Ok(1)),
            ("two fixes", &fixed(&[100_000, 0]), wall(now - 40_000), Level::Country, Ok(2)),
            ("two fixes", &fixed(&[100_000, 0]), wall(now - 50_000), Level::Country, Ok(2)),
            (
                "five fixes",
                &fixed(&[400_000, 300_000, 200_000, 100_000, 0]),
                wall(now - 400_000),
                Level::City,
                Err(StaleFix),
            ),
        ] {
            let found = timeline.find(at, reading(now, now.unsigned_abs()), level).map(|found| *found.fix);
            assert_eq!(found, expected, "{state}, {at:?}, {level:?}");
        }
    }

    #[test]
    fn a_wall_clock_that_was_moved_makes_earlier_fixes_unusable() {
        let mut timeline = Timeline::new(4);
        timeline.start();
        timeline.push(reading(0, 50_000), ());
        for (wall_ms, monotonic_ms, usable) in [
            (10_000, 60_000, true),
            (11_999, 60_000, true),
            (12_001, 60_000, false),
            (8_001, 60_000, true),
            (7_999, 60_000, false),
            (-1_999, 50_000, true),
            // Restarted since: the monotonic clock began anew.
            (10_000, 1_000, false),
        ] {
            let found = timeline.find(wall(0), reading(wall_ms, monotonic_ms), Level::Country);
            let expected = if usable { Ok(()) } else { Err(Unproven::StaleFix) };
            assert_eq!(found.map(|found| *found.fix), expected, "{wall_ms}, {monotonic_ms}");
        }
    }

    #[derive(Debug, Clone)]
    enum Event {
        Start,
        Stop,
        Fix,
        Pass(u64),
        SetWall(i64),
        Ask(Option<i64>, Level),
    }

    fn event() -> impl Strategy<Value = Event> {
        let level = prop::sample::select(vec![Level::Country, Level::Subdivision, Level::City, Level::Shape]);
        prop_oneof![
            1 => Just(Event::Start),
            1 => Just(Event::Stop),
            4 => Just(Event::Fix),
            4 => (0..200_000_u64).prop_map(Event::Pass),
            1 => (-10_000..10_000_i64).prop_map(Event::SetWall),
            8 => (prop::option::of(-700_000..4_000_i64), level).prop_map(|(at, level)| Event::Ask(at, level)),
        ]
    }

    proptest! {
        /// The model keeps every fix for ever in plain integers and applies the rules one by one.
        #[test]
        fn any_course_of_events_gives_what_the_model_gives(events in prop::collection::vec(event(), 0..60)) {
            const MOST: usize = 3;
            let mut timeline = Timeline::new(MOST);
            let (mut running, mut fixes): (bool, Vec<(i64, i64, usize)>) = (false, Vec::new());
            let (mut wall_ms, mut monotonic_ms) = (0_i64, 0_i64);
            for (name, event) in events.into_iter().enumerate() {
                let now = reading(wall_ms, monotonic_ms.unsigned_abs());
                match event {
                    Event::Start => {
                        timeline.start();
                        (running, fixes) = (true, Vec::new());
                    }
                    Event::Stop => {
                        timeline.stop();
                        (running, fixes) = (false, Vec::new());
                    }
                    Event::Fix => {
                        timeline.push(now, name);
                        fixes.extend(running.then_some((wall_ms, monotonic_ms, name)));
                    }
                    Event::Pass(ms) => {
                        wall_ms += i64::try_from(ms).unwrap();
                        monotonic_ms += i64::try_from(ms).unwrap();
                    }
                    Event::SetWall(by) => wall_ms += by,
                    Event::Ask(ahead, level) => {
                        let asked = wall_ms + ahead.unwrap_or(0);
                        let window = match level {
                            Level::Country => 300_000,
                            Level::Subdivision => 180_000,
                            Level::City => 60_000,
                            Level::Shape => 30_000,
                        };
                        let kept = &fixes[fixes.len().saturating_sub(MOST)..];
                        let usable = kept.iter().filter(|(wall, monotonic, _)| {
                            (wall - asked).abs() <= window && ((wall_ms - wall) - (monotonic_ms - monotonic)).abs() <= 2_000
                        });
                        let expected = if !running {
                            Err(Unproven::SdkNotRunning)
                        } else if asked > wall_ms + 2_000 {
                            Err(Unproven::FutureTime)
                        } else if kept.is_empty() {
                            Err(Unproven::NoFix)
                        } else {
                            usable.rev().min_by_key(|(wall, ..)| (wall - asked).abs()).map(|(.., name)| *name).ok_or(Unproven::StaleFix)
                        };
                        let at = ahead.map_or(At::Now, |_| wall(asked));
                        let found = timeline.find(at, now, level);
                        if let Ok(found) = &found {
                            prop_assert!(Validity::around(found.fix_time, level).covers(found.queried_at));
                        }
                        prop_assert_eq!(found.map(|found| *found.fix), expected);
                    }
                }
            }
        }
    }
}
