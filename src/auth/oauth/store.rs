//! Where the tokens of a session are kept.

use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures_core::future::BoxFuture;

use super::TokenSet;
use crate::error::Error;

/// A place for the tokens of one session. Processes that share a session share its store.
///
/// # A kill in the middle of a refresh
/// Most servers replace the refresh token with each refresh, and take one that comes twice for theft: they end the session,
/// and every token of it. From the moment in which a refresh token is sent until the new one is saved, for the time of one
/// answer and one save, only the process that sent it knows what came of it. So the store holds a set without refresh token
/// meanwhile. If that process is killed then, or the machine fails, nobody knows whether the server has replaced it: the next
/// refresh says [`ReauthorizationRequired`](crate::ErrorKind::ReauthorizationRequired) and sends nothing. The access token is
/// used until it expires. What helps:
/// - Let a process end in order: at the signal to stop, await [`is_saved`](super::RefreshingSession::is_saved) of each
///   session, which waits for a refresh under way, before the runtime is shut down. A task that is dropped with its runtime
///   is a kill.
/// - Have the server take a refresh token a second time for a short while, where it offers that (a grace period, a reuse
///   interval), and say for how long:
///   [`refresh_grace_period`](super::TokenEndpointBuilder::refresh_grace_period). The store then keeps the token aside with the time, in
///   what [`TokenSet::to_json`] writes.
pub trait TokenStore: fmt::Debug + Send + Sync + 'static {
    /// The tokens as they are now; `None` where nobody has consented yet.
    fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, Error>>;

    /// Replaces the tokens: after an error, or a crash on the way, the old ones are still there. A store whose lock can end while its
    /// holder lives writes nothing where another process has written since, and gives an error with [`Overtaken`] behind it; where another
    /// has the lock and has not written, it gives another error, and is asked again.
    fn save<'a>(&'a self, tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), Error>>;

    /// Waits until no other session over this store refreshes, and keeps them waiting until the lock is dropped. Loading
    /// and saving do not ask for it; a session holds it from loading over refreshing to saving.
    ///
    /// The default locks nobody out: enough for a store that one session uses.
    fn lock(&self) -> BoxFuture<'_, Result<StoreLock, Error>> {
        Box::pin(async { Ok(StoreLock::new(())) })
    }

    /// Waits until a lock that was dropped is open to other processes, for a few seconds at most. A session awaits it before it returns a
    /// new token, since the process may end then.
    ///
    /// The default returns at once: for a lock that its drop opens.
    fn unlocked(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// The reason why a store wrote nothing: another process has written, since this one was late. As the source of an error of
/// [`TokenStore::save`] it makes a session take what is in the store.
#[derive(Clone, Copy, Debug, Default, thiserror::Error)]
#[error("another process has gone on with it")]
pub struct Overtaken;

impl Overtaken {
    /// Returns whether it is the source of an error.
    pub(super) fn is_behind(error: &Error) -> bool {
        error.source().is_some_and(<dyn StdError>::is::<Self>)
    }
}

/// The right to refresh the tokens of a store, until it is dropped.
pub struct StoreLock {
    _guard: Box<dyn Send>,
}

impl StoreLock {
    /// Holds a guard, whose drop unlocks.
    pub fn new(guard: impl Send + 'static) -> Self {
        Self { _guard: Box::new(guard) }
    }
}

impl fmt::Debug for StoreLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreLock").finish_non_exhaustive()
    }
}

impl<S: TokenStore + ?Sized> TokenStore for Arc<S> {
    fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, Error>> {
        (**self).load()
    }

    fn save<'a>(&'a self, tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), Error>> {
        (**self).save(tokens)
    }

    fn lock(&self) -> BoxFuture<'_, Result<StoreLock, Error>> {
        (**self).lock()
    }

    fn unlocked(&self) -> BoxFuture<'_, ()> {
        (**self).unlocked()
    }
}

/// Tokens in the memory of this process, gone with it. Cloning shares them, and the lock.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    tokens: Arc<Mutex<Option<TokenSet>>>,
    lock: Arc<tokio::sync::Mutex<()>>,
}

impl MemoryStore {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }
}

impl TokenStore for MemoryStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, Error>> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async { Ok(tokens) })
    }

    fn save<'a>(&'a self, tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), Error>> {
        *self.tokens.lock().unwrap_or_else(PoisonError::into_inner) = Some(tokens.clone());
        Box::pin(async { Ok(()) })
    }

    fn lock(&self) -> BoxFuture<'_, Result<StoreLock, Error>> {
        let lock = Arc::clone(&self.lock);
        Box::pin(async { Ok(StoreLock::new(lock.lock_owned().await)) })
    }
}
