//! What became of items of a queue.

use std::fmt;

use crate::client::batch_writer::Outcome;

/// What became of the items that this worker took.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Drained {
    /// Items that the server took.
    pub accepted: u64,
    /// Items that were refused.
    pub rejected: u64,
    /// Items of which nothing certain is known.
    pub unknown: u64,
    /// Items that this worker took and gave back: they are in the queue, for itself later or for another one.
    pub returned: u64,
}

impl Drained {
    pub(super) fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Accepted => self.accepted += 1,
            Outcome::Rejected(_) => self.rejected += 1,
            Outcome::Unknown(_) => self.unknown += 1,
        }
    }
}

impl fmt::Display for Drained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, rejected, unknown, returned } = self;
        write!(f, "{accepted} accepted, {rejected} rejected, {unknown} unknown, {returned} returned to the queue")
    }
}

/// An item whose outcome is published, and which is out of the queue.
pub struct Settled {
    pub(super) sequence: u64,
    pub(super) partition: u16,
    pub(super) item: Vec<u8>,
    pub(super) outcome: Outcome,
}

impl Settled {
    /// Its sequence in the stream.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Its partition.
    pub fn partition(&self) -> u16 {
        self.partition
    }

    /// The item as it was in the queue.
    pub fn item(&self) -> &[u8] {
        &self.item
    }

    /// What became of it.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }
}

impl fmt::Debug for Settled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the item: it may be personal.
        f.debug_struct("Settled")
            .field("sequence", &self.sequence)
            .field("partition", &self.partition)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}
