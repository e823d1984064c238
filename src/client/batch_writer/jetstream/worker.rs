//! A worker: takes partitions on loan, writes their items, and gives them back.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::pull::Config as Pull;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy};
use async_nats::jetstream::stream::{Info, Stream};
use async_nats::{Subject, jetstream};
use bytes::Bytes;
use futures_core::Stream as _;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::address::Address;
use super::connection::Connection;
use super::failure::{chain, refused};
use super::hub::{Held, Hub, lock};
use super::loan::Loan;
use super::places::Places;
use super::session::{Buckets, Renewed, Session};
use super::settle::settle;
use super::settled::{Drained, Settled};
use crate::client::batch_writer::{Builder, Delivery, WriteError, Writer};
use crate::error::Error;
use crate::runtime::{self, Instant};

/// How many items a worker holds at most, those included whose outcome is being published.
const ROOM: usize = 8192;
/// Items of a partition that are fetched ahead.
const AHEAD: usize = 100;
/// How long the server waits for an acknowledgement. A consumer is made anew by whoever takes its partition, so that nothing
/// depends on this.
const UNACKNOWLEDGED: Duration = Duration::from_secs(24 * 3600);

/// A worker of a queue. See the [module](super).
pub struct Worker<T> {
    address: Address,
    builder: Builder<T>,
    lease: Duration,
    is_following: bool,
}

/// An item on its way from the queue to the writer.
struct Pulled {
    loan: Arc<Loan>,
    sequence: u64,
    reply: Subject,
    item: Bytes,
    room: OwnedSemaphorePermit,
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
        let connection = Connection::open(&address).await?;
        let (places, stream) = Places::open(&connection, &address).await?;
        let consumer = address.consumer.clone().unwrap_or_default();
        alone(&stream, &consumer, &address).await?;
        let buckets = Buckets::open(&connection, &address, lease).await?;
        let hub = Arc::new(Hub::new(connection, places, buckets, Box::new(receiver)));
        let settling = Arc::clone(&hub);
        let builder = builder.gate(Arc::new(Arc::clone(&hub)));
        // What was not sent comes this way alone; of the rest nothing is left to settle.
        let receiver = move |delivery: &Delivery<'_>| {
            settle(&settling, delivery.sequence(), delivery.item(), delivery.outcome());
        };
        let writer = builder.start(receiver)?;
        let (pulled, pulling) = mpsc::channel(64);
        let crew = Crew {
            hub: Arc::clone(&hub),
            stream,
            consumer,
            pulled,
            room: Arc::new(Semaphore::new(ROOM)),
            loans: BTreeMap::new(),
            session: None,
            renewed: Instant::now(),
            breaks: hub.connection.breaks(),
            looked: None,
            is_following,
        };
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

/// What a worker does beside the writing.
struct Crew {
    hub: Arc<Hub>,
    stream: Stream<Info>,
    consumer: String,
    pulled: mpsc::Sender<Pulled>,
    room: Arc<Semaphore>,
    loans: BTreeMap<u16, (Arc<Loan>, JoinHandle<()>)>,
    session: Option<Session>,
    renewed: Instant,
    breaks: u64,
    /// When it was last looked for who is alive.
    looked: Option<Instant>,
    is_following: bool,
}

impl Crew {
    async fn work<T: Serialize>(
        mut self,
        writer: &Writer<T>,
        pulling: mpsc::Receiver<Pulled>,
        stop: impl Future<Output = ()>,
    ) -> Result<Drained, Error> {
        let hub = Arc::clone(&self.hub);
        let ended = tokio::select! {
            ended = self.keep_up() => ended,
            ended = feed(&hub, writer, pulling) => ended,
            () = stop => Ok(()),
        };
        hub.stop();
        for (loan, puller) in self.loans.values() {
            loan.close();
            puller.abort();
        }
        writer.halt().await;
        self.settle_and_end().await;
        let counts = *lock(&hub.counts);
        match ended.err().or_else(|| hub.failure()) {
            Some(error) => Err(error),
            None => Ok(counts),
        }
    }

    /// Sees to the session and the loans until the queue is empty.
    async fn keep_up(&mut self) -> Result<(), Error> {
        loop {
            if let Some(failure) = self.hub.failure() {
                return Err(failure);
            }
            self.see_to_session().await?;
            self.see_to_breaks();
            self.give_back_closed().await;
            if self.looked.is_none_or(|looked| looked.elapsed() >= self.often()) {
                self.looked = Some(Instant::now());
                self.share_out().await?;
            }
            if !self.is_following && self.is_empty().await {
                return Ok(());
            }
            // Whichever comes first; everything is looked at above.
            let _ = runtime::timeout(Duration::from_millis(200), self.hub.news.notified()).await;
        }
    }

    fn often(&self) -> Duration {
        (self.hub.buckets.lease / 8).min(Duration::from_secs(1))
    }

    async fn see_to_session(&mut self) -> Result<(), Error> {
        let buckets = self.hub.buckets.clone();
        if self.session.is_none() {
            if !self.loans.is_empty() {
                return Ok(());
            }
            match buckets.begin().await {
                Ok(session) => {
                    self.hub.lasts_until(Some(session.until));
                    self.session = Some(session);
                    self.renewed = Instant::now();
                    self.looked = None;
                }
                Err(error) => {
                    tracing::warn!(target: "keyfit::batch_writer", %error, "the worker waits for the queue");
                    runtime::sleep(Duration::from_millis(500)).await;
                }
            }
            return Ok(());
        }
        let Some(session) = &mut self.session else { return Ok(()) };
        let mut is_lost = !self.hub.is_valid();
        if !is_lost && self.renewed.elapsed() >= buckets.lease / 3 {
            let renewed = buckets.renew(session).await;
            match renewed {
                Renewed::Yes => {
                    self.renewed = Instant::now();
                    self.hub.lasts_until(Some(session.until));
                    for (loan, _) in self.loans.values() {
                        if loan.is_held(&buckets).await == Some(false) {
                            loan.close();
                        }
                    }
                }
                Renewed::Unanswered => {}
                Renewed::Lost => is_lost = true,
            }
        }
        if is_lost {
            tracing::warn!(target: "keyfit::batch_writer", "the worker was away for longer than its lease: it begins anew");
            self.hub.lasts_until(None);
            self.session = None;
            self.loans.values().for_each(|(loan, _)| loan.close());
        }
        Ok(())
    }

    /// What was on its way to this worker when the connection broke would not come again.
    fn see_to_breaks(&mut self) {
        let breaks = self.hub.connection.breaks();
        if breaks != self.breaks {
            self.breaks = breaks;
            self.loans.values().for_each(|(loan, _)| loan.close());
        }
    }

    async fn give_back_closed(&mut self) {
        let settled: Vec<u16> = self
            .loans
            .iter()
            .filter(|(_, (loan, _))| loan.is_closed() && loan.is_settled())
            .map(|(partition, _)| *partition)
            .collect();
        for partition in settled {
            let Some((loan, puller)) = self.loans.remove(&partition) else { continue };
            puller.abort();
            loan.give_back(&self.hub.buckets).await;
            self.looked = None;
        }
    }

    /// Takes as many partitions as are this worker's share, and gives back what is more.
    async fn share_out(&mut self) -> Result<(), Error> {
        let Some(session) = self.session.clone() else { return Ok(()) };
        let Some(alive) = self.hub.buckets.alive().await else { return Ok(()) };
        let Ok(place) = alive.binary_search(&session.id) else { return Ok(()) };
        let partitions = usize::from(self.hub.places.partitions);
        let share = partitions / alive.len() + usize::from(place < partitions % alive.len());
        let open = self.loans.values().filter(|(loan, _)| !loan.is_closed()).count();
        for (loan, puller) in self.loans.values().filter(|(loan, _)| !loan.is_closed()).skip(share) {
            loan.close();
            puller.abort();
        }
        let mut wanted = share.saturating_sub(open);
        // Each worker begins at another place, so that they do not all ask for the same one.
        let first = place * partitions / alive.len();
        for partition in (0..self.hub.places.partitions).cycle().skip(first).take(partitions) {
            if wanted == 0 {
                break;
            }
            if self.loans.contains_key(&partition) {
                continue;
            }
            let Some(loan) = Loan::take(&self.hub.buckets, &session, partition).await? else { continue };
            match self.consumer(partition).await {
                Ok(consumer) => {
                    let pull = pull(consumer, Arc::clone(&loan), self.pulled.clone(), Arc::clone(&self.room));
                    self.loans.insert(partition, (loan, runtime::spawn(pull)));
                    wanted -= 1;
                }
                Err(error) => {
                    tracing::warn!(target: "keyfit::batch_writer", partition, error, "a consumer cannot be made");
                    loan.give_back(&self.hub.buckets).await;
                }
            }
        }
        Ok(())
    }

    /// The consumer of a partition, made anew: it begins with the first item that is not acknowledged.
    async fn consumer(&self, partition: u16) -> Result<Consumer<Pull>, String> {
        let name = format!("{}-{partition}", self.consumer);
        // There may be none.
        let _ = self.stream.delete_consumer(&name).await;
        let config = Pull {
            durable_name: Some(name),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: UNACKNOWLEDGED,
            max_ack_pending: -1,
            filter_subject: self.hub.places.items(partition),
            ..Pull::default()
        };
        self.stream.create_consumer(config).await.map_err(|error| chain(&error))
    }

    /// Whether nothing is in the queue, here or with another worker.
    async fn is_empty(&self) -> bool {
        let has_open = self.loans.values().any(|(loan, _)| !loan.is_settled());
        self.session.is_some() && !has_open && self.stream.get_info().await.is_ok_and(|info| info.state.messages == 0)
    }

    /// Waits until every outcome is published, or cannot be, and gives everything back.
    async fn settle_and_end(&mut self) {
        while !self.loans.values().all(|(loan, _)| loan.is_settled()) {
            if let Some(session) =
                self.session.as_mut().filter(|_| self.renewed.elapsed() >= self.hub.buckets.lease / 3)
            {
                self.renewed = Instant::now();
                let _ = self.hub.buckets.renew(session).await;
            }
            let _ = runtime::timeout(Duration::from_millis(50), self.hub.news.notified()).await;
        }
        for (loan, _) in self.loans.values() {
            loan.give_back(&self.hub.buckets).await;
        }
        if let Some(session) = &self.session {
            self.hub.buckets.end(session).await;
        }
    }
}

/// Hands items to the writer, one after the other, under numbers of this worker.
async fn feed<T: Serialize>(hub: &Hub, writer: &Writer<T>, mut pulling: mpsc::Receiver<Pulled>) -> Result<(), Error> {
    let mut number = 0;
    while let Some(Pulled { loan, sequence, reply, item, room }) = pulling.recv().await {
        if loan.is_closed() {
            continue;
        }
        let is_doubted = loan.doubted.contains(&sequence);
        hub.hold(number, Held { loan, sequence, reply, is_single: false, _room: room });
        let written =
            if is_doubted { writer.write_doubted(number, &item).await } else { writer.write_json(number, &item).await };
        if let Err(error) = written {
            if let Some(held) = hub.release(number) {
                held.loan.end();
            }
            return Err(match error {
                WriteError::Stopped(stopped) => Error::configuration(stopped.to_string()),
                error => Error::configuration(error.to_string()),
            });
        }
        number += 1;
    }
    Ok(())
}

/// Fetches the items of a partition, in their order, until its loan is closed or something is missing.
async fn pull(consumer: Consumer<Pull>, loan: Arc<Loan>, pulled: mpsc::Sender<Pulled>, room: Arc<Semaphore>) {
    if let Err(why) = pull_all(consumer, &loan, &pulled, &room).await
        && !loan.is_closed()
    {
        tracing::debug!(target: "keyfit::batch_writer", partition = loan.partition, why, "a partition is taken anew");
    }
    loan.close();
}

async fn pull_all(
    consumer: Consumer<Pull>,
    loan: &Arc<Loan>,
    pulled: &mpsc::Sender<Pulled>,
    room: &Arc<Semaphore>,
) -> Result<(), String> {
    let messages = consumer.stream().max_messages_per_batch(AHEAD).messages().await;
    let mut messages = std::pin::pin!(messages.map_err(|error| error.to_string())?);
    let mut last = 0;
    while let Some(message) = std::future::poll_fn(|context| messages.as_mut().poll_next(context)).await {
        let message: jetstream::Message = message.map_err(|error| error.to_string())?;
        let info = message.info().map_err(|error| error.to_string())?;
        let (sequence, delivered) = (info.stream_sequence, info.consumer_sequence);
        if delivered != last + 1 {
            return Err(format!("delivery {delivered} came after {last}"));
        }
        last = delivered;
        let Some(reply) = message.reply.clone() else {
            return Err("a message has no subject for its answer".to_owned());
        };
        let Ok(room) = Arc::clone(room).acquire_owned().await else { return Ok(()) };
        let item = message.payload.clone();
        if loan.is_closed()
            || pulled.send(Pulled { loan: Arc::clone(loan), sequence, reply, item, room }).await.is_err()
        {
            return Ok(());
        }
    }
    Err("the fetching ended".to_owned())
}
