//! The event loop of JavaScript: of a browser's page or worker, of Node, Deno and Bun.
//!
//! Objects of JavaScript belong to their thread, and futures of a client may be moved to another. So the code that uses them runs in
//! a local task, and its result comes through a channel.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use gloo_timers::future::TimeoutFuture;
use tokio::sync::oneshot;
use web_time::web::SystemTimeExt as _;

/// Runs work that touches what JavaScript hands out, on the thread that it belongs to.
pub(crate) use wasm_bindgen_futures::spawn_local;
/// Time that nobody corrects.
pub(crate) use web_time::Instant;

/// The longest wait that `setTimeout` has: a longer one would be over at once.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

/// A task's answer, once it has ended.
pub(crate) struct Task<T>(oneshot::Receiver<T>);

/// A task that ended without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the task was stopped")]
pub(crate) struct Stopped;

/// A time that is up.
#[derive(Debug, thiserror::Error)]
#[error("deadline has elapsed")]
pub(crate) struct Elapsed;

impl<T> Future for Task<T> {
    type Output = Result<T, Stopped>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_err(|_| Stopped)
    }
}

/// Runs work in a task of its own, to its end whether it is waited for or not.
pub(crate) fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Task<T> {
    let (done, ended) = oneshot::channel();
    spawn_local(async move {
        let _ = done.send(work.await);
    });
    Task(ended)
}

/// Waits.
pub(crate) fn sleep(time: Duration) -> impl Future<Output = ()> + Send + 'static {
    let (mut done, ended) = oneshot::channel::<()>();
    let began = Instant::now();
    spawn_local(async move {
        while let Some(left) = time.checked_sub(began.elapsed()).filter(|left| !left.is_zero()) {
            let timer = TimeoutFuture::new(milliseconds(left));
            // A timer that nobody waits for would keep a program from ending.
            if unless(done.closed(), timer).await.is_none() {
                return;
            }
        }
        let _ = done.send(());
    });
    async move {
        let _ = ended.await;
    }
}

/// Lets everything else that is ready have its turn.
#[cfg(any(test, feature = "testing"))]
pub(crate) async fn yield_now() {
    // Timers come after all that is ready.
    sleep(Duration::from_millis(1)).await;
}

/// The value of a future, if it comes before the other one ends.
pub(crate) async fn unless<T>(end: impl Future<Output = ()>, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut end) = (pin!(future), pin!(end));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => end.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// As many as the timer takes, and one for a part of one.
fn milliseconds(time: Duration) -> u32 {
    time.min(LONGEST).as_nanos().div_ceil(1_000_000).try_into().unwrap_or(i32::MAX.unsigned_abs())
}

/// The value of a future, if it comes within this time.
pub(crate) async fn timeout<T>(time: Duration, future: impl Future<Output = T>) -> Result<T, Elapsed> {
    unless(sleep(time), future).await.ok_or(Elapsed)
}

/// The time of day.
pub(crate) fn now() -> SystemTime {
    web_time::SystemTime::now().to_std()
}

/// Returns the reason why no task can be run here: always `None`, since there is an event loop wherever there is JavaScript.
pub(crate) fn why_absent() -> Option<&'static str> {
    None
}
