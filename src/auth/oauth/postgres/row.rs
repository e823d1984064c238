//! The row of a session, and how it is read and written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use deadpool_postgres::{Object, Pool};

use super::encryption::EncryptionKeys;
use super::schema;
use crate::auth::oauth::TokenSet;
use crate::error::{Clock, Error};

/// What all sessions of a database share.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) pool: Pool,
    pub(super) keys: Arc<EncryptionKeys>,
    pub(super) lease: Duration,
    pub(super) clock: Arc<dyn Clock>,
}

/// The row of one session.
pub(super) struct Row {
    pub(super) settings: Settings,
    pub(super) name: String,
    /// This store, in leases.
    pub(super) holder: String,
    /// The version that was read or written last; 0 where there is none.
    pub(super) version: AtomicI64,
    /// Whether a save has failed, so that nobody knows what the row holds.
    pub(super) has_failed: AtomicBool,
}

impl Row {
    pub(super) async fn connection(&self) -> Result<Object, Error> {
        connection(&self.settings.pool).await
    }

    /// The tokens of the row, whose version is known from then on.
    pub(super) async fn load(&self) -> Result<Option<TokenSet>, Error> {
        let row = self
            .connection()
            .await?
            .query_opt("SELECT version, tokens FROM keyfit_session WHERE name = $1", &[&self.name])
            .await
            .map_err(|error| failed(&self.name, "read", &error))?;
        let Some(row) = row else { return Ok(None) };
        self.version.store(row.get(0), Ordering::Release);
        let Some(sealed) = row.get::<_, Option<Vec<u8>>>(1) else { return Ok(None) };
        let text = self.settings.keys.open(&self.name, &sealed)?;
        TokenSet::from_json(&text).map(Some)
    }

    /// Takes the place of the version that is known.
    pub(super) async fn save(&self, tokens: &TokenSet) -> Result<(), Error> {
        let sealed = self.settings.keys.seal(&self.name, &tokens.to_json())?;
        let version = self.version.load(Ordering::Acquire);
        self.has_failed.store(true, Ordering::Release);
        let row = self
            .connection()
            .await?
            .query_opt(
                "INSERT INTO keyfit_session AS held (name, version, tokens) VALUES ($1, 1, $2) \
                 ON CONFLICT (name) DO UPDATE SET version = held.version + 1, tokens = $2 WHERE held.version = $3 \
                 RETURNING version",
                &[&self.name, &sealed, &version],
            )
            .await
            .map_err(|error| failed(&self.name, "written", &error))?;
        let Some(row) = row else {
            return Err(Error::credential(format!(
                "the tokens of the session `{}` were not written: another process has written newer ones",
                self.name
            )));
        };
        self.version.store(row.get(0), Ordering::Release);
        self.has_failed.store(false, Ordering::Release);
        Ok(())
    }
}

/// A connection of a pool.
pub(super) async fn connection(pool: &Pool) -> Result<Object, Error> {
    pool.get().await.map_err(|error| {
        Error::credential(format!("the database with the sessions cannot be used: {}", schema::words(&error)))
    })
}

/// The error of a row that cannot be used. It holds no value of the row.
pub(super) fn failed(name: &str, doing: &str, error: &tokio_postgres::Error) -> Error {
    Error::credential(format!("the tokens of the session `{name}` cannot be {doing}: {}", schema::words(error)))
}
