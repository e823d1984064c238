//! The last word on whether items are sent, and the first on what became of them, of who has them on loan.

use futures_core::future::BoxFuture;

use super::Outcome;

/// Says at the last moment whether items may be sent.
pub(super) trait Gate: Send + Sync {
    /// Called before a batch is sent for the first time, with its items' numbers and whether each may be sent twice: the place to
    /// note what must not be.
    fn prepare(&self, items: Vec<(u64, bool)>) -> BoxFuture<'_, ()>;

    /// Whether an item may be sent now. Asked right before each request.
    fn allows(&self, sequence: u64) -> bool;

    /// Called with the outcomes of a batch. Until it is done nothing more of the batch's keys is sent.
    fn settle<'a>(&'a self, items: Vec<(u64, &'a [u8], &'a Outcome)>) -> BoxFuture<'a, ()>;
}
