//! What every call goes through: the checks before a request leaves, the attempt loop, and what becomes of its answer.

pub(crate) mod answer;
mod attempt;
pub(crate) mod body;
mod budget;
pub(crate) mod chance;
mod classify;
mod exchange;
mod failure;
mod limiter;
mod problem;
mod repeat;
mod scope;
mod shared;
mod span;
#[cfg_attr(not(feature = "instasent-ingest"), expect(dead_code, reason = "the writer alone stops calls"))]
pub(crate) mod stop;
mod transport;

pub use exchange::Answer;
pub(crate) use failure::{Failure, Fault};
pub(crate) use problem::{Problem, request_id};
pub use transport::{Transport, Unsent};
