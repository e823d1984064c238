//! What the parts of a worker share: the items that are with the writer, and whether they may be sent.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_nats::Subject;
use async_nats::jetstream::stream::{Info, Stream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::connection::Connection;
use super::loan::Loan;
use super::places::Places;
use super::session::Buckets;
use super::settled::{Drained, Settled};
use crate::error::Error;
use crate::runtime::Instant;

/// How many items are removed by their numbers at a time.
const REMOVALS: usize = 32;

/// Who is told of settled items.
pub(super) type Receiver = Box<dyn FnMut(&Settled) + Send>;

/// An item that is with the writer.
pub(super) struct Held {
    pub(super) loan: Arc<Loan>,
    pub(super) sequence: u64,
    /// Where its acknowledgement goes.
    pub(super) reply: Subject,
    /// Whether it must not be sent twice, and was noted.
    pub(super) is_single: bool,
    /// Its room in this worker.
    pub(super) _room: OwnedSemaphorePermit,
}

pub(super) struct Hub {
    pub(super) connection: Connection,
    pub(super) places: Places,
    pub(super) stream: Stream<Info>,
    pub(super) buckets: Buckets,
    /// Turns to remove items by their numbers.
    pub(super) removals: Semaphore,
    pub(super) held: Mutex<HashMap<u64, Held>>,
    /// Until when this worker's session lasts.
    until: Mutex<Option<Instant>>,
    failure: Mutex<Option<Error>>,
    is_stopping: AtomicBool,
    /// Something happened that the worker looks at.
    pub(super) news: Notify,
    pub(super) counts: Mutex<Drained>,
    pub(super) receiver: Mutex<Receiver>,
}

impl Hub {
    pub(super) fn new(
        connection: Connection,
        (places, stream): (Places, Stream<Info>),
        buckets: Buckets,
        receiver: Receiver,
    ) -> Self {
        Self {
            connection,
            places,
            stream,
            buckets,
            removals: Semaphore::new(REMOVALS),
            held: Mutex::default(),
            until: Mutex::default(),
            failure: Mutex::default(),
            is_stopping: AtomicBool::new(false),
            news: Notify::new(),
            counts: Mutex::default(),
            receiver: Mutex::new(receiver),
        }
    }

    pub(super) fn hold(&self, number: u64, item: Held) {
        item.loan.begin();
        lock(&self.held).insert(number, item);
    }

    pub(super) fn release(&self, number: u64) -> Option<Held> {
        lock(&self.held).remove(&number)
    }

    pub(super) fn lasts_until(&self, until: Option<Instant>) {
        *lock(&self.until) = until;
    }

    /// Whether this worker's session lasts.
    pub(super) fn is_valid(&self) -> bool {
        lock(&self.until).is_some_and(|until| Instant::now() < until)
    }

    /// Ends the worker for an error; the first one counts.
    pub(super) fn fail(&self, error: Error) {
        lock(&self.failure).get_or_insert(error);
        self.news.notify_one();
    }

    /// Takes the error that ended the worker.
    pub(super) fn failure(&self) -> Option<Error> {
        lock(&self.failure).take()
    }

    /// From here on nothing that is left over is an error.
    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
