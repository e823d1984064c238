//! Sessions in PostgreSQL: a real one, which the tests start on 127.0.0.1, stop and kill. Where it is not installed they say so and
//! pass.
#![cfg(unix)]

mod connecting;
mod database;
mod failover;
mod faults;
mod processes;
#[path = "../proxy/mod.rs"]
mod proxy;
mod server;

use deadpool_postgres::{Config, Pool, Runtime};
use keyfit::Error;
use keyfit::auth::oauth::{EncryptionKeys, PostgresSessions};
use keyfit::auth::source::{BoxFuture, SecretSource};
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

async fn sessions(url: &str) -> PostgresSessions {
    let pool = pool(url);
    PostgresSessions::migrate(&pool).await.expect("a table");
    PostgresSessions::connect(pool, keys(KEY).await).await.expect("a database")
}
