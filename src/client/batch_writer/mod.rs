//! Writes any number of items through an operation that takes many in one call, and says of each what became of it.
//!
//! A [`Writer`] checks items, gathers them into batches, keeps several batches on their way, waits for the rate limit, sends
//! again what may be sent again, and finds the one item for which a batch was refused. Its memory is bounded: who writes
//! faster than the server takes waits in [`write`](Writer::write).
//!
//! The call of an operation that takes batches has `writer` beside `send`, in generated clients and in
//! [`DynamicCall`](crate::DynamicCall::writer). Path and other parameters are given as for a call, once:
//!
//! ```no_run
//! use keyfit::batch_writer::Outcome;
//! use keyfit::instasent::ingest::{Client, types::Contact};
//!
//! # async fn example(client: Client, contacts: Vec<Contact>) -> Result<(), Box<dyn std::error::Error>> {
//! let call = client.stream_contacts_push().project("proj_xxx").datasource("ds_xxx");
//! let writer = call.writer().start(|delivery| match delivery.outcome() {
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
//! [`DeadLetters`] keeps those that were not accepted in a file.
//!
//! **Repetition.** A batch is sent again only where that does no harm: the server said that it did nothing, each item has the
//! [field](crate::Operation::retry_key) that makes a repetition harmless, or the call has an
//! [idempotency key](crate::Operation::idempotency_key), which all attempts share. Otherwise its items are unknown.
//!
//! **Order.** Items of one [key](Builder::key) reach the server in the order in which they were written, and are never in two
//! requests at a time.
//!
//! **Pace.** The writer begins with one batch at a time, adds more while the server keeps up, and halves their number when it
//! does not (additive increase, multiplicative decrease). Where answers tell what is left of a rate limit, no more is sent than
//! that, and one batch alone asks what a new window allows.
//!
//! **Stopping.** 401, 402, 403 and 404 would be the answer to every batch: the writer stops, and what was not accepted is
//! unknown, with that error. So it is with what was not sent when a writer is dropped without [`close`](Writer::close).
//!
//! **Going on later.** A [`Checkpoint`] says which items are confirmed, by their numbers. Given to
//! [`Builder::resume`], it lets a later run write the same items from the beginning: what is confirmed is skipped.

mod batch;
mod body;
mod builder;
mod checkpoint;
mod dead_letters;
mod delivery;
mod gate;
mod identity;
#[cfg(feature = "nats")]
pub mod jetstream;
mod outcome;
mod pace;
mod queue;
mod receipt;
mod send;
mod shared;
mod sieve;
mod stopped;
mod task;
mod writer;

pub use builder::Builder;
pub use checkpoint::Checkpoint;
pub use dead_letters::DeadLetters;
pub use delivery::Delivery;
pub use outcome::{Outcome, Reason, Summary, Unknown};
pub use stopped::{Stopped, WriteError};
pub use writer::{Writer, Written};

#[cfg(test)]
mod queue_tests;
