//! An item leaves the queue.
//!
//! An acknowledgement that the server answered is done, also if the server is killed right after it. One that was not answered may
//! not have been, and no consumer takes it a second time: then the item is removed by its number.

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::RawMessageErrorKind;
use serde::Deserialize;
use serde_json::json;

use super::failure::chain;
use super::hub::{Held, Hub};
use super::settle::{Failed, Patience};
use crate::error::Error;

#[derive(Deserialize)]
struct Removed {}

impl Hub {
    /// Takes an item out of the queue, whoever has its partition by now: its outcome is published.
    pub(super) async fn remove(&self, held: &Held) -> Result<(), Error> {
        // Its consumer may be another one than that which delivered it, and would not answer.
        let is_fresh = !held.loan.is_closed() && self.connection.breaks() == held.loan.breaks;
        if is_fresh && self.connection.client.request(held.reply.clone(), "+ACK".into()).await.is_ok() {
            return Ok(());
        }
        // The server drops what has been asked of it where that is too much at once.
        let _turn = self.removals.acquire().await;
        let mut patience = Patience::default();
        while let Err(failed) = self.remove_by_number(held.sequence).await {
            patience.wait(self, failed).await.map_err(|why| {
                Error::configuration(format!("item {} cannot be taken out of the queue: {why}", held.sequence))
            })?;
        }
        Ok(())
    }

    async fn remove_by_number(&self, sequence: u64) -> Result<(), Failed> {
        let found = self.stream.get_info().await.map_err(|error| Failed::Unanswered(chain(&error)))?;
        if !self.places.is(&found) {
            return Ok(());
        }
        let subject = format!("STREAM.MSG.DELETE.{}", self.places.stream);
        let asked = json!({ "seq": sequence, "no_erase": true });
        let answer: Response<Removed> = self
            .connection
            .context
            .request(subject, &asked)
            .await
            .map_err(|error| Failed::Unanswered(chain(&error)))?;
        match answer {
            Response::Ok(_) => Ok(()),
            // Gone from among others.
            Response::Err { error } if error.error_code() == ErrorCode::SEQUENCE_NOT_FOUND => Ok(()),
            Response::Err { error } if error.error_code() == ErrorCode::STREAM_MESSAGE_DELETE_FAILED => {
                // It may be gone from the beginning, or the end.
                match self.stream.get_raw_message(sequence).await {
                    Err(gone) if gone.kind() == RawMessageErrorKind::NoMessageFound => Ok(()),
                    _ => Err(Failed::Refused(chain(&error))),
                }
            }
            Response::Err { error } => Err(Failed::Refused(chain(&error))),
        }
    }
}
