//! Keeps one access token valid for any number of callers: one fetch at a time, ahead of expiry, and again after a refusal.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

use super::held::Held;
use super::{AccessToken, Carrier, TokenSource};
use crate::error::jitter;
use crate::error::{Clock, Error, SystemClock};
use crate::runtime;

/// The longest time without a fetch that a server's `Retry-After` can cause.
const LONGEST_REST: Duration = Duration::from_secs(3600);

/// The times at which a [`TokenSource`] is asked again. The defaults suit tokens that live from minutes to days.
#[derive(Clone, Debug)]
pub struct Refresh {
    leeway: Duration,
    recheck: Duration,
    patience: Duration,
    overlap: Duration,
    refusal_floor: Duration,
    clock: Arc<dyn Clock>,
}

impl Default for Refresh {
    fn default() -> Self {
        Self {
            leeway: Duration::from_secs(60),
            recheck: Duration::from_secs(300),
            patience: Duration::from_secs(30),
            overlap: Duration::from_secs(600),
            refusal_floor: Duration::from_secs(1),
            clock: Arc::new(SystemClock),
        }
    }
}

impl Refresh {
    /// Sets the time before its expiry at which a token is replaced. Default 60 s; never more than a quarter of the token's life.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Sets the interval at which the source of a token without expiry is asked again. Default 5 min. No background task runs: the
    /// first call after the interval starts the fetch and continues with the current token.
    #[must_use]
    pub fn recheck(mut self, interval: Duration) -> Self {
        self.recheck = interval;
        self
    }

    /// Sets the timeout of one fetch. Default 30 s.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sets the time for which a replaced token is kept for a server that does not know the new one yet. Default 10 min.
    #[must_use]
    pub fn overlap(mut self, overlap: Duration) -> Self {
        self.overlap = overlap;
        self
    }

    /// Sets the least time between two fetches that a 401 causes. Default 1 s: a token that is refused repeatedly does not
    /// flood its source with requests.
    #[must_use]
    pub fn refusal_floor(mut self, floor: Duration) -> Self {
        self.refusal_floor = floor;
        self
    }

    /// Replaces the clock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Returns the time for which a token with this lifetime is not replaced. `None` is a token without expiry.
    pub(super) fn fresh_for(&self, life: Option<Duration>) -> Duration {
        life.map_or(self.recheck, |life| life.saturating_sub(self.leeway.min(life / 4)))
    }
}

/// An access token that is refreshed. Clones share it.
#[derive(Clone)]
pub(crate) struct Cache(Arc<Shared>);

struct Shared {
    source: Arc<dyn TokenSource>,
    refresh: Refresh,
    carrier: Carrier,
    state: Mutex<State>,
}

/// The outcome of a fetch, shared by all callers that waited for it.
type Outcome = Result<Held, Arc<Error>>;

#[derive(Default)]
struct State {
    current: Option<Kept>,
    /// The replaced token, and the time of its replacement.
    previous: Option<(Held, SystemTime)>,
    /// The fetch in flight.
    fetch: Option<watch::Receiver<Option<Outcome>>>,
    failures: u32,
    /// The backoff after failures: its start, its duration, and the error that caused it.
    resting: Option<(SystemTime, Duration, Arc<Error>)>,
    refused_at: Option<SystemTime>,
    adopted: u64,
}

struct Kept {
    held: Held,
    adopted_at: SystemTime,
    /// The time for which the token is not replaced.
    fresh_for: Duration,
}

impl State {
    /// Returns the fetch in flight. A fetch whose task ended without an outcome does not count.
    fn in_flight(&self) -> Option<&watch::Receiver<Option<Outcome>>> {
        self.fetch.as_ref().filter(|fetch| fetch.has_changed().is_ok())
    }
}

/// Returns whether a span that began at `since` still lasts. It is also over when the clock was set back to before its start: a
/// backoff that began while the clock showed next year must not last until then.
fn lasts(since: SystemTime, span: Duration, now: SystemTime) -> bool {
    now.duration_since(since).is_ok_and(|passed| passed < span)
}

impl Cache {
    pub(crate) fn new(source: Arc<dyn TokenSource>, refresh: Refresh, carrier: Carrier) -> Self {
        Self(Arc::new(Shared { source, refresh, carrier, state: Mutex::default() }))
    }

    /// Returns a token that is valid now: the current one if there is one. It is replaced in the background shortly before its
    /// expiry.
    pub(crate) async fn token(&self) -> Result<Held, Error> {
        let waiting = {
            // The clock is read under the lock, so that no token seems to come from the future.
            let mut state = self.0.state();
            let now = self.0.refresh.clock.now();
            let at_hand = state.current.as_ref().filter(|kept| !kept.held.is_expired(now));
            if let Some(kept) = at_hand {
                let held = kept.held.clone();
                if !lasts(kept.adopted_at, kept.fresh_for, now) {
                    // The failure does not matter while the current token is valid.
                    let _ = self.fetch(&mut state, now, None);
                }
                return Ok(held);
            }
            self.fetch(&mut state, now, None)
        };
        match waiting {
            Ok(fetch) => wait(fetch).await.map_err(Error::of_source),
            Err(error) => Err(Error::of_source(error)),
        }
    }

    /// Returns a token other than the one that the server refused with 401, if there is one: the newer one in the cache, else the
    /// current one of the source, else the previous one during the overlap.
    pub(crate) async fn instead_of(&self, refused: &Held) -> Option<Held> {
        // A fetch that was already in flight may have read the source before it changed: then the source is asked once more.
        for _ in 0..2 {
            let (fetch, is_joined) = {
                let mut state = self.0.state();
                let now = self.0.refresh.clock.now();
                if let Some(kept) = state.current.as_ref().filter(|kept| kept.held.generation() > refused.generation())
                {
                    return Some(kept.held.clone());
                }
                let is_joined = state.in_flight().is_some();
                let just_asked = state.refused_at.is_some_and(|time| lasts(time, self.0.refresh.refusal_floor, now));
                if just_asked && !is_joined {
                    break;
                }
                if !is_joined {
                    state.refused_at = Some(now);
                }
                let Ok(fetch) = self.fetch(&mut state, now, Some(refused)) else { break };
                (fetch, is_joined)
            };
            match wait(fetch).await {
                Ok(held) if held.generation() > refused.generation() => return Some(held),
                Ok(_) if is_joined => {}
                _ => break,
            }
        }
        let state = self.0.state();
        let now = self.0.refresh.clock.now();
        let (previous, replaced_at) = state.previous.as_ref()?;
        let is_good = previous.generation() < refused.generation()
            && lasts(*replaced_at, self.0.refresh.overlap, now)
            && !previous.is_expired(now);
        is_good.then(|| previous.clone())
    }

    /// Joins the fetch in flight, or starts one in its own task, which outlives the caller that started it.
    fn fetch(
        &self,
        state: &mut State,
        now: SystemTime,
        refused: Option<&Held>,
    ) -> Result<watch::Receiver<Option<Outcome>>, Arc<Error>> {
        if let Some(fetch) = state.in_flight() {
            return Ok(fetch.clone());
        }
        if let Some((since, rest, error)) = &state.resting
            && lasts(*since, *rest, now)
        {
            return Err(Arc::clone(error));
        }
        let (done, fetch) = watch::channel(None);
        state.fetch = Some(fetch.clone());
        let shared = Arc::clone(&self.0);
        let refused = refused.cloned();
        runtime::spawn(async move {
            let asked = match &refused {
                Some(refused) => shared.source.replace(refused.token()),
                None => shared.source.fetch(),
            };
            let fetched = runtime::timeout(shared.refresh.patience, asked).await;
            let fetched =
                fetched.unwrap_or_else(|_| Err(Error::credential("the source of the token did not answer in time")));
            let outcome = shared.settle(fetched);
            let _ = done.send(Some(outcome));
        });
        Ok(fetch)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores the outcome of a fetch. A failure leaves the current token unchanged.
    fn settle(&self, fetched: Result<AccessToken, Error>) -> Outcome {
        let mut state = self.state();
        let now = self.refresh.clock.now();
        state.fetch = None;
        let adopted = fetched.and_then(|token| self.adopt(&mut state, token, now));
        match adopted {
            Ok(held) => {
                state.failures = 0;
                state.resting = None;
                Ok(held)
            }
            Err(error) => {
                let error = Arc::new(error);
                // A `Retry-After` is obeyed, up to an hour; after that, one more request costs little.
                let asked = error.retry_after().unwrap_or_default().min(LONGEST_REST);
                let rest = rest(state.failures).max(asked);
                state.failures = state.failures.saturating_add(1);
                state.resting = Some((now, rest, Arc::clone(&error)));
                // The log subscriber may call this cache.
                drop(state);
                tracing::warn!(target: "keyfit::auth", error = %error, retry_in_ms = rest.as_millis(), "no new token");
                Err(error)
            }
        }
    }

    fn adopt(&self, state: &mut State, token: AccessToken, now: SystemTime) -> Result<Held, Error> {
        if token.expires_at().is_some_and(|time| time <= now) {
            return Err(Error::credential("the source of the token handed out one that has expired"));
        }
        let life = token.expires_at().map(|time| time.duration_since(now).unwrap_or_default());
        let fresh_for = self.refresh.fresh_for(life);
        let is_same = state.current.as_ref().is_some_and(|kept| kept.held.token().expose() == token.expose());
        if !is_same {
            state.adopted += 1;
        }
        let held = Held::new(token, self.carrier, state.adopted)?;
        let replaced = state.current.replace(Kept { held: held.clone(), adopted_at: now, fresh_for });
        if let Some(replaced) = replaced
            && !is_same
        {
            state.previous = Some((replaced.held, now));
        }
        Ok(held)
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("source", &self.0.source).finish_non_exhaustive()
    }
}

async fn wait(mut fetch: watch::Receiver<Option<Outcome>>) -> Outcome {
    match fetch.wait_for(Option::is_some).await {
        Ok(outcome) => outcome.clone().unwrap_or_else(|| Err(Arc::new(lost()))),
        Err(_) => Err(Arc::new(lost())),
    }
}

/// Returns the error for a task that ended without an outcome: its source panicked, or its runtime was shut down.
fn lost() -> Error {
    Error::credential("the source of the token broke off")
}

/// Returns the backoff: 1 s, 2 s, 4 s and so on to 64 s, with equal jitter, so that many processes do not ask at the same time.
fn rest(failures: u32) -> Duration {
    jitter::equal_jitter(Duration::from_secs(1 << failures.min(6)))
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
