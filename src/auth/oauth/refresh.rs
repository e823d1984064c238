//! Keeps a user's session alive with its refresh token (RFC 6749, section 6).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_core::future::BoxFuture;
use tokio::sync::Mutex;

use super::{TokenEndpoint, TokenError, TokenErrorCode, TokenSet, TokenStore};
use crate::auth::{AccessToken, TokenSource};
use crate::error::Error;

/// A set that expires sooner than this is refreshed and not handed out.
const LEEWAY: Duration = Duration::from_secs(60);

/// The tokens of one user, refreshed when needed. Give it to
/// [`Credential::from_source`](crate::auth::Credential::from_source), which asks it ahead of expiry and after a 401.
/// Cloning shares the session.
///
/// - One refresh at a time: of two, a server that rotates refresh tokens would take the second for theft.
/// - A new set is saved before it is handed out. Where saving fails that is logged as an error, the set is used, and
///   saving is tried again with the next fetch: see [`is_saved`](Self::is_saved).
/// - An answer without tokens changes nothing that is stored.
/// - Sessions that share a store refresh one after the other, in one process or in several: the store is
///   [locked](TokenStore::lock) and read again before a refresh, and what another has saved is taken instead.
/// - A caller that goes away does not stop a refresh on its way: the server may have rotated already. The end of the process
///   does: see [`TokenStore`](TokenStore#a-kill-between-a-rotation-and-its-save).
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
    /// Whether the access token was given to somebody.
    is_used: bool,
    is_saved: bool,
}

impl RefreshingSession {
    /// A session that was just consented to; its tokens are saved.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn start(endpoint: TokenEndpoint, tokens: TokenSet, store: impl TokenStore) -> Result<Self, Error> {
        let lock = store.lock().await?;
        store.save(&tokens).await?;
        drop(lock);
        Ok(Self::new(endpoint, tokens, store))
    }

    /// A session whose tokens were saved before.
    ///
    /// # Errors
    /// A store that fails or is empty.
    pub async fn load(endpoint: TokenEndpoint, store: impl TokenStore) -> Result<Self, Error> {
        let tokens = store
            .load()
            .await?
            .ok_or_else(|| Error::credential(format!("{store:?} holds no tokens: the user must consent first")))?;
        Ok(Self::new(endpoint, tokens, store))
    }

    fn new(endpoint: TokenEndpoint, tokens: TokenSet, store: impl TokenStore) -> Self {
        let state = Mutex::new(State { tokens, is_used: false, is_saved: true });
        Self(Arc::new(Inner { endpoint, store: Box::new(store), state, generation: AtomicU64::new(0) }))
    }

    /// Whether the tokens in use are in the store, once a refresh under way is over: await it before the process ends. `false`
    /// after a save that failed: with a server that rotates, the
    /// session ends with this process.
    pub async fn is_saved(&self) -> bool {
        self.0.state.lock().await.is_saved
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
        Box::pin(to_its_end(async move { inner.fetch(seen).await }))
    }

    fn replace<'a>(&'a self, refused: &'a AccessToken) -> BoxFuture<'a, Result<AccessToken, Error>> {
        let (inner, refused) = (Arc::clone(&self.0), refused.clone());
        Box::pin(to_its_end(async move { inner.replace(&refused).await }))
    }
}

/// Runs in a task of its own, which a caller that goes away does not stop.
async fn to_its_end(
    work: impl Future<Output = Result<AccessToken, Error>> + Send + 'static,
) -> Result<AccessToken, Error> {
    let done = tokio::spawn(work).await;
    done.map_err(|error| Error::credential_from("the refresh was stopped", error))?
}

impl Inner {
    async fn fetch(&self, seen: u64) -> Result<AccessToken, Error> {
        let mut state = self.state.lock().await;
        self.save_again(&mut state).await;
        let is_good = if self.generation.load(Ordering::Acquire) == seen {
            self.adopt(&mut state).await;
            // Who comes back for a token that expires wants the next one; for another, only to see that it is there.
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

    async fn replace(&self, refused: &AccessToken) -> Result<AccessToken, Error> {
        let mut state = self.state.lock().await;
        self.save_again(&mut state).await;
        self.adopt(&mut state).await;
        let is_refused = state.tokens.access().expose() == refused.expose();
        if is_refused || self.expires_within(&state.tokens, Duration::ZERO) {
            self.refresh(&mut state).await?;
        }
        state.is_used = true;
        Ok(state.tokens.access().clone())
    }

    /// Asks for a new set, unless another session has got one. Where the store has no lock, another process may be
    /// quicker: when the refresh token is refused, its set is taken.
    async fn refresh(&self, state: &mut State) -> Result<(), Error> {
        let _lock = self.store.lock().await?;
        if self.adopt(state).await && !self.expires_within(&state.tokens, LEEWAY) {
            return Ok(());
        }
        let newer = match self.request(&state.tokens).await {
            Ok(newer) => newer,
            Err(error) if !is_invalid_grant(&error) => return Err(error),
            Err(error) => {
                if !self.adopt(state).await {
                    return Err(consent_again(error));
                }
                if !self.expires_within(&state.tokens, LEEWAY) {
                    return Ok(());
                }
                self.request(&state.tokens)
                    .await
                    .map_err(|error| if is_invalid_grant(&error) { consent_again(error) } else { error })?
            }
        };
        state.tokens = state.tokens.merge(newer);
        self.changed(state);
        self.save(state).await;
        Ok(())
    }

    async fn request(&self, tokens: &TokenSet) -> Result<TokenSet, Error> {
        let refresh = tokens.refresh_token().ok_or_else(|| {
            Error::credential(
                "the session has no refresh token: the user must consent again; ask for the scope `offline_access` to \
                 get one",
            )
        })?;
        let secrets: Vec<&str> = tokens.secrets().collect();
        self.endpoint.request(vec![("grant_type", "refresh_token"), ("refresh_token", refresh)], &secrets).await
    }

    /// Takes what another process has saved. A set of ours that could not be saved is newer than any in the store.
    async fn adopt(&self, state: &mut State) -> bool {
        if !state.is_saved {
            return false;
        }
        match self.store.load().await {
            Ok(Some(stored)) if !stored.has_tokens_of(&state.tokens) => {
                state.tokens = stored;
                self.changed(state);
                true
            }
            Ok(_) => false,
            Err(error) => {
                tracing::warn!(%error, "the stored tokens of an OAuth session cannot be read; the ones at hand are used");
                false
            }
        }
    }

    /// Saves what could not be saved before.
    async fn save_again(&self, state: &mut State) {
        if state.is_saved {
            return;
        }
        match self.store.lock().await {
            Ok(_lock) => self.save(state).await,
            Err(error) => tracing::error!(%error, "the new tokens of an OAuth session cannot be saved yet"),
        }
    }

    async fn save(&self, state: &mut State) {
        let saved = self.store.save(&state.tokens).await;
        state.is_saved = saved.is_ok();
        if let Err(error) = saved {
            tracing::error!(%error, "the new tokens of an OAuth session cannot be saved; they are used all the same");
        }
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

fn is_invalid_grant(error: &Error) -> bool {
    TokenError::of(error).and_then(TokenError::code) == Some(&TokenErrorCode::InvalidGrant)
}

/// Says what to do, and keeps the server's answer as the source.
fn consent_again(error: Error) -> Error {
    match TokenError::of(&error).cloned() {
        Some(refusal) => {
            Error::credential_from(format!("the session has ended, the user must consent again: {refusal}"), refusal)
        }
        None => error,
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
