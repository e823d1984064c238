//! The settings of a writer.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::batch::Limits;
use super::check::Check;
use super::queue::Queue;
use super::send::Sender;
use super::shared::Shared;
use super::task::Task;
use super::{Checkpoint, Delivery, Kind, Record, Writer};
use crate::client::PathArgument;
use crate::client::path_argument::encode as encode_path;
use crate::error::Error;
use crate::instasent::ingest::{API, Client};
use crate::runtime;

/// The most items that the API takes in one request.
const MOST_ITEMS: usize = 100;

/// Settings of a [`Writer`].
#[derive(Clone, Debug)]
pub struct Builder<T> {
    project: Result<PathArgument, String>,
    datasource: Result<PathArgument, String>,
    limits: Limits,
    most_in_flight: usize,
    linger: Duration,
    patience: Duration,
    dry_run: bool,
    sync: bool,
    allowed: BTreeSet<String>,
    resumed: Checkpoint,
    record: PhantomData<fn(T)>,
}

impl<T: Record> Writer<T> {
    /// The settings of a writer for one data source.
    pub fn builder(
        project: impl TryInto<PathArgument, Error: fmt::Display>,
        datasource: impl TryInto<PathArgument, Error: fmt::Display>,
    ) -> Builder<T> {
        Builder::new(project, datasource)
    }
}

impl<T: Record> Builder<T> {
    fn new(
        project: impl TryInto<PathArgument, Error: fmt::Display>,
        datasource: impl TryInto<PathArgument, Error: fmt::Display>,
    ) -> Self {
        Self {
            project: project.try_into().map_err(|error| error.to_string()),
            datasource: datasource.try_into().map_err(|error| error.to_string()),
            limits: Limits {
                batch_items: MOST_ITEMS,
                batch_bytes: 1 << 20,
                pending_items: 2000,
                pending_bytes: 16 << 20,
            },
            most_in_flight: 4,
            linger: Duration::from_millis(500),
            patience: Duration::from_secs(300),
            dry_run: false,
            sync: false,
            allowed: BTreeSet::new(),
            resumed: Checkpoint::default(),
            record: PhantomData,
        }
    }

    /// How many items a batch may hold, 1 to 100. Default: 100, the API's limit.
    #[must_use]
    pub fn batch_items(mut self, items: usize) -> Self {
        self.limits.batch_items = items.clamp(1, MOST_ITEMS);
        self
    }

    /// How many bytes of JSON a batch may have. An item larger than that is rejected. Default: 1 MiB; the API documents
    /// none.
    #[must_use]
    pub fn batch_bytes(mut self, bytes: usize) -> Self {
        self.limits.batch_bytes = bytes.max(64);
        self
    }

    /// How many items may be in the writer at a time, those on their way included. Who writes more waits. Default: 2000.
    #[must_use]
    pub fn pending_items(mut self, items: usize) -> Self {
        self.limits.pending_items = items.max(1);
        self
    }

    /// How many bytes of JSON may be in the writer at a time. Default: 16 MiB.
    #[must_use]
    pub fn pending_bytes(mut self, bytes: usize) -> Self {
        self.limits.pending_bytes = bytes.max(1);
        self
    }

    /// How many batches may be on their way at a time. Default: 4. Zero counts as one.
    #[must_use]
    pub fn in_flight(mut self, batches: usize) -> Self {
        self.most_in_flight = batches.max(1);
        self
    }

    /// How long an item waits for others to fill its batch. Default: 0.5 s. While as many batches are on their way as may
    /// be, it waits on.
    #[must_use]
    pub fn linger(mut self, time: Duration) -> Self {
        self.linger = time;
        self
    }

    /// How long a batch is sent again while the server cannot be reached, fails or is too busy, on top of what the client's
    /// [`RetryPolicy`](crate::RetryPolicy) does for each call. In an outage it is counted from the outage's beginning.
    /// Default: 5 minutes.
    #[must_use]
    pub fn patience(mut self, time: Duration) -> Self {
        self.patience = time;
        self
    }

    /// Has the server check items and store none (`_dryRun`).
    #[must_use]
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Has the server process items before it answers (`_sync`).
    #[must_use]
    pub fn sync(mut self, sync: bool) -> Self {
        self.sync = sync;
        self
    }

    /// Lets a key through that begins with an underscore and that this library does not know. Such keys are rejected
    /// otherwise, because a misspelt one is refused by the server.
    #[must_use]
    pub fn allow_key(mut self, key: impl Into<String>) -> Self {
        self.allowed.insert(key.into());
        self
    }

    /// Goes on where another writer left off. Write the same items from the beginning, with the same numbers: those that
    /// the checkpoint covers are skipped, and get no outcome.
    #[must_use]
    pub fn resume(mut self, checkpoint: Checkpoint) -> Self {
        self.resumed = checkpoint;
        self
    }

    /// Starts the writer, on a task of its own. `receiver` is called there, once for each item; it should return soon.
    ///
    /// # Errors
    /// A project or data source that is no path argument, and a call outside of a tokio runtime.
    pub fn start(
        self,
        client: &Client,
        receiver: impl FnMut(&Delivery<'_>) + Send + 'static,
    ) -> Result<Writer<T>, Error> {
        Error::check_runtime()?;
        let (stream, function) = match T::KIND {
            Kind::Contacts => ("contacts", "stream_contacts_push"),
            Kind::Events => ("events", "stream_events_push"),
        };
        let operation = API.operations.iter().find(|operation| operation.function == function);
        let operation = operation.ok_or_else(|| Error::configuration(format!("{function} is not in the table")))?;
        let refuse =
            |name: &str, error: String| Error::invalid_request(format!("the argument `{name}` is refused: {error}"));
        let project = self.project.map_err(|error| refuse("project", error))?;
        let datasource = self.datasource.map_err(|error| refuse("datasource", error))?;
        let (project, datasource) = (encode_path(project.as_str()), encode_path(datasource.as_str()));
        let mut url = client.inner.url(&format!("/project/{project}/datasource/{datasource}/stream/{stream}"))?;
        for (name, is_set) in [("_dryRun", self.dry_run), ("_sync", self.sync)] {
            if is_set {
                url.query_pairs_mut().append_pair(name, "true");
            }
        }
        let shared = Arc::new(Shared::new(Queue::new(T::KIND, self.limits), self.resumed));
        let check =
            Check { kind: T::KIND, allowed: self.allowed, most_bytes: self.limits.batch_bytes.saturating_sub(2) };
        let client = client.clone();
        let sender = Sender {
            transport: client.inner.stopped_by(Arc::clone(&shared.stop)),
            client: client.clone(),
            operation,
            url,
            patience: self.patience,
            shared: Arc::clone(&shared),
        };
        let task = Task {
            sender: Arc::new(sender),
            shared: Arc::clone(&shared),
            receiver: Box::new(receiver),
            most_in_flight: self.most_in_flight,
            linger: self.linger,
        };
        runtime::spawn(task.run());
        Ok(Writer::new(shared, check, client))
    }
}
