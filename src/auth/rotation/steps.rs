//! The steps of a rotation, each made from the one before it.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::failure::may_have_happened;
use super::pair::Pair;
use super::{Aborted, KeyManager, Step};
use crate::auth::Secret;
use crate::error::{Error, ErrorKind};

/// A rotation that has not begun.
#[derive(Debug)]
#[must_use = "nothing happens before `mint`"]
pub struct Rotation {
    keys: Arc<dyn KeyManager>,
    old: String,
}

/// The new key is made; nobody has it.
#[derive(Debug)]
#[must_use = "two keys are valid: go on or `abort`"]
pub struct Minted(Pair);

/// The new key is where the programs will look for it.
#[derive(Debug)]
#[must_use = "two keys are valid: go on or `abort`"]
pub struct Distributed(Pair);

/// The server accepts the new key.
#[derive(Debug)]
#[must_use = "two keys are valid: go on or `abort`"]
pub struct Verified(Pair);

/// The programs use the new key.
#[derive(Debug)]
#[must_use = "two keys are valid: `revoke_old` or `abort`"]
pub struct Switched(Pair);

impl Rotation {
    /// The rotation of the key of this id.
    pub fn new(keys: impl KeyManager, old: impl Into<String>) -> Self {
        Self { keys: Arc::new(keys), old: old.into() }
    }

    /// Step 1: makes the new key.
    ///
    /// # Errors
    /// Returns an error if the manager does. If the answer was lost, the error reports that a key may have been made.
    pub async fn mint(self) -> Result<Minted, Aborted> {
        let Self { keys, old } = self;
        match super::mint(&*keys, &old).await {
            Ok(new) => Ok(Minted(Pair::new(keys, old, new))),
            Err(cause) => Err(Aborted::before(cause)),
        }
    }
}

impl Minted {
    /// The id of the new key.
    pub fn id(&self) -> &str {
        self.0.new_id()
    }

    /// Step 2: hands the secret to a callback that stores it where the programs look for it. This is the only time that
    /// it is handed out. A callback that fails must leave the old key in its place.
    ///
    /// # Errors
    /// Returns an error if the callback does. The new key is revoked.
    pub async fn distribute<F>(self, store: impl FnOnce(Secret) -> F) -> Result<Distributed, Aborted>
    where
        F: Future<Output = Result<(), Error>>,
    {
        let done = store(self.0.secret()).await;
        self.0.after(Step::Distribute, done).await.map(Distributed)
    }

    /// Gives up: revokes the new key; the old one lives on.
    ///
    /// # Errors
    /// Returns an error if the new key could not be revoked; the message names it.
    pub async fn abort(self) -> Result<(), Error> {
        self.0.abort().await
    }
}

impl Distributed {
    /// Step 3: checks with the server that the new key is accepted.
    ///
    /// # Errors
    /// Returns an error if the server does not accept the new key, which is then revoked.
    pub async fn verify(self) -> Result<Verified, Aborted> {
        let done = self.0.verify().await;
        self.0.after(Step::Verify, done).await.map(Verified)
    }

    /// As [`Minted::abort`].
    ///
    /// # Errors
    /// Returns an error if [`Minted::abort`] would.
    pub async fn abort(self) -> Result<(), Error> {
        self.0.abort().await
    }
}

impl Verified {
    /// Step 4: a callback that makes the programs use the new key: a deployment, a reload. When it fails it must leave
    /// them on the old key, because the new one is revoked then.
    ///
    /// # Errors
    /// Returns an error if the callback does. The new key is revoked.
    pub async fn switch<F>(self, switch: impl FnOnce() -> F) -> Result<Switched, Aborted>
    where
        F: Future<Output = Result<(), Error>>,
    {
        let done = switch().await;
        self.0.after(Step::Switch, done).await.map(Switched)
    }

    /// As [`Minted::abort`].
    ///
    /// # Errors
    /// Returns an error if [`Minted::abort`] would.
    pub async fn abort(self) -> Result<(), Error> {
        self.0.abort().await
    }
}

impl Switched {
    /// Step 5: revokes the old key, and gives the id of the new one.
    ///
    /// # Errors
    /// Returns an error if the old key could not be revoked: both keys are valid and the new one is in use. The error holds this step, to
    /// be [tried again](RevokeFailed::retry).
    pub async fn revoke_old(mut self) -> Result<String, RevokeFailed> {
        match self.0.revoke_old().await {
            Ok(()) => Ok(self.0.settle()),
            Err(cause) => Err(RevokeFailed::new(self, cause)),
        }
    }

    /// Gives up at the last moment: revokes the new key; the old one lives on. Switch the programs back before.
    ///
    /// # Errors
    /// Returns an error if [`Minted::abort`] would.
    pub async fn abort(self) -> Result<(), Error> {
        self.0.abort().await
    }

    /// As [`revoke_old`](Self::revoke_old), after an attempt that may have been executed: a key that is gone by now is
    /// what was wanted.
    async fn revoke_old_again(mut self) -> Result<String, RevokeFailed> {
        match self.0.revoke_old().await {
            Err(cause) if cause.kind() != ErrorKind::NotFound => Err(RevokeFailed::new(self, cause)),
            _ => Ok(self.0.settle()),
        }
    }
}

/// The last step failed: the new key is in use, and the old one may still be valid.
#[derive(Debug)]
pub struct RevokeFailed(Box<(Switched, Error)>);

impl RevokeFailed {
    /// Returns the error of the revocation.
    pub fn cause(&self) -> &Error {
        &self.0.1
    }

    /// The id of the key that should be revoked.
    pub fn old(&self) -> &str {
        self.0.0.0.old_id()
    }

    /// Tries again. If the failed attempt may have been executed, a key that is gone by now is a success.
    ///
    /// # Errors
    /// Returns an error if the revocation fails again.
    pub async fn retry(self) -> Result<String, Self> {
        let (switched, cause) = *self.0;
        if may_have_happened(&cause) { switched.revoke_old_again().await } else { switched.revoke_old().await }
    }

    /// Does not try again: the switched rotation, which can still be aborted.
    pub fn into_switched(self) -> Switched {
        self.0.0
    }

    fn new(switched: Switched, cause: Error) -> Self {
        Self(Box::new((switched, cause)))
    }
}

impl fmt::Display for RevokeFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the old key {} could not be revoked: {}; the new key is in use", self.old(), self.cause())
    }
}

impl StdError for RevokeFailed {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.cause())
    }
}
