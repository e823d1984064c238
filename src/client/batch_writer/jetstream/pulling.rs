//! The way of items from the queue to the writer.

use std::sync::Arc;

use async_nats::jetstream::consumer::Consumer;
use async_nats::jetstream::consumer::pull::Config as Pull;
use async_nats::{Subject, jetstream};
use bytes::Bytes;
use futures_core::Stream as _;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::hub::{Held, Hub};
use super::loan::Loan;
use crate::client::batch_writer::{WriteError, Writer};
use crate::error::Error;

/// Items of a partition that are fetched ahead.
const AHEAD: usize = 100;

/// An item on its way from the queue to the writer.
pub(super) struct Pulled {
    loan: Arc<Loan>,
    sequence: u64,
    reply: Subject,
    item: Bytes,
    room: OwnedSemaphorePermit,
}

/// Fetches the items of a partition, in their order, until its loan is closed or something is missing.
pub(super) async fn pull(
    consumer: Consumer<Pull>,
    loan: Arc<Loan>,
    pulled: mpsc::Sender<Pulled>,
    room: Arc<Semaphore>,
) {
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

/// Hands items to the writer, one after the other, under numbers of this worker.
pub(super) async fn feed<T: Serialize>(
    hub: &Hub,
    writer: &Writer<T>,
    mut pulling: mpsc::Receiver<Pulled>,
) -> Result<(), Error> {
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
