//! The two keys that are valid while a rotation goes on.

use std::fmt;
use std::sync::Arc;

use super::{Aborted, KeyManager, NewKey, Step};
use crate::auth::Secret;
use crate::error::Error;

/// Two valid keys.
pub(super) struct Pair {
    keys: Arc<dyn KeyManager>,
    old: String,
    new: NewKey,
    /// True if one of the keys was revoked, or the caller was informed that it could not be.
    is_settled: bool,
}

impl Pair {
    pub(super) fn new(keys: Arc<dyn KeyManager>, old: String, new: NewKey) -> Self {
        Self { keys, old, new, is_settled: false }
    }

    pub(super) fn old_id(&self) -> &str {
        &self.old
    }

    pub(super) fn new_id(&self) -> &str {
        &self.new.id
    }

    pub(super) fn secret(&self) -> Secret {
        self.new.secret.clone()
    }

    pub(super) async fn verify(&self) -> Result<(), Error> {
        self.keys.verify(&self.new).await
    }

    pub(super) async fn revoke_old(&self) -> Result<(), Error> {
        self.keys.revoke(&self.old).await
    }

    /// Goes on, or revokes the new key. The old key is not touched.
    pub(super) async fn after(mut self, step: Step, done: Result<(), Error>) -> Result<Self, Aborted> {
        let Err(cause) = done else { return Ok(self) };
        let revoked = self.keys.revoke(&self.new.id).await;
        Err(Aborted::at(step, cause, self.settle(), revoked.err()))
    }

    pub(super) async fn abort(mut self) -> Result<(), Error> {
        let revoked = self.keys.revoke(&self.new.id).await;
        let id = self.settle();
        revoked.map_err(|error| {
            Error::credential_from(format!("the new key {id} could not be revoked: revoke it by hand"), error)
        })
    }

    /// Marks the end; gives the id of the new key.
    pub(super) fn settle(&mut self) -> String {
        self.is_settled = true;
        std::mem::take(&mut self.new.id)
    }
}

impl Drop for Pair {
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

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair").field("old", &self.old).field("new", &self.new.id).finish_non_exhaustive()
    }
}
