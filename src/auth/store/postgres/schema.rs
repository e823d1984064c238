//! The table, and whether it is ours.

use std::error::Error as StdError;

use deadpool_postgres::{GenericClient, Object};
use tokio_postgres::error::SqlState;

use crate::error::Error;

/// The steps from each version of the table to the next; their number is the version that this code reads and writes.
const STEPS: [&str; 1] = ["CREATE TABLE keyfit_record (
    kind text NOT NULL,
    name text NOT NULL,
    version bigint NOT NULL,
    sealed bytea,
    saved_at timestamptz,
    holder text,
    leased_until timestamptz,
    PRIMARY KEY (kind, name)
)"];

/// A lock of the database that is ours by its number.
const LOCK: i64 = 0x6b65_7966_6974;

/// The rights on the table.
const RIGHTS: &str = "the user of the database needs SELECT, INSERT and UPDATE on `keyfit_record`";

const MARK: &str = "keyfit records, version ";

pub(super) async fn migrate(connection: &mut Object) -> Result<(), Error> {
    let refuse = |error| refused("made", &error);
    let transaction = connection.transaction().await.map_err(refuse)?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await.map_err(refuse)?;
    let found = version(&transaction, "made").await?;
    for (step, sql) in STEPS.iter().enumerate().skip(found.unwrap_or(0)) {
        transaction.batch_execute(sql).await.map_err(refuse)?;
        let mark = format!("COMMENT ON TABLE keyfit_record IS '{MARK}{}'", step + 1);
        transaction.batch_execute(&mark).await.map_err(refuse)?;
    }
    transaction.commit().await.map_err(refuse)
}

pub(super) async fn check(connection: &deadpool_postgres::Client) -> Result<(), Error> {
    let what = match version(connection, "looked at").await? {
        Some(version) if version == STEPS.len() => None,
        Some(_) => Some("a table `keyfit_record` of an older version: bring it up to date"),
        None => Some("no table `keyfit_record`: make it"),
    };
    if let Some(what) = what {
        return Err(Error::configuration(format!("the database has {what} with `SharedStore::migrate_postgres`")));
    }
    let sql = "SELECT current_setting('transaction_read_only') = 'on', has_table_privilege('keyfit_record', 'SELECT') \
               AND has_table_privilege('keyfit_record', 'INSERT') AND has_table_privilege('keyfit_record', 'UPDATE')";
    let found = connection.query_one(sql, &[]).await.map_err(|error| refused("looked at", &error))?;
    if found.get::<_, bool>(0) {
        let text = "the database is read-only: it may be a standby, then connect to the primary";
        return Err(Error::configuration(text.to_owned()));
    }
    if !found.get::<_, bool>(1) {
        return Err(Error::configuration(format!("the store cannot be used: {RIGHTS}")));
    }
    Ok(())
}

/// The version of the table that is there, in which no step is lacking; `None` where there is no table.
async fn version(client: &impl GenericClient, doing: &str) -> Result<Option<usize>, Error> {
    // Table and comment as of the same moment: another process may be making both.
    let sql = "SELECT obj_description(oid, 'pg_class') FROM pg_class WHERE oid = to_regclass('keyfit_record')";
    let Some(found) = client.query_opt(sql, &[]).await.map_err(|error| refused(doing, &error))? else {
        return Ok(None);
    };
    let comment: Option<String> = found.get(0);
    let version = comment.as_deref().and_then(|comment| comment.strip_prefix(MARK)?.parse::<usize>().ok());
    match version {
        Some(version) if version <= STEPS.len() => Ok(Some(version)),
        Some(version) => Err(Error::configuration(format!(
            "the table `keyfit_record` is of version {version}, which a newer keyfit has made: this one knows version {}",
            STEPS.len()
        ))),
        None => Err(Error::configuration(
            "the database has a table `keyfit_record` that is not of keyfit: take another schema for it, by `search_path`".to_owned(),
        )),
    }
}

/// The error of a table that the database does not let us make or look at.
fn refused(doing: &str, error: &tokio_postgres::Error) -> Error {
    Error::configuration(format!("the table of the store cannot be {doing}: {}", words(error)))
}

/// The words of an error and of what caused it. Those of the database name tables and users and no values.
pub(super) fn words(error: &(dyn StdError + 'static)) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let code = inner.downcast_ref::<tokio_postgres::error::DbError>().map(tokio_postgres::error::DbError::code);
        let help = match code {
            Some(code)
                if *code == SqlState::INVALID_PASSWORD || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION =>
            {
                " (look at user and password)"
            }
            Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => &format!(" ({RIGHTS})"),
            _ => "",
        };
        words = format!("{words}: {inner}{help}");
        source = inner.source();
    }
    words
}
