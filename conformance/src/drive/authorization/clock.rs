//! A clock that goes when it is told to, so that an hour of a token passes at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_core::future::BoxFuture;
use keyfit::Clock;

/// Starts at 1,000,000 s after the epoch. Cloning shares it.
#[derive(Clone, Debug)]
pub struct TestClock(Arc<Mutex<Hands>>);

#[derive(Clone, Copy, Debug)]
struct Hands {
    now: Duration,
    /// What passes with each reading.
    tick: Duration,
}

impl Default for TestClock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Hands { now: Duration::from_secs(1_000_000), tick: Duration::ZERO })))
    }
}

impl TestClock {
    /// A clock on which a second passes with each reading.
    pub fn ticking() -> Self {
        let clock = Self::default();
        clock.hands().tick = Duration::from_secs(1);
        clock
    }

    /// Seconds since the epoch.
    pub fn seconds(&self) -> u64 {
        self.read().as_secs()
    }

    /// Lets seconds pass.
    pub fn pass(&self, seconds: u64) {
        self.hands().now += Duration::from_secs(seconds);
    }

    fn read(&self) -> Duration {
        let mut hands = self.hands();
        let Hands { now, tick } = *hands;
        hands.now = now + tick;
        now
    }

    fn hands(&self) -> std::sync::MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + self.read()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.hands().now += duration;
        Box::pin(std::future::ready(()))
    }
}
