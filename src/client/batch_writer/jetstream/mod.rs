//! One import by many workers: items wait in a stream of NATS JetStream (server 2.10 or later), workers on any number of machines
//! take them, and what became of each is published.
//!
//! A [`Filler`] puts items into the queue, each into a partition by its key. A [`Worker`] takes some of the partitions on loan, writes
//! their items through a [`Builder`](super::Builder), and acknowledges an item once its outcome is published. Workers come and go: the
//! partitions are shared out anew, and those of a dead one are free when its lease has ended.
//!
//! ```no_run
//! use keyfit::batch_writer::jetstream::{Address, Worker};
//! use keyfit::instasent::ingest::Client;
//!
//! # async fn example(client: Client) -> Result<(), keyfit::Error> {
//! let queue = Address::parse("nats://queue.example.com:4222/contacts/import")?;
//! let call = client.stream_contacts_push().project("proj_xxx").datasource("ds_xxx");
//! let worker = Worker::new(queue, call.writer());
//! // Until the queue is empty.
//! println!("{}", worker.run(std::future::pending(), |_| {}).await?);
//! # Ok(())
//! # }
//! ```
//!
//! **Names.** Of a queue `STREAM`: the stream `STREAM` with the subjects `STREAM.items.PARTITION`; the stream `STREAM-outcomes` with
//! `STREAM.outcomes.PARTITION` (accepted items: `{"item": 7, "outcome": "accepted"}`) and `STREAM.dead.PARTITION` (the others, as lines of
//! [`DeadLetters`](super::DeadLetters)); `item` is the item's sequence in the stream. The workers of a consumer `CONSUMER` have the
//! consumers `CONSUMER-PARTITION` and the buckets `STREAM-CONSUMER-workers` and `STREAM-CONSUMER-partitions`. A partition is the
//! first eight bytes of the key's SHA-256, big-endian, modulo the number of partitions, which the stream's metadata hold.
//!
//! **Once.** An item whose repetition is harmless may reach the server a second time when a worker dies. One that must not be sent
//! twice is noted in the bucket before it is sent, under the loan: if its worker dies, no other one sends it again. It comes out as
//! [unknown](super::Outcome::Unknown), in `STREAM.dead`. A server of the queue that is killed forgets nothing that it answered; a worker removes
//! an item by its number where its acknowledgement was not answered. Against a loss of power the server needs `sync_interval: always`.
//!
//! **Order.** Items of one key are in one partition, which one worker holds at a time. A worker that was paused beyond its lease
//! sends nothing more of it.

mod address;
mod connection;
mod crew;
mod failure;
mod filler;
mod hub;
mod loan;
mod pass;
mod places;
mod pulling;
mod removal;
mod session;
mod settle;
mod settled;
mod worker;

pub use address::Address;
pub use filler::{Filled, Filler, Put};
pub use settled::{Drained, Settled};
pub use worker::Worker;
