//! Questions to a database that may not answer.

use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::schema;
use crate::runtime;

/// The timeout of an answer of the database, and of a connection. Without it, the process would wait for a paused database, or one
/// behind a network that drops all packets, as long as the operating system retransmits.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A row at most; an error in words.
pub(super) async fn ask(pool: &Pool, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>, String> {
    let connection = connection(pool).await?;
    if let Ok(row) = runtime::timeout(TIMEOUT, connection.query_opt(sql, values)).await {
        return row.map_err(|error| schema::words(&error));
    }
    // The next question would wait behind this one.
    drop(Object::take(connection));
    Err(late())
}

/// A connection of a pool.
pub(super) async fn connection(pool: &Pool) -> Result<Object, String> {
    let why = match runtime::timeout(TIMEOUT, pool.get()).await {
        Ok(Ok(connection)) => return Ok(connection),
        Ok(Err(error)) => schema::words(&error),
        Err(_) => late(),
    };
    Err(format!("the database of the store cannot be used: {why}"))
}

fn late() -> String {
    format!("the database does not answer within {} s", TIMEOUT.as_secs())
}

/// The answer of a database that is looked at or changed before it is used.
pub(super) async fn within<T>(work: impl Future<Output = T>) -> Result<T, String> {
    runtime::timeout(TIMEOUT, work).await.map_err(|_| late())
}
