//! The last word on whether items are sent, of who has them on loan.

use futures_core::future::BoxFuture;

/// Says at the last moment whether items may be sent.
pub(super) trait Gate: Send + Sync {
    /// Called before a batch is sent for the first time: the place to note what must not be sent twice.
    fn prepare<'a>(&'a self, items: Vec<(u64, bool)>) -> BoxFuture<'a, ()>;

    /// Whether an item may be sent now. Asked right before each request.
    fn allows(&self, sequence: u64) -> bool;
}
