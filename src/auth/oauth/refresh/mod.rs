//! Keeps a user's session alive with its refresh token (RFC 6749, section 6).

mod saving;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_core::future::BoxFuture;
use tokio::sync::Mutex;

use super::outcome::{Failed, Grant, Standing};
use super::{Overtaken, StoreLock, TokenEndpoint, TokenError, TokenSet, TokenStore};
use crate::auth::{AccessToken, TokenSource};
use crate::error::Error;
use crate::runtime;

/// A set that expires sooner than this is refreshed and not handed out.
const LEEWAY: Duration = Duration::from_secs(60);
/// The wait before a refresh token is sent again in its grace period, how often that is done in one refresh, and the end of the period
/// in which it is not: a request takes time to arrive.
const REPLAY_WAIT: Duration = Duration::from_millis(500);
const REPLAYS: u32 = 2;
const REPLAY_MARGIN: Duration = Duration::from_secs(1);

/// The tokens of one user, refreshed when needed. Give it to
/// [`Credential::from_source`](crate::auth::Credential::from_source), which asks it ahead of expiry and after a 401.
/// Cloning shares the session.
///
/// - One refresh at a time: of two, a server that rotates refresh tokens would take the second for theft. Sessions that share
///   a store refresh one after the other, in one process or in several: the store is [locked](TokenStore::lock) and read
///   again before a refresh, and what another has saved is taken instead.
/// - **A refresh token is never sent again once it may have been redeemed.** It is taken out of the store before it is sent;
///   the new set goes in before it is handed out; where the server refuses the request, the old set goes back. Whatever ends
///   the process in between, no other one finds a token that is spent: it says
///   [`ReauthorizationRequired`](crate::ErrorKind::ReauthorizationRequired), see
///   [`TokenStore`](TokenStore#a-kill-in-the-middle-of-a-refresh).
/// - Where the new set cannot be saved that is logged as an error, the set is used, and saving is tried again until it
///   succeeds, ever more rarely up to once a minute, under the lock: see [`is_saved`](Self::is_saved).
/// - A server that left the refresh token in force when it was last used takes it again: nothing is taken out of the store
///   then, and what is lost on the way is asked for once more. One with a
///   [grace period](super::TokenEndpointBuilder::refresh_grace_period) takes it for that time: the store keeps it aside with the time.
/// - An answer without tokens changes nothing that is stored, but for a new refresh token in it.
/// - A caller that goes away does not stop a refresh on its way: the server may have rotated already.
///
/// Any refusal of the refresh token, whatever the server calls it and whatever its status, is
/// `ReauthorizationRequired`, after a last look into the store. A refusal of the client, its scopes or the form of the
/// request is not.
///
/// An access token is refreshed a minute before it expires, and when a server refuses it. One whose server left out
/// `expires_in` is used until it is refused, or for
/// [`assumed_lifetime`](super::TokenEndpointBuilder::assumed_lifetime).
///
/// ```
/// use keyfit::auth::oauth::{FileStore, RefreshingSession, TokenEndpoint};
/// use keyfit::auth::Credential;
/// use keyfit::scopien::kind;
///
/// # async fn example(endpoint: TokenEndpoint) -> Result<(), keyfit::Error> {
/// let session = RefreshingSession::load(endpoint, FileStore::new("/var/lib/my-app/alice.json")).await?;
/// let credential: Credential<kind::Key> = Credential::from_source(session);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RefreshingSession(Arc<Inner>);

struct Inner {
    endpoint: TokenEndpoint,
    store: Box<dyn TokenStore>,
    state: Mutex<State>,
    /// Grows with each new set, so that who waited for a refresh does not start another one.
    generation: AtomicU64,
}

struct State {
    tokens: TokenSet,
    /// True if a caller has received the access token.
    is_used: bool,
    /// The lock of the store, while what is in use could not be saved. Who gets it would read an old set.
    unsaved: Option<Unsaved>,
    /// True while a task tries to save it.
    is_saving: bool,
    /// True if the set in the store has no refresh token because that one is, or was, in flight.
    is_marked: bool,
}

/// A set that could not be saved.
struct Unsaved {
    /// The lock of the store. Who gets it would read an old set.
    lock: StoreLock,
    /// True if the store has no refresh token meanwhile, or may have none.
    is_over_mark: bool,
}

impl RefreshingSession {
    /// A session that was just consented to; its tokens are saved.
    ///
    /// # Errors
    /// Returns an error if the store fails.
    pub async fn start(endpoint: TokenEndpoint, tokens: TokenSet, store: impl TokenStore) -> Result<Self, Error> {
        let lock = store.lock().await?;
        store.save(&tokens).await?;
        drop(lock);
        store.unlocked().await;
        Ok(Self::new(endpoint, tokens, store))
    }

    /// A session whose tokens were saved before.
    ///
    /// # Errors
    /// Returns an error if the store fails or is empty.
    pub async fn load(endpoint: TokenEndpoint, store: impl TokenStore) -> Result<Self, Error> {
        let tokens = store
            .load()
            .await?
            .ok_or_else(|| Error::credential(format!("{store:?} holds no tokens: the user must consent first")))?;
        Ok(Self::new(endpoint, tokens, store))
    }

    fn new(endpoint: TokenEndpoint, tokens: TokenSet, store: impl TokenStore) -> Self {
        let state = Mutex::new(State { tokens, is_used: false, unsaved: None, is_saving: false, is_marked: false });
        Self(Arc::new(Inner { endpoint, store: Box::new(store), state, generation: AtomicU64::new(0) }))
    }

    /// Returns whether the tokens in use are in the store, once a refresh in flight is over: await it before the process ends. `false`
    /// after a save that failed, until it has succeeded: with a server that rotates, the session ends with this process.
    pub async fn is_saved(&self) -> bool {
        self.0.state.lock().await.unsaved.is_none()
    }

    /// The scopes that were granted.
    pub async fn scopes(&self) -> Vec<String> {
        self.0.state.lock().await.tokens.scopes().to_vec()
    }
}

impl TokenSource for RefreshingSession {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        let inner = Arc::clone(&self.0);
        let seen = inner.generation.load(Ordering::Acquire);
        Box::pin(to_its_end(async move {
            let fetched = inner.fetch(seen).await;
            inner.store.unlocked().await;
            fetched
        }))
    }

    fn replace<'a>(&'a self, refused: &'a AccessToken) -> BoxFuture<'a, Result<AccessToken, Error>> {
        let (inner, refused) = (Arc::clone(&self.0), refused.clone());
        Box::pin(to_its_end(async move {
            let replaced = inner.replace(&refused).await;
            inner.store.unlocked().await;
            replaced
        }))
    }
}

/// Runs in a task of its own, which a caller that goes away does not stop.
async fn to_its_end(
    work: impl Future<Output = Result<AccessToken, Error>> + Send + 'static,
) -> Result<AccessToken, Error> {
    let done = runtime::spawn(work).await;
    done.map_err(|error| Error::credential_from("the refresh was stopped", error))?
}

impl Inner {
    async fn fetch(self: &Arc<Self>, seen: u64) -> Result<AccessToken, Error> {
        let mut state = self.state.lock().await;
        let is_good = if self.generation.load(Ordering::Acquire) == seen {
            self.look(&mut state).await;
            // A caller that comes back for a token that expires wants the next one; for another, it only checks that there is one.
            let is_spent = state.is_used && state.tokens.expires_at().is_some();
            !is_spent && !self.expires_within(&state.tokens, LEEWAY)
        } else {
            // It came while this caller waited.
            !self.expires_within(&state.tokens, Duration::ZERO)
        };
        if !is_good {
            self.refresh(&mut state).await?;
        }
        state.is_used = true;
        Ok(state.tokens.access().clone())
    }

    async fn replace(self: &Arc<Self>, refused: &AccessToken) -> Result<AccessToken, Error> {
        let mut state = self.state.lock().await;
        self.look(&mut state).await;
        let is_refused = state.tokens.access().expose() == refused.expose();
        if is_refused || self.expires_within(&state.tokens, Duration::ZERO) {
            self.refresh(&mut state).await?;
        }
        state.is_used = true;
        Ok(state.tokens.access().clone())
    }

    /// Asks for a new set, unless another session has got one.
    async fn refresh(self: &Arc<Self>, state: &mut State) -> Result<(), Error> {
        // With the lock of a set that could not be saved: what is in the store is older.
        let lock = if let Some(lock) = self.unsaved(state).await {
            lock
        } else {
            let lock = self.store.lock().await?;
            if self.adopt(state).await? && !self.expires_within(&state.tokens, LEEWAY) {
                return Ok(());
            }
            lock
        };
        let Some((refused, lock)) = self.redeem(state, lock).await? else { return Ok(()) };
        // Where the store has no lock, another process may have been quicker: its set is taken.
        if !self.adopt(state).await? {
            return Err(consent_again(refused));
        }
        if !self.expires_within(&state.tokens, LEEWAY) {
            return Ok(());
        }
        self.redeem(state, lock).await?.map_or(Ok(()), |(refused, _)| Err(consent_again(refused)))
    }

    /// Sends the refresh token and saves what comes. What is returned is the server's refusal of the token, and the lock.
    async fn redeem(self: &Arc<Self>, state: &mut State, lock: StoreLock) -> Result<Option<(Error, StoreLock)>, Error> {
        let old = state.tokens.clone();
        let is_reusable = old.is_reusable() || self.endpoint.are_refresh_tokens_reusable();
        let (refresh, mut grant) = match (old.refresh_token(), old.sent(), self.grace_left(&old)) {
            (Some(refresh), ..) if is_reusable => (refresh, Grant::Repeatable),
            (Some(refresh), ..) => (refresh, Grant::Once),
            (None, Some((sent, _)), Some(left)) => (sent, Grant::Within(left)),
            (None, ..) => return Err(without_refresh_token(&old)),
        };
        if grant == Grant::Once {
            // Before it is sent: no other process, and none after this one, shall find it. A task that is stopped from here
            // on leaves it so, in memory too.
            let has_grace = self.endpoint.refresh_grace_period().is_some();
            let redeemed = old.redeemed(has_grace.then(|| self.endpoint.clock().now()));
            if !state.is_marked {
                if let Err(error) = self.store.save(&redeemed).await {
                    if !Overtaken::is_behind(&error) {
                        // Nothing was sent, and the mark may be written all the same: the set that is good goes back.
                        self.save_later(state, lock, true);
                    }
                    return Err(error);
                }
                state.is_marked = true;
            }
            state.tokens = redeemed;
        }
        let secrets: Vec<&str> = old.secrets().collect();
        let mut replays = 0;
        let failed = loop {
            let failed = match self.endpoint.refresh(grant, refresh, &secrets).await {
                Ok(newer) => {
                    state.tokens = old.merge(newer);
                    self.changed(state);
                    self.save(state, lock).await;
                    return Ok(None);
                }
                Err(failed) => failed,
            };
            let is_lost = failed.standing == Standing::Unknown && failed.rotated.is_none();
            if !is_lost || replays >= REPLAYS || self.grace_left(&state.tokens).is_none() {
                break failed;
            }
            replays += 1;
            self.endpoint.clock().sleep(REPLAY_WAIT).await;
            let Some(left) = self.grace_left(&state.tokens) else { break failed };
            grant = Grant::Within(left);
        };
        let Failed { error, standing, rotated, .. } = failed;
        if let Some(rotated) = rotated {
            state.tokens = old.rotated(rotated);
            self.save(state, lock).await;
            return Err(error);
        }
        if is_reusable {
            return if standing == Standing::Refused { Ok(Some((error, lock))) } else { Err(error) };
        }
        // The token may have been redeemed by the first request, unless the server refuses it now.
        let is_replayed = matches!(grant, Grant::Within(_));
        if standing == Standing::Unknown || (is_replayed && standing != Standing::Refused) {
            if self.grace_left(&state.tokens).is_some() {
                return Err(error);
            }
            let wait = error.retry_after();
            let message = format!(
                "nobody knows whether the refresh token was redeemed, and sending it again could end the session as theft: \
                 the user must consent again ({error})"
            );
            return Err(Error::reauthorization_required(message).because_of(error).waiting(wait));
        }
        // It is as good as before, or as bad; the store has it again, unless somebody without a lock has saved another set. One that was
        // refused when it was sent again is sent no more.
        state.tokens = if is_replayed { old.redeemed(None) } else { old };
        let lock = match self.store.load().await {
            Ok(Some(stored)) if !stored.is_redeemed() => {
                state.is_marked = false;
                Some(lock)
            }
            _ => self.save(state, lock).await,
        };
        match (standing, lock) {
            (Standing::Refused, Some(lock)) => Ok(Some((error, lock))),
            (Standing::Refused, None) => Err(consent_again(error)),
            _ => Err(error),
        }
    }

    /// Looks whether another process has saved a set, without waiting for one that refreshes. What is ours and unsaved is
    /// newer than any in the store.
    async fn look(&self, state: &mut State) {
        if state.unsaved.is_some() {
            return;
        }
        match self.store.load().await {
            // A refresh is under way elsewhere.
            Ok(Some(stored)) if stored.is_redeemed() => {}
            Ok(Some(stored)) => self.take(state, stored),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "the stored tokens of an OAuth session cannot be read; the ones at hand are used");
            }
        }
    }

    /// Takes what another process has saved, and says whether that is another access token. The lock is held: a set whose
    /// refresh token is out is of a process that has ended.
    async fn adopt(&self, state: &mut State) -> Result<bool, Error> {
        let before = state.tokens.access().clone();
        if let Some(stored) = self.store.load().await? {
            state.is_marked = stored.is_redeemed();
            self.take(state, stored);
        }
        Ok(state.tokens.access().expose() != before.expose())
    }

    fn take(&self, state: &mut State, stored: TokenSet) {
        if !stored.has_tokens_of(&state.tokens) {
            state.tokens = stored;
            self.changed(state);
        }
    }

    /// Returns the time for which a refresh token that was sent may be sent again.
    fn grace_left(&self, tokens: &TokenSet) -> Option<Duration> {
        let (_, at) = tokens.sent()?;
        // A clock that was set back tells no time.
        let age = self.endpoint.clock().now().duration_since(at).ok()?;
        let left = self.endpoint.refresh_grace_period()?.checked_sub(age)?;
        left.checked_sub(REPLAY_MARGIN).filter(|left| !left.is_zero())
    }

    fn changed(&self, state: &mut State) {
        state.is_used = false;
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    fn expires_within(&self, tokens: &TokenSet, leeway: Duration) -> bool {
        let now = self.endpoint.clock().now();
        let soon = now.checked_add(leeway).unwrap_or(now);
        tokens.expires_at().is_some_and(|time| time <= soon)
    }
}

/// Returns the error for a token set without a refresh token.
fn without_refresh_token(tokens: &TokenSet) -> Error {
    Error::reauthorization_required(if tokens.is_redeemed() {
        "the refresh token was sent by a process that ended before it saved what came of it, or whose answer was lost: the user \
         must consent again"
    } else {
        "the session has no refresh token: the user must consent again; ask for the scope `offline_access` to get one"
    })
}

/// Says what to do, and keeps the server's answer as the source.
fn consent_again(error: Error) -> Error {
    let message = format!("the session has ended, the user must consent again: {error}");
    let consent = Error::reauthorization_required(message);
    match TokenError::of(&error).cloned() {
        Some(refusal) => consent.because_of(refusal),
        None => consent.because_of(error),
    }
}

impl fmt::Debug for RefreshingSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshingSession")
            .field("client_id", &self.0.endpoint.client_id())
            .field("store", &self.0.store)
            .finish_non_exhaustive()
    }
}
