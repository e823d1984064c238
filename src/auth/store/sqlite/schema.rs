//! The table, and whether the file is ours.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::fault::Fault;

/// The steps from each version of the file to the next; their number is the version that this code reads and writes.
const STEPS: [&str; 1] = ["CREATE TABLE keyfit_record (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    sealed BLOB,
    saved_at REAL,
    holder TEXT,
    leased_until REAL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID"];

/// The mark of our files: `kfit`.
const APPLICATION: i64 = 0x6b66_6974;

/// The version of a file, 0 for an empty one. Nothing is written.
pub(super) fn version(connection: &Connection) -> Result<usize, Fault> {
    // In one transaction: between two of its readings another process may make the file ours.
    let reading = connection.unchecked_transaction()?;
    let version = version_within(&reading)?;
    reading.commit()?;
    Ok(version)
}

fn version_within(connection: &Transaction<'_>) -> Result<usize, Fault> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match usize::try_from(version) {
        Ok(0) if application == 0 && objects == 0 => Ok(0),
        _ if application != APPLICATION => {
            Err(Fault::Refused("it is a database of another program: take another path".to_owned()))
        }
        Ok(version) if version <= STEPS.len() => Ok(version),
        _ => Err(Fault::Refused(format!(
            "it is of version {version}, which a newer keyfit has made: this one knows version {}",
            STEPS.len()
        ))),
    }
}

/// Makes what is lacking. Processes that do so at once wait for each other.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Fault> {
    if version(connection)? == STEPS.len() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in &STEPS[version_within(&transaction)?..] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", i64::try_from(STEPS.len()).unwrap_or_default())?;
    transaction.commit().map_err(Fault::from)
}
