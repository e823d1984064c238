//! The state that an application keeps between sending a user to the authorization server and the callback.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use futures_core::future::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use super::Verifier;
use crate::error::{Clock, Error, SystemClock};

/// One user who was sent away and has not come back yet.
#[derive(Clone)]
pub struct PendingAuthorization {
    state: SecretString,
    verifier: Verifier,
    redirect_uri: String,
    scopes: Vec<String>,
    issuer: Option<String>,
}

impl PendingAuthorization {
    /// Makes an entry: for stores that serialize it and restore it. All fields are required.
    pub fn new(
        state: impl Into<SecretString>,
        verifier: Verifier,
        redirect_uri: impl Into<String>,
        scopes: Vec<String>,
        issuer: Option<String>,
    ) -> Self {
        Self { state: state.into(), verifier, redirect_uri: redirect_uri.into(), scopes, issuer }
    }

    /// Returns whether the user came back with this `state`. Takes as long for a wrong one as for the right one; an empty one
    /// is always wrong.
    pub fn has_state(&self, state: &str) -> bool {
        let own = self.state.expose_secret().as_bytes();
        !own.is_empty() && bool::from(own.ct_eq(state.as_bytes()))
    }

    /// The `state` that was sent. Do not print it.
    pub fn state(&self) -> &str {
        self.state.expose_secret()
    }

    /// The PKCE verifier that the code belongs to.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Where the user was told to come back to.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// The scopes that were asked for.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The server that must have sent the user back, where the request named it.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    pub(super) fn into_parts(self) -> (Verifier, String, Vec<String>) {
        (self.verifier, self.redirect_uri, self.scopes)
    }
}

impl fmt::Debug for PendingAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingAuthorization")
            .field("redirect_uri", &self.redirect_uri)
            .field("scopes", &self.scopes)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// Where pending authorizations are kept: in memory, or with the sessions of your web framework.
///
/// `session` names the browser that was sent away, by its session cookie. Without it anybody could start an
/// authorization, and have somebody else finish it with the first one's account (RFC 6749, section 10.12): an empty one
/// is refused. An application with one user, such as a command line, uses any constant.
pub trait PendingAuthorizations: fmt::Debug + Send + Sync + 'static {
    /// Remembers an authorization, before the user is sent away.
    fn put<'a>(&'a self, session: &'a str, pending: PendingAuthorization) -> BoxFuture<'a, Result<(), Error>>;

    /// Forgets and returns the authorization of this session with this state
    /// ([`has_state`](PendingAuthorization::has_state)), so that it is found once only.
    fn take<'a>(
        &'a self,
        session: &'a str,
        state: &'a str,
    ) -> BoxFuture<'a, Result<Option<PendingAuthorization>, Error>>;
}

/// Pending authorizations in the memory of this process, each for 10 minutes, at most 10,000 of them: the oldest makes
/// room for the next. Cloning shares them.
#[derive(Clone)]
pub struct MemoryPendingAuthorizations(Arc<Memory>);

struct Memory {
    entries: Mutex<VecDeque<Entry>>,
    lifetime: Duration,
    capacity: usize,
    clock: Arc<dyn Clock>,
}

struct Entry {
    session: String,
    pending: PendingAuthorization,
    put_at: SystemTime,
}

impl Memory {
    /// Returns whether an entry is still valid. If the clock was set back, its life begins again at that time.
    fn keeps(&self, entry: &Entry, now: SystemTime) -> bool {
        now.duration_since(entry.put_at).unwrap_or_default() < self.lifetime
    }
}

impl MemoryPendingAuthorizations {
    /// None yet.
    pub fn new() -> Self {
        Self::with(Duration::from_secs(600), 10_000, SystemClock)
    }

    /// With a lifetime, a largest number and a clock of your own.
    pub fn with(lifetime: Duration, capacity: usize, clock: impl Clock) -> Self {
        Self(Arc::new(Memory { entries: Mutex::default(), lifetime, capacity, clock: Arc::new(clock) }))
    }

    fn put_now(&self, session: &str, pending: PendingAuthorization) {
        let Memory { entries, capacity, clock, .. } = &*self.0;
        let now = clock.now();
        let mut entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| self.0.keeps(entry, now));
        while !entries.is_empty() && entries.len() >= *capacity {
            entries.pop_front();
        }
        entries.push_back(Entry { session: session.to_owned(), pending, put_at: now });
    }

    fn take_now(&self, session: &str, state: &str) -> Option<PendingAuthorization> {
        let Memory { entries, clock, .. } = &*self.0;
        let now = clock.now();
        let mut entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| self.0.keeps(entry, now));
        let is_it = |entry: &Entry| {
            bool::from(entry.session.as_bytes().ct_eq(session.as_bytes())) && entry.pending.has_state(state)
        };
        let index = entries.iter().position(is_it)?;
        entries.remove(index).map(|entry| entry.pending)
    }
}

impl PendingAuthorizations for MemoryPendingAuthorizations {
    fn put<'a>(&'a self, session: &'a str, pending: PendingAuthorization) -> BoxFuture<'a, Result<(), Error>> {
        self.put_now(session, pending);
        Box::pin(async { Ok(()) })
    }

    fn take<'a>(
        &'a self,
        session: &'a str,
        state: &'a str,
    ) -> BoxFuture<'a, Result<Option<PendingAuthorization>, Error>> {
        let taken = self.take_now(session, state);
        Box::pin(async { Ok(taken) })
    }
}

impl Default for MemoryPendingAuthorizations {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryPendingAuthorizations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryPendingAuthorizations")
            .field("lifetime", &self.0.lifetime)
            .field("capacity", &self.0.capacity)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::testing::TestClock;

    fn pending(state: &str) -> PendingAuthorization {
        let verifier = Verifier::random().expect("random numbers");
        PendingAuthorization::new(state, verifier, "https://app.example.com/callback", Vec::new(), None)
    }

    fn store(capacity: usize) -> (MemoryPendingAuthorizations, TestClock) {
        let clock = TestClock::default();
        (MemoryPendingAuthorizations::with(Duration::from_secs(600), capacity, clock.clone()), clock)
    }

    #[test]
    fn a_state_is_found_once_and_by_its_own_session() {
        let (store, _) = store(10);
        store.put_now("alice", pending("one"));
        assert!(store.take_now("mallory", "one").is_none());
        assert!(store.take_now("alice", "two").is_none());
        assert!(store.take_now("alice", "one").is_some());
        assert!(store.take_now("alice", "one").is_none());
    }

    #[test]
    fn two_tabs_of_one_session_do_not_disturb_each_other() {
        let (store, _) = store(10);
        store.put_now("alice", pending("one"));
        store.put_now("alice", pending("two"));
        assert!(store.take_now("alice", "one").is_some());
        assert!(store.take_now("alice", "two").is_some());
    }

    #[test]
    fn a_state_expires() {
        let (store, clock) = store(10);
        store.put_now("alice", pending("one"));
        clock.advance(Duration::from_secs(600));
        assert!(store.take_now("alice", "one").is_none());
    }

    #[test]
    fn a_lifetime_without_end_is_no_panic() {
        let store = MemoryPendingAuthorizations::with(Duration::MAX, 2, TestClock::default());
        store.put_now("alice", pending("one"));
        assert!(store.take_now("alice", "one").is_some());
    }

    #[test]
    fn the_oldest_makes_room() {
        let (store, _) = store(2);
        for state in ["one", "two", "three"] {
            store.put_now("alice", pending(state));
        }
        assert_eq!(["one", "two", "three"].map(|state| store.take_now("alice", state).is_some()), [false, true, true]);
    }

    #[test]
    fn an_empty_state_is_never_right() {
        let (store, _) = store(2);
        store.put_now("alice", pending(""));
        assert!(store.take_now("alice", "").is_none());
    }

    #[test]
    fn neither_state_nor_verifier_prints() {
        let (store, _) = store(2);
        let pending = pending("do-not-print-me");
        let verifier = pending.verifier().expose().to_owned();
        let shown = format!("{pending:?}");
        store.put_now("do-not-print-me", pending);
        let shown = format!("{shown} {store:?}");
        assert!(!shown.contains("do-not-print-me") && !shown.contains(&verifier), "{shown}");
    }
}
