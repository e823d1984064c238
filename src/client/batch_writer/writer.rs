//! The writer as its users see it.

use std::fmt;
use std::marker::PhantomData;
use std::pin::pin;
use std::sync::Arc;

use futures_core::Stream;
use serde::Serialize;

use super::identity::{Checked, Fields};
use super::shared::{End, Offer, Shared};
use super::{Checkpoint, Reason, Stopped, Summary, WriteError};
use crate::auth::with_secrets;
use crate::error::{Clock, Operation};

/// What came of writing an item.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Written {
    /// It was taken, under this number, and will have an outcome.
    Taken(u64),
    /// The checkpoint that the writer was started with covers this number: it has had its outcome.
    Skipped(u64),
}

/// Writes items through one operation. See the [module](crate::batch_writer).
pub struct Writer<T> {
    operation: &'static Operation,
    shared: Arc<Shared>,
    fields: Fields,
    clock: Arc<dyn Clock>,
    item: PhantomData<fn(T)>,
}

impl<T: Serialize> Writer<T> {
    pub(super) fn new(
        operation: &'static Operation,
        shared: Arc<Shared>,
        fields: Fields,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { operation, shared, fields, clock, item: PhantomData }
    }

    /// Writes an item under the next number, the first one under 0, as soon as there is room. An item that cannot be sent
    /// is taken too: its outcome says why. A future that is dropped before it is ready has taken nothing.
    ///
    /// # Errors
    /// The writer stopped; the item was not taken.
    pub async fn write(&self, item: &T) -> Result<Written, WriteError> {
        self.put_item(None, item).await
    }

    /// As [`write`](Self::write), under a number of the caller's: a line of a file, an offset in a log. Numbers go upwards
    /// and may leave gaps.
    ///
    /// # Errors
    /// The writer stopped, or the number is not above the last one; the item was not taken.
    pub async fn write_numbered(&self, sequence: u64, item: &T) -> Result<Written, WriteError> {
        self.put_item(Some(sequence), item).await
    }

    /// As [`write_numbered`](Self::write_numbered), for an item that is JSON already. It is sent as it is; text that is no
    /// JSON object is rejected.
    ///
    /// # Errors
    /// As [`write_numbered`](Self::write_numbered).
    pub async fn write_json(&self, sequence: u64, item: impl AsRef<[u8]>) -> Result<Written, WriteError> {
        let item = item.as_ref();
        self.put(Some(sequence), item, &self.fields.identity(item), false).await
    }

    /// As [`write_json`](Self::write_json), for an item that another worker may have sent.
    #[cfg(feature = "nats")]
    pub(super) async fn write_doubted(&self, sequence: u64, item: &[u8]) -> Result<Written, WriteError> {
        self.put(Some(sequence), item, &self.fields.identity(item), true).await
    }

    /// Takes an item that its reader found unfit, so that it is counted, and covered by checkpoints, as every other one. It
    /// is not sent: its outcome is [`Rejected`](super::Outcome::Rejected), with this reason.
    ///
    /// # Errors
    /// As [`write_numbered`](Self::write_numbered).
    pub async fn write_unfit(&self, sequence: u64, item: &[u8], reason: &str) -> Result<Written, WriteError> {
        self.put(Some(sequence), item, &Err(vec![Reason::new(reason)]), false).await
    }

    /// Writes all items of a stream, and says how many it took. They are not waited for: see [`flush`](Self::flush).
    ///
    /// # Errors
    /// As [`write`](Self::write). What the stream has left is dropped with it; pass `&mut stream` to keep it.
    pub async fn write_all(&self, items: impl Stream<Item = T>) -> Result<u64, WriteError> {
        let mut items = pin!(items);
        let mut taken = 0;
        while let Some(item) = std::future::poll_fn(|context| items.as_mut().poll_next(context)).await {
            taken += u64::from(matches!(self.write(&item).await?, Written::Taken(_)));
        }
        Ok(taken)
    }

    /// Sends what is here, full batches or not, and waits until every item that was written before has had its outcome.
    /// A future that is dropped before it is ready loses nothing.
    ///
    /// # Errors
    /// The writer stopped; every item has had its outcome.
    pub async fn flush(&self) -> Result<Summary, Stopped> {
        let through = self.shared.last();
        let _hurry = Hurry::of(&self.shared);
        loop {
            let progress = self.shared.progress.notified();
            if self.shared.is_settled(through) {
                return self.shared.stopped_for().map_or_else(|| Ok(self.shared.summary()), Err);
            }
            progress.await;
        }
    }

    /// As [`flush`](Self::flush), and ends the writer. If the future is dropped before it is ready, so is the writer.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub async fn close(self) -> Result<Summary, Stopped> {
        self.shared.lock().close();
        self.shared.work.notify_one();
        loop {
            let progress = self.shared.progress.notified();
            if self.shared.lock().end() == End::Done {
                return self.shared.stopped_for().map_or_else(|| Ok(self.shared.summary()), Err);
            }
            progress.await;
        }
    }

    /// Sends nothing more, and waits for the outcome of what is on its way. What was not sent is
    /// [`Unknown`](super::Outcome::Unknown). The writer takes nothing any more.
    pub async fn halt(&self) -> Summary {
        self.shared.abandon("the writer was halted before the item was sent");
        loop {
            let progress = self.shared.progress.notified();
            if self.shared.lock().end() == End::Done {
                return self.shared.summary();
            }
            progress.await;
        }
    }

    /// What is confirmed by now.
    pub fn checkpoint(&self) -> Checkpoint {
        self.shared.checkpoint(0)
    }

    /// How many items have had which outcome by now.
    pub fn summary(&self) -> Summary {
        self.shared.summary()
    }

    async fn put_item(&self, sequence: Option<u64>, item: &T) -> Result<Written, WriteError> {
        match with_secrets(|| serde_json::to_vec(item)) {
            Ok(json) => self.put(sequence, &json, &self.fields.identity(&json), false).await,
            Err(error) => {
                let reason = Reason::new(format!("cannot be written as JSON: {error}"));
                self.put(sequence, &[], &Err(vec![reason]), false).await
            }
        }
    }

    async fn put(
        &self,
        sequence: Option<u64>,
        json: &[u8],
        identity: &Checked<'_>,
        is_doubted: bool,
    ) -> Result<Written, WriteError> {
        if let Some(written) = self.offer(sequence, json, identity, is_doubted)? {
            return Ok(written);
        }
        loop {
            let progress = self.shared.progress.notified();
            if let Some(written) = self.offer(sequence, json, identity, is_doubted)? {
                return Ok(written);
            }
            progress.await;
        }
    }

    /// `None` where there is no room.
    fn offer(
        &self,
        sequence: Option<u64>,
        json: &[u8],
        identity: &Checked<'_>,
        is_doubted: bool,
    ) -> Result<Option<Written>, WriteError> {
        let now = || self.clock.monotonic();
        match self.shared.offer(sequence, json, identity, is_doubted, now)? {
            Offer::Taken(sequence) => Ok(Some(Written::Taken(sequence))),
            Offer::Covered(sequence) => Ok(Some(Written::Skipped(sequence))),
            Offer::Full => Ok(None),
        }
    }
}

impl<T> Drop for Writer<T> {
    fn drop(&mut self) {
        let lost = self.shared.abandon("the writer was dropped before the item was sent");
        if lost > 0 {
            tracing::warn!(target: "keyfit::batch_writer", items = lost, "a writer was dropped with items that were not sent: close it");
        }
    }
}

impl<T> fmt::Debug for Writer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("operation", &self.operation.id)
            .field("summary", &self.shared.summary())
            .finish_non_exhaustive()
    }
}

/// While this is held, batches are sent without waiting to be full.
struct Hurry<'a>(&'a Shared);

impl<'a> Hurry<'a> {
    fn of(shared: &'a Shared) -> Self {
        shared.lock().flushes += 1;
        shared.work.notify_one();
        Self(shared)
    }
}

impl Drop for Hurry<'_> {
    fn drop(&mut self) {
        self.0.lock().flushes -= 1;
    }
}
