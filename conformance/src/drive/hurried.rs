//! A clock on which every wait is over at once, so that clients can be seen to wait without anybody waiting.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use keyfit::{Clock, SystemClock};

/// The machine's clock, put forward by every wait. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub(super) struct Hurried(Arc<Mutex<Duration>>);

impl Hurried {
    /// How far it is ahead of the machine's: the sum of all waits so far.
    pub(super) fn ahead(&self) -> Duration {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for Hurried {
    fn now(&self) -> SystemTime {
        SystemClock.now() + self.ahead()
    }

    fn monotonic(&self) -> Duration {
        SystemClock.monotonic() + self.ahead()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += duration;
        Box::pin(std::future::ready(()))
    }
}
