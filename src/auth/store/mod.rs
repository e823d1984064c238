//! Sessions, access tokens and rotations of keys that processes share (features `postgres` and `sqlite`).
//!
//! | Processes | Engine | Made by |
//! |---|---|---|
//! | on one machine | a file of SQLite | `SharedStore::sqlite` (feature `sqlite`) |
//! | on any number of machines | a table of PostgreSQL | `SharedStore::migrate_postgres`, then `SharedStore::postgres` (feature `postgres`) |
//!
//! The records:
//!
//! | Record | Type | What it saves |
//! |---|---|---|
//! | the tokens of a session | [`SharedSession`] | one refresh for all, and no refresh token twice |
//! | an access token | [`SharedToken`] | one fetch for all, ahead of expiry |
//! | the rotation of a key | [`SharedRotation`] | any process goes on where another was killed, and no key is made twice |
//!
//! ```
//! use keyfit::auth::Credential;
//! use keyfit::auth::oauth::{ClientCredentials, RefreshingSession, TokenEndpoint};
//! use keyfit::auth::source::EnvSource;
//! use keyfit::auth::store::{EncryptionKeys, SharedStore};
//! use keyfit::scopien::kind;
//!
//! # #[cfg(feature = "sqlite")]
//! # async fn example(endpoint: TokenEndpoint) -> Result<(), keyfit::Error> {
//! let keys = EncryptionKeys::from_source(EnvSource::new("STORE_KEY")).await?;
//! let store = SharedStore::sqlite("/var/lib/my-app/keyfit.db", keys).await?;
//! let session = RefreshingSession::load(endpoint.clone(), store.session("alice")).await?;
//! let alice: Credential<kind::Key> = Credential::from_source(session);
//! let token = store.token("orders, read", ClientCredentials::new(endpoint).with_scopes(["read"]));
//! let service: Credential<kind::Key> = Credential::from_source(token);
//! # Ok(())
//! # }
//! ```
//!
//! Contents are encrypted (AES-256-GCM) under keys that you hold, and bound to kind and name of their record; names are not encrypted.
//! Each write replaces exactly what its process has read, and the lease of a record ends by the engine's clock alone. What each failure
//! costs stands in `docs/scaling.md`.

mod encryption;
mod engine;
mod lease;
#[cfg(feature = "postgres")]
mod postgres;
mod record;
mod rotation;
mod session;
mod shared;
#[cfg(feature = "sqlite")]
mod sqlite;
mod token;

pub use encryption::EncryptionKeys;
pub use rotation::{RotationStopped, SharedRotation};
pub use session::SharedSession;
pub use shared::SharedStore;
pub use token::SharedToken;
