//! Where the tokens of a session are kept.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures_core::future::BoxFuture;

use super::TokenSet;
use crate::Error;

/// A place for the tokens of one session. Processes that share a session share its store.
pub trait TokenStore: fmt::Debug + Send + Sync + 'static {
    /// The tokens as they are now; `None` where nobody has consented yet.
    fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, Error>>;

    /// Replaces the tokens: after an error, or a crash on the way, the old ones are still there.
    fn save<'a>(&'a self, tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), Error>>;
}

impl<S: TokenStore + ?Sized> TokenStore for Arc<S> {
    fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, Error>> {
        (**self).load()
    }

    fn save<'a>(&'a self, tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), Error>> {
        (**self).save(tokens)
    }
}

/// Tokens in the memory of this process, gone with it. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(Arc<Mutex<Option<TokenSet>>>);

impl MemoryStore {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }
}

impl TokenStore for MemoryStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<TokenSet>, Error>> {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async { Ok(tokens) })
    }

    fn save<'a>(&'a self, tokens: &'a TokenSet) -> BoxFuture<'a, Result<(), Error>> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(tokens.clone());
        Box::pin(async { Ok(()) })
    }
}
