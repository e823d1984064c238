//! One feed: which rows go where, and which files it writes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use keyfit::batch_writer::DeadLetters;
use serde_json::Value;

use crate::import::args::InputArgs;
use crate::import::roles;
use crate::import::state::Target;

/// Rows, where they go, and what is kept of them.
#[derive(Clone, Debug)]
pub(crate) struct ImportJob {
    pub(crate) feed: InputArgs,
    pub(crate) target: Target,
    pub(crate) cells: Cells,
    /// Whether rows that are sent twice change nothing.
    pub(crate) is_harmless: bool,
    /// Whether a summary is printed as JSON.
    pub(crate) json: bool,
    pub(crate) rejects: Option<PathBuf>,
    pub(crate) reasons: Option<PathBuf>,
    pub(crate) dead_letters: Option<(PathBuf, Arc<Mutex<DeadLetters>>)>,
}

/// Reads the text of a cell of a member, or says why it is not a value.
pub(crate) type ReadCell = dyn Fn(&str, &str) -> Result<Value, String> + Send + Sync;

/// How the cells of CSV become members of an item.
#[derive(Clone)]
pub(crate) enum Cells {
    /// Contacts, in which keys that are allowed are not looked at.
    Contacts {
        allowed: Vec<String>,
    },
    Events,
    /// As a document says.
    Documented {
        required: Vec<String>,
        /// The value of a cell of a member, or why it has none.
        read: Arc<ReadCell>,
    },
}

impl ImportJob {
    /// One that writes no files.
    pub(crate) fn new(feed: InputArgs, target: Target, cells: Cells) -> Self {
        Self { feed, target, cells, is_harmless: false, json: false, rejects: None, reasons: None, dead_letters: None }
    }

    /// The files by their roles.
    pub(crate) fn roles(&self) -> [(&'static str, Option<PathBuf>); 6] {
        let checkpoint = self.feed.checkpoint.as_deref();
        [
            ("the input", Some(self.feed.file.clone()).filter(|file| !file.as_os_str().eq("-"))),
            ("--rejects", self.rejects.clone()),
            ("--reasons", self.reasons.clone()),
            ("--dead-letters", self.dead_letters.as_ref().map(|(path, _)| path.clone())),
            ("--checkpoint", checkpoint.map(Path::to_owned)),
            ("the lock of --checkpoint", checkpoint.map(roles::lock_of)),
        ]
    }
}

impl Cells {
    /// The members that every row has.
    pub(crate) fn required(&self) -> Vec<&str> {
        match self {
            Self::Contacts { .. } => vec!["_user_id"],
            Self::Events => vec!["_user_id", "_event_id", "_event_type"],
            Self::Documented { required, .. } => required.iter().map(String::as_str).collect(),
        }
    }
}

impl fmt::Debug for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cells").field("required", &self.required()).finish_non_exhaustive()
    }
}
