//! Calling operations by their id, with JSON arguments: for conformance suites and tools that know operations as data.
//! Every call goes through the typed builders, so what is tested here is what users run.

#[cfg(feature = "dispatch")]
mod shipped;

pub use crate::client::dispatch::{Access, Answer, Call, Dispatch};
#[cfg(feature = "dispatch")]
pub use shipped::{File, SHIPPED, Shipped, connect};
