//! An item with its outcome, on its way to the caller.

use std::fmt;

use super::shared::Shared;
use super::{Checkpoint, Outcome};

/// An item with its outcome, as it is handed to the caller.
pub struct Delivery<'a> {
    pub(super) sequence: u64,
    pub(super) item: &'a [u8],
    pub(super) outcome: &'a Outcome,
    pub(super) shared: &'a Shared,
}

impl Delivery<'_> {
    /// The item's number.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// What became of it.
    pub fn outcome(&self) -> &Outcome {
        self.outcome
    }

    /// The item's JSON as it was written, to keep or to repair it. Empty where it could not be written as JSON.
    pub fn item(&self) -> &[u8] {
        self.item
    }

    /// What is confirmed by now, this item included.
    pub fn checkpoint(&self) -> Checkpoint {
        self.shared.checkpoint(1)
    }
}

impl fmt::Debug for Delivery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the item: it may be personal.
        f.debug_struct("Delivery")
            .field("sequence", &self.sequence)
            .field("outcome", self.outcome)
            .finish_non_exhaustive()
    }
}
