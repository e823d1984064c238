//! Replacing a key without an outage: mint, distribute, verify, switch, revoke.
//!
//! Two keys are valid at once until the last step. Each step consumes the one before it, so that steps can be neither
//! skipped nor swapped: the old key cannot be revoked before the new one was verified and switched to. Where a step fails,
//! or the caller gives up, the old key lives on and the new one is revoked.
//!
//! ```
//! use keyfit::auth::Secret;
//! use keyfit::auth::rotation::{KeyManager, NewKey, Rotation};
//! # use keyfit::Error;
//! # use futures_core::future::BoxFuture;
//! # #[derive(Debug)]
//! # struct Keys;
//! # impl KeyManager for Keys {
//! #     fn mint<'a>(&'a self, _old: &'a str) -> BoxFuture<'a, Result<NewKey, Error>> {
//! #         Box::pin(async { Ok(NewKey { id: "key_new".to_owned(), secret: Secret::new("hush") }) })
//! #     }
//! #     fn verify<'a>(&'a self, _key: &'a NewKey) -> BoxFuture<'a, Result<(), Error>> { Box::pin(async { Ok(()) }) }
//! #     fn revoke<'a>(&'a self, _id: &'a str) -> BoxFuture<'a, Result<(), Error>> { Box::pin(async { Ok(()) }) }
//! # }
//! # async fn put(_: Secret) -> Result<(), Error> { Ok(()) }
//! # async fn deploy() -> Result<(), Error> { Ok(()) }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let keys = Keys;
//! let minted = Rotation::new(&keys, "key_old").mint().await?;
//! let distributed = minted.distribute(put).await?;
//! let verified = distributed.verify().await?;
//! let switched = verified.switch(deploy).await?;
//! let id = switched.revoke_old().await?;
//! assert_eq!(id, "key_new");
//! # Ok(())
//! # }
//! ```
//!
//! A step that is left out does not compile:
//!
//! ```compile_fail,E0599
//! # async fn run(keys: &dyn keyfit::auth::rotation::KeyManager) {
//! let minted = keyfit::auth::rotation::Rotation::new(keys, "key_old").mint().await.unwrap();
//! minted.revoke_old().await;
//! # }
//! ```

mod failure;
#[cfg(feature = "scopien")]
mod scopien;

use std::fmt;

use futures_core::future::BoxFuture;

pub use failure::{Aborted, RevokeFailed, Step};
#[cfg(feature = "scopien")]
pub use scopien::ScopienKeys;

use super::Secret;
use crate::{Error, ErrorKind};

/// Makes, checks and revokes the keys of one API.
///
/// Implementations put no secret into errors or `Debug`.
pub trait KeyManager: fmt::Debug + Send + Sync {
    /// Makes a key that may do what the old one may.
    fn mint<'a>(&'a self, old: &'a str) -> BoxFuture<'a, Result<NewKey, Error>>;

    /// Checks with the server that the key is accepted.
    fn verify<'a>(&'a self, key: &'a NewKey) -> BoxFuture<'a, Result<(), Error>>;

    /// Revokes a key for good.
    fn revoke<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), Error>>;
}

/// A key that was just made.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Its name at the server; no secret.
    pub id: String,
    /// What opens the API.
    pub secret: Secret,
}

/// A rotation that has not begun.
#[derive(Debug)]
#[must_use = "nothing happens before `mint`"]
pub struct Rotation<'a> {
    keys: &'a dyn KeyManager,
    old: String,
}

/// The new key is made; nobody has it.
#[derive(Debug)]
#[must_use = "two keys are valid: go on or `abort`"]
pub struct Minted<'a>(Pair<'a>);

/// The new key is where the programs will look for it.
#[derive(Debug)]
#[must_use = "two keys are valid: go on or `abort`"]
pub struct Distributed<'a>(Pair<'a>);

/// The server accepts the new key.
#[derive(Debug)]
#[must_use = "two keys are valid: go on or `abort`"]
pub struct Verified<'a>(Pair<'a>);

/// The programs use the new key.
#[derive(Debug)]
#[must_use = "two keys are valid: `revoke_old` or `abort`"]
pub struct Switched<'a>(Pair<'a>);

impl<'a> Rotation<'a> {
    /// The rotation of the key of this id.
    pub fn new(keys: &'a dyn KeyManager, old: impl Into<String>) -> Self {
        Self { keys, old: old.into() }
    }

    /// Step 1: makes the new key.
    ///
    /// # Errors
    /// What the manager says. If the answer was lost, the error tells that a key may have been made.
    pub async fn mint(self) -> Result<Minted<'a>, Aborted> {
        let Self { keys, old } = self;
        match keys.mint(&old).await {
            // Revoking this one in an abort would revoke the old key.
            Ok(new) if new.id == old => {
                Err(Aborted::before(Error::credential(format!("the server gave the new key the old id {old}"))))
            }
            Ok(new) => Ok(Minted(Pair { keys, old, new, is_settled: false })),
            Err(cause) => Err(Aborted::before(cause)),
        }
    }
}

impl<'a> Minted<'a> {
    /// The id of the new key.
    pub fn id(&self) -> &str {
        &self.0.new.id
    }

    /// Step 2: hands the secret to a callback that stores it where the programs look for it. This is the only time that
    /// it is handed out.
    ///
    /// # Errors
    /// The callback's error. The new key is revoked.
    pub async fn distribute<F>(self, store: impl FnOnce(Secret) -> F) -> Result<Distributed<'a>, Aborted>
    where
        F: Future<Output = Result<(), Error>>,
    {
        let done = store(self.0.new.secret.clone()).await;
        self.0.after(Step::Distribute, done).await.map(Distributed)
    }

    /// Gives up: revokes the new key; the old one lives on.
    ///
    /// # Errors
    /// The new key could not be revoked; the message names it.
    pub async fn abort(self) -> Result<(), Error> {
        self.0.abort().await
    }
}

impl<'a> Distributed<'a> {
    /// Step 3: checks with the server that the new key is accepted.
    ///
    /// # Errors
    /// It is not. The new key is revoked.
    pub async fn verify(self) -> Result<Verified<'a>, Aborted> {
        let done = self.0.keys.verify(&self.0.new).await;
        self.0.after(Step::Verify, done).await.map(Verified)
    }

    /// As [`Minted::abort`].
    ///
    /// # Errors
    /// As [`Minted::abort`].
    pub async fn abort(self) -> Result<(), Error> {
        self.0.abort().await
    }
}

impl<'a> Verified<'a> {
    /// Step 4: a callback that makes the programs use the new key: a deployment, a reload. When it fails it must leave
    /// them on the old key, because the new one is revoked then.
    ///
    /// # Errors
    /// The callback's error. The new key is revoked.
    pub async fn switch<F>(self, switch: impl FnOnce() -> F) -> Result<Switched<'a>, Aborted>
    where
        F: Future<Output = Result<(), Error>>,
    {
        let done = switch().await;
        self.0.after(Step::Switch, done).await.map(Switched)
    }

    /// As [`Minted::abort`].
    ///
    /// # Errors
    /// As [`Minted::abort`].
    pub async fn abort(self) -> Result<(), Error> {
        self.0.abort().await
    }
}

impl<'a> Switched<'a> {
    /// Step 5: revokes the old key, and gives the id of the new one.
    ///
    /// # Errors
    /// The old key could not be revoked: both keys are valid and the new one is in use. The error holds this step, to
    /// be [tried again](RevokeFailed::retry).
    pub async fn revoke_old(mut self) -> Result<String, RevokeFailed<'a>> {
        match self.0.keys.revoke(&self.0.old).await {
            Ok(()) => Ok(self.0.settle()),
            Err(cause) => Err(RevokeFailed::new(self, cause)),
        }
    }

    /// Gives up at the last moment: revokes the new key; the old one lives on. Switch the programs back before.
    ///
    /// # Errors
    /// As [`Minted::abort`].
    pub async fn abort(self) -> Result<(), Error> {
        self.0.abort().await
    }

    /// As [`revoke_old`](Self::revoke_old), after an attempt that may have been executed: a key that is gone by now is
    /// what was wanted.
    async fn revoke_old_again(mut self) -> Result<String, RevokeFailed<'a>> {
        match self.0.keys.revoke(&self.0.old).await {
            Err(cause) if cause.kind() != ErrorKind::NotFound => Err(RevokeFailed::new(self, cause)),
            _ => Ok(self.0.settle()),
        }
    }
}

/// Two valid keys.
struct Pair<'a> {
    keys: &'a dyn KeyManager,
    old: String,
    new: NewKey,
    /// Whether one of the keys was revoked, or the caller told that it could not be.
    is_settled: bool,
}

impl Pair<'_> {
    /// Goes on, or revokes the new key. The old key is not touched.
    async fn after(mut self, step: Step, done: Result<(), Error>) -> Result<Self, Aborted> {
        let Err(cause) = done else { return Ok(self) };
        let revoked = self.keys.revoke(&self.new.id).await;
        Err(Aborted::at(step, cause, self.settle(), revoked.err()))
    }

    async fn abort(mut self) -> Result<(), Error> {
        let revoked = self.keys.revoke(&self.new.id).await;
        let id = self.settle();
        revoked.map_err(|error| {
            Error::credential_from(format!("the new key {id} could not be revoked: revoke it by hand"), error)
        })
    }

    /// Marks the end; gives the id of the new key.
    fn settle(&mut self) -> String {
        self.is_settled = true;
        std::mem::take(&mut self.new.id)
    }
}

impl Drop for Pair<'_> {
    fn drop(&mut self) {
        if !self.is_settled {
            tracing::warn!(
                old = self.old,
                new = self.new.id,
                "a key rotation was dropped halfway: both keys are valid; revoke the one that is not in use"
            );
        }
    }
}

impl fmt::Debug for Pair<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair").field("old", &self.old).field("new", &self.new.id).finish_non_exhaustive()
    }
}
