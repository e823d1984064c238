//! Which deliveries came before.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::error::{Clock, SystemClock};

/// The ids of deliveries that were worked on, up to a number and a time. Cloning shares them.
///
/// A sender repeats what was not answered in time, so that each delivery comes once *or more*. Claim its id before you act; it is kept
/// when you say that the work is done, and free again if you do not, so that a repetition is worked on after a failure.
///
/// It is the memory of one process: after a restart, and in another instance, nothing is known. Where acting twice does harm, keep the id
/// in the database, in the transaction of the work itself.
///
/// ```
/// use std::time::Duration;
///
/// use keyfit::webhook::{Duplicate, SeenIds};
///
/// let seen = SeenIds::new(100_000, Duration::from_secs(3 * 24 * 60 * 60));
/// let claim = seen.claim("msg_1").expect("the first time");
/// assert_eq!(seen.claim("msg_1").err(), Some(Duplicate::InProgress));
/// claim.done();
/// assert_eq!(seen.claim("msg_1").err(), Some(Duplicate::Done));
///
/// drop(seen.claim("msg_2")); // The work failed.
/// assert!(seen.claim("msg_2").is_ok());
/// ```
#[derive(Clone)]
pub struct SeenIds(Arc<Shared>);

struct Shared {
    ids: Mutex<Ids>,
    capacity: usize,
    time: Duration,
    clock: Arc<dyn Clock>,
}

/// A hash of an id, so that each takes the same room, however long it is.
type Hash = [u8; 32];

#[derive(Default)]
struct Ids {
    /// True for an id whose work is done.
    known: HashMap<Hash, bool>,
    /// Those that are done and when, the oldest first.
    done: VecDeque<(Duration, Hash)>,
}

/// The reason why a delivery is not processed now.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Duplicate {
    /// It was worked on: answer as if it were new.
    #[error("the delivery was worked on before")]
    Done,
    /// It is being worked on: answer 409 or 503, so that it comes again in case that fails.
    #[error("the delivery is being worked on")]
    InProgress,
}

/// The right to work on a delivery. Dropped without [`done`](Self::done), it leaves the id free for another try.
#[must_use = "a claim that is dropped leaves the id free"]
pub struct Claim {
    shared: Arc<Shared>,
    hash: Hash,
    is_done: bool,
}

impl SeenIds {
    /// A memory of so many ids, for so long after the work on each. The oldest makes room for a new one; about 100 bytes are taken by
    /// each. Choose both so that they hold what comes while the sender still repeats: its documentation says how long that is.
    pub fn new(capacity: usize, time: Duration) -> Self {
        Self(Arc::new(Shared { ids: Mutex::default(), capacity, time, clock: Arc::new(SystemClock) }))
    }

    /// Another clock, for tests. What is known is forgotten.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        let Shared { capacity, time, .. } = *self.0;
        Self(Arc::new(Shared { ids: Mutex::default(), capacity, time, clock: Arc::new(clock) }))
    }

    /// Claims an id: that of [`Delivery`](crate::webhook::Delivery), or one of the body.
    ///
    /// # Errors
    /// Returns an error if the work on it is done, or somebody is at it.
    pub fn claim(&self, id: impl AsRef<[u8]>) -> Result<Claim, Duplicate> {
        let hash: Hash = Sha256::digest(id).into();
        let mut ids = self.0.ids();
        ids.forget(self.0.clock.monotonic(), self.0.time);
        match ids.known.get(&hash) {
            Some(true) => Err(Duplicate::Done),
            Some(false) => Err(Duplicate::InProgress),
            None => {
                ids.known.insert(hash, false);
                Ok(Claim { shared: Arc::clone(&self.0), hash, is_done: false })
            }
        }
    }
}

impl Claim {
    /// The work is done: the delivery is not worked on again.
    pub fn done(mut self) {
        self.is_done = true;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let now = self.shared.clock.monotonic();
        let mut ids = self.shared.ids();
        if !self.is_done {
            ids.known.remove(&self.hash);
            return;
        }
        ids.known.insert(self.hash, true);
        ids.done.push_back((now, self.hash));
        while ids.done.len() > self.shared.capacity {
            ids.drop_oldest();
        }
    }
}

impl Ids {
    fn forget(&mut self, now: Duration, time: Duration) {
        while self.done.front().is_some_and(|(done, _)| done.saturating_add(time) <= now) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((_, hash)) = self.done.pop_front() {
            self.known.remove(&hash);
        }
    }
}

impl Shared {
    fn ids(&self) -> MutexGuard<'_, Ids> {
        // A panic elsewhere leaves nothing half done behind.
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SeenIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { capacity, time, .. } = &*self.0;
        let known = self.0.ids().known.len();
        f.debug_struct("SeenIds").field("known", &known).field("capacity", capacity).field("time", time).finish()
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::testing::TestClock;

    const HOUR: Duration = Duration::from_secs(3600);

    fn take(seen: &SeenIds, id: &str) -> Option<Duplicate> {
        match seen.claim(id) {
            Ok(claim) => {
                claim.done();
                None
            }
            Err(duplicate) => Some(duplicate),
        }
    }

    #[test]
    fn a_delivery_is_worked_on_once_and_again_after_a_failure() {
        let seen = SeenIds::new(10, HOUR);
        let claim = seen.claim("a").expect("the first time");
        assert_eq!(seen.claim("a").err(), Some(Duplicate::InProgress));
        assert!(seen.claim("b").is_ok(), "others are not held up");
        drop(claim);
        assert_eq!(take(&seen, "a"), None, "the work failed, so that it is done now");
        assert_eq!(take(&seen.clone(), "a"), Some(Duplicate::Done));
    }

    #[test]
    fn ids_are_forgotten_when_their_time_is_over_or_there_is_no_room() {
        let clock = TestClock::default();
        let seen = SeenIds::new(2, HOUR).clock(clock.clone());
        assert_eq!([take(&seen, "a"), take(&seen, "b"), take(&seen, "c")], [None; 3]);
        assert_eq!([take(&seen, "b"), take(&seen, "c")], [Some(Duplicate::Done); 2]);
        assert_eq!(take(&seen, "a"), None, "there was room for two");
        clock.advance(Duration::from_secs(3599));
        assert_eq!(take(&seen, "c"), Some(Duplicate::Done));
        clock.advance(Duration::from_secs(1));
        assert_eq!(take(&seen, "c"), None, "its time is over");
        assert_eq!(seen.0.ids().known.len(), 1);
    }

    #[test]
    fn what_is_being_worked_on_is_not_forgotten_for_want_of_room() {
        let seen = SeenIds::new(1, HOUR);
        let claim = seen.claim("a").expect("the first time");
        assert_eq!([take(&seen, "b"), take(&seen, "c")], [None; 2]);
        assert_eq!(seen.claim("a").err(), Some(Duplicate::InProgress));
        claim.done();
        assert_eq!(take(&seen, "a"), Some(Duplicate::Done));
    }

    #[test]
    fn of_many_at_once_one_has_the_claim() {
        let seen = SeenIds::new(10, HOUR);
        let claims: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| seen.claim("a"))).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        assert_eq!(claims.iter().filter(|claim| claim.is_ok()).count(), 1);
    }
}
