//! Why a writer takes nothing any more.

use std::fmt;
use std::sync::Arc;

use super::Summary;
use crate::error::Error;

/// The writer stopped before its end. Every item that it took has its outcome, or gets it.
///
/// # Troubleshooting
/// [`error`](Self::error) is what the server said: a 401 asks for another token, a 404 for the right place, or a token that
/// may write there. Start another writer from the checkpoint of this one: unknown items are sent again where that does no
/// harm.
#[derive(Clone)]
pub struct Stopped {
    pub(super) reason: Arc<str>,
    pub(super) error: Option<Arc<Error>>,
    pub(super) summary: Summary,
}

impl Stopped {
    /// The error of the call for which it stopped, where there was one.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_deref()
    }

    /// How many items have had which outcome.
    pub fn summary(&self) -> Summary {
        self.summary
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the writer stopped ({}): {}", self.summary, self.reason)
    }
}

impl fmt::Debug for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stopped").field("reason", &self.reason).field("summary", &self.summary).finish_non_exhaustive()
    }
}

impl std::error::Error for Stopped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.as_deref().map(|error| error as _)
    }
}

/// Why an item was not taken. It gets no outcome.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The writer stopped.
    #[error(transparent)]
    Stopped(Stopped),
    /// The number is not above the one before.
    #[error(
        "items are numbered upwards, and {sequence:?} does not come after {last:?}: write them in order, from one task"
    )]
    OutOfOrder {
        /// The number that was given.
        sequence: Option<u64>,
        /// The number of the item before.
        last: Option<u64>,
    },
}
