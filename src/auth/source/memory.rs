//! A secret that the program holds itself.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use futures_core::future::BoxFuture;
use secrecy::SecretString;

use super::SecretSource;
use crate::error::Error;

/// A secret in memory, for tests and for programs that get theirs in another way. Clones share it, so that
/// [`set`](Self::set) rotates it for all.
///
/// ```
/// use keyfit::auth::SecretSource as _;
/// use keyfit::auth::source::MemorySource;
/// use secrecy::ExposeSecret as _;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), keyfit::Error> {
/// let source = MemorySource::new("old");
/// source.clone().set("new");
/// assert_eq!(source.read().await?.expose_secret(), "new");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MemorySource(Arc<RwLock<SecretString>>);

impl MemorySource {
    /// A source of this secret.
    pub fn new(secret: impl Into<SecretString>) -> Self {
        Self(Arc::new(RwLock::new(secret.into())))
    }

    /// Rotates the secret.
    pub fn set(&self, secret: impl Into<SecretString>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = secret.into();
    }
}

impl SecretSource for MemorySource {
    fn read(&self) -> BoxFuture<'_, Result<SecretString, Error>> {
        let secret = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(std::future::ready(Ok(secret)))
    }
}

impl fmt::Debug for MemorySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemorySource(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_print() {
        assert_eq!(format!("{:?}", MemorySource::new("hunter2")), "MemorySource(redacted)");
    }
}
