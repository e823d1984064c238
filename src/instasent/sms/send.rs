//! Sends a plan, and tells what became of each of its messages.

use std::fmt::Display;

use serde::Serialize;
use serde_json::Value;

use super::{BulkOutcome, Chunk, ItemOutcome, ItemReport, Message, Plan, Unplaced};
use crate::client::Response;
use crate::error::{Error, ErrorKind};

/// The outcome of each message of a plan: each is reported once.
///
/// # Troubleshooting
/// A [`NotSent`](ItemOutcome::NotSent) message can be planned and sent again. An [`Unknown`](ItemOutcome::Unknown) one may
/// have been sent and paid for: look it up by its `clientId` or number before sending it again.
#[derive(Debug)]
#[must_use = "some of the messages may not have been sent"]
pub struct Sent {
    items: Vec<ItemReport>,
    unplaced: Vec<Unplaced>,
    errors: Vec<Error>,
}

impl Sent {
    /// One report for each message that was planned, by index.
    pub fn items(&self) -> &[ItemReport] {
        &self.items
    }

    /// The messages that the server took.
    pub fn accepted(&self) -> impl Iterator<Item = &ItemReport> {
        self.items.iter().filter(|item| matches!(item.outcome, ItemOutcome::Accepted { .. }))
    }

    /// Elements of answers that could not be given to one message.
    pub fn unplaced(&self) -> &[Unplaced] {
        &self.unplaced
    }

    /// The requests that failed, in order. A request of which a part was taken is among them.
    pub fn errors(&self) -> &[Error] {
        &self.errors
    }

    /// Returns whether the server accepted every message.
    pub fn is_complete(&self) -> bool {
        self.accepted().count() == self.items.len()
    }
}

impl<'a, M: Message> Plan<'a, M> {
    /// Sends the chunks one after the other through `call`, which makes one bulk request of either API.
    ///
    /// No request is made twice. One that is refused for what it holds (400, 413, 422) stops nobody else; after any other
    /// failure (no funds, no right, a server in trouble, an outcome that is unknown) the chunks that follow are not sent.
    ///
    /// A future that is dropped takes what it knows with it. To keep each outcome as it comes, go through
    /// [`chunks`](Self::chunks) and [`settle`](Chunk::settle) them.
    ///
    /// ```no_run
    /// # #[cfg(feature = "instasent-transactional")]
    /// # async fn send(client: keyfit::instasent::transactional::Client, plan: keyfit::instasent::sms::Plan<'_, keyfit::instasent::sms::Draft>) {
    /// use keyfit::instasent::transactional::types::SmsItem;
    ///
    /// let sent = plan.send(|items: Vec<SmsItem>| client.sms_bulk_create().body(items).send()).await;
    /// for item in sent.items() {
    ///     println!("message {}: {:?}", item.index, item.outcome);
    /// }
    /// # }
    /// ```
    pub async fn send<T, A, F>(&self, mut call: impl FnMut(Vec<T>) -> F) -> Sent
    where
        T: TryFrom<&'a M>,
        T::Error: Display,
        A: Serialize,
        F: Future<Output = Result<Response<A>, Error>>,
    {
        let refused = self.refused().iter();
        let not_sent = |index, why: String| ItemReport { index, outcome: ItemOutcome::NotSent { why } };
        let items = refused.map(|refused| not_sent(refused.index, refused.reason.to_string())).collect();
        let mut sent = Sent { items, unplaced: Vec::new(), errors: Vec::new() };
        let mut stopped: Option<String> = None;
        for chunk in self.chunks() {
            if let Some(why) = &stopped {
                sent.items.extend(chunk.all(&ItemOutcome::NotSent { why: why.clone() }));
                continue;
            }
            let items = match chunk.items_as::<T>() {
                Ok(items) => items,
                Err(error) => {
                    sent.items.extend(chunk.all(&ItemOutcome::NotSent { why: error.to_string() }));
                    continue;
                }
            };
            let result = call(items).await;
            let outcome = chunk.settle(&result);
            sent.items.extend_from_slice(outcome.items());
            sent.unplaced.extend_from_slice(outcome.unplaced());
            if let Err(error) = result {
                stopped = (!is_of_this_request(error.kind())).then(|| format!("a request before it failed: {error}"));
                sent.errors.push(error);
            }
        }
        sent.items.sort_by_key(|item| item.index);
        sent
    }
}

impl<M: Message> Chunk<'_, M> {
    /// Returns the outcome of each message, by the result of the request: an answer, a partial success or a failure.
    pub fn settle<A: Serialize>(&self, result: &Result<Response<A>, Error>) -> BulkOutcome {
        let read = match result {
            Ok(answer) => self.outcome(&**answer).map_err(|error| error.to_string()),
            Err(error) if error.kind() == ErrorKind::PartialFailure => match error.decode::<Value>() {
                Ok(answer) => self.outcome(&answer).map_err(|error| error.to_string()),
                Err(unread) => Err(unread.to_string()),
            },
            Err(error) if was_not_executed(error) => {
                return self.alike(&ItemOutcome::NotSent { why: error.to_string() });
            }
            Err(error) => Err(error.to_string()),
        };
        read.unwrap_or_else(|why| self.alike(&ItemOutcome::Unknown { why }))
    }

    fn alike(&self, outcome: &ItemOutcome) -> BulkOutcome {
        BulkOutcome::alike(self.all(outcome).collect())
    }

    fn all(&self, outcome: &ItemOutcome) -> impl Iterator<Item = ItemReport> {
        self.entries().iter().map(|entry| ItemReport { index: entry.index, outcome: outcome.clone() })
    }
}

/// Returns whether the next request may succeed although this one failed.
fn is_of_this_request(kind: ErrorKind) -> bool {
    use ErrorKind::{BadRequest, InvalidRequest, PartialFailure, PayloadTooLarge, Unprocessable};
    matches!(kind, BadRequest | InvalidRequest | PartialFailure | PayloadTooLarge | Unprocessable)
}

/// Returns whether nothing was sent, or the server refused the whole request.
fn was_not_executed(error: &Error) -> bool {
    let is_refusal = |status: http::StatusCode| status.is_redirection() || status.is_client_error();
    !error.may_have_been_sent() || error.status().is_some_and(is_refusal)
}
