//! Keeps a client within its rate limits: spends what the server said is left, then waits for the next window instead of
//! provoking a 429. Shared by all clones of a client.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use url::Url;

use crate::error::jitter;
use crate::error::{Operation, RateLimit};

/// A reset that is farther away than this is not believed: a server that sends milliseconds for seconds would silence
/// the client for good. The longest documented window is a day.
const LONGEST_WINDOW: Duration = Duration::from_secs(25 * 3600);
/// Callers that wait for the same window come back spread over this time.
const SPREAD: Duration = Duration::from_millis(20);
/// How long to wait where calls on their way are about to tell what is left.
const NEWS: Duration = Duration::from_millis(25);
/// Buckets of which more are not kept than this, unless they are in use.
const MOST_BUCKETS: usize = 1024;

/// What is known of each bucket.
#[derive(Debug)]
pub(crate) struct Limiter {
    /// Whether calls wait. Without that only what answers say is kept.
    waits: bool,
    buckets: Mutex<HashMap<Key, Arc<Mutex<State>>>>,
}

/// One bucket, for a call to keep.
#[derive(Debug)]
pub(crate) struct Bucket {
    waits: bool,
    state: Arc<Mutex<State>>,
}

/// Calls that share a budget: the class of the operation, and what the path says of whose budget it is.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Key {
    class: &'static str,
    place: Option<Vec<u8>>,
}

#[derive(Debug, Default)]
struct State {
    window: Option<Window>,
    /// Calls that a window allows.
    limit: Option<u64>,
    in_flight: u64,
    /// The headers of the last answer.
    seen: Option<RateLimit>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    left: u64,
    /// When it ends, on the monotonic clock; `None` where no answer has told yet.
    ends: Option<Duration>,
    /// The reset as the server names it.
    reset: Option<u64>,
}

/// The right to send one request. It counts as on its way until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    state: Arc<Mutex<State>>,
}

impl Key {
    /// The bucket of a request.
    pub(crate) fn of(operation: &Operation, url: &Url) -> Self {
        let place = (!operation.rate_limit_by.is_empty()).then(|| place(operation, url.path()));
        Self { class: operation.rate_limit, place }
    }
}

/// The values of the parameters that a bucket goes by. The template may stand below a base path, so both are read from
/// their ends; as bytes, which split faster than text.
fn place(operation: &Operation, path: &str) -> Vec<u8> {
    let split = |byte: &u8| *byte == b'/';
    let pairs = operation.path.as_bytes().rsplit(split).zip(path.as_bytes().rsplit(split));
    let mut place = Vec::with_capacity(path.len());
    for (template, value) in pairs {
        let name = template.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
        if name.is_some_and(|name| operation.rate_limit_by.iter().any(|known| known.as_bytes() == name)) {
            place.extend_from_slice(value);
            place.push(b'/');
        }
    }
    place
}

impl Limiter {
    pub(crate) fn new(waits: bool) -> Self {
        Self { waits, buckets: Mutex::default() }
    }

    /// The bucket of this key.
    pub(crate) fn bucket(&self, key: Key, now: Duration) -> Bucket {
        let mut buckets = lock(&self.buckets);
        if buckets.len() >= MOST_BUCKETS && !buckets.contains_key(&key) {
            buckets.retain(|_, state| Arc::strong_count(state) > 1 || !lock(state).is_over(now));
        }
        Bucket { waits: self.waits, state: Arc::clone(buckets.entry(key).or_default()) }
    }
}

impl Bucket {
    /// Lets a call through, or says how long to wait before asking again.
    pub(crate) fn admit(&self, now: Duration) -> Result<Permit, Duration> {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        state.turn(now);
        if let Some(window) = state.window.as_mut().filter(|_| self.waits) {
            match (window.left, window.ends) {
                (0, Some(ends)) => return Err(ends.saturating_sub(now) + jitter::full_jitter(SPREAD)),
                (0, None) if state.in_flight > 0 => return Err(NEWS),
                (left, _) => window.left = left.saturating_sub(1),
            }
        }
        state.in_flight += 1;
        drop(guard);
        Ok(Permit { state: Arc::clone(&self.state) })
    }

    /// What the last answer in this bucket said.
    pub(crate) fn seen(&self) -> Option<RateLimit> {
        lock(&self.state).seen
    }
}

impl Permit {
    /// An answer told what is left until its reset, which is so far away.
    pub(crate) fn learn(&self, rate: RateLimit, until_reset: Option<Duration>, now: Duration) {
        self.change(|state| state.learn(rate, until_reset, now));
    }

    /// The server refused the call for its limit: nobody is to ask before that time has passed.
    pub(crate) fn exhausted(&self, wait: Duration, now: Duration) {
        if wait.is_zero() || wait > LONGEST_WINDOW {
            return;
        }
        self.change(|state| {
            let reset = state.seen.and_then(|seen| seen.reset);
            state.window = Some(Window { left: 0, ends: Some(now + wait), reset });
        });
    }

    /// The request never left: what it took is there again.
    pub(crate) fn give_back(self) {
        self.change(|state| {
            if let Some(window) = &mut state.window {
                window.left = window.left.saturating_add(1);
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut lock(&self.state));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.change(|state| state.in_flight = state.in_flight.saturating_sub(1));
    }
}

impl State {
    fn is_over(&self, now: Duration) -> bool {
        self.window.and_then(|window| window.ends).is_none_or(|ends| ends <= now)
    }

    /// Begins the next window where the last one has ended: what it allows, less what is still on its way.
    fn turn(&mut self, now: Duration) {
        if self.window.is_some_and(|window| window.ends.is_some_and(|ends| ends <= now)) {
            let next = |limit: u64| Window { left: limit.saturating_sub(self.in_flight), ends: None, reset: None };
            self.window = self.limit.map(next);
        }
    }

    fn learn(&mut self, rate: RateLimit, until_reset: Option<Duration>, now: Duration) {
        self.seen = Some(rate);
        self.limit = rate.limit.filter(|limit| *limit > 0).or(self.limit);
        let Some(until_reset) = until_reset.filter(|wait| !wait.is_zero() && *wait <= LONGEST_WINDOW) else { return };
        let (Some(remaining), Some(reset)) = (rate.remaining, rate.reset) else { return };
        let ends = Some(now + until_reset);
        // This call is answered; the others on their way may not be in the server's count yet.
        let others = self.in_flight.saturating_sub(1);
        self.window = match self.window {
            // A late answer from a window that is over.
            Some(window) if window.reset.is_some_and(|known| reset < known) => Some(window),
            // Calls on their way have been taken off already.
            Some(window) if window.reset.is_none_or(|known| reset == known) => {
                Some(Window { left: window.left.min(remaining), ends, reset: Some(reset) })
            }
            _ => Some(Window { left: remaining.saturating_sub(others), ends, reset: Some(reset) }),
        };
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "limiter_tests.rs"]
mod tests;
