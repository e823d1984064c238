//! Records in a file of SQLite.

mod fault;
mod file;
mod schema;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_core::future::BoxFuture;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use self::fault::Fault;
use super::encryption::EncryptionKeys;
use super::engine::{Engine, Key, Stored};
use super::shared::SharedStore;
use crate::error::{Clock as _, Error, SystemClock};
use crate::runtime;

/// The interval of attempts to open a file that another process is creating, and the longest wait for it.
const TRIED_EVERY: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(10);

struct Sqlite {
    path: PathBuf,
    connection: Arc<Mutex<Connection>>,
}

impl SharedStore {
    /// A store in a file of SQLite, for processes on one machine. The file is made where there is none, with mode 0600, and brought up to
    /// date; its folder must exist. Beside it are two more, with `-wal` and `-shm` behind its name: do not remove, replace or copy any of
    /// them while a process has the store open.
    ///
    /// Leases end by the clock of the machine. A write waits for those of other processes, for 10 s at most, and is on the disk when it is
    /// done. SQLite is compiled in.
    ///
    /// # Errors
    /// Returns an error if the file cannot be opened or written, is shared with other users, or lies in a folder that every user may write
    /// to; if it is not a database of SQLite, is that of another program or of a newer version, or is encrypted with another key; or on a
    /// file system of another machine (NFS, SMB, AFS, Ceph), whose locks SQLite cannot rely on. Others of that kind are not known by their
    /// type: keep the file on a local disk.
    pub async fn sqlite(path: impl Into<PathBuf>, keys: EncryptionKeys) -> Result<Self, Error> {
        let path = path.into();
        let begun = SystemClock.monotonic();
        let connection = loop {
            let opened = path.clone();
            let opened = runtime::spawn_blocking(move || file::open(&opened)).await;
            match opened.map_err(|stopped| Error::credential_from("the store was not opened", stopped))? {
                Ok(connection) => break connection,
                // It is being made by another process.
                Err(Fault::Busy) if SystemClock.monotonic().saturating_sub(begun) < PATIENCE => {
                    SystemClock.sleep(TRIED_EVERY).await;
                }
                Err(fault) => return Err(fault.into_error(&path)),
            }
        };
        Self::over(Sqlite { path, connection: Arc::new(Mutex::new(connection)) }, keys).await
    }
}

impl Sqlite {
    /// Runs one statement of a record, on a thread where waiting for a disk holds up nobody.
    async fn run<T: Send + 'static>(
        &self,
        key: &Key,
        doing: &str,
        work: impl FnOnce(&Connection, &'static str, &str) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let (connection, kind, name) = (Arc::clone(&self.connection), key.kind(), key.name().to_owned());
        let done = runtime::spawn_blocking(move || {
            let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            work(&connection, kind, &name)
        });
        let done = done.await.map_err(|stopped| key.failed(doing, stopped))?;
        done.map_err(|error| key.failed(doing, format_args!("{error} ({})", self.path.display())))
    }
}

impl Engine for Sqlite {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Stored>, Error>> {
        Box::pin(self.run(key, "read", |connection, kind, name| {
            let sql = "SELECT version, sealed, max(unixepoch('subsec') - saved_at, 0) FROM keyfit_record WHERE kind = ?1 AND name = ?2";
            let read = |row: &Row<'_>| {
                let age = row.get::<_, Option<f64>>(2)?.unwrap_or_default();
                let age = Duration::try_from_secs_f64(age).unwrap_or_default();
                Ok(Stored { version: row.get(0)?, sealed: row.get(1)?, age })
            };
            connection.query_row(sql, params![kind, name], read).optional()
        }))
    }

    fn swap<'a>(
        &'a self,
        key: &'a Key,
        known: i64,
        holder: Option<&'a str>,
        sealed: &'a [u8],
    ) -> BoxFuture<'a, Result<Option<i64>, Error>> {
        let (holder, sealed) = (holder.map(str::to_owned), sealed.to_vec());
        Box::pin(self.run(key, "written", move |connection, kind, name| {
            let sql = "INSERT INTO keyfit_record (kind, name, version, sealed, saved_at) VALUES (?1, ?2, 1, ?3, unixepoch('subsec')) \
                       ON CONFLICT (kind, name) DO UPDATE SET version = version + 1, sealed = ?3, saved_at = unixepoch('subsec') \
                       WHERE version = ?4 AND (?5 IS NULL OR holder = ?5 OR leased_until IS NULL \
                       OR leased_until <= unixepoch('subsec')) RETURNING version";
            connection.query_row(sql, params![kind, name, sealed, known, holder], |row| row.get(0)).optional()
        }))
    }

    fn lease<'a>(&'a self, key: &'a Key, holder: &'a str, time: Duration) -> BoxFuture<'a, Result<Option<i64>, Error>> {
        let (holder, time) = (holder.to_owned(), time.as_secs_f64());
        Box::pin(self.run(key, "leased", move |connection, kind, name| {
            let sql = "INSERT INTO keyfit_record (kind, name, version, holder, leased_until) \
                       VALUES (?1, ?2, 0, ?3, unixepoch('subsec') + ?4) \
                       ON CONFLICT (kind, name) DO UPDATE SET holder = ?3, leased_until = unixepoch('subsec') + ?4 \
                       WHERE leased_until IS NULL OR leased_until <= unixepoch('subsec') RETURNING version";
            connection.query_row(sql, params![kind, name, holder, time], |row| row.get(0)).optional()
        }))
    }

    fn renew<'a>(&'a self, key: &'a Key, holder: &'a str, time: Duration) -> BoxFuture<'a, Result<bool, Error>> {
        let (holder, time) = (holder.to_owned(), time.as_secs_f64());
        Box::pin(self.run(key, "leased", move |connection, kind, name| {
            let sql = "UPDATE keyfit_record SET leased_until = unixepoch('subsec') + ?4 \
                       WHERE kind = ?1 AND name = ?2 AND holder = ?3";
            let renewed = connection.execute(sql, params![kind, name, holder, time])?;
            Ok(renewed > 0)
        }))
    }

    fn release<'a>(&'a self, key: &'a Key, holder: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        let holder = holder.to_owned();
        Box::pin(self.run(key, "released", move |connection, kind, name| {
            let sql = "UPDATE keyfit_record SET holder = NULL, leased_until = NULL \
                       WHERE kind = ?1 AND name = ?2 AND holder = ?3";
            connection.execute(sql, params![kind, name, holder]).map(drop)
        }))
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.path).finish_non_exhaustive()
    }
}
