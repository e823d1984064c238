//! The file of a store, its owner's alone.

use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::fault::{Fault, READ_ONLY};
use super::schema;
use crate::auth::secret_file::{self, Role};

/// The longest wait of a write for those of other processes.
const BUSY: Duration = Duration::from_secs(10);

/// Opens the file, which is made where there is none.
pub(super) fn open(path: &Path) -> Result<Connection, Fault> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    secret_file::check_folder(folder)?;
    check_system(folder)?;
    match secret_file::open(path, Role::Store) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match secret_file::create(path) {
            // Another process was quicker.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => secret_file::open(path, Role::Store),
            made => made,
        },
        found => found,
    }?;
    let mut connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    if connection.is_readonly("main")? {
        return Err(Fault::Refused(READ_ONLY.to_owned()));
    }
    // Before anything is set: a file of somebody else stays as it is.
    schema::version(&connection)?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(Fault::Refused(format!("its file system does not take write-ahead logs (journal mode {mode})")));
    }
    // A mark that is lost with the power would let a refresh token be sent twice.
    connection.pragma_update(None, "synchronous", "FULL")?;
    schema::migrate(&mut connection)?;
    Ok(connection)
}

/// Refuses file systems of other machines, whose locks and shared memory do not reach all processes.
#[cfg(target_os = "linux")]
fn check_system(folder: &Path) -> Result<(), Fault> {
    // Its width and its sign differ by architecture.
    let kind = rustix::fs::statfs(folder).map_err(io::Error::from)?.f_type.to_be_bytes();
    let kind = kind.last_chunk().map(|kind| u32::from_be_bytes(*kind));
    // Of `statfs(2)`: NFS, SMB, CIFS, SMB2, AFS twice, Ceph.
    let is_remote =
        matches!(kind, Some(0x6969 | 0x517b | 0xff53_4d42 | 0xfe53_4d42 | 0x5346_414f | 0x6b41_4653 | 0x00c3_6400));
    if is_remote {
        let text = "it is on a file system of another machine, whose locks SQLite cannot rely on: take a local disk, or PostgreSQL";
        return Err(Fault::Refused(text.to_owned()));
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "on Linux there is something to refuse")]
fn check_system(_: &Path) -> Result<(), Fault> {
    Ok(())
}
