//! The row of a session, and how it is read and written.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool_postgres::Pool;
use tokio_postgres::types::ToSql;

use super::encryption::EncryptionKeys;
use super::patience;
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
    /// What saves that failed may have written all the same.
    pub(super) unsure: Mutex<Vec<Vec<u8>>>,
}

impl Row {
    /// Asks the database for a row at most.
    pub(super) async fn ask(
        &self,
        doing: &str,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<tokio_postgres::Row>, Error> {
        let name = &self.name;
        let failed = |why| Error::credential(format!("the tokens of the session `{name}` cannot be {doing}: {why}"));
        patience::ask(&self.settings.pool, sql, values).await.map_err(failed)
    }

    pub(super) fn unsure(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.unsure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tokens of the row, whose version is known from then on.
    pub(super) async fn load(&self) -> Result<Option<TokenSet>, Error> {
        let read = "SELECT version, tokens FROM keyfit_session WHERE name = $1";
        let row = self.ask("read", read, &[&self.name]).await?;
        let Some(row) = row else { return Ok(None) };
        self.version.store(row.get(0), Ordering::Release);
        let Some(sealed) = row.get::<_, Option<Vec<u8>>>(1) else { return Ok(None) };
        let text = self.settings.keys.open(&self.name, &sealed)?;
        TokenSet::from_json(&text).map(Some)
    }

    /// Takes the place of the version that is known, or of what a save that failed has written all the same.
    pub(super) async fn save(&self, tokens: &TokenSet) -> Result<(), Error> {
        let sealed = self.settings.keys.seal(&self.name, &tokens.to_json())?;
        let version = self.version.load(Ordering::Acquire);
        let unsure = {
            let mut unsure = self.unsure();
            let before = unsure.clone();
            unsure.push(sealed.clone());
            before
        };
        let write = "INSERT INTO keyfit_session AS held (name, version, tokens) VALUES ($1, 1, $2) \
                     ON CONFLICT (name) DO UPDATE SET version = held.version + 1, tokens = $2 \
                     WHERE held.version = $3 OR held.tokens = ANY($4) RETURNING version";
        let row = self.ask("written", write, &[&self.name, &sealed, &version, &unsure]).await?;
        let Some(row) = row else {
            return Err(Error::credential(format!(
                "the tokens of the session `{}` were not written: another process has written newer ones",
                self.name
            )));
        };
        self.version.store(row.get(0), Ordering::Release);
        self.unsure().clear();
        Ok(())
    }
}
