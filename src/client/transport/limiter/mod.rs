//! Keeps a client within its rate limits: spends what the server said is left, then waits for the next window instead of
//! provoking a 429. Shared by all clones of a client, and by several clients where they keep a [budget](crate::budget) together.

mod reports;
mod share;
mod state;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use url::Url;

use crate::error::{Operation, RateLimit};

pub(crate) use share::{Share, Shared, Taken};
use state::{LONGEST_WINDOW, State};

/// Buckets of which more are not kept than this, unless they are in use.
const MOST_BUCKETS: usize = 1024;

/// The limits of each bucket, as far as they are known.
#[derive(Debug)]
pub(crate) struct Limiter {
    /// Whether calls wait. Without that only what answers say is kept.
    waits: bool,
    shared: Option<Shared>,
    buckets: Mutex<HashMap<Key, Arc<Known>>>,
}

/// The limit of one bucket, as far as it is known.
#[derive(Debug, Default)]
struct Known {
    state: Mutex<State>,
    share: Option<Arc<Share>>,
}

/// One bucket, for a call to keep.
#[derive(Debug)]
pub(crate) struct Bucket {
    waits: bool,
    known: Arc<Known>,
}

/// Calls that share a budget: the class of the operation, and what the path says of whose budget it is.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Key {
    class: &'static str,
    place: Option<Vec<u8>>,
}

/// The right to send one request. It counts as on its way until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    known: Arc<Known>,
    /// Where it was taken from a budget of several clients.
    epoch: Option<u64>,
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
    pub(crate) fn new(waits: bool, shared: Option<Shared>) -> Self {
        Self { waits, shared: shared.filter(|_| waits), buckets: Mutex::default() }
    }

    /// The bucket of this key.
    pub(crate) fn bucket(&self, key: Key, now: Duration) -> Bucket {
        let mut buckets = lock(&self.buckets);
        if buckets.len() >= MOST_BUCKETS && !buckets.contains_key(&key) {
            buckets.retain(|_, known| Arc::strong_count(known) > 1 || !lock(&known.state).is_over(now));
        }
        let known = if let Some(known) = buckets.get(&key) {
            Arc::clone(known)
        } else {
            let share = self.shared.as_ref().map(|shared| Share::new(shared, key.class, key.place.as_deref()));
            let known = Arc::new(Known { state: Mutex::default(), share });
            buckets.insert(key, Arc::clone(&known));
            known
        };
        Bucket { waits: self.waits, known }
    }
}

impl Bucket {
    /// Lets a call through, or says how long to wait before asking again, by what this client knows.
    pub(crate) fn admit(&self, now: Duration) -> Result<Permit, Duration> {
        lock(&self.known.state).admit(now, self.waits)?;
        Ok(Permit { known: Arc::clone(&self.known), epoch: None })
    }

    /// The part of a budget of several clients.
    pub(crate) fn share(&self) -> Option<&Arc<Share>> {
        self.known.share.as_ref()
    }

    /// A call that was taken from a budget of several clients.
    pub(crate) fn taken(&self, epoch: u64) -> Permit {
        lock(&self.known.state).begin();
        Permit { known: Arc::clone(&self.known), epoch: Some(epoch) }
    }

    /// What the last answer in this bucket said.
    pub(crate) fn seen(&self) -> Option<RateLimit> {
        lock(&self.known.state).seen()
    }
}

impl Permit {
    /// An answer told what is left until its reset, which is so far away.
    pub(crate) fn learn(&self, rate: RateLimit, until_reset: Option<Duration>, now: Duration) {
        let mine = match &self.known.share {
            Some(share) => {
                share.answered(self.epoch, Some((rate, until_reset)));
                share.part_of(rate)
            }
            None => rate,
        };
        lock(&self.known.state).learn(rate, mine, until_reset, now);
    }

    /// An answer said nothing of limits.
    pub(crate) fn heard_nothing(&self) {
        if let Some(share) = &self.known.share {
            share.answered(self.epoch, None);
        }
    }

    /// The server refused the call for its limit: nobody is to ask before that time has passed.
    pub(crate) fn exhausted(&self, wait: Duration, now: Duration) {
        if wait.is_zero() || wait > LONGEST_WINDOW {
            return;
        }
        if let Some(share) = &self.known.share {
            share.refused(wait);
        }
        lock(&self.known.state).exhaust(wait, now);
    }

    /// The request never left: what it took is there again.
    pub(crate) fn give_back(self) {
        match (&self.known.share, self.epoch) {
            (Some(share), Some(epoch)) => share.unused(epoch),
            _ => lock(&self.known.state).give_back(),
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        lock(&self.known.state).end();
        if let (Some(share), Some(_)) = (&self.known.share, self.epoch) {
            share.ended();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod share_tests;
#[cfg(test)]
mod tests;
