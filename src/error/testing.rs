//! A clock on which waits take no time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_core::future::BoxFuture;

use crate::error::{Clock, SystemClock};
use crate::runtime;

/// A clock that stands still and moves when it is told to, and by every wait: a wait ends as soon as everything else that
/// is ready to run had its turn, and the clock then shows the time of its end. Waits that overlap pass together, as they
/// do on any clock. Cloning shares it.
///
/// A wait is no timeout: against work that takes real time, such as an answer on its way, it is always over first.
#[derive(Clone, Debug)]
pub struct TestClock(Arc<Mutex<Hands>>);

#[derive(Debug)]
struct Hands {
    /// A time of day, and how much had passed when it was that.
    set: (SystemTime, Duration),
    /// The time that passed by explicit calls and by waits.
    passed: Duration,
    /// The machine's time at the start, if this clock follows it.
    machine: Option<Duration>,
    tick: Duration,
    waits: Vec<Duration>,
}

impl TestClock {
    /// A clock that stands at this time of day.
    pub fn at(time: SystemTime) -> Self {
        Self(Arc::new(Mutex::new(Hands {
            set: (time, Duration::ZERO),
            passed: Duration::ZERO,
            machine: None,
            tick: Duration::ZERO,
            waits: Vec::new(),
        })))
    }

    /// A clock that goes with the machine's, ahead of it by the waits so far: for servers whose answers bear real dates.
    pub fn running() -> Self {
        let clock = Self::at(SystemClock.now());
        clock.hands().machine = Some(SystemClock.monotonic());
        clock
    }

    /// The same clock, on which so much passes after each reading of the time of day.
    #[must_use]
    pub fn ticking(self, tick: Duration) -> Self {
        self.hands().tick = tick;
        self
    }

    /// Sets the time of day, as somebody who corrects it: what has passed stays what it is, and no wait ends.
    pub fn set(&self, time: SystemTime) {
        let mut hands = self.hands();
        hands.set = (time, hands.elapsed());
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let mut hands = self.hands();
        hands.passed = hands.passed.saturating_add(by);
    }

    /// The time of day in seconds since the epoch, as tokens and headers have it; 0 before it.
    pub fn seconds(&self) -> u64 {
        self.now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    /// Every wait so far, in the order in which they began.
    pub fn waits(&self) -> Vec<Duration> {
        self.hands().waits.clone()
    }

    /// The sum of all waits so far.
    pub fn waited(&self) -> Duration {
        self.hands().waits.iter().fold(Duration::ZERO, |sum, wait| sum.saturating_add(*wait))
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        // A panic elsewhere leaves numbers behind that are still sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hands {
    fn elapsed(&self) -> Duration {
        let machine = self.machine.map_or(Duration::ZERO, |start| SystemClock.monotonic().saturating_sub(start));
        self.passed.saturating_add(machine)
    }

    fn now(&self) -> SystemTime {
        let (time, before) = self.set;
        time.checked_add(self.elapsed().saturating_sub(before)).unwrap_or(time)
    }
}

impl Default for TestClock {
    /// A clock that stands at 1,000,000 s after the epoch.
    fn default() -> Self {
        Self::at(UNIX_EPOCH + Duration::from_secs(1_000_000))
    }
}

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        let mut hands = self.hands();
        let now = hands.now();
        hands.passed = hands.passed.saturating_add(hands.tick);
        now
    }

    fn monotonic(&self) -> Duration {
        self.hands().elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        Box::pin(async move {
            let end = {
                let mut hands = clock.hands();
                hands.waits.push(duration);
                hands.elapsed().saturating_add(duration)
            };
            // A wait that was over at once would starve those who wait for something real.
            runtime::yield_now().await;
            let mut hands = clock.hands();
            hands.passed = hands.passed.saturating_add(end.saturating_sub(hands.elapsed()));
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn a_wait_takes_no_time_and_moves_the_clock() {
        let clock = TestClock::default();
        clock.sleep(90 * SECOND).await;
        assert_eq!((clock.seconds(), clock.monotonic()), (1_000_090, 90 * SECOND));
        clock.advance(10 * SECOND);
        assert_eq!((clock.seconds(), clock.waits()), (1_000_100, vec![90 * SECOND]));
    }

    #[tokio::test]
    async fn waits_that_overlap_pass_together() {
        let clock = TestClock::default();
        tokio::join!(clock.sleep(3 * SECOND), clock.sleep(5 * SECOND), clock.sleep(4 * SECOND));
        assert_eq!((clock.monotonic(), clock.waited()), (5 * SECOND, 12 * SECOND));
    }

    #[tokio::test]
    async fn others_have_their_turn_before_a_wait_ends() {
        let clock = TestClock::default();
        let other = tokio::spawn({
            let clock = clock.clone();
            async move { clock.monotonic() }
        });
        clock.sleep(SECOND).await;
        assert!(other.is_finished());
        assert_eq!(other.await.ok(), Some(Duration::ZERO));
    }

    #[tokio::test]
    async fn a_wait_that_is_given_up_moves_nothing() {
        let clock = TestClock::default();
        tokio::select! {
            biased;
            () = clock.sleep(SECOND) => {}
            () = std::future::ready(()) => {}
        }
        assert_eq!((clock.monotonic(), clock.waits()), (Duration::ZERO, vec![SECOND]));
    }

    #[test]
    fn a_correction_of_the_time_of_day_lets_nothing_pass() {
        let clock = TestClock::default().ticking(SECOND);
        assert_eq!((clock.seconds(), clock.seconds()), (1_000_000, 1_000_001));
        clock.set(UNIX_EPOCH);
        assert_eq!((clock.seconds(), clock.seconds(), clock.monotonic()), (0, 1, 4 * SECOND));
    }

    #[tokio::test]
    async fn a_running_clock_is_ahead_of_the_machines_by_what_was_waited() {
        let before = SystemClock.now();
        let clock = TestClock::running();
        clock.sleep(3600 * SECOND).await;
        assert!(clock.now() >= before + 3600 * SECOND);
        assert!(clock.now() <= SystemClock.now() + 3600 * SECOND + SECOND);
    }
}
