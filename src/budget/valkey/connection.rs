//! The connection to a store, which another one takes the place of where it is of no use any more. That of the library stays where
//! answers no longer come, until the operating system gives up after a quarter of an hour, and where its server has become a replica.

use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, Client, ErrorKind, RedisError, ScriptInvocation, ServerErrorKind};
use tokio::sync::Mutex;

/// The way to a store.
pub(super) enum Store {
    One(Client, AsyncConnectionConfig),
    Cluster(ClusterClient),
}

/// The connection to a store: one at a time, for all who ask.
pub(super) struct Connection {
    store: Store,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    /// Counts the connections.
    number: u64,
    open: Option<Open>,
}

#[derive(Clone)]
enum Open {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connection {
    pub(super) fn new(store: Store) -> Self {
        Self { store, current: Mutex::default() }
    }

    /// Runs a script.
    pub(super) async fn run(&self, script: &ScriptInvocation<'_>) -> Result<Vec<i64>, RedisError> {
        let (number, open) = self.open().await?;
        let answer = match open {
            Open::One(mut connection) => script.invoke_async(&mut connection).await,
            Open::Cluster(mut connection) => script.invoke_async(&mut connection).await,
        };
        if answer.as_ref().is_err_and(is_of_no_use) {
            let mut current = self.current.lock().await;
            if current.number == number {
                current.open = None;
            }
        }
        answer
    }

    /// The connection that is open, or another one.
    async fn open(&self) -> Result<(u64, Open), RedisError> {
        let mut current = self.current.lock().await;
        if let Some(open) = &current.open {
            return Ok((current.number, open.clone()));
        }
        let open = match &self.store {
            Store::One(client, config) => Open::One(client.get_multiplexed_async_connection_with_config(config).await?),
            Store::Cluster(client) => Open::Cluster(client.get_async_connection().await?),
        };
        current.number += 1;
        current.open = Some(open.clone());
        Ok((current.number, open))
    }
}

/// Returns whether the next request needs another connection: this one does not answer, or leads to a replica.
fn is_of_no_use(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(kind) => kind == ServerErrorKind::ReadOnly,
        ErrorKind::Extension => false,
        _ => true,
    }
}
