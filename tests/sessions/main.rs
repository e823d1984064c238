//! Stores that processes share, in files of SQLite and in a real PostgreSQL, which the tests start on 127.0.0.1, stop and kill. Where that
//! is not installed they say so and go on without it.
#![cfg(unix)]

mod connecting;
mod database;
mod failover;
mod faults;
mod files;
mod keys;
mod processes;
#[path = "../proxy/mod.rs"]
mod proxy;
mod rotations;
mod server;
mod tokens;

use std::time::Duration;

use database::Database;
use deadpool_postgres::{Config, Pool, Runtime};
use keyfit::Error;
use keyfit::auth::source::{BoxFuture, SecretSource};
use keyfit::auth::store::{EncryptionKeys, SharedStore};
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// Two keys for tests, 32 bytes in base64.
const KEY: &str = "Zml4dHVyZS1rZXktMDAwMS1maXh0dXJlLWtleS0wMDE="; // not-a-secret
const OTHER_KEY: &str = "Zml4dHVyZS1rZXktMDAwMi1maXh0dXJlLWtleS0wMDI="; // not-a-secret

/// A secret that stands in the test.
#[derive(Debug)]
struct Fixed(&'static str);

impl SecretSource for Fixed {
    fn read(&self) -> BoxFuture<'_, Result<secrecy::SecretString, Error>> {
        Box::pin(std::future::ready(Ok(self.0.into())))
    }
}

async fn keys(key: &'static str) -> EncryptionKeys {
    EncryptionKeys::from_source(Fixed(key)).await.expect("a key")
}

fn pool(url: &str) -> Pool {
    let config = Config { url: Some(url.to_owned()), ..Config::default() };
    config.create_pool(Some(Runtime::Tokio1), NoTls).expect("a pool")
}

/// A place of each engine that is there.
enum Place {
    Postgres(Database),
    Sqlite(TempDir),
}

impl Place {
    async fn all() -> Vec<Self> {
        Database::start().await.map(Self::Postgres).into_iter().chain([Self::sqlite()]).collect()
    }

    fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().expect("a folder"))
    }

    /// A URL, or a path.
    fn at(&self) -> String {
        match self {
            Self::Postgres(database) => database.url(),
            Self::Sqlite(folder) => folder.path().join("keyfit.db").display().to_string(),
        }
    }

    async fn store(&self) -> SharedStore {
        store(&self.at()).await
    }
}

/// The store at a URL or a path, which is made where there is none.
async fn store(at: &str) -> SharedStore {
    opened(at, keys(KEY).await).await.expect("a store")
}

async fn opened(at: &str, keys: EncryptionKeys) -> Result<SharedStore, Error> {
    if !at.starts_with("postgres:") {
        return SharedStore::sqlite(at, keys).await;
    }
    let pool = pool(at);
    SharedStore::migrate_postgres(&pool).await?;
    SharedStore::postgres(pool, keys).await
}

/// The number of records that have a holder.
async fn leases(at: &str) -> i64 {
    let sql = "SELECT count(*) FROM keyfit_record WHERE holder IS NOT NULL";
    if at.starts_with("postgres:") {
        pool(at).get().await.expect("a connection").query_one(sql, &[]).await.expect("a row").get(0)
    } else {
        rusqlite::Connection::open(at).expect("a file").query_row(sql, [], |row| row.get(0)).expect("a row")
    }
}

/// Returns whether a file of SQLite is locked for so long. A process that is stopped in a write keeps its lock.
fn is_locked(at: &str, time: Duration) -> bool {
    if at.starts_with("postgres:") {
        return false;
    }
    let connection = rusqlite::Connection::open(at).expect("a file");
    connection.busy_timeout(time).expect("a time");
    connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_err()
}

/// Runs statements in the place of a store, as somebody else does.
async fn run(at: &str, sql: &str) {
    if at.starts_with("postgres:") {
        pool(at).get().await.expect("a connection").batch_execute(sql).await.expect("it runs");
    } else {
        rusqlite::Connection::open(at).expect("a file").execute_batch(sql).expect("it runs");
    }
}
