//! A worker at work: takes partitions on loan, has their items written, and gives them back.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::pull::Config as Pull;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy};
use async_nats::jetstream::context::RequestError;
use async_nats::jetstream::{self, ErrorCode};
use serde::Serialize;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::failure::chain;
use super::hub::{Hub, lock};
use super::loan::Loan;
use super::pulling::{Pulled, feed, pull};
use super::session::{Renewed, Session};
use super::settled::Drained;
use crate::client::batch_writer::Writer;
use crate::error::Error;
use crate::runtime::{self, Instant};

/// How many items a worker holds at most, those included whose outcome is being published.
const ROOM: usize = 8192;
/// How long the server waits for an acknowledgement. A consumer is made anew by whoever takes its partition, so that nothing
/// depends on this.
const UNACKNOWLEDGED: Duration = Duration::from_secs(24 * 3600);
/// The time after which a stream that the server does not have counts as removed. One that starts may not have found it yet.
const MISSING: Duration = Duration::from_secs(5);

/// Returns whether the server says that it has no such stream.
fn is_absent(error: &RequestError) -> bool {
    let cause = error.source().and_then(<dyn StdError>::downcast_ref::<jetstream::Error>);
    cause.is_some_and(|cause| cause.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// What a worker does beside the writing.
pub(super) struct Crew {
    hub: Arc<Hub>,
    consumer: String,
    pulled: mpsc::Sender<Pulled>,
    room: Arc<Semaphore>,
    loans: BTreeMap<u16, (Arc<Loan>, JoinHandle<()>)>,
    session: Option<Session>,
    renewed: Instant,
    breaks: u64,
    /// When it was last looked for who is alive.
    looked: Option<Instant>,
    /// When the server first said that there is no such stream.
    missing: Option<Instant>,
    is_following: bool,
}

impl Crew {
    pub(super) fn new(hub: Arc<Hub>, consumer: String, pulled: mpsc::Sender<Pulled>, is_following: bool) -> Self {
        Self {
            breaks: hub.connection.breaks(),
            hub,
            consumer,
            pulled,
            room: Arc::new(Semaphore::new(ROOM)),
            loans: BTreeMap::new(),
            session: None,
            renewed: Instant::now(),
            looked: None,
            missing: None,
            is_following,
        }
    }

    pub(super) async fn work<T: Serialize>(
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
                self.messages().await?;
                self.share_out().await?;
            }
            if !self.is_following && self.is_idle() && self.messages().await? == Some(0) {
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
            let Some((loan, puller)) = self.loans.get(&partition) else { continue };
            puller.abort();
            if !loan.give_back(&self.hub.buckets).await {
                // Tried again while nobody else has it: the next worker would doubt items that were never sent.
                return;
            }
            self.loans.remove(&partition);
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
            let Some(loan) = Loan::take(&self.hub.buckets, &session, partition, self.breaks).await? else { continue };
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
        let _ = self.hub.stream.delete_consumer(&name).await;
        let config = Pull {
            durable_name: Some(name),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: UNACKNOWLEDGED,
            max_ack_pending: -1,
            filter_subject: self.hub.places.items(partition),
            ..Pull::default()
        };
        let consumer = self.hub.stream.create_consumer(config).await.map_err(|error| chain(&error))?;
        // One that is not gone is not made anew, and never delivers again what it delivered to a connection that broke.
        let known = consumer.cached_info();
        if known.delivered.consumer_sequence != 0 || known.num_ack_pending != 0 {
            return Err("the consumer before it is still there".to_owned());
        }
        match self.hub.stream.get_info().await {
            Ok(found) if self.hub.places.is(&found) => Ok(consumer),
            _ => Err("its stream may be another one by now".to_owned()),
        }
    }

    /// Returns whether nothing is on its way through this worker.
    fn is_idle(&self) -> bool {
        self.session.is_some() && self.loans.values().all(|(loan, _)| loan.is_settled())
    }

    /// Returns the number of items in the queue; `None` where the server does not say.
    ///
    /// # Errors
    /// Returns an error if the stream was removed, or another one has its name: numbers of its items would be taken for those of this one.
    async fn messages(&mut self) -> Result<Option<u64>, Error> {
        let removed = |how: &str| {
            Err(Error::configuration(format!("the queue was removed{how} while a worker ran: start it again")))
        };
        match self.hub.stream.get_info().await {
            Ok(found) if self.hub.places.is(&found) => {
                self.missing = None;
                Ok(Some(found.state.messages))
            }
            Ok(_) => removed(" and made anew"),
            Err(error) if is_absent(&error) => {
                let since = *self.missing.get_or_insert_with(Instant::now);
                if since.elapsed() >= MISSING { removed("") } else { Ok(None) }
            }
            Err(_) => Ok(None),
        }
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
            while !loan.give_back(&self.hub.buckets).await && self.hub.is_valid() {
                runtime::sleep(Duration::from_millis(200)).await;
            }
        }
        if let Some(session) = &self.session {
            self.hub.buckets.end(session).await;
        }
    }
}
