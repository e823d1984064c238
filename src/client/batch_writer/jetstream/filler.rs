//! Puts items into a queue.

use std::collections::BTreeMap;
use std::fmt;

use async_nats::jetstream::context::{PublishAckFuture, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use serde::Serialize;

use super::address::Address;
use super::connection::{Connection, TIMEOUT};
use super::failure::{chain, refused};
use super::places::{MOST_PARTITIONS, Places};
use crate::client::batch_writer::identity::Fields;
use crate::client::batch_writer::{Builder, Reason};
use crate::error::Error;

/// How often an item is published where no answer comes. The server knows it again.
const ATTEMPTS: u32 = 5;

/// What came of putting an item.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Put {
    /// It is on its way into the queue; [`Filler::flush`] waits for it.
    Taken,
    /// It is not fit to be sent, for these reasons.
    Rejected(Vec<Reason>),
}

/// How many items are in the queue by this filler.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Filled {
    /// Items that were added.
    pub added: u64,
    /// Items that were there already, by their ids.
    pub known: u64,
    /// Items that were not fit.
    pub rejected: u64,
}

/// Puts items into a queue, which it makes where there is none. Items of one key stay in their order: each is confirmed before the
/// next one of its partition is published.
pub struct Filler {
    connection: Connection,
    address: Address,
    places: Places,
    fields: Fields,
    /// By partitions.
    on_its_way: BTreeMap<u16, Sent>,
    filled: Filled,
    last: Option<u64>,
}

struct Sent {
    number: u64,
    id: String,
    item: Bytes,
    confirmation: Result<PublishAckFuture, PublishError>,
}

impl Filler {
    /// Opens the queue, or makes it. `writer`: how its items are to be written, of which the key and the checks are used here.
    /// `partitions`: how many the queue is to have, 1 to 256, by default 16; of one that is there they stay. `most_bytes`: how large
    /// a queue that is made may become; by default as large as the server allows.
    ///
    /// # Errors
    /// Returns an error if the server cannot be reached, refuses the login, is older than 2.10 or has no JetStream, or the stream
    /// is none that keyfit made. Then nothing is changed.
    pub async fn open<T: Serialize>(
        address: Address,
        writer: &Builder<T>,
        partitions: Option<u16>,
        most_bytes: Option<u64>,
    ) -> Result<Self, Error> {
        if partitions.is_some_and(|number| !(1..=MOST_PARTITIONS).contains(&number)) {
            return Err(Error::configuration(format!("a queue has 1 to {MOST_PARTITIONS} partitions")));
        }
        let connection = Connection::open(&address, TIMEOUT).await?;
        let places = Places::make(&connection, &address, partitions, most_bytes).await?;
        let fields = writer.fields();
        let (on_its_way, filled) = (BTreeMap::new(), Filled::default());
        Ok(Self { connection, address, places, fields, on_its_way, filled, last: None })
    }

    /// Puts an item, as JSON. `number`: goes upwards, for [`confirmed`](Self::confirmed). `id`: by which the server knows the item
    /// again for two minutes, so that putting it twice is harmless.
    ///
    /// # Errors
    /// Returns an error if the queue is full or cannot be reached. Then some items up to this one are not in the queue.
    pub async fn put(&mut self, number: u64, id: &str, item: &[u8]) -> Result<Put, Error> {
        let key = match self.fields.identity(item) {
            Err(reasons) => {
                self.reject(number);
                return Ok(Put::Rejected(reasons));
            }
            Ok(identity) => identity.key.map(std::borrow::Cow::into_owned),
        };
        let partition = self.places.partition(key.as_deref().unwrap_or(id).as_bytes());
        self.confirm(partition).await?;
        let item = Bytes::copy_from_slice(item);
        let confirmation = self.publish(partition, id, &item).await;
        self.on_its_way.insert(partition, Sent { number, id: id.to_owned(), item, confirmation });
        self.last = Some(number);
        Ok(Put::Taken)
    }

    /// Counts an item that is none: what stands in its place cannot be read.
    pub fn reject(&mut self, number: u64) {
        self.filled.rejected += 1;
        self.last = Some(number);
    }

    /// Waits until every item that was put is in the queue.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub async fn flush(&mut self) -> Result<Filled, Error> {
        let partitions: Vec<u16> = self.on_its_way.keys().copied().collect();
        let mut failed = None;
        for partition in partitions {
            if let Err(error) = self.confirm(partition).await {
                failed.get_or_insert(error);
            }
        }
        failed.map_or(Ok(self.filled), Err)
    }

    /// The number up to which every item is in the queue, or was rejected.
    pub fn confirmed(&self) -> Option<u64> {
        let open = self.on_its_way.values().map(|sent| sent.number).min();
        match open {
            None => self.last,
            Some(open) => open.checked_sub(1),
        }
    }

    /// How many items came to what, by now.
    pub fn filled(&self) -> Filled {
        self.filled
    }

    async fn publish(&self, partition: u16, id: &str, item: &Bytes) -> Result<PublishAckFuture, PublishError> {
        let message = PublishMessage::build().payload(item.clone()).message_id(id);
        self.connection.context.send_publish(self.places.items(partition), message).await
    }

    /// Waits for the item of a partition. What failed stays, so that nothing behind it counts as confirmed.
    async fn confirm(&mut self, partition: u16) -> Result<(), Error> {
        let Some(mut sent) = self.on_its_way.remove(&partition) else { return Ok(()) };
        for _ in 0..ATTEMPTS {
            let confirmed = match sent.confirmation {
                Ok(confirmation) => confirmation.await,
                Err(error) => Err(error),
            };
            let error = match confirmed {
                Ok(confirmed) => {
                    *(if confirmed.duplicate { &mut self.filled.known } else { &mut self.filled.added }) += 1;
                    return Ok(());
                }
                Err(error) => error,
            };
            let is_unanswered = matches!(error.kind(), PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe);
            sent.confirmation = if is_unanswered {
                self.publish(partition, &sent.id, &sent.item).await
            } else {
                let error = self.failed(sent.number, &error);
                sent.confirmation = Err(PublishError::new(PublishErrorKind::Other));
                self.on_its_way.insert(partition, sent);
                return Err(error);
            };
        }
        let error = refused(&self.address, &format!("it does not answer; item {} is not confirmed", sent.number));
        self.on_its_way.insert(partition, sent);
        Err(error)
    }

    fn failed(&self, number: u64, error: &PublishError) -> Error {
        let text = chain(error);
        let why = match error.kind() {
            PublishErrorKind::MaxPayloadExceeded => "is larger than the server takes (its `max_payload`)".to_owned(),
            PublishErrorKind::StreamNotFound => "has no stream any more: somebody removed it".to_owned(),
            _ if text.contains("maximum") || text.contains("insufficient") => format!(
                "does not fit: the queue is full ({text}). Have workers empty it, or raise the stream's limit, and go on"
            ),
            _ => format!("cannot be put: {text}"),
        };
        Error::configuration(format!("the queue {}: item {number} {why}", self.address))
    }
}

impl fmt::Debug for Filler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filler").field("address", &self.address).field("filled", &self.filled).finish_non_exhaustive()
    }
}
