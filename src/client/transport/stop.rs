//! Ends the waits of calls from outside.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Whether callers still want what they wait for, see [`CallOptions::stopped_by`](crate::CallOptions::stopped_by). Once it is
/// set, nothing waits and nothing is sent again; a request that is on its way is finished.
#[derive(Debug, Default)]
pub struct Stop {
    is_set: AtomicBool,
    set: Notify,
}

impl Stop {
    /// Ends every wait, now and later.
    pub fn set(&self) {
        self.is_set.store(true, Ordering::Release);
        self.set.notify_waiters();
    }

    /// Returns once it is set.
    pub(crate) async fn wait(&self) {
        loop {
            // Before the look: what is set after it wakes this.
            let set = self.set.notified();
            if self.is_set.load(Ordering::Acquire) {
                return;
            }
            set.await;
        }
    }
}

/// Asked right before each request leaves: whether it still may. What waited for a limit may have lost its right meanwhile.
#[derive(Clone)]
pub(crate) struct Leave(pub(crate) Arc<dyn Fn() -> bool + Send + Sync>);

impl fmt::Debug for Leave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leave").finish_non_exhaustive()
    }
}

/// Returns whether the first future was over before the stop, if there is one.
pub(crate) async fn unless_stopped(stop: Option<&Stop>, future: impl Future<Output = ()>) -> bool {
    let Some(stop) = stop else {
        future.await;
        return true;
    };
    let (mut future, mut stopped) = (std::pin::pin!(future), std::pin::pin!(stop.wait()));
    std::future::poll_fn(|context| {
        if stopped.as_mut().poll(context).is_ready() {
            return std::task::Poll::Ready(false);
        }
        future.as_mut().poll(context).map(|()| true)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stop_ends_the_waits_before_it_and_those_after_it() {
        let stop = Arc::new(Stop::default());
        assert!(unless_stopped(Some(&stop), std::future::ready(())).await);
        let waiting = tokio::spawn({
            let stop = Arc::clone(&stop);
            async move { unless_stopped(Some(&stop), std::future::pending()).await }
        });
        tokio::task::yield_now().await;
        stop.set();
        assert!(!waiting.await.expect("no panic"));
        assert!(!unless_stopped(Some(&stop), std::future::ready(())).await, "nothing is begun after it");
        assert!(unless_stopped(None, std::future::ready(())).await);
    }
}
