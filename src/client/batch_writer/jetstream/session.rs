//! The sign of life of a worker, and who is alive.

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::kv::{Config, Operation, Store, UpdateErrorKind};
use async_nats::jetstream::stream::StorageType;
use bytes::Bytes;
use futures_core::Stream as _;

use super::address::Address;
use super::connection::{Connection, TIMEOUT};
use super::failure::{chain, refused};
use crate::error::Error;
use crate::runtime::{self, Instant};

/// What the buckets of workers are known by.
const MARK: &str = "keyfit: the workers of an import";

/// The buckets of the workers of a consumer.
#[derive(Clone, Debug)]
pub(super) struct Buckets {
    /// Signs of life, which go by themselves.
    pub(super) workers: Store,
    /// Who holds which partition, and what must not be sent again.
    pub(super) partitions: Store,
    /// The stream that they are about, by its id.
    pub(super) stream: String,
    /// How long a sign of life lasts.
    pub(super) lease: Duration,
}

/// The sign of life of this worker, while it lasts.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) id: String,
    revision: u64,
    /// Until when it lasts at least, by this machine's clock.
    pub(super) until: Instant,
}

/// What came of renewing a session.
pub(super) enum Renewed {
    Yes,
    /// The server did not answer.
    Unanswered,
    /// It has ended.
    Lost,
}

impl Buckets {
    /// Makes the buckets, or finds them. A lease that others agreed on stays.
    pub(super) async fn open(
        connection: &Connection,
        address: &Address,
        stream: String,
        lease: Duration,
    ) -> Result<Self, Error> {
        let Some(consumer) = &address.consumer else {
            return Err(refused(
                address,
                "it names no consumer: `nats://HOST:PORT/STREAM/CONSUMER`, such as `/import` at its end",
            ));
        };
        let name = |what: &str| format!("{}-{consumer}-{what}", address.stream);
        let (workers, lease) = bucket(connection, address, name("workers"), lease).await?;
        let (partitions, _) = bucket(connection, address, name("partitions"), Duration::ZERO).await?;
        Ok(Self { workers, partitions, stream, lease })
    }

    /// Begins a session.
    pub(super) async fn begin(&self) -> Result<Session, Error> {
        let id = crate::client::new_idempotency_key()?;
        let began = Instant::now();
        let revision = self.workers.create(&id, Bytes::new()).await.map_err(|error| {
            Error::configuration(format!("the worker cannot be entered into the bucket: {}", chain(&error)))
        })?;
        Ok(Session { id, revision, until: began + self.lasts() })
    }

    pub(super) async fn renew(&self, session: &mut Session) -> Renewed {
        let began = Instant::now();
        match self.workers.update(&session.id, Bytes::new(), session.revision).await {
            Ok(revision) => {
                session.revision = revision;
                session.until = began + self.lasts();
                Renewed::Yes
            }
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {
                // The answer to a renewal may have been lost.
                match self.workers.entry(&session.id).await {
                    Ok(Some(entry)) if entry.operation == Operation::Put => {
                        session.revision = entry.revision;
                        Renewed::Unanswered
                    }
                    Ok(_) => Renewed::Lost,
                    Err(_) => Renewed::Unanswered,
                }
            }
            Err(_) => Renewed::Unanswered,
        }
    }

    pub(super) async fn end(&self, session: &Session) {
        // It ends by itself.
        let _ = self.workers.purge(&session.id).await;
    }

    /// Whether a session lasts; `None` where the server does not say.
    pub(super) async fn is_alive(&self, id: &str) -> Option<bool> {
        match self.workers.entry(id).await {
            Ok(entry) => Some(entry.is_some_and(|entry| entry.operation == Operation::Put)),
            Err(_) => None,
        }
    }

    /// Returns the ids of the sessions that last, in order; `None` if the server does not list them in time. A list that a restart of the
    /// server interrupts never ends by itself.
    pub(super) async fn alive(&self) -> Option<Vec<String>> {
        runtime::timeout(TIMEOUT, self.list()).await.ok()?
    }

    async fn list(&self) -> Option<Vec<String>> {
        let mut keys = std::pin::pin!(self.workers.keys().await.ok()?);
        let mut alive = Vec::new();
        while let Some(key) = std::future::poll_fn(|context| keys.as_mut().poll_next(context)).await {
            alive.push(key.ok()?);
        }
        alive.sort_unstable();
        alive.dedup();
        Some(alive)
    }

    /// Shorter than the server's, whose clock may run a little faster.
    fn lasts(&self) -> Duration {
        self.lease / 10 * 9
    }
}

async fn bucket(
    connection: &Connection,
    address: &Address,
    name: String,
    lease: Duration,
) -> Result<(Store, Duration), Error> {
    let failed = |error: &dyn std::error::Error| {
        refused(address, &format!("the bucket `{name}` cannot be used: {}", chain(error)))
    };
    match connection.context.get_stream(format!("KV_{name}")).await {
        Ok(found) => {
            let config = &found.cached_info().config;
            if config.description.as_deref() != Some(MARK) {
                return Err(refused(
                    address,
                    &format!("the bucket `{name}` is there, and is none that keyfit made: name another consumer"),
                ));
            }
            let lease = config.max_age;
            let store = connection.context.get_key_value(&name).await.map_err(|error| failed(&error))?;
            return Ok((store, lease));
        }
        Err(error) if matches!(&error.kind(), GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND) =>
            {}
        Err(error) => return Err(failed(&error)),
    }
    let config = Config {
        bucket: name.clone(),
        description: MARK.to_owned(),
        history: 1,
        max_age: lease,
        storage: StorageType::File,
        num_replicas: 1,
        ..Config::default()
    };
    let store = connection.context.create_key_value(config).await.map_err(|error| failed(&error))?;
    Ok((store, lease))
}
