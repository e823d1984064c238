//! Tokio, and the clock of the system.

use std::time::SystemTime;

/// Time that nobody corrects, and that tests can stop.
pub(crate) use tokio::time::Instant;
pub(crate) use tokio::time::error::Elapsed;
pub(crate) use tokio::time::timeout;

use tokio::task::JoinHandle;
use tokio::time::{Duration, Sleep};

/// Runs work in a task of its own, to its end whether it is waited for or not.
pub(crate) fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(work)
}

/// Runs work that holds up its thread where it holds up no task.
pub(crate) fn spawn_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    tokio::task::spawn_blocking(work)
}

/// Waits.
#[expect(clippy::disallowed_methods, reason = "this is what `error::clock` waits by")]
pub(crate) fn sleep(time: Duration) -> Sleep {
    tokio::time::sleep(time)
}

/// Lets everything else that is ready have its turn.
#[cfg(any(test, feature = "testing"))]
pub(crate) async fn yield_now() {
    tokio::task::yield_now().await;
}

/// The time of day.
#[expect(clippy::disallowed_methods, reason = "this is what `error::clock` reads")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// Returns the reason why no task can be run here; `None` if one can.
pub(crate) fn why_absent() -> Option<&'static str> {
    tokio::runtime::Handle::try_current().is_err().then_some(
        "calls run on Tokio, and this one is not within a runtime: use `#[tokio::main]`, or `Runtime::block_on`",
    )
}
