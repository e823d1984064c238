//! The place that a rotation has reached, as it is written.

use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};

use crate::auth::rotation::NewKey;
use crate::auth::secret::{Secret, with_secrets};

/// The last step that was recorded.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reached {
    /// The request for a new key is about to be sent, or was.
    Minting,
    Minted,
    Distributed,
    Verified,
    Switched,
    /// The old key is revoked: the end.
    Revoked,
    /// A step failed, and the new key is about to be revoked, or was.
    Aborting,
    /// The old key lives on: another end.
    Aborted,
}

/// A rotation as it is written.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct State {
    pub(super) reached: Reached,
    /// The id of the key to replace.
    pub(super) old: String,
    /// The id of the new key, from `Minted` on.
    pub(super) new: Option<String>,
    /// The new key, from `Minted` until the server has accepted it.
    secret: Option<Secret>,
}

impl State {
    /// Before a key is made.
    pub(super) fn minting(old: &str) -> Self {
        Self { reached: Reached::Minting, old: old.to_owned(), new: None, secret: None }
    }

    pub(super) fn minted(&self, key: &NewKey) -> Self {
        let (new, secret) = (Some(key.id.clone()), Some(key.secret.clone()));
        Self { reached: Reached::Minted, old: self.old.clone(), new, secret }
    }

    pub(super) fn at(&self, reached: Reached) -> Self {
        let is_needed = matches!(reached, Reached::Minted | Reached::Distributed);
        let secret = self.secret.clone().filter(|_| is_needed);
        Self { reached, old: self.old.clone(), new: self.new.clone(), secret }
    }

    /// The new key, while it is kept.
    pub(super) fn key(&self) -> Option<NewKey> {
        Some(NewKey { id: self.new.clone()?, secret: self.secret.clone()? })
    }

    /// The id of the new key; blank where there is none.
    pub(super) fn new_id(&self) -> &str {
        self.new.as_deref().unwrap_or_default()
    }

    pub(super) fn to_json(&self) -> Zeroizing<Vec<u8>> {
        // Texts: there is nothing in it that JSON cannot say.
        Zeroizing::new(with_secrets(|| serde_json::to_vec(self)).unwrap_or_default())
    }
}
