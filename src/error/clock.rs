//! The only reader of the clock, and the only place that waits.

use std::fmt;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use futures_core::future::BoxFuture;

use crate::runtime::{self, Instant};

/// The time of day and waiting, so that tests can run on a clock of their own.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time of day.
    fn now(&self) -> SystemTime;

    /// The time since some moment, the same one throughout the program: unlike the time of day nobody corrects it.
    /// Default: Tokio's clock, or that of JavaScript.
    fn monotonic(&self) -> Duration {
        monotonic()
    }

    /// Waits.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// The machine's clock, and the timer of Tokio, or of JavaScript.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(runtime::sleep(duration))
    }
}

/// The time of day.
pub(crate) fn now() -> SystemTime {
    runtime::now()
}

/// The time since this was first asked for.
fn monotonic() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    // Before anything else reads the clock, or the first reading would lie before the start.
    let start = *START;
    start.elapsed()
}
