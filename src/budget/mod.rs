//! Rate budgets that several clients share, in one process or on many machines.
//!
//! A client keeps within the limits that answers name, by itself. Ten of them that call with one account would spend the
//! budget ten times. [`Config::budget`](crate::Config::budget) takes a place where they keep it together:
//!
//! | Clients run | Take |
//! |---|---|
//! | in one process | [`MemoryBudget`] |
//! | on several machines | `ValkeyBudget` (feature `valkey`), in Valkey or Redis |
//! | elsewhere | a type of yours that is a [`Budget`] |
//!
//! A client takes calls in slices, so that most calls ask nobody; a slice is valid for a second or a quarter of the window,
//! whichever is shorter, and what is not used of it goes back. What answers say (`remaining`, `reset`, 429) is reported with
//! the next slice or at the end of this one, the first word on a window and a refusal at once, and the least that anybody was
//! told is what counts. Who has to wait asks once for all callers of a process.
//!
//! **Where the store is gone**, a client goes on by itself with its part of the limit: that of all clients, by how many there
//! were within the last minute. It warns once, and comes back by itself.
//!
//! **What cannot be known.** A server that says nothing of limits is called without any. Calls of programs that share the
//! account and not the budget show in `remaining` alone: a 429 is possible then, once for each client within a second.

mod error;
mod memory;
mod reservation;
#[cfg(feature = "valkey")]
mod valkey;
mod window;

use std::fmt;

use futures_core::future::BoxFuture;

pub use error::BudgetError;
pub use memory::MemoryBudget;
pub use reservation::{Granted, Report, Reservation, Reserved, Seen};
#[cfg(feature = "valkey")]
pub use valkey::ValkeyBudget;

/// A place where clients keep their rate budget together.
pub trait Budget: fmt::Debug + Send + Sync + 'static {
    /// Takes in what became of earlier calls, and grants more, in one step that no other client comes between.
    ///
    /// `bucket` names the calls that share a limit: the API, the class of its operation, and what the path says of whose limit
    /// it is, as text without a secret. Clients give up after a second.
    fn reserve<'a>(&'a self, bucket: &'a str, asked: Reservation) -> BoxFuture<'a, Result<Reserved, BudgetError>>;
}

#[cfg(test)]
mod window_tests;
