//! An access token that processes share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_core::future::BoxFuture;
use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};

use super::engine::Key;
use super::lease::{self, Lease, TRIED_EVERY};
use super::record::{Record, Settings};
use crate::auth::secret::{Secret, with_secrets};
use crate::auth::source::TokenSource;
use crate::auth::{AccessToken, Refresh};
use crate::error::Error;

/// The longest lease of a fetch: to fetch twice is harmless, to wait long is not.
const LEASE: Duration = Duration::from_secs(10);
/// The time that a caller without a token waits for another process before it fetches one itself: less than a credential waits for its source.
const PATIENCE: Duration = Duration::from_secs(15);

/// An access token that one process fetches and all use: of client credentials, or of another source whose tokens may be used by
/// several processes. Give it to [`Credential::from_source`](crate::auth::Credential::from_source). Cloning shares it.
///
/// - A token in the store is taken as long as it is good. When it is due, a minute before it expires or after a quarter of its life where
///   that is less, one process fetches the next one under a lease; the others go on with the one at hand.
/// - A token without expiry is asked for anew every 5 minutes, by one process.
/// - A token that a server refused is replaced once: a process whose refused token is not the stored one takes the stored one.
/// - Where the store cannot be used, or another process takes longer than 15 s, each process fetches by itself. That is logged as a
///   warning, once until the store is back.
///
/// Times are moved by what the clock of the process that fetched differs from the one here.
#[derive(Clone)]
pub struct SharedToken(Arc<Inner>);

struct Inner {
    record: Arc<Record>,
    source: Arc<dyn TokenSource>,
    refresh: Refresh,
    /// One look at a time.
    turn: tokio::sync::Mutex<()>,
    /// True if the last attempt found that the store cannot be used.
    is_alone: AtomicBool,
}

/// A token as it is written.
#[derive(Deserialize, Serialize)]
struct Written {
    access_token: Secret,
    /// Milliseconds since 1970.
    expires_at: Option<u64>,
}

/// A token of the store.
struct Found {
    token: AccessToken,
    fetched_at: SystemTime,
}

/// The reason why there is no token from the store.
enum Fault {
    Source(Error),
    Store(Error),
}

impl SharedToken {
    pub(super) fn new(mut settings: Settings, key: Key, source: Arc<dyn TokenSource>) -> Self {
        settings.lease = settings.lease.min(LEASE);
        Self(Arc::new(Inner {
            record: Arc::new(Record::new(settings, key)),
            source,
            refresh: Refresh::default(),
            turn: tokio::sync::Mutex::default(),
            is_alone: AtomicBool::new(false),
        }))
    }
}

impl TokenSource for SharedToken {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        Box::pin(self.0.get(None))
    }

    fn replace<'a>(&'a self, refused: &'a AccessToken) -> BoxFuture<'a, Result<AccessToken, Error>> {
        Box::pin(self.0.get(Some(refused)))
    }
}

impl Inner {
    async fn get(&self, refused: Option<&AccessToken>) -> Result<AccessToken, Error> {
        let _turn = self.turn.lock().await;
        let shared = self.shared(refused).await;
        lease::released(&self.record).await;
        match shared {
            Ok(token) => {
                self.is_alone.store(false, Ordering::Release);
                Ok(token)
            }
            Err(Fault::Source(error)) => Err(error),
            Err(Fault::Store(error)) => {
                if !self.is_alone.swap(true, Ordering::AcqRel) {
                    tracing::warn!(%error, "an access token is not shared now: this process fetches its own");
                }
                self.ask(refused).await
            }
        }
    }

    async fn ask(&self, refused: Option<&AccessToken>) -> Result<AccessToken, Error> {
        match refused {
            Some(refused) => self.source.replace(refused).await,
            None => self.source.fetch().await,
        }
    }

    /// The token of the store, or one that is fetched for it.
    async fn shared(&self, refused: Option<&AccessToken>) -> Result<AccessToken, Fault> {
        let mut waited = Duration::ZERO;
        loop {
            let found = self.find(refused).await.map_err(Fault::Store)?;
            if let Some(found) = found.as_ref().filter(|found| !self.is_due(found)) {
                return Ok(found.token.clone());
            }
            if let Some(lease) = Lease::take(&self.record).await.map_err(Fault::Store)? {
                return self.renew(refused, lease).await;
            }
            match found {
                // It is good for a while, and another process fetches the next one.
                Some(found) => return Ok(found.token),
                None if waited >= PATIENCE => {
                    return Err(Fault::Store(
                        self.record.key.failed("waited for", "another process fetches it for too long"),
                    ));
                }
                None => {}
            }
            self.record.settings.clock.sleep(TRIED_EVERY).await;
            waited += TRIED_EVERY;
        }
    }

    /// Fetches the next token, unless another process has done so before the lease was ours.
    async fn renew(&self, refused: Option<&AccessToken>, lease: Lease) -> Result<AccessToken, Fault> {
        let found = self.find(refused).await.map_err(Fault::Store)?;
        if let Some(found) = found.filter(|found| !self.is_due(found)) {
            return Ok(found.token);
        }
        let token = self.ask(refused).await.map_err(Fault::Source)?;
        let saved = self.record.save(&Written::of(&token)).await;
        drop(lease);
        // It is good all the same; where another process was quicker, both are.
        if let Err(error) = saved {
            tracing::warn!(%error, "a new access token could not be stored: other processes fetch their own");
        }
        Ok(token)
    }

    /// The token of the store, where it has not expired and is not the one that was refused.
    async fn find(&self, refused: Option<&AccessToken>) -> Result<Option<Found>, Error> {
        let Some(content) = self.record.load().await? else { return Ok(None) };
        let written: Written = serde_json::from_slice(&content.text)
            .map_err(|_| self.record.key.failed("read", "it holds no token as Keyfit writes it"))?;
        let expires_at = written.expires_at.and_then(|at| UNIX_EPOCH.checked_add(Duration::from_millis(at)));
        let expires_at = expires_at.map(|time| content.here(time));
        let token = AccessToken::new(written.access_token.expose()).expiring_at(expires_at);
        let is_refused = refused.is_some_and(|refused| refused.expose() == token.expose());
        let is_expired = expires_at.is_some_and(|time| time <= self.record.settings.clock.now());
        Ok((!is_refused && !is_expired).then(|| Found { token, fetched_at: content.written_here() }))
    }

    fn is_due(&self, found: &Found) -> bool {
        let life = found.token.expires_at().map(|time| time.duration_since(found.fetched_at).unwrap_or_default());
        let age = self.record.settings.clock.now().duration_since(found.fetched_at).unwrap_or_default();
        age >= self.refresh.fresh_for(life)
    }
}

impl Written {
    fn of(token: &AccessToken) -> Zeroizing<Vec<u8>> {
        let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let expires_at = token.expires_at().map(since).and_then(|at| u64::try_from(at).ok());
        let written = Self { access_token: Secret::new(token.expose()), expires_at };
        // Texts and numbers: there is nothing in it that JSON cannot say.
        Zeroizing::new(with_secrets(|| serde_json::to_vec(&written)).unwrap_or_default())
    }
}

impl fmt::Debug for SharedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedToken")
            .field("name", &self.0.record.key.name())
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}
