//! The tokens of a session in a store.

use std::fmt;
use std::sync::Arc;

use futures_core::future::BoxFuture;

use super::lease::{self, Lease};
use super::record::Record;
use crate::auth::oauth::{Overtaken, StoreLock, TokenSet, TokenStore};
use crate::error::Error;

/// The tokens of one session, for a [`RefreshingSession`](crate::auth::oauth::RefreshingSession). Cloning shares it.
///
/// One process refreshes a session at a time: it holds a [lease](super::SharedStore::lease) of the record and renews it while it lives. A
/// save replaces exactly the set that was read before; where another process has written since, it changes nothing and is
/// an error with [`Overtaken`] behind it; while another has the lease, it changes nothing and is an error. A lease is not given back after a save that failed, since it may have been
/// written: it ends by itself.
///
/// Times of a set are moved by what the clock of its writer differs from the one here, as the store's clock tells.
///
/// # A kill in the middle of a refresh
/// See [`TokenStore`](TokenStore#a-kill-in-the-middle-of-a-refresh).
#[derive(Clone)]
pub struct SharedSession(pub(super) Arc<Record>);

impl TokenStore for SharedSession {
    fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, Error>> {
        Box::pin(async {
            let Some(content) = self.0.load().await? else { return Ok(None) };
            Ok(Some(TokenSet::from_json(&content.text)?.with_times(|time| content.here(time))))
        })
    }

    fn save<'a>(&'a self, tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async {
            if self.0.save(&tokens.to_json()).await? {
                return Ok(());
            }
            let text = format!("{} is not written: another process has gone on with it", self.0.key);
            Err(Error::credential_from(text, Overtaken))
        })
    }

    fn lock(&self) -> BoxFuture<'_, Result<StoreLock, Error>> {
        Box::pin(async { Lease::wait(&self.0).await.map(StoreLock::new) })
    }

    fn unlocked(&self) -> BoxFuture<'_, ()> {
        Box::pin(lease::released(&self.0))
    }
}

impl fmt::Debug for SharedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSession").field("name", &self.0.key.name()).finish_non_exhaustive()
    }
}
