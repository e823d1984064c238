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
//! let minted = Rotation::new(keys, "key_old").mint().await?;
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
//! # async fn run(keys: impl keyfit::auth::rotation::KeyManager) {
//! let minted = keyfit::auth::rotation::Rotation::new(keys, "key_old").mint().await.unwrap();
//! minted.revoke_old().await;
//! # }
//! ```

mod failure;
mod pair;
#[cfg(feature = "scopien")]
mod scopien;
mod steps;

use std::fmt;
use std::sync::Arc;

use futures_core::future::BoxFuture;

pub use failure::{Aborted, RevokeFailed, Step};
#[cfg(feature = "scopien")]
pub use scopien::ScopienKeys;
pub use steps::{Distributed, Minted, Rotation, Switched, Verified};

use super::Secret;
use crate::Error;

/// Makes, checks and revokes the keys of one API.
///
/// Implementations put no secret into errors or `Debug`.
pub trait KeyManager: fmt::Debug + Send + Sync + 'static {
    /// Makes a key that may do what the old one may.
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
    /// What opens the API.
    pub secret: Secret,
}
