//! Writes any number of contacts or events to a data source, and says of each what became of it.
//!
//! A [`Writer`] checks items, gathers them into batches, keeps several batches on their way, waits for the rate limit, sends
//! again what may be sent again, and finds the one item for which a batch was refused. Its memory is bounded: who writes
//! faster than the server takes waits in [`write`](Writer::write).
//!
//! ```no_run
//! use keyfit::instasent::ingest_writer::{Outcome, Writer};
//! use keyfit::instasent::ingest::{Client, types::Contact};
//!
//! # async fn example(client: Client, contacts: Vec<Contact>) -> Result<(), Box<dyn std::error::Error>> {
//! let writer = Writer::<Contact>::builder("proj_xxx", "ds_xxx").start(&client, |delivery| match delivery.outcome() {
//!     Outcome::Accepted => {}
//!     Outcome::Rejected(reasons) => println!("{}: {reasons:?}", delivery.sequence()),
//!     Outcome::Unknown(why) => println!("{}: {why}", delivery.sequence()),
//! })?;
//! for contact in &contacts {
//!     writer.write(contact).await?;
//! }
//! println!("{}", writer.close().await?);
//! # Ok(())
//! # }
//! ```
//!
//! **Outcomes.** Each item that was taken has exactly one, handed to the closure once, on the writer's own task: count,
//! store or pass it on, and return. What an answer does not say for certain is [`Outcome::Unknown`], never accepted.
//!
//! **Order.** Items of one `_user_id` reach the server in the order in which they were written, and are never in two
//! requests at a time. A second item for a contact goes to a later batch.
//!
//! **Stopping.** 401, 402, 403 and 404 would be the answer to every batch: the writer stops, and what was not accepted is
//! unknown, with that error. So it is with what was not sent when a writer is dropped without [`close`](Writer::close).
//!
//! **Going on later.** A [`Checkpoint`] says which items are confirmed, by their numbers. Given to
//! [`Builder::resume`], it lets a later run write the same items from the beginning: what is confirmed is skipped.

mod batch;
mod builder;
mod check;
mod checkpoint;
mod delivery;
mod outcome;
mod queue;
mod receipt;
mod send;
mod shared;
mod stopped;
mod task;
mod writer;

pub use builder::Builder;
pub use checkpoint::Checkpoint;
pub use delivery::Delivery;
pub use outcome::{Outcome, Summary, Unknown};
pub use stopped::{Stopped, WriteError};
pub use writer::{Record, Writer, Written};

/// What a stream takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Contacts,
    Events,
}

#[cfg(test)]
mod queue_tests;
