//! The settings of a writer.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::batch::Limits;
use super::body::Around;
use super::gate::Gate;
use super::identity::{Check, Fields};
use super::pace::Pace;
use super::queue::Queue;
use super::receipt::Shape;
use super::send::Sender;
use super::shared::Shared;
use super::task::{Journal, Task};
use super::{Checkpoint, DeadLetters, Delivery, Reason, Writer};
use crate::client::CallOptions;
use crate::client::transport::{Transport, Unsent};
use crate::error::operation::Batching;
use crate::error::{Error, Operation};
use crate::http_client::Request;
use crate::runtime;

/// How many items a batch holds where nobody says how many it may.
const USUAL_ITEMS: usize = 100;
/// The same in bytes.
const USUAL_BYTES: usize = 1 << 20;

/// Settings of a [`Writer`] of items `T`, for one call with its parameters.
pub struct Builder<T> {
    transport: Transport,
    call: Result<Request, Unsent>,
    operation: &'static Operation,
    beside: Result<Value, String>,
    limits: Limits,
    max_in_flight: usize,
    linger: Duration,
    patience: Duration,
    key: Option<String>,
    check: Option<Check>,
    dead_letters: Option<Arc<Mutex<DeadLetters>>>,
    journal: Option<Journal>,
    resumed: Checkpoint,
    gate: Option<Arc<dyn Gate>>,
    item: PhantomData<fn(T)>,
}

impl<T: Serialize> Builder<T> {
    pub(crate) fn new(transport: &Transport, call: Result<Request, Unsent>, operation: &'static Operation) -> Self {
        let most = |said: Option<u64>, usual| said.and_then(|most| usize::try_from(most).ok()).unwrap_or(usual);
        let known = operation.batching.unwrap_or_default();
        let batch_items = most(known.maximum, USUAL_ITEMS).max(1);
        let batch_bytes = most(known.maximum_bytes, USUAL_BYTES).max(64);
        let limits = Limits {
            batch_items,
            batch_bytes,
            // Room for a batch that is filled while another one is on its way.
            pending_items: batch_items.saturating_mul(2).max(2000),
            pending_bytes: batch_bytes.saturating_mul(2).max(16 << 20),
        };
        Self {
            transport: transport.clone(),
            call,
            operation,
            beside: Ok(Value::Null),
            limits,
            max_in_flight: 8,
            linger: Duration::from_millis(500),
            patience: Duration::from_secs(300),
            key: None,
            check: None,
            dead_letters: None,
            journal: None,
            resumed: Checkpoint::default(),
            gate: None,
            item: PhantomData,
        }
    }

    /// The rest of each body beside its items: an object, in which the list of items is put in its place.
    #[must_use]
    pub fn body(mut self, beside: &(impl Serialize + ?Sized)) -> Self {
        self.beside = crate::auth::with_secrets(|| serde_json::to_value(beside)).map_err(|error| error.to_string());
        self
    }

    /// The rest of the body beside its items is not JSON.
    pub(crate) fn refused(self, why: String) -> Self {
        Self { beside: Err(why), ..self }
    }

    /// How many items a batch may hold, at least 1 and at most as many as the API takes. Default: that maximum, or 100 where
    /// it is not known.
    #[must_use]
    pub fn batch_items(mut self, items: usize) -> Self {
        let most = self.operation.batching.and_then(|known| known.maximum);
        let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
        self.limits.batch_items = items.clamp(1, most.max(1));
        self
    }

    /// How many bytes the body of a batch may have. An item larger than that is rejected. Default: as many as the API takes, or
    /// 1 MiB where that is not known.
    #[must_use]
    pub fn batch_bytes(mut self, bytes: usize) -> Self {
        self.limits.batch_bytes = bytes.max(64);
        self
    }

    /// How many items may be in the writer at a time, those on their way included. Who writes more waits. Default: 2000,
    /// or two batches where those are more.
    #[must_use]
    pub fn pending_items(mut self, items: usize) -> Self {
        self.limits.pending_items = items.max(1);
        self
    }

    /// How many bytes of JSON may be in the writer at a time. Default: 16 MiB, or two batches where those are more.
    #[must_use]
    pub fn pending_bytes(mut self, bytes: usize) -> Self {
        self.limits.pending_bytes = bytes.max(1);
        self
    }

    /// How many batches may be on their way at most. The writer begins with one, and adds more while the server keeps up.
    /// Default: 8. Zero counts as one.
    #[must_use]
    pub fn max_in_flight(mut self, batches: usize) -> Self {
        self.max_in_flight = batches.max(1);
        self
    }

    /// How long an item waits for others to fill its batch. Default: 0.5 s. While as many batches are on their way as may
    /// be, it waits on.
    #[must_use]
    pub fn linger(mut self, time: Duration) -> Self {
        self.linger = time;
        self
    }

    /// How long a batch is sent again while the server cannot be reached, fails or is too busy. In an outage it is counted from the
    /// outage's beginning. The waits in between, and the statuses after which nothing is sent again, are those of the
    /// [`RetryPolicy`](crate::RetryPolicy); how often is for this to say. Default: 5 minutes.
    #[must_use]
    pub fn patience(mut self, time: Duration) -> Self {
        self.patience = time;
        self
    }

    /// Where an item says whose it is, as a JSON pointer into the item: items of one key are sent in order. A text or a number
    /// stands there; an item without one has no order. Default: the field by which the API knows items again.
    #[must_use]
    pub fn key(mut self, pointer: impl Into<String>) -> Self {
        self.key = Some(pointer.into());
        self
    }

    /// Looks at each item, as JSON, before it is sent. One for which it gives reasons is rejected with them: it would have its
    /// whole batch refused.
    #[must_use]
    pub fn check(mut self, check: impl Fn(&[u8]) -> Vec<Reason> + Send + Sync + 'static) -> Self {
        self.check = Some(Arc::new(check));
        self
    }

    /// Appends the items that were not accepted to a file. Where it cannot be written the writer stops, and the item counts as
    /// unconfirmed in checkpoints.
    #[must_use]
    pub fn dead_letters(mut self, file: Arc<Mutex<DeadLetters>>) -> Self {
        self.dead_letters = Some(file);
        self
    }

    /// Goes on where another writer left off. Write the same items from the beginning, with the same numbers: those that
    /// the checkpoint covers are skipped, and get no outcome. Of those that it says may have been sent, the ones whose repetition
    /// could have a second effect are not sent: their outcome is unknown.
    #[must_use]
    pub fn resume(mut self, checkpoint: Checkpoint) -> Self {
        self.resumed = checkpoint;
        self
    }

    /// Called with a checkpoint before batches are sent whose items a later run must not send again: store it, so that a
    /// process that is killed leaves a checkpoint that knows of them. It is called on the writer's task. An error stops the
    /// writer, and the batches are not sent. Items with a field that makes a repetition harmless need none of this.
    #[must_use]
    pub fn before_sending(mut self, store: impl FnMut(&Checkpoint) -> io::Result<()> + Send + 'static) -> Self {
        self.journal = Some(Box::new(store));
        self
    }

    /// Has somebody say at the last moment what may be sent.
    #[cfg(feature = "nats")]
    pub(super) fn gate(self, gate: Arc<dyn Gate>) -> Self {
        Self { gate: Some(gate), ..self }
    }

    /// The fields that items are known by.
    #[cfg(feature = "nats")]
    pub(super) fn fields(&self) -> Fields {
        let most_bytes = self.limits.batch_bytes;
        let mut fields = Fields::of(self.operation, self.key.as_deref(), self.transport.is_idempotent(), most_bytes);
        fields.check.clone_from(&self.check);
        fields
    }

    /// Starts the writer, on a task of its own. `receiver` is called there, once for each item; it should return soon.
    ///
    /// # Errors
    /// Returns an error if a parameter is refused or missing, the operation takes no batches, a pointer leads nowhere, or there is
    /// no tokio runtime.
    pub fn start(self, receiver: impl FnMut(&Delivery<'_>) + Send + 'static) -> Result<Writer<T>, Error> {
        let operation = self.operation;
        self.started(Box::new(receiver)).map_err(|error| error.of_operation(operation))
    }

    fn started(self, receiver: super::task::Receiver) -> Result<Writer<T>, Error> {
        Error::check_runtime()?;
        let Self { transport, operation, .. } = self;
        let Some(Batching { items_at, id_field, .. }) = operation.batching else {
            let text = format!(
                "nothing says how `{}` takes many items: add a `[[batch]]` to the contract of the API, or `with_batching` to its row",
                operation.id
            );
            return Err(Error::invalid_request(text));
        };
        let mut call = self.call.map_err(Unsent::into_error)?;
        *call.body_mut() = None;
        let beside = self.beside.map_err(|error| {
            Error::invalid_request(format!("what the body holds beside its items is not JSON: {error}"))
        })?;
        let around = Around::of(items_at, beside).ok_or_else(|| {
            let text = format!("there is no place for items at `{items_at}` in what the body holds beside them");
            Error::invalid_request(text)
        })?;
        if let Some(key) = self.key.as_deref().filter(|key| !key.starts_with('/')) {
            return Err(Error::invalid_request(format!(
                "`{key}` is not a JSON pointer to a member: begin it with a slash"
            )));
        }
        let limits = Limits { batch_bytes: self.limits.batch_bytes.saturating_sub(around.len()).max(2), ..self.limits };
        let most_bytes = limits.batch_bytes - 2;
        let mut fields = Fields::of(operation, self.key.as_deref(), transport.is_idempotent(), most_bytes);
        fields.check = self.check;
        let queue = Queue::new(&fields, limits);
        let shared = Arc::new(Shared::new(queue, Pace::new(self.max_in_flight), self.resumed));
        let clock = Arc::clone(&transport.config().clock);
        let sender = Sender {
            // The pace learns from each attempt.
            transport: transport
                .changed(|options: CallOptions| options.attempts(1).stopped_by(Arc::clone(&shared.stop))),
            operation,
            call,
            around,
            shape: Shape::new(operation.partial, id_field),
            patience: self.patience,
            shared: Arc::clone(&shared),
            gate: self.gate,
        };
        let task = Task {
            sender: Arc::new(sender),
            shared: Arc::clone(&shared),
            receiver,
            journal: self.journal,
            dead_letters: self.dead_letters,
            linger: self.linger,
        };
        runtime::spawn(task.run());
        Ok(Writer::new(operation, shared, fields, clock))
    }
}

impl<T> fmt::Debug for Builder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values of the path, the query and the body may be secrets or personal.
        f.debug_struct("Builder")
            .field("operation", &self.operation.id)
            .field("limits", &self.limits)
            .field("max_in_flight", &self.max_in_flight)
            .finish_non_exhaustive()
    }
}
