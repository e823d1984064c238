//! Replacing a key without an outage: mint, distribute, verify, switch, revoke.
//!
//! Two keys are valid at once until the last step. Each step consumes the one before it, so that steps can be neither
//! skipped nor swapped: the old key cannot be revoked before the new one was verified and switched to. Where a step fails,
//! or the caller gives up, the old key lives on and the new one is revoked.
//!
//! ```no_run
//! use keyfit::Error;
//! use keyfit::auth::Secret;
//! use keyfit::auth::rotation::Rotation;
//! use keyfit::scopien::{Key, Keys};
//!
//! /// Puts the key where the programs read it: a file, a variable of the deployment, a secret store.
//! async fn store(secret: Secret) -> Result<(), Error> {
//!     let written = std::fs::write("/run/secrets/scopien", secret.expose());
//!     written.map_err(|error| Error::credential_from("the new key could not be stored", error))
//! }
//!
//! /// Makes the programs use it. Nothing, where they read it from a `FileSource`.
//! async fn deploy() -> Result<(), Error> {
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A key with the scope `admin`, and the id of the key to replace.
//! let keys = Keys::new(Key::from_env()?)?;
//! let minted = Rotation::new(keys, "key_old").mint().await?;
//! let switched = minted.distribute(store).await?.verify().await?.switch(deploy).await?;
//! let id = switched.revoke_old().await?;
//! println!("{id} is in use");
//! # Ok(())
//! # }
//! ```
//!
//! | Step | Where it fails | What is left |
//! |---|---|---|
//! | `mint` | [`Aborted`] | the old key; after a lost answer perhaps a new one, which the message says |
//! | `distribute`, `verify`, `switch` | [`Aborted`] | the old key; the new one is revoked, or named by [`Aborted::leftover`] |
//! | `revoke_old` | [`RevokeFailed`] | both keys, the new one in use: [`retry`](RevokeFailed::retry) |
//!
//! A failure after `distribute` leaves a revoked key in the store: put the old one back. Programs that watch the store
//! ([`Credential::from_secret`](super::Credential::from_secret)) switch by themselves within five minutes of use or at
//! their first 401, and go on with the old key for ten minutes while the server refuses the new one. Nothing waits
//! between the steps; a step takes as long as its calls, 30 s each, and your callbacks. When a key is due says
//! [`Hygiene`](super::Hygiene): 90 days. Source: the generic authentication guide.
//!
//! Other APIs want a [`KeyManager`] of yours: three calls.
//!
//! A chain ends with its process: where that is killed halfway both keys are valid. `auth::store::SharedRotation` (features `postgres` and
//! `sqlite`) records each step, so that another process goes on.
//!
//! A step that is left out does not compile:
//!
//! ```compile_fail,E0599
//! # async fn run(keys: impl keyfit::auth::rotation::KeyManager) {
//! let minted = keyfit::auth::rotation::Rotation::new(keys, "key_old").mint().await.unwrap();
//! minted.revoke_old().await;
//! # }
//! ```

mod failure;
mod pair;
mod steps;

use std::fmt;
use std::sync::Arc;

use futures_core::future::BoxFuture;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(in crate::auth) use failure::may_have_happened;
pub use failure::{Aborted, Step};
pub use steps::{Distributed, Minted, RevokeFailed, Rotation, Switched, Verified};

use super::Secret;
use crate::error::Error;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use crate::error::ErrorKind;

/// Makes, checks and revokes the keys of one API.
///
/// Implementations put no secret into errors or `Debug`.
pub trait KeyManager: fmt::Debug + Send + Sync + 'static {
    /// Makes a key with the rights of the old one.
    ///
    /// An error says whether a key may have been made. Errors of clients of this crate do so by themselves. An error of your own, such as
    /// [`Error::credential`], says that none was made, and a rotation makes one again: after an answer that was lost, add
    /// [`possibly_sent`](Error::possibly_sent).
    fn mint<'a>(&'a self, old: &'a str) -> BoxFuture<'a, Result<NewKey, Error>>;

    /// Checks with the server that the key is accepted.
    fn verify<'a>(&'a self, key: &'a NewKey) -> BoxFuture<'a, Result<(), Error>>;

    /// Revokes a key for good.
    fn revoke<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), Error>>;
}

impl<K: KeyManager + ?Sized> KeyManager for Arc<K> {
    fn mint<'a>(&'a self, old: &'a str) -> BoxFuture<'a, Result<NewKey, Error>> {
        (**self).mint(old)
    }

    fn verify<'a>(&'a self, key: &'a NewKey) -> BoxFuture<'a, Result<(), Error>> {
        (**self).verify(key)
    }

    fn revoke<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        (**self).revoke(id)
    }
}

/// A key that was just made.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Its name at the server; no secret.
    pub id: String,
    /// The text of the key.
    pub secret: Secret,
}

/// Makes a key in place of the old one.
pub(in crate::auth) async fn mint(keys: &dyn KeyManager, old: &str) -> Result<NewKey, Error> {
    let new = keys.mint(old).await?;
    // Revoking this one in an abort would revoke the old key.
    if new.id == old {
        return Err(Error::credential(format!("the server gave the new key the old id {old}")));
    }
    Ok(new)
}

/// Revokes a key that may be revoked already: one that is gone is what was wanted.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(in crate::auth) async fn revoke(keys: &dyn KeyManager, id: &str) -> Result<(), Error> {
    match keys.revoke(id).await {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
