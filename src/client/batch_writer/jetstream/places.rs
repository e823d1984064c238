//! The streams of a queue: how they are made, and known again.

use std::collections::HashMap;
use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, Info, RetentionPolicy, StorageType, Stream};
use sha2::{Digest as _, Sha256};

use super::address::Address;
use super::connection::Connection;
use super::failure::refused;
use crate::client::new_idempotency_key;
use crate::error::Error;

/// The mark of a stream that is a queue: the version of its layout.
const MARK: &str = "keyfit-queue";
const VERSION: &str = "1";
const PARTITIONS: &str = "keyfit-partitions";
/// What tells a stream apart from one of its name that was removed.
const ID: &str = "keyfit-id";
/// How many partitions a queue may have.
pub(super) const MOST_PARTITIONS: u16 = 256;
/// How long the server knows an outcome again.
const OUTCOMES_KNOWN_FOR: Duration = Duration::from_secs(300);

/// The streams of a queue.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) stream: String,
    pub(super) partitions: u16,
    /// The stream's own, since one that is made anew begins its sequences anew.
    pub(super) id: String,
}

impl Places {
    /// Makes the queue, or finds the one that is there.
    pub(super) async fn make(
        connection: &Connection,
        address: &Address,
        partitions: Option<u16>,
        most_bytes: Option<u64>,
    ) -> Result<Self, Error> {
        if let Some(found) = find(connection, address).await? {
            let places = Self::of(found.cached_info(), address)?;
            if partitions.is_some_and(|asked| asked != places.partitions) {
                return Err(refused(
                    address,
                    &format!(
                        "it has {} partitions, and their number stays: leave the option out, or name another stream",
                        places.partitions
                    ),
                ));
            }
            places.make_outcomes(connection, address).await?;
            return Ok(places);
        }
        let id = new_idempotency_key()?;
        let places = Self { stream: address.stream.clone(), partitions: partitions.unwrap_or(16), id };
        let config = Config {
            name: address.stream.clone(),
            description: Some("items of an import, for workers of keyfit".to_owned()),
            subjects: vec![format!("{}.items.*", address.stream)],
            retention: RetentionPolicy::WorkQueue,
            discard: DiscardPolicy::New,
            max_bytes: most_bytes.and_then(|bytes| i64::try_from(bytes).ok()).unwrap_or(-1),
            storage: StorageType::File,
            num_replicas: 1,
            metadata: metadata(&[(PARTITIONS, places.partitions.to_string()), (ID, places.id.clone())]),
            ..Config::default()
        };
        create(connection, address, config).await?;
        places.make_outcomes(connection, address).await?;
        Ok(places)
    }

    /// Finds the queue.
    pub(super) async fn open(connection: &Connection, address: &Address) -> Result<(Self, Stream<Info>), Error> {
        let Some(found) = find(connection, address).await? else {
            return Err(refused(address, "there is no such stream: fill the queue first, which makes it"));
        };
        let places = Self::of(found.cached_info(), address)?;
        places.make_outcomes(connection, address).await?;
        Ok((places, found))
    }

    fn of(found: &Info, address: &Address) -> Result<Self, Error> {
        let config = &found.config;
        match config.metadata.get(MARK).map(String::as_str) {
            Some(VERSION) => {}
            Some(_) => {
                return Err(refused(address, "another version of keyfit made it: use that one, or another stream"));
            }
            None => {
                return Err(refused(
                    address,
                    "its stream is there, and is none that keyfit made: name another one; nothing was changed",
                ));
            }
        }
        let partitions = config.metadata.get(PARTITIONS).and_then(|number| number.parse().ok());
        let partitions = partitions.filter(|number| (1..=MOST_PARTITIONS).contains(number));
        let partitions =
            partitions.ok_or_else(|| refused(address, "its metadata do not say how many partitions it has"))?;
        let id = config.metadata.get(ID).cloned();
        let id = id.ok_or_else(|| refused(address, "its metadata do not say which stream it is"))?;
        if config.retention != RetentionPolicy::WorkQueue {
            return Err(refused(address, "somebody changed its retention, which is that of a work queue"));
        }
        Ok(Self { stream: address.stream.clone(), partitions, id })
    }

    /// Whether a stream is this one, and none of its name that somebody made since.
    pub(super) fn is(&self, found: &Info) -> bool {
        found.config.metadata.get(ID) == Some(&self.id)
    }

    async fn make_outcomes(&self, connection: &Connection, address: &Address) -> Result<(), Error> {
        let name = format!("{}-outcomes", self.stream);
        match connection.context.get_stream(&name).await {
            Ok(found) if found.cached_info().config.metadata.get(MARK).is_some_and(|version| version == VERSION) => {
                return Ok(());
            }
            Ok(_) => {
                let why = format!("the stream `{name}` is there, and is none that keyfit made: name another queue");
                return Err(refused(address, &why));
            }
            Err(error) if is_absent(&error.kind()) => {}
            Err(error) => return Err(refused(address, &format!("the stream `{name}` cannot be looked at: {error}"))),
        }
        let config = Config {
            name,
            description: Some("what became of the items of an import".to_owned()),
            subjects: vec![format!("{}.outcomes.*", self.stream), format!("{}.dead.*", self.stream)],
            // Full is an error, and no outcome that is lost.
            discard: DiscardPolicy::New,
            storage: StorageType::File,
            num_replicas: 1,
            duplicate_window: OUTCOMES_KNOWN_FOR,
            metadata: metadata(&[]),
            ..Config::default()
        };
        create(connection, address, config).await
    }

    /// The partition of a key.
    pub(super) fn partition(&self, key: &[u8]) -> u16 {
        let digest = Sha256::digest(key);
        let first = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        u16::try_from(first % u64::from(self.partitions)).unwrap_or_default()
    }

    pub(super) fn items(&self, partition: u16) -> String {
        format!("{}.items.{partition}", self.stream)
    }

    pub(super) fn outcomes(&self, partition: u16, is_accepted: bool) -> String {
        format!("{}.{}.{partition}", self.stream, if is_accepted { "outcomes" } else { "dead" })
    }
}

fn metadata(more: &[(&str, String)]) -> HashMap<String, String> {
    let mark = (MARK.to_owned(), VERSION.to_owned());
    std::iter::once(mark).chain(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone()))).collect()
}

async fn find(connection: &Connection, address: &Address) -> Result<Option<Stream<Info>>, Error> {
    match connection.context.get_stream(&address.stream).await {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_absent(&error.kind()) => Ok(None),
        Err(error) => Err(refused(address, &format!("its stream cannot be looked at: {error}"))),
    }
}

fn is_absent(kind: &GetStreamErrorKind) -> bool {
    matches!(kind, GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

async fn create(connection: &Connection, address: &Address, config: Config) -> Result<(), Error> {
    let name = config.name.clone();
    match connection.context.create_stream(config).await {
        Ok(_) => Ok(()),
        Err(error) => {
            let why = match error.kind() {
                CreateStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NAME_EXIST => {
                    return Err(refused(
                        address,
                        &format!("the stream `{name}` was made by somebody else just now: try again"),
                    ));
                }
                CreateStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_SUBJECT_OVERLAP => {
                    "subjects of it belong to another stream already: name another queue".to_owned()
                }
                _ => format!("the stream `{name}` cannot be made: {error}"),
            };
            Err(refused(address, &why))
        }
    }
}
