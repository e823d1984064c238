//! The way of an item out of the queue: its outcome is published, then it is acknowledged.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use tokio::task::JoinHandle;

use super::failure::chain;
use super::hub::{Held, Hub, lock};
use super::settled::Settled;
use crate::client::batch_writer::dead_letters::line;
use crate::client::batch_writer::{Outcome, Unknown};
use crate::error::{Error, ErrorKind};
use crate::runtime;

/// How often a worker that is told to stop asks a server that does not answer, five seconds each.
const ATTEMPTS: u32 = 24;
const BETWEEN: Duration = Duration::from_millis(250);

/// Takes in the outcome of an item, once. Its end is the item's way out of the queue, or that it stays.
pub(super) fn settle(hub: &Arc<Hub>, number: u64, item: &[u8], outcome: &Outcome) -> Option<JoinHandle<()>> {
    let held = hub.release(number)?;
    let is_let_go = held.loan.is_closed() || hub.is_stopping() || !hub.is_valid();
    let hub = Arc::clone(hub);
    if let Outcome::Unknown(why) = outcome
        && stays(why, held.is_single, is_let_go)
    {
        held.loan.close();
        if !is_let_go {
            hub.fail(Error::configuration(format!("items stay in the queue: {why}")));
        }
        let was_sent = why.may_have_been_sent();
        return Some(runtime::spawn(async move {
            if !was_sent {
                held.loan.forget(held.sequence).await;
            }
            lock(&hub.counts).returned += 1;
            end(&hub, &held);
        }));
    }
    let (sequence, partition) = (held.sequence, held.loan.partition);
    let settled = Settled { sequence, partition, item: item.to_vec(), outcome: outcome.clone() };
    Some(runtime::spawn(async move {
        match take_out(&hub, &held, &settled).await {
            Ok(()) => {
                held.loan.forget(held.sequence).await;
                lock(&hub.counts).count(&settled.outcome);
                (lock(&hub.receiver))(&settled);
            }
            Err(error) => {
                held.loan.close();
                hub.fail(error);
            }
        }
        end(&hub, &held);
    }))
}

fn end(hub: &Hub, held: &Held) {
    held.loan.end();
    if held.loan.is_settled() {
        hub.news.notify_one();
    }
}

/// Whether an item is to stay in the queue. `is_single`: it must not be sent twice. `is_let_go`: this worker has nothing to say of
/// it any more.
fn stays(why: &Unknown, is_single: bool, is_let_go: bool) -> bool {
    if !why.may_have_been_sent() {
        return true;
    }
    // Of what may be sent again nothing is known while the server is out of order.
    let is_outage = |error: &Error| {
        matches!(
            error.kind(),
            ErrorKind::Connect
                | ErrorKind::Timeout
                | ErrorKind::Transport
                | ErrorKind::Cut
                | ErrorKind::RateLimited
                | ErrorKind::Server
        )
    };
    !is_single && (is_let_go || why.error().is_some_and(is_outage))
}

/// Publishes the outcome, and acknowledges the item after that.
async fn take_out(hub: &Hub, held: &Held, settled: &Settled) -> Result<(), Error> {
    let unpublished =
        |why: String| Error::configuration(format!("the outcome of item {} cannot be published: {why}", held.sequence));
    let dead = line(held.sequence, &settled.item, &settled.outcome).map_err(|error| unpublished(error.to_string()))?;
    let is_accepted = dead.is_none();
    let text = dead.unwrap_or_else(|| format!("{{\"item\":{},\"outcome\":\"accepted\"}}", held.sequence).into_bytes());
    let (subject, text) = (hub.places.outcomes(held.loan.partition, is_accepted), Bytes::from(text));
    let id = format!("{}-{}", hub.places.id, held.sequence);
    let mut patience = Patience::default();
    loop {
        let message = PublishMessage::build().payload(text.clone()).message_id(&id);
        let published = match hub.connection.context.send_publish(subject.clone(), message).await {
            Ok(confirmation) => confirmation.await,
            Err(error) => Err(error),
        };
        let Err(error) = published else { return hub.remove(held).await };
        let failed = match error.kind() {
            PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe => Failed::Unanswered(chain(&error)),
            // So says a server that begins, too.
            PublishErrorKind::StreamNotFound => Failed::Refused(chain(&error)),
            _ => return Err(unpublished(of_full(chain(&error)))),
        };
        patience.wait(hub, failed).await.map_err(unpublished)?;
    }
}

fn of_full(why: String) -> String {
    if why.contains("maximum") || why.contains("insufficient") {
        return format!("its stream is full ({why}). Take outcomes out of it, or raise its limit");
    }
    why
}

/// Why the server did not do something.
pub(super) enum Failed {
    /// It may be back, however long that takes.
    Unanswered(String),
    /// It may say otherwise soon.
    Refused(String),
}

/// Tries until it is done: without end where the server is gone, unless the worker is told to stop.
#[derive(Default)]
pub(super) struct Patience {
    failures: u32,
}

impl Patience {
    /// Waits before another attempt, or gives up.
    pub(super) async fn wait(&mut self, hub: &Hub, failed: Failed) -> Result<(), String> {
        let (why, has_end) = match failed {
            Failed::Refused(why) => (why, true),
            Failed::Unanswered(why) => (why, hub.is_stopping()),
        };
        self.failures += 1;
        if has_end && self.failures >= ATTEMPTS {
            return Err(why);
        }
        runtime::sleep(BETWEEN).await;
        Ok(())
    }
}
