//! A store that processes share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::encryption::EncryptionKeys;
use super::engine::{Engine, Key, Kind};
use super::record::{Record, Settings};
use super::rotation::SharedRotation;
use super::session::SharedSession;
use super::token::SharedToken;
use crate::auth::rotation::KeyManager;
use crate::auth::source::TokenSource;
use crate::error::{Clock, Error, SystemClock};

/// The time for which a process that died blocks the others. A lease is renewed as long as its holder lives.
const LEASE: Duration = Duration::from_secs(60);
/// The name of the record by which a wrong key is found.
const CHECK: &str = "encryption key";

/// Sessions, access tokens and rotations that processes share, in PostgreSQL or in a file of SQLite. Cloning shares it.
///
/// Each is a record by a name of yours, encrypted with [`EncryptionKeys`] under that name. See [the module](super) for an example.
#[derive(Clone)]
pub struct SharedStore(Settings);

impl SharedStore {
    /// Looks whether the keys are those of the store.
    pub(super) async fn over(engine: impl Engine, keys: EncryptionKeys) -> Result<Self, Error> {
        let settings =
            Settings { engine: Arc::new(engine), keys: Arc::new(keys), lease: LEASE, clock: Arc::new(SystemClock) };
        let check = Record::new(settings.clone(), Key::new(Kind::Check, CHECK));
        // Of processes that write it at once one does, and the others find what it wrote.
        while check.load().await?.is_none_or(|content| !content.is_current) && !check.save(CHECK.as_bytes()).await? {}
        Ok(Self(settings))
    }

    /// Sets the time for which a process that died in the middle of its work blocks the others. It has to be longer than a stall of a process
    /// that lives, which renews its lease three times as often, and shorter than a
    /// [grace period](crate::auth::oauth::TokenEndpointBuilder::refresh_grace_period) of the server that shall be of use. Default: 60 s;
    /// at least 1 s.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.0.lease = lease.max(Duration::from_secs(1));
        self
    }

    /// Another clock, for tests. Leases end by the clock of the database alone.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.0.clock = Arc::new(clock);
        self
    }

    /// The tokens of a session, by a name of yours: that of a user or of an account.
    pub fn session(&self, name: impl Into<String>) -> SharedSession {
        SharedSession(self.record(Kind::Session, name))
    }

    /// An access token that all processes use, by a name of yours: it stands for the client, its scopes and the server, which are the
    /// same for whoever uses the name.
    pub fn token(&self, name: impl Into<String>, source: impl TokenSource) -> SharedToken {
        SharedToken::new(self.0.clone(), Key::new(Kind::Token, name), Arc::new(source))
    }

    /// A rotation of the key of this id, by a name of yours: that of the place where the key is used.
    pub fn rotation(&self, name: impl Into<String>, keys: impl KeyManager, old: impl Into<String>) -> SharedRotation {
        SharedRotation::new(self.record(Kind::Rotation, name), Arc::new(keys), old.into())
    }

    fn record(&self, kind: Kind, name: impl Into<String>) -> Arc<Record> {
        Arc::new(Record::new(self.0.clone(), Key::new(kind, name)))
    }
}

impl fmt::Debug for SharedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedStore")
            .field("engine", &self.0.engine)
            .field("keys", &self.0.keys)
            .finish_non_exhaustive()
    }
}
