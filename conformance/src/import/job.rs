//! One import: its rows, their destination, and the files that it writes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use keyfit::batch_writer::DeadLetters;
use serde_json::Value;

use crate::import::args::InputArgs;
use crate::import::roles;
use crate::import::state::Target;

/// An import: the rows, their destination, and the files about them.
#[derive(Clone, Debug)]
pub(crate) struct ImportJob {
    pub(crate) feed: InputArgs,
    pub(crate) target: Target,
    pub(crate) cells: Cells,
    /// True if rows that are sent twice have no second effect.
    pub(crate) is_harmless: bool,
    /// True if a summary is printed as JSON.
    pub(crate) json: bool,
    pub(crate) rejects: Option<PathBuf>,
    pub(crate) reasons: Option<PathBuf>,
    pub(crate) dead_letters: Option<(PathBuf, Arc<Mutex<DeadLetters>>)>,
}

/// Parses the cell of a member, or returns the reason why it is invalid.
pub(crate) type ReadCell = dyn Fn(&str, &str) -> Result<Value, String> + Send + Sync;

/// The conversion of CSV cells to members of an item.
#[derive(Clone)]
pub(crate) enum Cells {
    /// Contacts; the values of allowed keys are not checked.
    Contacts {
        allowed: Vec<String>,
    },
    Events,
    /// By the schema of a document.
    Documented {
        required: Vec<String>,
        /// Parses the cell of a member.
        read: Arc<ReadCell>,
    },
}

impl ImportJob {
    /// Creates an import that writes no files.
    pub(crate) fn new(feed: InputArgs, target: Target, cells: Cells) -> Self {
        Self { feed, target, cells, is_harmless: false, json: false, rejects: None, reasons: None, dead_letters: None }
    }

    /// Returns the files by their roles.
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
    /// Returns the members that every row must have.
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
