//! A partition on loan, from taking it to giving it back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_nats::jetstream::kv::{CreateErrorKind, Operation, UpdateErrorKind};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::failure::chain;
use super::session::{Buckets, Session};
use crate::error::Error;

/// What the bucket holds of a partition.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Record {
    /// The stream that it is about, by its id: the sequences of another one of its name are others.
    stream: String,
    /// The session that has it on loan.
    holder: Option<String>,
    /// The items that must not be sent again, by their sequences: they may have been sent, and their outcome is not confirmed.
    #[serde(default)]
    sent: BTreeSet<u64>,
}

/// A partition on loan to this worker. Once it is closed nothing of it is sent any more, and it is given back when the outcomes
/// of what is on its way are published.
#[derive(Debug)]
pub(super) struct Loan {
    pub(super) partition: u16,
    stream: String,
    holder: String,
    /// How often the connection had been lost when it was taken.
    pub(super) breaks: u64,
    is_closed: AtomicBool,
    /// Items that were handed to the writer, and whose outcome is not published.
    open: AtomicUsize,
    /// What a holder before may have sent.
    pub(super) doubted: BTreeSet<u64>,
    journal: Mutex<Journal>,
}

#[derive(Debug)]
struct Journal {
    revision: u64,
    sent: BTreeSet<u64>,
    /// Whether the bucket holds as many as this.
    is_kept: bool,
}

/// The reason why the bucket does not hold what it should.
#[derive(Debug)]
enum NotKept {
    /// Another worker has the partition by now.
    Overtaken,
    /// The server did not answer, or not as it should.
    Unanswered(String),
}

impl Loan {
    /// Takes a partition that nobody has. `None` where somebody has it, or the server does not answer.
    pub(super) async fn take(
        buckets: &Buckets,
        session: &Session,
        partition: u16,
        breaks: u64,
    ) -> Result<Option<Arc<Self>>, Error> {
        let stream = buckets.stream.clone();
        let key = partition.to_string();
        let Ok(entry) = buckets.partitions.entry(&key).await else { return Ok(None) };
        let entry = entry.filter(|entry| entry.operation == Operation::Put);
        let record: Record = match &entry {
            None => Record::default(),
            Some(entry) => serde_json::from_slice(&entry.value).map_err(|_| {
                Error::configuration(format!(
                    "what the bucket holds of partition {partition} is none of this version of keyfit"
                ))
            })?,
        };
        // After the record was read: whoever it names had signed in before.
        if let Some(holder) = record.holder.as_deref().filter(|holder| *holder != session.id)
            && buckets.is_alive(holder).await != Some(false)
        {
            return Ok(None);
        }
        let doubted = if record.stream == stream { record.sent } else { BTreeSet::new() };
        let holder = Some(session.id.clone());
        let value = bytes_of(&Record { stream: stream.clone(), holder, sent: doubted.clone() });
        let taken = match entry {
            None => buckets
                .partitions
                .create(&key, value)
                .await
                .map_err(|error| error.kind() == CreateErrorKind::AlreadyExists),
            Some(entry) => {
                let taken = buckets.partitions.update(&key, value, entry.revision).await;
                taken.map_err(|error| error.kind() == UpdateErrorKind::WrongLastRevision)
            }
        };
        let Ok(revision) = taken else { return Ok(None) };
        Ok(Some(Arc::new(Self {
            partition,
            stream,
            holder: session.id.clone(),
            breaks,
            is_closed: AtomicBool::new(false),
            open: AtomicUsize::new(0),
            journal: Mutex::new(Journal { revision, sent: doubted.clone(), is_kept: true }),
            doubted,
        })))
    }

    /// Notes items that must not be sent twice, before they are sent. Where that fails the loan is closed: nothing of it is sent.
    pub(super) async fn note(&self, buckets: &Buckets, sequences: &[u64]) {
        let mut journal = self.journal.lock().await;
        let before = journal.sent.len();
        journal.sent.extend(sequences);
        if journal.sent.len() == before && journal.is_kept {
            return;
        }
        if let Err(why) = self.keep(buckets, &mut journal, Some(self.holder.clone())).await {
            tracing::warn!(target: "keyfit::batch_writer", partition = self.partition, ?why, "a partition is given up");
            self.close();
            // They were not sent, unless somebody did before.
            journal.sent.retain(|sequence| !sequences.contains(sequence) || self.doubted.contains(sequence));
            journal.is_kept = false;
        }
    }

    async fn keep(&self, buckets: &Buckets, journal: &mut Journal, holder: Option<String>) -> Result<(), NotKept> {
        let key = self.partition.to_string();
        let value = bytes_of(&Record { stream: self.stream.clone(), holder, sent: journal.sent.clone() });
        for _ in 0..3 {
            match buckets.partitions.update(&key, value.clone(), journal.revision).await {
                Ok(revision) => {
                    (journal.revision, journal.is_kept) = (revision, true);
                    return Ok(());
                }
                Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {
                    // The answer to a write of this worker may have been lost, or another worker took over.
                    let entry = buckets.partitions.entry(&key).await;
                    let entry = entry.map_err(|error| NotKept::Unanswered(chain(&error)))?;
                    let Some(entry) = entry.filter(|entry| entry.value == value || self.is_mine(&entry.value)) else {
                        return Err(NotKept::Overtaken);
                    };
                    journal.revision = entry.revision;
                    if entry.value == value {
                        journal.is_kept = true;
                        return Ok(());
                    }
                }
                Err(error) if self.is_closed() => return Err(NotKept::Unanswered(chain(&error))),
                Err(_) => {}
            }
        }
        Err(NotKept::Unanswered("the server does not answer".to_owned()))
    }

    fn is_mine(&self, value: &[u8]) -> bool {
        let record = serde_json::from_slice::<Record>(value);
        record.is_ok_and(|record| record.stream == self.stream && record.holder.as_ref() == Some(&self.holder))
    }

    /// The outcome of an item is confirmed, or it was not sent.
    pub(super) async fn forget(&self, sequence: u64) {
        let mut journal = self.journal.lock().await;
        if journal.sent.remove(&sequence) {
            journal.is_kept = false;
        }
    }

    /// Gives the partition back; `false` where the server does not answer. Another worker takes it once the session has ended, and would
    /// doubt items that were noted and never sent.
    pub(super) async fn give_back(&self, buckets: &Buckets) -> bool {
        let mut journal = self.journal.lock().await;
        match self.keep(buckets, &mut journal, None).await {
            Ok(()) | Err(NotKept::Overtaken) => true,
            Err(NotKept::Unanswered(why)) => {
                tracing::debug!(target: "keyfit::batch_writer", partition = self.partition, why, "a partition is not given back yet");
                false
            }
        }
    }

    /// Whether the bucket still says that it is on loan to this worker; `None` where the server does not say.
    pub(super) async fn is_held(&self, buckets: &Buckets) -> Option<bool> {
        let journal = self.journal.lock().await;
        let entry = buckets.partitions.entry(self.partition.to_string()).await.ok()?;
        Some(entry.is_some_and(|entry| entry.revision == journal.revision))
    }

    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// An item is handed to the writer.
    pub(super) fn begin(&self) {
        self.open.fetch_add(1, Ordering::AcqRel);
    }

    /// Its outcome is published, or it stays in the queue.
    pub(super) fn end(&self) {
        self.open.fetch_sub(1, Ordering::AcqRel);
    }

    pub(super) fn is_settled(&self) -> bool {
        self.open.load(Ordering::Acquire) == 0
    }
}

fn bytes_of(record: &Record) -> Bytes {
    serde_json::to_vec(record).unwrap_or_default().into()
}
