//! A worker, as a caller sets it up.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::stream::{Info, Stream};
use futures_core::Stream as _;
use serde::Serialize;
use tokio::sync::mpsc;

use super::address::Address;
use super::connection::{Connection, TIMEOUT};
use super::crew::Crew;
use super::failure::refused;
use super::hub::Hub;
use super::places::Places;
use super::session::Buckets;
use super::settle::settle;
use super::settled::{Drained, Settled};
use crate::client::batch_writer::{Builder, Delivery};
use crate::error::Error;
use crate::runtime;

/// A worker of a queue. See the [module](super).
pub struct Worker<T> {
    address: Address,
    builder: Builder<T>,
    lease: Duration,
    is_following: bool,
}

impl<T: Serialize> Worker<T> {
    /// A worker that writes through `builder`, of which the resumption, the journal and the dead letters are not used: the queue has
    /// its own.
    pub fn new(address: Address, builder: Builder<T>) -> Self {
        Self { address, builder, lease: Duration::from_secs(10), is_following: false }
    }

    /// Goes on waiting for items once the queue is empty. Default: the worker ends then.
    #[must_use]
    pub fn follow(mut self, is_following: bool) -> Self {
        self.is_following = is_following;
        self
    }

    /// How long the partitions of a worker that died stay with it, at least 2 s. The first worker of a consumer decides for all.
    /// Default: 10 s.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_secs(2));
        self
    }

    /// Works until the queue is empty, `stop` is ready, or something ends it. Then it waits for the outcome of what is on its way,
    /// publishes it, and gives its partitions back. `receiver` is told of each item once it is out of the queue.
    ///
    /// # Errors
    /// Returns an error if the server cannot be reached, refuses the login, is older than 2.10 or has no JetStream; the stream is not
    /// there or none that keyfit made; another consumer takes its items; the writer cannot be started or stops; the API's
    /// server is out of order for longer than the writer's patience; or outcomes cannot be published. Whatever was not settled is in the
    /// queue. A worker that has begun waits for a server of the queue that is gone.
    pub async fn run(
        self,
        stop: impl Future<Output = ()>,
        receiver: impl FnMut(&Settled) + Send + 'static,
    ) -> Result<Drained, Error> {
        let Self { address, builder, lease, is_following } = self;
        // An answer that is lost with its connection is waited for in vain, and the lease does not wait.
        let connection = Connection::open(&address, (lease / 4).min(TIMEOUT)).await?;
        let (places, stream) = Places::open(&connection, &address).await?;
        let consumer = address.consumer.clone().unwrap_or_default();
        let alone = runtime::timeout(TIMEOUT, alone(&stream, &consumer, &address)).await;
        alone.unwrap_or_else(|_| Err(refused(&address, "its consumers are not listed in time")))?;
        let buckets = Buckets::open(&connection, &address, places.id.clone(), lease).await?;
        let hub = Arc::new(Hub::new(connection, (places, stream), buckets, Box::new(receiver)));
        let settling = Arc::clone(&hub);
        let builder = builder.gate(Arc::new(Arc::clone(&hub)));
        // What was not sent comes this way alone; of the rest nothing is left to settle.
        let receiver = move |delivery: &Delivery<'_>| {
            settle(&settling, delivery.sequence(), delivery.item(), delivery.outcome());
        };
        let writer = builder.start(receiver)?;
        let (pulled, pulling) = mpsc::channel(64);
        let crew = Crew::new(hub, consumer, pulled, is_following);
        crew.work(&writer, pulling, stop).await
    }
}

impl<T> fmt::Debug for Worker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Refuses a queue whose items others take.
async fn alone(stream: &Stream<Info>, consumer: &str, address: &Address) -> Result<(), Error> {
    let mut names = std::pin::pin!(stream.consumer_names());
    while let Some(name) = std::future::poll_fn(|context| names.as_mut().poll_next(context)).await {
        let name = name.map_err(|error| refused(address, &format!("its consumers cannot be listed: {error}")))?;
        let is_ours = name
            .rsplit_once('-')
            .is_some_and(|(ours, partition)| ours == consumer && partition.bytes().all(|byte| byte.is_ascii_digit()));
        if !is_ours {
            return Err(refused(
                address,
                &format!(
                    "the consumer `{name}` takes its items: name that one (without the number at its end), or remove it"
                ),
            ));
        }
    }
    Ok(())
}
