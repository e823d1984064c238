//! Records in a table of PostgreSQL.

mod patience;
mod schema;

use std::fmt;
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use futures_core::future::BoxFuture;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::encryption::EncryptionKeys;
use super::engine::{Engine, Key, Stored};
use super::shared::SharedStore;
use crate::error::Error;

struct Postgres(Pool);

impl SharedStore {
    /// Makes the table `keyfit_record` in PostgreSQL (12 or later), or brings that of an older version up to date. Processes that start at
    /// once wait for each other.
    ///
    /// # Errors
    /// Returns an error if the database cannot be reached or refuses it, or the table is of a newer version.
    pub async fn migrate_postgres(pool: &Pool) -> Result<(), Error> {
        schema::migrate(&mut connected(pool).await?).await
    }

    /// A store in PostgreSQL (12 or later), for processes on any number of machines. The pool has your limits and your TLS.
    ///
    /// # Errors
    /// Returns an error if the database cannot be reached, refuses the login or is read-only, if the table is missing, of a newer version,
    /// or somebody else's, or if the store is encrypted with another key.
    pub async fn postgres(pool: Pool, keys: EncryptionKeys) -> Result<Self, Error> {
        let looked = connected(&pool).await?;
        patience::within(schema::check(&looked)).await.map_err(Error::credential)??;
        drop(looked);
        Self::over(Postgres(pool), keys).await
    }
}

impl Postgres {
    /// Asks for a row at most.
    async fn ask(
        &self,
        key: &Key,
        doing: &str,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, Error> {
        patience::ask(&self.0, sql, values).await.map_err(|why| key.failed(doing, why))
    }
}

impl Engine for Postgres {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Stored>, Error>> {
        Box::pin(async {
            let sql = "SELECT version, sealed, greatest(extract(epoch FROM clock_timestamp() - saved_at)::float8, 0) \
                       FROM keyfit_record WHERE kind = $1 AND name = $2";
            let found = self.ask(key, "read", sql, &[&key.kind(), &key.name()]).await?;
            Ok(found.map(|row| {
                let age = row.get::<_, Option<f64>>(2).unwrap_or_default();
                Stored {
                    version: row.get(0),
                    sealed: row.get(1),
                    age: Duration::try_from_secs_f64(age).unwrap_or_default(),
                }
            }))
        })
    }

    fn swap<'a>(
        &'a self,
        key: &'a Key,
        known: i64,
        holder: Option<&'a str>,
        sealed: &'a [u8],
    ) -> BoxFuture<'a, Result<Option<i64>, Error>> {
        Box::pin(async move {
            let sql = "INSERT INTO keyfit_record AS held (kind, name, version, sealed, saved_at) VALUES ($1, $2, 1, $3, now()) \
                       ON CONFLICT (kind, name) DO UPDATE SET version = held.version + 1, sealed = $3, saved_at = now() \
                       WHERE held.version = $4 AND ($5::text IS NULL OR held.holder = $5 OR held.leased_until IS NULL \
                       OR held.leased_until <= now()) RETURNING version";
            let swapped = self.ask(key, "written", sql, &[&key.kind(), &key.name(), &sealed, &known, &holder]).await?;
            Ok(swapped.map(|row| row.get(0)))
        })
    }

    fn lease<'a>(&'a self, key: &'a Key, holder: &'a str, time: Duration) -> BoxFuture<'a, Result<Option<i64>, Error>> {
        Box::pin(async move {
            let sql = "INSERT INTO keyfit_record AS held (kind, name, version, holder, leased_until) \
                       VALUES ($1, $2, 0, $3, now() + $4 * interval '1 second') \
                       ON CONFLICT (kind, name) DO UPDATE SET holder = $3, leased_until = now() + $4 * interval '1 second' \
                       WHERE held.leased_until IS NULL OR held.leased_until <= now() RETURNING version";
            let taken = self.ask(key, "leased", sql, &[&key.kind(), &key.name(), &holder, &time.as_secs_f64()]).await?;
            Ok(taken.map(|row| row.get(0)))
        })
    }

    fn renew<'a>(&'a self, key: &'a Key, holder: &'a str, time: Duration) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(async move {
            let sql = "UPDATE keyfit_record SET leased_until = now() + $4 * interval '1 second' \
                       WHERE kind = $1 AND name = $2 AND holder = $3 RETURNING version";
            self.ask(key, "leased", sql, &[&key.kind(), &key.name(), &holder, &time.as_secs_f64()])
                .await
                .map(|row| row.is_some())
        })
    }

    fn release<'a>(&'a self, key: &'a Key, holder: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let sql = "UPDATE keyfit_record SET holder = NULL, leased_until = NULL \
                       WHERE kind = $1 AND name = $2 AND holder = $3";
            self.ask(key, "released", sql, &[&key.kind(), &key.name(), &holder]).await.map(drop)
        })
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Postgres")
    }
}

/// A connection, for whoever looks at the table or makes it.
async fn connected(pool: &Pool) -> Result<Object, Error> {
    patience::connection(pool).await.map_err(Error::credential)
}
