//! The reason why a file is not opened.

use std::io;
use std::path::Path;

use rusqlite::ErrorCode;

use crate::error::Error;

pub(super) const READ_ONLY: &str = "it is read-only for this process: let its user write to the file and to its folder";

/// The reason why a file is not opened.
#[derive(Debug)]
pub(super) enum Fault {
    /// Another process is about to make it.
    Busy,
    /// In words.
    Refused(String),
}

impl Fault {
    pub(super) fn into_error(self, path: &Path) -> Error {
        let why = match self {
            Self::Busy => "another process keeps it locked: look for one that hangs".to_owned(),
            Self::Refused(why) => why,
        };
        Error::configuration(format!("the store {} cannot be opened: {why}", path.display()))
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::NotADatabase) => {
                Self::Refused("it is not a database of SQLite: take another path".to_owned())
            }
            Some(ErrorCode::ReadOnly) => Self::Refused(READ_ONLY.to_owned()),
            _ => Self::Refused(error.to_string()),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Refused(error.to_string())
    }
}
